#pragma once
// The calendar as text, in UTC: RFC 3339 for people and APIs, RFC 9110 for HTTP headers.
//
// Neither the C library's locale nor its time zone plays a part.

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace eilpost {

// The first and the last moment that can be written with four digits of the year.
inline constexpr WallTime kWallTimeMin{std::chrono::milliseconds(-62'167'219'200'000)};
inline constexpr WallTime kWallTimeMax{std::chrono::milliseconds(253'402'300'799'999)};

// 2026-11-24T09:00:00.123Z, always with milliseconds. A time outside kWallTimeMin to kWallTimeMax
// is written as the nearer of the two.
[[nodiscard]] std::string format_iso_time(WallTime time);
void append_iso_time(std::string& out, WallTime time);
inline constexpr std::size_t kIsoTimeBytes = 24;

// A date, a time with seconds and an offset: 2026-11-24T09:00:00Z, 2026-11-24t10:00:00.5+01:00.
// The offset may be without colon (+0100); a fraction of any length is cut to milliseconds. A leap
// second (23:59:60 UTC) is the first moment of the next day. Nothing for anything else, such as a
// date alone or a time without offset.
[[nodiscard]] std::optional<WallTime> parse_iso_time(std::string_view text);

// IMF-fixdate, to the second: Sun, 06 Nov 1994 08:49:37 GMT. Limits as format_iso_time().
[[nodiscard]] std::string format_http_date(WallTime time);

// IMF-fixdate and the two obsolete forms of RFC 9110. A year of two digits that would be more than
// 50 years after `now` is in the past. The name of the weekday is not compared with the date.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace eilpost

#pragma once
// Times as people and receivers want them: strftime's letters, English names, any time zone.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "render/time_zone.h"

namespace eilpost::render {

// What is wrong with a format, as a sentence; nothing if it is right. Known are
// %Y %y %m %d %e %j %H %I %M %S %p %L (milliseconds) %f (microseconds) %Z %z %:z %F %T %R %D
// %a %A %b %B %h %u %w %G %V %s %n %t %% and, without leading zero, %-d, %-m and so on.
[[nodiscard]] std::optional<std::string> find_format_problem(std::string_view format);

// REQUIRES: the format has no problem.
[[nodiscard]] std::string format_date(WallTime time, const TimeZone& zone, std::string_view format);

// A time from text: ISO 8601 with an offset, or a date alone (its midnight in UTC).
[[nodiscard]] std::optional<WallTime> parse_date(std::string_view text);

// A time from a number: seconds since 1970, or milliseconds from 1e11 on (which as seconds would be
// the year 5138). Nothing outside the years 0 to 9999.
[[nodiscard]] std::optional<WallTime> date_of(double number);

}  // namespace eilpost::render

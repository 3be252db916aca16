#pragma once
// Time zones of the IANA database, read from compiled TZif files (RFC 9636) that somebody else
// fetched: rendering itself touches no file.
//
// Threads: a TimeZone from any, also at once; a TimeZones from one at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace eilpost::render {

// What the clocks of a zone show at one moment.
struct LocalOffset {
  std::int32_t seconds = 0;       // east of UTC
  std::string_view abbreviation;  // "CET"; lives as long as the zone
};

// The rule of a POSIX TZ string such as CET-1CEST,M3.5.0,M10.5.0/3: for times after the table ends.
struct ZoneRule {
  // When a change happens within a year.
  struct Change {
    enum class Kind : std::uint8_t { month_week_day, julian_without_leap_day, day_of_year };
    Kind kind = Kind::month_week_day;
    int month = 1;
    int week = 1;
    int day = 0;
    std::int32_t seconds = 7200;  // after local midnight; may be negative or above a day
  };

  std::int32_t standard_seconds = 0;
  std::string standard_name;
  std::int32_t summer_seconds = 0;
  std::string summer_name;  // empty: no summer time
  Change summer_begins;
  Change summer_ends;

  // Nothing if `text` is not such a string.
  [[nodiscard]] static std::optional<ZoneRule> parse(std::string_view text);
  [[nodiscard]] LocalOffset at(std::int64_t unix_seconds) const;
};

class TimeZone {
 public:
  [[nodiscard]] static std::shared_ptr<const TimeZone> utc();
  // Errors: bad_input, if `bytes` is not a TZif file of version 2 or later.
  [[nodiscard]] static Result<std::shared_ptr<const TimeZone>> parse(std::string_view bytes);

  [[nodiscard]] LocalOffset at(std::int64_t unix_seconds) const;

 private:
  struct Type {
    std::int32_t seconds = 0;
    std::string abbreviation;
  };

  std::vector<std::int64_t> transitions_;
  std::vector<std::uint8_t> types_of_transitions_;
  std::vector<Type> types_;  // at least one
  std::optional<ZoneRule> rule_;
};

// Finds zones by name and keeps what it found.
class TimeZones {
 public:
  // The bytes of the TZif file of a name such as Europe/Berlin; nothing if there is none. It is
  // only asked for names that stay within the database's folder.
  using Reader = std::function<std::optional<std::string>(std::string_view name)>;

  // Knows UTC only.
  TimeZones() = default;
  explicit TimeZones(Reader reader) : reader_(std::move(reader)) {}

  // Errors: bad_input (`detail` is a sentence).
  [[nodiscard]] Result<std::shared_ptr<const TimeZone>> find(std::string_view name);

 private:
  Reader reader_;
  std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> known_;
};

}  // namespace eilpost::render

#include "render/time_zone.h"

#include <algorithm>
#include <chrono>

#include "base/ascii.h"

namespace eilpost::render {
namespace {

// RFC 9636 §3.2 allows offsets from -25 to +26 hours; no zone is anywhere near.
constexpr std::int32_t kOffsetSecondsEnd = 25 * 3600;

bool is_offset(std::int32_t seconds) {
  return seconds > -kOffsetSecondsEnd && seconds < kOffsetSecondsEnd;
}

constexpr std::size_t kNameBytesMax = 100;
// A year has at most a few changes; the database's largest zone has 243.
constexpr std::size_t kTransitionsMax = 10'000;

// Reads big-endian numbers; past the end it gives zeros and remembers that it failed.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  std::int32_t signed32() {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4)));
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct Header {
  char version = 0;
  std::size_t is_ut_count = 0;
  std::size_t is_standard_count = 0;
  std::size_t leap_count = 0;
  std::size_t transition_count = 0;
  std::size_t type_count = 0;
  std::size_t name_bytes = 0;

  [[nodiscard]] std::size_t data_bytes(std::size_t time_bytes) const {
    return transition_count * (time_bytes + 1) + type_count * 6 + name_bytes +
           leap_count * (time_bytes + 4) + is_standard_count + is_ut_count;
  }
};

std::optional<Header> read_header(Reader& reader) {
  if (reader.take(4) != "TZif") return std::nullopt;
  Header header;
  header.version = static_cast<char>(reader.number(1));
  (void)reader.take(15);
  header.is_ut_count = reader.number(4);
  header.is_standard_count = reader.number(4);
  header.leap_count = reader.number(4);
  header.transition_count = reader.number(4);
  header.type_count = reader.number(4);
  header.name_bytes = reader.number(4);
  if (reader.failed()) return std::nullopt;
  return header;
}

// The parts of a POSIX TZ string, read one after the other.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> name() {
    const bool quoted = skip('<');
    std::size_t end = 0;
    while (end < rest_.size() && (quoted ? rest_[end] != '>' : is_ascii_letter(rest_[end]))) ++end;
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (name.empty() || (quoted && !skip('>'))) return std::nullopt;
    return name;
  }

  std::optional<int> number(int most) {
    if (rest_.empty() || !is_ascii_digit(rest_.front())) return std::nullopt;
    int value = 0;
    while (!rest_.empty() && is_ascii_digit(rest_.front())) {
      value = value * 10 + (rest_.front() - '0');
      if (value > most) return std::nullopt;
      rest_.remove_prefix(1);
    }
    return value;
  }

  // [+-]h[:mm[:ss]], in seconds.
  std::optional<std::int32_t> time() {
    const bool negative = skip('-');
    if (!negative) (void)skip('+');
    const auto hours = number(167);
    if (!hours) return std::nullopt;
    std::int32_t seconds = *hours * 3600;
    for (const std::int32_t unit : {60, 1}) {
      if (!skip(':')) break;
      const auto part = number(59);
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }

  std::optional<ZoneRule::Change> change() {
    using Kind = ZoneRule::Change::Kind;
    ZoneRule::Change change;
    if (skip('M')) {
      const auto month = number(12);
      if (!month || *month < 1 || !skip('.')) return std::nullopt;
      const auto week = number(5);
      if (!week || *week < 1 || !skip('.')) return std::nullopt;
      const auto day = number(6);
      if (!day) return std::nullopt;
      change.month = *month;
      change.week = *week;
      change.day = *day;
    } else {
      change.kind = skip('J') ? Kind::julian_without_leap_day : Kind::day_of_year;
      const auto day = number(change.kind == Kind::day_of_year ? 365 : 366);
      if (!day) return std::nullopt;
      change.day = *day;
    }
    if (skip('/')) {
      const auto seconds = time();
      if (!seconds) return std::nullopt;
      change.seconds = *seconds;
    }
    return change;
  }

 private:
  std::string_view rest_;
};

// Seconds from 1970 to a change of `year`, on the zone's own clock.
std::int64_t local_seconds_of(const ZoneRule::Change& change, std::chrono::year year) {
  namespace chrono = std::chrono;
  using Kind = ZoneRule::Change::Kind;
  chrono::sys_days day;
  switch (change.kind) {
    case Kind::month_week_day: {
      const chrono::month month(static_cast<unsigned>(change.month));
      const chrono::weekday weekday(static_cast<unsigned>(change.day));
      day = change.week == 5
                ? chrono::sys_days(year / month / weekday[chrono::last])
                : chrono::sys_days(year / month / weekday[static_cast<unsigned>(change.week)]);
      break;
    }
    case Kind::julian_without_leap_day: {
      const int leap = year.is_leap() && change.day >= 60 ? 1 : 0;
      day = chrono::sys_days(year / chrono::January / 1) + chrono::days(change.day - 1 + leap);
      break;
    }
    case Kind::day_of_year:
      day = chrono::sys_days(year / chrono::January / 1) + chrono::days(change.day);
      break;
  }
  return std::int64_t{day.time_since_epoch().count()} * 86'400 + change.seconds;
}

}  // namespace

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  RuleReader reader(text);
  ZoneRule rule;
  const auto standard_name = reader.name();
  const auto standard = reader.time();
  if (!standard_name || !standard || !is_offset(*standard)) return std::nullopt;
  rule.standard_name = *standard_name;
  rule.standard_seconds = -*standard;  // POSIX counts west of Greenwich
  if (reader.rest().empty()) return rule;

  const auto summer_name = reader.name();
  if (!summer_name) return std::nullopt;
  rule.summer_name = *summer_name;
  rule.summer_seconds = rule.standard_seconds + 3600;
  if (!reader.rest().starts_with(',')) {
    const auto summer = reader.time();
    if (!summer) return std::nullopt;
    rule.summer_seconds = -*summer;
  }
  if (!is_offset(rule.summer_seconds)) return std::nullopt;
  if (!reader.skip(',')) return std::nullopt;
  const auto begins = reader.change();
  if (!begins || !reader.skip(',')) return std::nullopt;
  const auto ends = reader.change();
  if (!ends || !reader.rest().empty()) return std::nullopt;
  rule.summer_begins = *begins;
  rule.summer_ends = *ends;
  return rule;
}

LocalOffset ZoneRule::at(std::int64_t unix_seconds) const {
  const LocalOffset standard{.seconds = standard_seconds, .abbreviation = standard_name};
  if (summer_name.empty()) return standard;
  namespace chrono = std::chrono;
  const auto local_day = chrono::floor<chrono::days>(
      chrono::sys_seconds(chrono::seconds(unix_seconds + standard_seconds)));
  const chrono::year year = chrono::year_month_day(local_day).year();
  const std::int64_t begins = local_seconds_of(summer_begins, year) - standard_seconds;
  const std::int64_t ends = local_seconds_of(summer_ends, year) - summer_seconds;
  // In the south summer begins late in the year and ends early in it.
  const bool is_summer = begins < ends ? begins <= unix_seconds && unix_seconds < ends
                                       : unix_seconds < ends || begins <= unix_seconds;
  return is_summer ? LocalOffset{.seconds = summer_seconds, .abbreviation = summer_name} : standard;
}

std::shared_ptr<const TimeZone> TimeZone::utc() {
  auto zone = std::make_shared<TimeZone>();
  zone->types_.push_back({.seconds = 0, .abbreviation = "UTC"});
  return zone;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::parse(std::string_view bytes) {
  const auto broken = [] { return fail(ErrorCode::bad_input, "not a TZif file of version 2"); };
  Reader reader(bytes);
  // The first block repeats the data with 32-bit times.
  const auto first = read_header(reader);
  if (!first || first->version < '2') return broken();
  (void)reader.take(first->data_bytes(4));
  const auto header = read_header(reader);
  if (!header || header->type_count == 0 || header->type_count > 256 ||
      header->transition_count > kTransitionsMax) {
    return broken();
  }
  auto zone = std::make_shared<TimeZone>();
  for (std::size_t i = 0; i < header->transition_count; ++i) {
    zone->transitions_.push_back(static_cast<std::int64_t>(reader.number(8)));
  }
  for (std::size_t i = 0; i < header->transition_count; ++i) {
    zone->types_of_transitions_.push_back(static_cast<std::uint8_t>(reader.number(1)));
  }
  std::vector<std::size_t> names;
  for (std::size_t i = 0; i < header->type_count; ++i) {
    const std::int32_t seconds = reader.signed32();
    if (!is_offset(seconds)) return broken();
    zone->types_.push_back({.seconds = seconds, .abbreviation = {}});
    (void)reader.take(1);
    names.push_back(reader.number(1));
  }
  const std::string_view all_names = reader.take(header->name_bytes);
  (void)reader.take(header->leap_count * 12 + header->is_standard_count + header->is_ut_count);
  if (reader.failed() || !std::ranges::is_sorted(zone->transitions_)) return broken();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] >= all_names.size()) return broken();
    const std::string_view name = all_names.substr(names[i]);
    zone->types_[i].abbreviation = name.substr(0, name.find('\0'));
  }
  for (const std::uint8_t type : zone->types_of_transitions_) {
    if (type >= zone->types_.size()) return broken();
  }
  std::string_view footer = reader.rest();
  if (!footer.starts_with('\n')) return broken();
  footer.remove_prefix(1);
  const std::size_t end = footer.find('\n');
  if (end == std::string_view::npos) return broken();
  if (end > 0) {
    zone->rule_ = ZoneRule::parse(footer.substr(0, end));
    if (!zone->rule_) return broken();
  }
  return zone;
}

LocalOffset TimeZone::at(std::int64_t unix_seconds) const {
  const auto after = std::ranges::upper_bound(transitions_, unix_seconds);
  if (after == transitions_.end() && rule_) return rule_->at(unix_seconds);
  const auto index = static_cast<std::size_t>(after - transitions_.begin());
  const Type& type = types_[index == 0 ? 0 : types_of_transitions_[index - 1]];
  return {.seconds = type.seconds, .abbreviation = type.abbreviation};
}

namespace {

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_ascii_letter(name.front())) return false;
  return std::ranges::all_of(name, [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || c == '_' || c == '-' || c == '+' || c == '/';
  });
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> TimeZones::find(std::string_view name) {
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  std::shared_ptr<const TimeZone> zone;
  if (name == "UTC") {
    zone = TimeZone::utc();
  } else {
    const std::string quoted = "'" + std::string(name) + "'";
    if (!is_zone_name(name)) {
      return fail(ErrorCode::bad_input, quoted +
                                            " is not the name of a time zone; write it like "
                                            "'Europe/Berlin'.");
    }
    if (!reader_) {
      return fail(ErrorCode::bad_input, "The time zone " + quoted +
                                            " is not available: this server has no time zone "
                                            "database (package tzdata). 'UTC' always works.");
    }
    const auto bytes = reader_(name);
    if (!bytes) {
      return fail(ErrorCode::bad_input, "There is no time zone " + quoted +
                                            " in this server's time zone database (package "
                                            "tzdata). Names look like 'Europe/Berlin'.");
    }
    auto parsed = TimeZone::parse(*bytes);
    if (!parsed) {
      return fail(ErrorCode::bad_input,
                  "The time zone " + quoted + " cannot be read: " + parsed.error().detail + ".");
    }
    zone = *std::move(parsed);
  }
  known_.emplace(name, zone);
  return zone;
}

}  // namespace eilpost::render

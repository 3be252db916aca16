#include "base/iso_time.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace eilpost {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

// Takes characters from the front of a text; after the first that does not fit it has failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}

  [[nodiscard]] bool succeeded() const { return !failed_ && left_.empty(); }
  [[nodiscard]] char peek() const { return left_.empty() ? '\0' : left_.front(); }

  unsigned digits(std::size_t count) {
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = take();
      if (!is_ascii_digit(c)) failed_ = true;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return failed_ ? 0 : value;
  }

  char take() {
    const char c = peek();
    if (left_.empty()) failed_ = true;
    if (!left_.empty()) left_.remove_prefix(1);
    return c;
  }

  void expect(std::string_view text) {
    if (!left_.starts_with(text)) failed_ = true;
    left_.remove_prefix(std::min(text.size(), left_.size()));
  }

  // One of `names`, by its first `length` characters; the index.
  template <std::size_t kCount>
  unsigned name(const std::array<std::string_view, kCount>& names, std::size_t length) {
    for (unsigned i = 0; i < kCount; ++i) {
      const std::string_view wanted = names[i].substr(0, length);
      if (left_.starts_with(wanted)) {
        left_.remove_prefix(wanted.size());
        return i;
      }
    }
    failed_ = true;
    return 0;
  }

  void fail() { failed_ = true; }

 private:
  std::string_view left_;
  bool failed_ = false;
};

// Second 60 is allowed here: the caller decides whether it can be a leap second.
std::optional<milliseconds> since_epoch(const Civil& civil) {
  const year_month_day date{std::chrono::year(civil.year), std::chrono::month(civil.month),
                            std::chrono::day(civil.day)};
  if (!date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 60) return std::nullopt;
  return sys_days(date).time_since_epoch() + hours(civil.hour) + minutes(civil.minute) +
         seconds(civil.second);
}

std::optional<WallTime> in_range(milliseconds value) {
  const WallTime time(value);
  if (time < kWallTimeMin || time > kWallTimeMax) return std::nullopt;
  return time;
}

bool is_midnight(milliseconds value) {
  return std::chrono::floor<days>(value) == value;
}

void scan_time_of_day(Scanner& scanner, Civil& civil) {
  civil.hour = scanner.digits(2);
  scanner.expect(":");
  civil.minute = scanner.digits(2);
  scanner.expect(":");
  civil.second = scanner.digits(2);
}

milliseconds scan_fraction(Scanner& scanner) {
  if (scanner.peek() != '.') return milliseconds(0);
  scanner.take();
  if (!is_ascii_digit(scanner.peek())) scanner.fail();
  unsigned value = 0;
  unsigned unit = 100;
  for (; is_ascii_digit(scanner.peek()); unit /= 10) value += unit * scanner.digits(1);
  return milliseconds(value);
}

minutes scan_offset(Scanner& scanner) {
  const char sign = scanner.take();
  if (sign == 'Z' || sign == 'z') return minutes(0);
  if (sign != '+' && sign != '-') scanner.fail();
  const unsigned hour = scanner.digits(2);
  if (scanner.peek() == ':') scanner.take();
  const unsigned minute = scanner.digits(2);
  if (hour > 23 || minute > 59) scanner.fail();
  const minutes offset = hours(hour) + minutes(minute);
  return sign == '-' ? -offset : offset;
}

std::optional<WallTime> finish_http_date(const Scanner& scanner, const Civil& civil) {
  if (!scanner.succeeded()) return std::nullopt;
  const std::optional<milliseconds> value = since_epoch(civil);
  if (!value) return std::nullopt;
  if (civil.second == 60 && !is_midnight(*value)) return std::nullopt;
  return in_range(*value);
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<WallTime> parse_imf_fixdate(std::string_view text) {
  Scanner scanner(text);
  Civil civil;
  scanner.name(kWeekdays, 3);
  scanner.expect(", ");
  civil.day = scanner.digits(2);
  scanner.expect(" ");
  civil.month = scanner.name(kMonths, 3) + 1;
  scanner.expect(" ");
  civil.year = static_cast<int>(scanner.digits(4));
  scanner.expect(" ");
  scan_time_of_day(scanner, civil);
  scanner.expect(" GMT");
  return finish_http_date(scanner, civil);
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<WallTime> parse_rfc850_date(std::string_view text, WallTime now) {
  Scanner scanner(text);
  Civil civil;
  scanner.name(kWeekdays, std::string_view::npos);
  scanner.expect(", ");
  civil.day = scanner.digits(2);
  scanner.expect("-");
  civil.month = scanner.name(kMonths, 3) + 1;
  scanner.expect("-");
  const auto year_of_century = static_cast<int>(scanner.digits(2));
  scanner.expect(" ");
  scan_time_of_day(scanner, civil);
  scanner.expect(" GMT");

  const days today = std::chrono::floor<days>(now.time_since_epoch());
  const int this_year = static_cast<int>(year_month_day(sys_days(today)).year());
  civil.year = this_year / 100 * 100 + year_of_century;
  // The latest year with these digits that is at most 50 years ahead.
  if (civil.year > this_year + 50) civil.year -= 100;
  if (civil.year + 100 <= this_year + 50) civil.year += 100;
  return finish_http_date(scanner, civil);
}

// Sun Nov  6 08:49:37 1994
std::optional<WallTime> parse_asctime_date(std::string_view text) {
  Scanner scanner(text);
  Civil civil;
  scanner.name(kWeekdays, 3);
  scanner.expect(" ");
  civil.month = scanner.name(kMonths, 3) + 1;
  scanner.expect(" ");
  if (scanner.peek() == ' ') {
    scanner.take();
    civil.day = scanner.digits(1);
  } else {
    civil.day = scanner.digits(2);
  }
  scanner.expect(" ");
  scan_time_of_day(scanner, civil);
  scanner.expect(" ");
  civil.year = static_cast<int>(scanner.digits(4));
  return finish_http_date(scanner, civil);
}

struct Split {
  year_month_day date;
  weekday day_of_week;
  milliseconds time_of_day;
};

Split split(WallTime time) {
  const milliseconds value = std::clamp(time, kWallTimeMin, kWallTimeMax).time_since_epoch();
  const days day = std::chrono::floor<days>(value);
  return {year_month_day(sys_days(day)), weekday(sys_days(day)), value - day};
}

template <std::size_t kWidth>
void put(char* at, std::uint32_t value) {
  for (std::size_t i = kWidth; i > 0; --i) {
    at[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

void put_time_of_day(char* at, milliseconds time_of_day) {
  const auto seconds_of_day = static_cast<std::uint32_t>(time_of_day / seconds(1));
  put<2>(at, seconds_of_day / 3600);
  put<2>(at + 3, seconds_of_day / 60 % 60);
  put<2>(at + 6, seconds_of_day % 60);
}

std::uint32_t year_of(const year_month_day& date) {
  return static_cast<std::uint32_t>(static_cast<int>(date.year()));
}

}  // namespace

std::string format_iso_time(WallTime time) {
  std::string text;
  append_iso_time(text, time);
  return text;
}

void append_iso_time(std::string& out, WallTime time) {
  const Split parts = split(time);
  char text[kIsoTimeBytes + 1] = "0000-00-00T00:00:00.000Z";
  put<4>(text, year_of(parts.date));
  put<2>(text + 5, static_cast<unsigned>(parts.date.month()));
  put<2>(text + 8, static_cast<unsigned>(parts.date.day()));
  put_time_of_day(text + 11, parts.time_of_day);
  put<3>(text + 20, static_cast<std::uint32_t>(parts.time_of_day.count() % 1000));
  out.append(text, kIsoTimeBytes);
}

std::optional<WallTime> parse_iso_time(std::string_view text) {
  Scanner scanner(text);
  Civil civil;
  civil.year = static_cast<int>(scanner.digits(4));
  scanner.expect("-");
  civil.month = scanner.digits(2);
  scanner.expect("-");
  civil.day = scanner.digits(2);
  if (to_ascii_upper(scanner.take()) != 'T') scanner.fail();
  scan_time_of_day(scanner, civil);
  const milliseconds fraction = scan_fraction(scanner);
  const minutes offset = scan_offset(scanner);
  if (!scanner.succeeded()) return std::nullopt;
  const std::optional<milliseconds> local = since_epoch(civil);
  if (!local) return std::nullopt;
  const milliseconds utc = *local - offset;
  if (civil.second == 60) return is_midnight(utc) ? in_range(utc) : std::nullopt;
  return in_range(utc + fraction);
}

std::string format_http_date(WallTime time) {
  const Split parts = split(time);
  std::string text = "Xxx, 00 Xxx 0000 00:00:00 GMT";
  text.replace(0, 3, kWeekdays[parts.day_of_week.c_encoding()].substr(0, 3));
  put<2>(text.data() + 5, static_cast<unsigned>(parts.date.day()));
  text.replace(8, 3, kMonths[static_cast<unsigned>(parts.date.month()) - 1]);
  put<4>(text.data() + 12, year_of(parts.date));
  put_time_of_day(text.data() + 17, parts.time_of_day);
  return text;
}

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  if (text.size() > 3 && text[3] == ',') return parse_imf_fixdate(text);
  if (text.size() > 3 && text[3] == ' ') return parse_asctime_date(text);
  return parse_rfc850_date(text, now);
}

}  // namespace eilpost

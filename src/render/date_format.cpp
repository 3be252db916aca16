#include "render/date_format.h"

#include <array>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

#include "base/iso_time.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kLetters = "YymdejHIMSpLfZzFTRDaAbBhuwGVsnt%";
constexpr std::string_view kNumbers = "YymdejHIMSuwGV";  // those that "%-" may stand before

constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

struct Fields {
  WallTime time;
  LocalOffset offset;
  int year = 0;
  unsigned month = 1;
  unsigned day = 1;
  int day_of_year = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  unsigned weekday = 0;      // 0 is Sunday
  unsigned iso_weekday = 1;  // 7 is Sunday
  int iso_year = 0;
  int iso_week = 1;
};

Fields fields_of(WallTime time, const TimeZone& zone) {
  namespace chrono = std::chrono;
  Fields fields;
  fields.time = time;
  const auto unix_seconds = chrono::floor<chrono::seconds>(time.time_since_epoch());
  fields.offset = zone.at(unix_seconds.count());
  const chrono::sys_time<chrono::milliseconds> local(time.time_since_epoch() +
                                                     chrono::seconds(fields.offset.seconds));
  const chrono::sys_days date = chrono::floor<chrono::days>(local);
  const chrono::year_month_day calendar(date);
  const chrono::hh_mm_ss clock(local - date);
  fields.year = int(calendar.year());
  fields.month = unsigned(calendar.month());
  fields.day = unsigned(calendar.day());
  fields.day_of_year =
      int((date - chrono::sys_days(calendar.year() / chrono::January / 1)).count()) + 1;
  fields.hour = int(clock.hours().count());
  fields.minute = int(clock.minutes().count());
  fields.second = int(clock.seconds().count());
  fields.millisecond = int(clock.subseconds().count());
  fields.weekday = chrono::weekday(date).c_encoding();
  fields.iso_weekday = chrono::weekday(date).iso_encoding();
  // The week belongs to the year in which its Thursday lies.
  const chrono::sys_days thursday = date + chrono::days(4 - int(fields.iso_weekday));
  const chrono::year iso_year = chrono::year_month_day(thursday).year();
  fields.iso_year = int(iso_year);
  fields.iso_week =
      int((thursday - chrono::sys_days(iso_year / chrono::January / 1)).count()) / 7 + 1;
  return fields;
}

std::string offset_text(std::int32_t seconds, std::string_view separator) {
  const std::int32_t size = std::abs(seconds);
  return fmt::format("{}{:02}{}{:02}", seconds < 0 ? '-' : '+', size / 3600, separator,
                     size / 60 % 60);
}

int twelve_hour(int hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

// One of kNumbers.
std::string number_text(char letter, const Fields& f) {
  switch (letter) {
    case 'Y':
      return fmt::format("{:04}", f.year);
    case 'y':
      return fmt::format("{:02}", f.year % 100);
    case 'm':
      return fmt::format("{:02}", f.month);
    case 'd':
      return fmt::format("{:02}", f.day);
    case 'e':
      return fmt::format("{:2}", f.day);
    case 'j':
      return fmt::format("{:03}", f.day_of_year);
    case 'H':
      return fmt::format("{:02}", f.hour);
    case 'I':
      return fmt::format("{:02}", twelve_hour(f.hour));
    case 'M':
      return fmt::format("{:02}", f.minute);
    case 'S':
      return fmt::format("{:02}", f.second);
    case 'u':
      return fmt::format("{}", f.iso_weekday);
    case 'w':
      return fmt::format("{}", f.weekday);
    case 'G':
      return fmt::format("{:04}", f.iso_year);
    default:
      return fmt::format("{:02}", f.iso_week);  // V
  }
}

std::string other_text(char letter, const Fields& f) {
  switch (letter) {
    case 'p':
      return f.hour < 12 ? "AM" : "PM";
    case 'L':
      return fmt::format("{:03}", f.millisecond);
    case 'f':
      return fmt::format("{:03}000", f.millisecond);
    case 'Z':
      return std::string(f.offset.abbreviation);
    case 'z':
      return offset_text(f.offset.seconds, "");
    case 'F':
      return fmt::format("{:04}-{:02}-{:02}", f.year, f.month, f.day);
    case 'T':
      return fmt::format("{:02}:{:02}:{:02}", f.hour, f.minute, f.second);
    case 'R':
      return fmt::format("{:02}:{:02}", f.hour, f.minute);
    case 'D':
      return fmt::format("{:02}/{:02}/{:02}", f.month, f.day, f.year % 100);
    case 'a':
      return std::string(kWeekdays[f.weekday].substr(0, 3));
    case 'A':
      return std::string(kWeekdays[f.weekday]);
    case 'b':
    case 'h':
      return std::string(kMonths[f.month - 1].substr(0, 3));
    case 'B':
      return std::string(kMonths[f.month - 1]);
    case 's':
      return fmt::format(
          "{}", std::chrono::floor<std::chrono::seconds>(f.time.time_since_epoch()).count());
    case 'n':
      return "\n";
    case 't':
      return "\t";
    default:
      return "%";
  }
}

std::string without_padding(std::string_view text) {
  const std::size_t start = text.find_first_not_of("0 ");
  return start == std::string::npos ? "0" : std::string(text.substr(start));
}

}  // namespace

std::optional<std::string> find_format_problem(std::string_view format) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    const std::size_t start = i++;
    const bool unpadded = i < format.size() && format[i] == '-';
    const bool colon = i < format.size() && format[i] == ':';
    if (unpadded || colon) ++i;
    const std::string_view allowed = unpadded ? kNumbers : colon ? std::string_view("z") : kLetters;
    if (i < format.size() && allowed.find(format[i]) != std::string_view::npos) continue;
    return fmt::format("\"{}\" is no part of a date format; use for example %Y-%m-%d %H:%M:%S.",
                       format.substr(start, i < format.size() ? i - start + 1 : i - start));
  }
  return std::nullopt;
}

std::string format_date(WallTime time, const TimeZone& zone, std::string_view format) {
  const Fields fields = fields_of(time, zone);
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    const char letter = format[++i];
    if (letter == ':') {
      ++i;
      text += offset_text(fields.offset.seconds, ":");
    } else if (letter == '-') {
      text += without_padding(number_text(format[++i], fields));
    } else if (kNumbers.find(letter) != std::string_view::npos) {
      text += number_text(letter, fields);
    } else {
      text += other_text(letter, fields);
    }
  }
  return text;
}

std::optional<WallTime> parse_date(std::string_view text) {
  constexpr std::size_t kDateBytes = 10;  // 2026-11-24
  if (text.size() == kDateBytes) return parse_iso_time(std::string(text) + "T00:00:00Z");
  return parse_iso_time(text);
}

std::optional<WallTime> date_of(double number) {
  constexpr double kMillisecondsFrom = 1e11;
  const double milliseconds =
      std::floor(std::abs(number) < kMillisecondsFrom ? number * 1000 : number);
  if (!(milliseconds >= static_cast<double>(kWallTimeMin.time_since_epoch().count())) ||
      !(milliseconds <= static_cast<double>(kWallTimeMax.time_since_epoch().count()))) {
    return std::nullopt;
  }
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

}  // namespace eilpost::render

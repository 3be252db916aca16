// Goal:   offsets before, within and after the table of a TZif file, and broken files.
// Method: files are made here byte by byte; real ones are read in tests/golden.

#include "render/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "base/iso_time.h"
#include "base/random.h"
#include "render/date_format.h"

namespace eilpost::render {
namespace {

using testing::HasSubstr;

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i));
  return text;
}

struct ZoneFile {
  std::vector<std::pair<std::int64_t, int>> transitions;  // time, type
  std::vector<std::pair<std::int32_t, int>> types;        // offset, place of the name
  std::string names;
  std::string footer;

  [[nodiscard]] std::string header(std::size_t transitions_count, std::size_t types_count,
                                   std::size_t names_bytes) const {
    return "TZif2" + std::string(15, '\0') + std::string(12, '\0') +
           big_endian(transitions_count, 4) + big_endian(types_count, 4) +
           big_endian(names_bytes, 4);
  }
  [[nodiscard]] std::string bytes() const {
    std::string file = header(0, 1, 1) + big_endian(0, 6) + std::string(1, '\0');
    file += header(transitions.size(), types.size(), names.size());
    for (const auto& [time, type] : transitions) {
      file += big_endian(static_cast<std::uint64_t>(time), 8);
    }
    for (const auto& [time, type] : transitions) file += static_cast<char>(type);
    for (const auto& [offset, name] : types) {
      file += big_endian(static_cast<std::uint32_t>(offset), 4) + '\0' + static_cast<char>(name);
    }
    return file + names + "\n" + footer + "\n";
  }
};

ZoneFile berlin() {
  return {.transitions = {{-2'422'054'408, 1}, {1'000'000'000, 2}},
          .types = {{3208, 0}, {3600, 4}, {7200, 8}},
          .names = std::string("LMT\0CET\0CEST\0", 13),
          .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
}

std::int64_t seconds_of(std::string_view iso) {
  const auto time = parse_iso_time(iso);
  EILPOST_ASSERT(time.has_value());
  return std::chrono::floor<std::chrono::seconds>(time->time_since_epoch()).count();
}

TEST(TimeZone, TableAndRuleGiveTheOffset) {
  const auto zone = TimeZone::parse(berlin().bytes());
  ASSERT_TRUE(zone.has_value());
  const auto at = [&](std::int64_t time) { return (*zone)->at(time); };
  EXPECT_EQ(at(-3'000'000'000).seconds, 3208);
  EXPECT_EQ(at(-3'000'000'000).abbreviation, "LMT");
  EXPECT_EQ(at(-2'422'054'408).seconds, 3600);
  EXPECT_EQ(at(999'999'999).abbreviation, "CET");
  // After the table the rule says it: it is still summer in September 2001.
  EXPECT_EQ(at(1'000'000'000).abbreviation, "CEST");
  EXPECT_EQ(at(seconds_of("2026-03-29T00:59:59Z")).seconds, 3600);
  EXPECT_EQ(at(seconds_of("2026-03-29T01:00:00Z")).seconds, 7200);
  EXPECT_EQ(at(seconds_of("2026-10-25T00:59:59Z")).seconds, 7200);
  EXPECT_EQ(at(seconds_of("2026-10-25T01:00:00Z")).seconds, 3600);
  EXPECT_EQ(at(seconds_of("2199-07-01T00:00:00Z")).abbreviation, "CEST");
}

TEST(TimeZone, WithoutARuleTheLastTypeStays) {
  ZoneFile file = berlin();
  file.footer = "";
  const auto zone = TimeZone::parse(file.bytes());
  ASSERT_TRUE(zone.has_value());
  EXPECT_EQ((*zone)->at(seconds_of("2026-01-01T00:00:00Z")).seconds, 7200);
}

TEST(TimeZone, RulesOfManyForms) {
  const auto at = [](std::string_view rule, std::string_view time) {
    const auto parsed = ZoneRule::parse(rule);
    if (!parsed) return std::string("bad");
    const LocalOffset offset = parsed->at(seconds_of(time));
    return std::string(offset.abbreviation) + " " + std::to_string(offset.seconds);
  };
  EXPECT_EQ(at("UTC0", "2026-01-01T00:00:00Z"), "UTC 0");
  EXPECT_EQ(at("<+0545>-5:45", "2026-01-01T00:00:00Z"), "+0545 20700");
  EXPECT_EQ(at("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z"), "EST -18000");
  EXPECT_EQ(at("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z"), "EDT -14400");
  EXPECT_EQ(at("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z"), "EST -18000");
  EXPECT_EQ(at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-15T00:00:00Z"), "AEDT 39600");
  EXPECT_EQ(at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-15T00:00:00Z"), "AEST 36000");
  EXPECT_EQ(at("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-15T00:00:00Z"), "GMT 0");
  EXPECT_EQ(at("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-15T00:00:00Z"), "IST 3600");
  EXPECT_EQ(at("XXX3YYY,J60,J300/-1:30:15", "2024-02-29T12:00:00Z"), "XXX -10800");
  EXPECT_EQ(at("XXX3YYY,J60,J300/-1:30:15", "2024-03-01T12:00:00Z"), "YYY -7200");
  EXPECT_EQ(at("XXX3YYY,59,300", "2024-02-29T12:00:00Z"), "YYY -7200");
  for (const std::string_view bad :
       {"", "C", "CET", "CET-", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0x",
        "<CET-1", "CET-200", "CET-1CEST,M3.5.0/,M10.5.0"}) {
    EXPECT_EQ(at(bad, "2026-01-01T00:00:00Z"), "bad") << bad;
  }
}

TEST(TimeZone, RulesWithOffsetsOfMoreThanADayAreRefused) {
  EXPECT_TRUE(ZoneRule::parse("A24:59").has_value());
  EXPECT_FALSE(ZoneRule::parse("A25").has_value());
  EXPECT_FALSE(ZoneRule::parse("<A>-50:45<B>,M9.5.0,M4.1.0").has_value());
  EXPECT_FALSE(ZoneRule::parse("A1B26,M9.5.0,M4.1.0").has_value());
}

TEST(TimeZone, BrokenFilesAreRefused) {
  const std::string whole = berlin().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(TimeZone::parse(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = whole;
    for (int j = 0; j < 3; ++j) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const auto zone = TimeZone::parse(bytes);
    if (zone) (void)(*zone)->at(1'800'000'000);  // whatever it says, it says it safely
  }
  ZoneFile bad_type = berlin();
  bad_type.transitions[0].second = 3;
  EXPECT_FALSE(TimeZone::parse(bad_type.bytes()).has_value());
  ZoneFile bad_name = berlin();
  bad_name.types[0].second = 13;
  EXPECT_FALSE(TimeZone::parse(bad_name.bytes()).has_value());
  ZoneFile unsorted = berlin();
  unsorted.transitions[0].first = 2'000'000'000;
  EXPECT_FALSE(TimeZone::parse(unsorted.bytes()).has_value());
  ZoneFile bad_rule = berlin();
  bad_rule.footer = "CET";
  EXPECT_FALSE(TimeZone::parse(bad_rule.bytes()).has_value());
}

TEST(TimeZones, AreReadOnceAndOnlyByProperNames) {
  int reads = 0;
  TimeZones zones([&](std::string_view name) -> std::optional<std::string> {
    ++reads;
    if (name == "Europe/Berlin") return berlin().bytes();
    if (name == "Broken") return "TZif";
    return std::nullopt;
  });
  EXPECT_TRUE(zones.find("Europe/Berlin").has_value());
  EXPECT_EQ(*zones.find("Europe/Berlin"), *zones.find("Europe/Berlin"));
  EXPECT_EQ(reads, 1);
  EXPECT_THAT(zones.find("Mars/Base").error().detail,
              HasSubstr("There is no time zone 'Mars/Base'"));
  EXPECT_THAT(zones.find("Broken").error().detail, HasSubstr("cannot be read"));
  EXPECT_EQ(reads, 3);
  for (const std::string_view bad : {"", "../etc/passwd", "/etc/passwd", "a b", "Europe/../x"}) {
    EXPECT_THAT(zones.find(bad).error().detail, HasSubstr("is not the name of a time zone")) << bad;
  }
  EXPECT_EQ(reads, 3);
  EXPECT_TRUE(TimeZones().find("UTC").has_value());
  EXPECT_FALSE(TimeZones().find("Europe/Berlin").has_value());
}

TEST(DateFormat, EveryLetter) {
  const auto zone = TimeZone::parse(berlin().bytes());
  ASSERT_TRUE(zone.has_value());
  const WallTime time = *parse_iso_time("2026-01-04T23:05:09.078Z");
  const auto format = [&](std::string_view text) {
    EXPECT_EQ(find_format_problem(text), std::nullopt) << text;
    return format_date(time, **zone, text);
  };
  EXPECT_EQ(format("%Y-%m-%d %H:%M:%S.%L %f"), "2026-01-05 00:05:09.078 078000");
  EXPECT_EQ(format("%y %e %j %I %p"), "26  5 005 12 AM");
  EXPECT_EQ(format("%Z %z %:z"), "CET +0100 +01:00");
  EXPECT_EQ(format("%F|%T|%R|%D"), "2026-01-05|00:05:09|00:05|01/05/26");
  EXPECT_EQ(format("%a %A %b %B %h"), "Mon Monday Jan January Jan");
  EXPECT_EQ(format("%u %w %G-W%V %s"), "1 1 2026-W02 1767567909");
  EXPECT_EQ(format("%-d.%-m. %-H:%-M %-I %-j"), "5.1. 0:5 12 5");
  EXPECT_EQ(format("100%% ä%n%t"), "100% ä\n\t");
  EXPECT_EQ(format_date(*parse_iso_time("2027-01-01T12:00:00Z"), *TimeZone::utc(), "%G-W%V %u %Z"),
            "2026-W53 5 UTC");
  for (const std::string_view bad : {"%", "%Q", "%-", "%-Z", "%:", "%:Z", "%E"}) {
    EXPECT_NE(find_format_problem(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace eilpost::render

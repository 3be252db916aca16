// Goal: the compiled time zones of the IANA database are read right, before, within and after their
//       tables. Facts that every edition of the database has.

#include "zone_files.h"

#include <gtest/gtest.h>
#include <string>

#include "base/iso_time.h"
#include "render/date_format.h"

namespace eilpost::render {
namespace {

struct Fact {
  std::string_view zone;
  std::string_view utc;
  std::string_view local;
};

TEST(ZoneFiles, ShowWhatTheClocksShowed) {
  if (!read_zone_file("Europe/Berlin")) GTEST_SKIP() << "this machine has no tzdata";
  TimeZones zones(read_zone_file);
  for (const auto& [name, utc, local] : {
           Fact{"Europe/Berlin", "1880-01-01T00:00:00Z", "1880-01-01 00:53:28 LMT"},
           Fact{"Europe/Berlin", "1979-07-01T12:00:00Z", "1979-07-01 13:00:00 CET"},
           Fact{"Europe/Berlin", "1980-07-01T12:00:00Z", "1980-07-01 14:00:00 CEST"},
           Fact{"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 CET"},
           Fact{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 CEST"},
           Fact{"Europe/Berlin", "2090-07-01T12:00:00Z", "2090-07-01 14:00:00 CEST"},
           Fact{"America/New_York", "2026-11-01T05:59:59Z", "2026-11-01 01:59:59 EDT"},
           Fact{"America/New_York", "2026-11-01T06:00:00Z", "2026-11-01 01:00:00 EST"},
           Fact{"Asia/Kathmandu", "2026-06-01T00:00:00Z", "2026-06-01 05:45:00 +0545"},
           Fact{"Australia/Sydney", "2060-01-15T00:00:00Z", "2060-01-15 11:00:00 AEDT"},
           Fact{"Asia/Tokyo", "2026-06-01T00:00:00Z", "2026-06-01 09:00:00 JST"},
           Fact{"UTC", "2026-06-01T00:00:00Z", "2026-06-01 00:00:00 UTC"},
       }) {
    const auto zone = zones.find(name);
    ASSERT_TRUE(zone.has_value()) << zone.error().detail;
    EXPECT_EQ(format_date(*parse_iso_time(utc), **zone, "%F %T %Z"), local) << name << " " << utc;
  }
}

TEST(ZoneFiles, NamesOutsideOfTheDatabaseAreNotAskedFor) {
  TimeZones zones([](std::string_view name) -> std::optional<std::string> {
    ADD_FAILURE() << name;
    return std::nullopt;
  });
  EXPECT_FALSE(zones.find("../../../etc/passwd").has_value());
}

}  // namespace
}  // namespace eilpost::render

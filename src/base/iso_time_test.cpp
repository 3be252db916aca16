#include "base/iso_time.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace eilpost {
namespace {

WallTime at(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

TEST(IsoTime, IsWrittenWithMillisecondsInUtc) {
  EXPECT_EQ(format_iso_time(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_iso_time(at(1'795'510'800'123)), "2026-11-24T09:00:00.123Z");
  EXPECT_EQ(format_iso_time(at(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_iso_time(at(951'782'400'000)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(format_iso_time(kWallTimeMin), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_iso_time(kWallTimeMax), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_iso_time(WallTime::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_iso_time(WallTime::min()), "0000-01-01T00:00:00.000Z");
}

TEST(IsoTime, OffsetsAndFractionsAreUnderstood) {
  const WallTime nine = at(1'795'510'800'000);
  EXPECT_EQ(parse_iso_time("2026-11-24T09:00:00Z"), nine);
  EXPECT_EQ(parse_iso_time("2026-11-24t09:00:00z"), nine);
  EXPECT_EQ(parse_iso_time("2026-11-24T10:30:00+01:30"), nine);
  EXPECT_EQ(parse_iso_time("2026-11-23T23:00:00-1000"), nine);
  EXPECT_EQ(parse_iso_time("2026-11-24T09:00:00-00:00"), nine);
  EXPECT_EQ(parse_iso_time("2026-11-24T09:00:00.5Z"), nine + std::chrono::milliseconds(500));
  EXPECT_EQ(parse_iso_time("2026-11-24T09:00:00.05Z"), nine + std::chrono::milliseconds(50));
  EXPECT_EQ(parse_iso_time("2026-11-24T09:00:00.123999999999999999999999Z"),
            nine + std::chrono::milliseconds(123));
  EXPECT_EQ(parse_iso_time("2024-02-29T00:00:00Z"), at(1'709'164'800'000));
}

TEST(IsoTime, LeapSecondIsTheFirstMomentOfTheNextDay) {
  EXPECT_EQ(parse_iso_time("2016-12-31T23:59:60Z"), parse_iso_time("2017-01-01T00:00:00Z"));
  EXPECT_EQ(parse_iso_time("2017-01-01T00:59:60.7+01:00"), parse_iso_time("2017-01-01T00:00:00Z"));
  EXPECT_EQ(parse_iso_time("2016-12-31T22:59:60Z"), std::nullopt);
}

TEST(IsoTime, EverythingElseIsRefused) {
  for (const char* text : {"",
                           "2026-11-24",
                           "2026-11-24T09:00Z",
                           "2026-11-24T09:00:00",
                           "2026-11-24 09:00:00Z",
                           "2026-11-24T09:00:00.Z",
                           "2026-11-24T09:00:00,5Z",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T09:60:00Z",
                           "2026-11-24T09:00:61Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2026-11-24T09:00:00+24:00",
                           "2026-11-24T09:00:00+01:60",
                           "2026-11-24T09:00:00+1:00",
                           "2026-11-24T09:00:00Z ",
                           " 2026-11-24T09:00:00Z",
                           "2026-11-24T09:00:00ZZ",
                           "+2026-11-24T09:00:00Z",
                           "26-11-24T09:00:00Z",
                           "2026-1-24T09:00:00Z",
                           "2026-11-24T09:00:00+01:0",
                           "0000-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           "2026-11-24T-9:00:00Z"}) {
    EXPECT_EQ(parse_iso_time(text), std::nullopt) << text;
  }
}

TEST(IsoTimeProperty, EveryTimeComesBack) {
  Random random(8);
  const auto span = static_cast<std::uint64_t>((kWallTimeMax - kWallTimeMin).count()) + 1;
  for (int i = 0; i < 2000; ++i) {
    const WallTime time = kWallTimeMin + std::chrono::milliseconds(random.next() % span);
    EXPECT_EQ(parse_iso_time(format_iso_time(time)), time);
    const WallTime whole = std::chrono::floor<std::chrono::seconds>(time);
    EXPECT_EQ(parse_http_date(format_http_date(time), at(0)), whole);
  }
}

TEST(HttpDate, AllThreeFormsOfRfc9110AreRead) {
  const WallTime time = at(784'111'777'000);
  const WallTime now = at(1'795'510'800'000);  // 2026
  EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), time);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), time);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), time);
  EXPECT_EQ(parse_http_date("Thu Nov 24 09:00:00 2026", now), now);
}

TEST(HttpDate, YearOfTwoDigitsIsAtMostFiftyYearsAhead) {
  const WallTime in_2026 = at(1'795'510'800'000);
  const WallTime in_1999 = at(946'000'000'000);
  const auto year = [](const char* text, WallTime now) {
    return format_iso_time(parse_http_date(text, now).value()).substr(0, 4);
  };
  EXPECT_EQ(year("Sunday, 06-Nov-76 08:49:37 GMT", in_2026), "2076");
  EXPECT_EQ(year("Sunday, 06-Nov-77 08:49:37 GMT", in_2026), "1977");
  EXPECT_EQ(year("Sunday, 06-Nov-05 08:49:37 GMT", in_1999), "2005");
  EXPECT_EQ(year("Sunday, 06-Nov-49 08:49:37 GMT", in_1999), "2049");
  EXPECT_EQ(year("Sunday, 06-Nov-50 08:49:37 GMT", in_1999), "1950");
}

TEST(HttpDate, EverythingElseIsRefused) {
  for (const char* text :
       {"", "0", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z"}) {
    EXPECT_EQ(parse_http_date(text, at(0)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace eilpost

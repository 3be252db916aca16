#include "ingest/rate_limiter.h"

#include <gtest/gtest.h>
#include <initializer_list>

namespace eilpost::ingest {
namespace {

using namespace std::chrono_literals;

env::Address v4(std::uint32_t number) {
  env::Address address;
  std::memcpy(address.bytes.data(), &number, sizeof number);
  return address;
}

env::Address v6(std::initializer_list<std::uint8_t> bytes) {
  env::Address address{.is_v6 = true};
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

const Instant kStart{std::chrono::hours(1)};

// How many single events pass at this instant.
int count_passing(RateLimiter& limiter, const env::Address& address, Instant now) {
  int count = 0;
  while (!limiter.wait(address, now) && count < 10'000) {
    limiter.charge(address, 1, now);
    ++count;
  }
  return count;
}

TEST(RateLimiter, LetsOneSecondsEventsThroughAtOnceAndThenTheRate) {
  RateLimiter limiter(100);
  EXPECT_EQ(count_passing(limiter, v4(1), kStart), 100);
  EXPECT_EQ(limiter.wait(v4(1), kStart), 10ms);
  EXPECT_EQ(count_passing(limiter, v4(1), kStart + 10ms), 1);
  EXPECT_EQ(count_passing(limiter, v4(1), kStart + 510ms), 50);
  EXPECT_EQ(count_passing(limiter, v4(1), kStart + 60s), 100);
}

TEST(RateLimiter, ABatchPassesOnCreditAndIsPaidBack) {
  RateLimiter limiter(100);
  EXPECT_FALSE(limiter.wait(v4(1), kStart));
  limiter.charge(v4(1), 300, kStart);
  EXPECT_EQ(limiter.wait(v4(1), kStart), 2010ms);
  EXPECT_TRUE(limiter.wait(v4(1), kStart + 2s));
  EXPECT_FALSE(limiter.wait(v4(1), kStart + 2010ms));
}

TEST(RateLimiter, AddressesDoNotShareABucketButThoseOfOneV6NetworkDo) {
  RateLimiter limiter(1);
  const auto exhausts = [&](const env::Address& first, const env::Address& second) {
    RateLimiter fresh(1);
    fresh.charge(first, 5, kStart);
    return fresh.wait(second, kStart).has_value();
  };
  EXPECT_FALSE(exhausts(v4(1), v4(2)));
  EXPECT_TRUE(exhausts(v6({0x20, 1, 0, 0, 0, 0, 0, 7, 1}), v6({0x20, 1, 0, 0, 0, 0, 0, 7, 2})));
  EXPECT_FALSE(exhausts(v6({0x20, 1, 0, 0, 0, 0, 0, 7}), v6({0x20, 1, 0, 0, 0, 0, 0, 8})));
  // The same IPv4 client, seen through a socket of either kind.
  EXPECT_TRUE(exhausts(v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 0, 0, 0}), v4(1)));
  EXPECT_FALSE(exhausts(v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 2, 0, 0, 0}), v4(1)));
}

TEST(RateLimiter, ZeroIsNoLimit) {
  RateLimiter limiter(0);
  limiter.charge(v4(1), 1'000'000, kStart);
  EXPECT_FALSE(limiter.wait(v4(1), kStart));
  EXPECT_EQ(limiter.addresses_count(), 0U);
}

TEST(RateLimiter, MemoryIsBoundedAndTheBusiestAreKept) {
  RateLimiter limiter(1, 100);
  std::size_t most = 0;
  for (std::uint32_t i = 1; i < 10'000; ++i) {
    limiter.charge(v4(0), 1, kStart);
    limiter.charge(v4(i), 5, kStart);
    EXPECT_TRUE(limiter.wait(v4(i), kStart));
    most = std::max(most, limiter.addresses_count());
  }
  EXPECT_LE(most, 100U);
  EXPECT_GE(most, 50U);
  EXPECT_TRUE(limiter.wait(v4(0), kStart + 9'000s)) << "one that is used is not forgotten";
}

TEST(RateLimiter, RefusedOnesDoNotGrowTheTable) {
  RateLimiter limiter(1, 100);
  for (std::uint32_t round = 0; round < 100; ++round) {
    for (std::uint32_t i = 0; i < 60; ++i) limiter.charge(v4(round * 60 + i), 5, kStart);
    for (std::uint32_t i = 0; i < 60; ++i) (void)limiter.wait(v4(round * 60 + i), kStart);
    EXPECT_LE(limiter.addresses_count(), 100U);
  }
}

TEST(RateLimiter, AClockThatStandsStillGivesNothing) {
  RateLimiter limiter(10);
  limiter.charge(v4(1), 10, kStart);
  EXPECT_TRUE(limiter.wait(v4(1), kStart - 5s));
  EXPECT_TRUE(limiter.wait(v4(1), kStart));
}

}  // namespace
}  // namespace eilpost::ingest

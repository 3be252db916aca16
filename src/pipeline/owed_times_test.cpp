#include "pipeline/owed_times.h"

#include <gtest/gtest.h>

namespace eilpost::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kStart{1'000'000s};

TEST(OwedTimes, TheOldestIsTheFirstThatWasNotRemoved) {
  OwedTimes times;
  EXPECT_EQ(times.oldest(), std::nullopt);
  times.add(kStart + 5s);
  times.add(kStart + 1500ms);
  times.add(kStart + 1900ms);
  EXPECT_EQ(times.oldest(), kStart + 1s);
  times.remove(kStart + 1900ms);
  EXPECT_EQ(times.oldest(), kStart + 1s);
  times.remove(kStart + 1500ms);
  EXPECT_EQ(times.oldest(), kStart + 5s);
  times.add(kStart);
  times.remove(kStart + 5s);
  EXPECT_EQ(times.oldest(), kStart);
  times.remove(kStart);
  EXPECT_EQ(times.oldest(), std::nullopt);
}

}  // namespace
}  // namespace eilpost::pipeline

#include "retry/batch_size.h"

#include <gtest/gtest.h>

namespace eilpost::retry {
namespace {

TEST(BatchSize, IsWhatTheSettingsSayUntilItIsTooMuch) {
  BatchSize size;
  EXPECT_EQ(size.limit(2000), 2000U);
  size.note_taken(2000);
  size.note_too_large(2000);
  EXPECT_EQ(size.limit(2000), 1000U);
  EXPECT_EQ(size.limit(10), 10U);
  size.note_too_large(1);
  EXPECT_EQ(size.limit(2000), 1U);
  size.reset();
  EXPECT_EQ(size.limit(2000), 2000U);
}

TEST(BatchSize, GrowsAgainSlowlyWhileFullOnesAreTaken) {
  BatchSize size;
  size.note_too_large(20);
  for (int i = 0; i < 99; ++i) size.note_taken(10);
  for (int i = 0; i < 500; ++i) size.note_taken(9);  // Smaller ones say nothing.
  EXPECT_EQ(size.limit(2000), 10U);
  size.note_taken(10);
  EXPECT_EQ(size.limit(2000), 11U);
}

}  // namespace
}  // namespace eilpost::retry

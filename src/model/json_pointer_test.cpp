#include "model/json_pointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eilpost {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JsonPointer, StepsAreWithoutTheirEscapes) {
  EXPECT_THAT(pointer_steps("/a~1b/0/*"), ElementsAre("a/b", "0", "*"));
  EXPECT_THAT(pointer_steps("/~01/~1~0"), ElementsAre("~1", "/~"));
  EXPECT_THAT(pointer_steps("/e v/\"q\"/ü"), ElementsAre("e v", "\"q\"", "ü"));
}

TEST(JsonPointer, AnEmptyStepIsAStep) {
  EXPECT_THAT(pointer_steps(""), IsEmpty());
  EXPECT_THAT(pointer_steps("/"), ElementsAre(""));
  EXPECT_THAT(pointer_steps("//a/"), ElementsAre("", "a", ""));
}

TEST(JsonPointer, WhatIsNoPointerHasNoSteps) {
  EXPECT_THAT(pointer_steps("a/b"), IsEmpty());
  EXPECT_THAT(pointer_steps("/a~"), ElementsAre("a~"));
}

}  // namespace
}  // namespace eilpost

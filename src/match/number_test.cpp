#include "match/number.h"

#include <gtest/gtest.h>
#include <limits>

#include "base/random.h"

namespace eilpost::match {
namespace {

using Int128 = __int128;

constexpr std::uint64_t kU64Max = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kI64Min = std::numeric_limits<std::int64_t>::min();

TEST(Number, IntegersAreComparedExactlyUpTo64Bits) {
  EXPECT_LT(Number(kU64Max - 1), Number(kU64Max));
  EXPECT_LT(Number(kI64Min), Number(kI64Min + 1));
  EXPECT_LT(Number(std::int64_t{-1}), Number(std::uint64_t{0}));
  EXPECT_LT(Number(kI64Min), Number(kU64Max));
  EXPECT_EQ(Number(std::int64_t{7}), Number(std::uint64_t{7}));
}

TEST(Number, IntegerAndDoubleAreComparedExactly) {
  EXPECT_GT(Number(std::int64_t{9007199254740993}), Number(9007199254740992.0));
  EXPECT_LT(Number(kU64Max), Number(18446744073709551616.0));
  EXPECT_EQ(Number(kI64Min), Number(-9223372036854775808.0));
  EXPECT_LT(Number(-1e300), Number(kI64Min));
  EXPECT_LT(Number(std::int64_t{9}), Number(9.5));
  EXPECT_GT(Number(std::int64_t{10}), Number(9.5));
  EXPECT_GT(Number(std::int64_t{-9}), Number(-9.5));
  EXPECT_LT(Number(std::int64_t{-10}), Number(-9.5));
  EXPECT_LT(Number(9.25), Number(9.5));
  EXPECT_GT(Number(9.5), Number(std::int64_t{9}));
}

TEST(Number, WholeDoubleIsAnInteger) {
  EXPECT_EQ(Number(9.0), Number(std::int64_t{9}));
  EXPECT_EQ(Number(9.0).hash(), Number(std::int64_t{9}).hash());
  EXPECT_EQ(Number(-0.0), Number(std::int64_t{0}));
  EXPECT_EQ(Number(-0.0).hash(), Number(std::int64_t{0}).hash());
  EXPECT_NE(Number(9.5).hash(), Number(9.25).hash());
  EXPECT_NE(Number(std::int64_t{-9}).hash(), Number(std::int64_t{9}).hash());
}

TEST(Number, TextIsANumberAsAWhole) {
  EXPECT_EQ(Number::parse("9"), Number(std::int64_t{9}));
  EXPECT_EQ(Number::parse("-1.5e3"), Number(std::int64_t{-1500}));
  EXPECT_EQ(Number::parse("18446744073709551615"), Number(kU64Max));
  EXPECT_EQ(Number::parse("18446744073709551616"), Number(18446744073709551616.0));
  for (const std::string_view text : {"", " 9", "9 ", "+9", "nine", "9a", "1e999", "inf", "0x9"}) {
    EXPECT_EQ(Number::parse(text), std::nullopt) << text;
  }
}

// Property: the order is that of the numbers themselves, doubled so that halves are whole.
TEST(NumberProperty, OrderIsThatOfTheNumbers) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const auto draw = [&random](Int128& doubled) {
      const auto small = static_cast<std::int64_t>(random.below(9)) - 4;
      switch (random.below(4)) {
        case 0:
          doubled = Int128{2} * small;
          return Number(small);
        case 1:
          doubled = small;
          return Number(static_cast<double>(small) / 2);
        case 2: {
          const std::uint64_t large = random.next();
          doubled = Int128{2} * large;
          return Number(large);
        }
        default: {
          const auto large = static_cast<double>(static_cast<std::int64_t>(random.next()));
          doubled = static_cast<Int128>(large) * 2;
          return Number(large);
        }
      }
    };
    Int128 doubled_a = 0;
    Int128 doubled_b = 0;
    const Number a = draw(doubled_a);
    const Number b = draw(doubled_b);
    EXPECT_EQ(a < b, doubled_a < doubled_b) << seed;
    EXPECT_EQ(a > b, doubled_a > doubled_b) << seed;
    EXPECT_EQ(a == b, doubled_a == doubled_b) << seed;
    if (a == b) {
      EXPECT_EQ(a.hash(), b.hash()) << seed;
    }
  }
}

}  // namespace
}  // namespace eilpost::match

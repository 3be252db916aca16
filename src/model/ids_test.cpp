#include "model/ids.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace eilpost {
namespace {

TEST(Ids, EachKindHasItsPrefix) {
  EXPECT_EQ(to_string(SourceId{1}), "so_0000000000001");
  EXPECT_EQ(to_string(WebhookId{32}), "wh_0000000000010");
  EXPECT_EQ(to_string(DestinationId{0}), "dst_0000000000000");
  EXPECT_EQ(to_string(UserId{31}), "usr_000000000000z");
  EXPECT_EQ(to_string(ApiKeyId{(1ULL << 63U) - 1}), "key_7zzzzzzzzzzzz");
  EXPECT_EQ(to_string(DeliveryId{.sequence = {33}, .ordinal = 7}), "dlv_0000000000011-7");
}

template <class Id>
void expect_round_trip(std::uint64_t value) {
  EXPECT_EQ(parse_id<Id>(to_string(Id{value})), Id{value});
}

TEST(IdsProperty, TextIsReadBack) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const std::uint64_t value = random.next() >> 1U;
    expect_round_trip<SourceId>(value);
    expect_round_trip<WebhookId>(value);
    expect_round_trip<DestinationId>(value);
    expect_round_trip<UserId>(value);
    expect_round_trip<ApiKeyId>(value);
    const DeliveryId delivery{.sequence = {random.next()},
                              .ordinal = static_cast<std::uint16_t>(random.below(65536))};
    EXPECT_EQ(parse_id<DeliveryId>(to_string(delivery)), delivery);
  }
}

TEST(Ids, OtherTextIsNoId) {
  for (const std::string_view text :
       {"", "wh_", "0000000000001", "dst_0000000000001", "wh_000000000001", "wh_00000000000001",
        "wh_000000000000u", "wh_8000000000000", "wh_000000000000Z", " wh_0000000000001"}) {
    EXPECT_EQ(parse_id<WebhookId>(text), std::nullopt) << text;
  }
  for (const std::string_view text :
       {"dlv_0000000000011", "dlv_0000000000011-", "dlv_0000000000011-07", "dlv_0000000000011--1",
        "dlv_0000000000011-65536", "dlv_000000000011-7", "wh_0000000000011-7",
        "dlv_0000000000011-7 "}) {
    EXPECT_EQ(parse_id<DeliveryId>(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace eilpost

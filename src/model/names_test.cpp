#include <gtest/gtest.h>
#include <set>

#include "model/catalog.h"
#include "model/delivery.h"
#include "model/destination.h"
#include "model/outbound.h"
#include "model/webhook.h"

namespace eilpost {
namespace {

// The names of the enumerators 0 to `last`; they must all differ.
template <class Enum>
std::set<std::string_view> names_up_to(Enum last) {
  std::set<std::string_view> names;
  const auto count = static_cast<std::size_t>(last) + 1;
  for (std::size_t i = 0; i < count; ++i) names.insert(to_string(static_cast<Enum>(i)));
  EXPECT_EQ(names.size(), count);
  return names;
}

TEST(Names, OperatorsAreReadBack) {
  for (const std::string_view name : names_up_to(Operator::does_not_exist)) {
    ASSERT_TRUE(parse_operator(name).has_value()) << name;
    EXPECT_EQ(to_string(*parse_operator(name)), name);
  }
  EXPECT_EQ(parse_operator("greater_or_equal"), Operator::greater_or_equal);
  EXPECT_EQ(parse_operator("not_in"), Operator::not_in);
  EXPECT_EQ(parse_operator("does_not_exist"), Operator::does_not_exist);
  EXPECT_EQ(parse_operator("equals"), std::nullopt);
  EXPECT_EQ(parse_operator(""), std::nullopt);
}

TEST(Names, PropertyTypesAreReadBack) {
  for (const std::string_view name : names_up_to(PropertyType::any)) {
    ASSERT_TRUE(parse_property_type(name).has_value()) << name;
    EXPECT_EQ(to_string(*parse_property_type(name)), name);
  }
  EXPECT_EQ(parse_property_type("integer"), PropertyType::integer);
  EXPECT_EQ(parse_property_type("text"), std::nullopt);
}

TEST(Names, MethodsAreUpperCase) {
  EXPECT_EQ(names_up_to(HttpMethod::delete_),
            (std::set<std::string_view>{"DELETE", "GET", "PATCH", "POST", "PUT"}));
  EXPECT_EQ(parse_http_method("DELETE"), HttpMethod::delete_);
  EXPECT_EQ(parse_http_method("delete"), std::nullopt);
}

TEST(Names, StatesAndReasonsAreThoseOfTheApi) {
  EXPECT_EQ(names_up_to(DeliveryState::failed),
            (std::set<std::string_view>{"delivered", "failed", "held", "pending", "retrying"}));
  EXPECT_EQ(parse_delivery_state("held"), DeliveryState::held);
  EXPECT_EQ(parse_delivery_state("done"), std::nullopt);
  EXPECT_EQ(names_up_to(DestinationState::disabled),
            (std::set<std::string_view>{"active", "disabled", "paused"}));
  EXPECT_EQ(names_up_to(kLastOutcomeKind).size(), 10U);
  EXPECT_EQ(to_string(OutcomeKind::blocked_address), "blocked_address");
  EXPECT_EQ(to_string(FailReason::none), "");
  EXPECT_TRUE(names_up_to(kLastFailReason).contains("webhook_deleted"));
}

}  // namespace
}  // namespace eilpost

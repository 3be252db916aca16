// Goal:   a user's events keep their order, with batches too, and nobody waits for ever.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/batch_fixture_for_test.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using OrderTest = BatchTest;

TEST_F(OrderTest, AfterARestartAUserWaitsForAllThatFailed) {
  deliver_with({{"ordering", "per_user"},
                {"retry", {{"delays_ms", {3'000'000, 3'000'000, 3'000'000}}, {"jitter", 0}}}});
  receiver_.answers(500);
  post(2, "anna");
  server_.wait(61min);  // She goes on without the first, and now the second fails.
  ASSERT_EQ(numbers(receiver_.seen().size() - 1), (std::vector<int>{2}));
  post(1, "anna");
  server_.crash(env::Crash::power_loss);
  server_.restart();
  receiver_.answers(200);
  server_.wait(2h);
  std::vector<int> order;
  for (std::size_t i = receiver_.seen().size() - 3; i < receiver_.seen().size(); ++i) {
    order.push_back(numbers(i).front());
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(OrderTest, AUsersEventsKeepTheirOrder) {
  deliver_with({{"ordering", "per_user"}});
  receiver_.answers([](const http::Request& request, std::size_t index) {
    const bool is_first = parse_json(request.body)->at("n") == 1;
    return Reply{.status = is_first && index == 0 ? 503 : 200, .delay = 50ms};
  });
  post(3, "anna");
  post(1, "bert");
  server_.wait(2s);
  ASSERT_EQ(receiver_.seen().size(), 2U);  // Anna's first failed; Bert does not wait for her.
  server_.wait(10s);
  std::vector<int> annas;
  for (std::size_t i = 0; i < receiver_.seen().size(); ++i) {
    if (receiver_.seen()[i].json().at("wm.euId") == "anna") annas.push_back(numbers(i).front());
  }
  EXPECT_THAT(annas, ElementsAre(1, 1, 2, 3));
  EXPECT_EQ(deliveries("delivered").size(), 4U);
}

TEST_F(OrderTest, AUsersEventsKeepTheirOrderAfterARestart) {
  deliver_with({{"ordering", "per_user"}});
  receiver_.answers(503);
  post(3, "anna");
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 1U);
  receiver_.answers(200);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  server_.wait(10s);
  std::vector<int> order;
  for (std::size_t i = 1; i < receiver_.seen().size(); ++i) order.push_back(numbers(i).front());
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(OrderTest, AFailingEventHoldsItsUsersOthersForAnHour) {
  deliver_with({{"ordering", "per_user"}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->at("n") == 1 ? 500 : 200};
  });
  post(3, "anna");
  server_.wait(59min);
  EXPECT_TRUE(deliveries("delivered").empty());
  server_.wait(2min);
  EXPECT_EQ(deliveries("delivered").size(), 2U);
}

TEST_F(OrderTest, ADisabledWebhookHoldsNoUser) {
  deliver_with({{"ordering", "per_user"}});
  const std::string other = server_.add_webhook("survey.submitted", destination_, all_properties());
  ASSERT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", false}}).status, 200);
  post(1, "anna");
  server_.wait(1s);
  ASSERT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", true}}).status, 200);
  post(1, "anna");
  server_.wait(1s);
  EXPECT_EQ(deliveries("delivered").size(), server_.list("deliveries").size());
}

TEST_F(OrderTest, AWebhookDisabledWhileItsDeliveryWaitsHoldsNoUser) {
  deliver_with({{"ordering", "per_user"}, {"retry", {{"delays_ms", {600'000, 600'000}}}}});
  receiver_.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index == 0 ? 503 : 200};
  });
  post(1, "anna");
  server_.wait(1s);
  const std::string other = server_.add_webhook("survey.submitted", destination_, all_properties());
  post(1, "anna");
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 1U);
  ASSERT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", false}}).status, 200);
  server_.wait(1s);
  EXPECT_EQ(deliveries("delivered").size(), 1U);
  ASSERT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", true}}).status, 200);
  server_.wait(15min);
  EXPECT_EQ(deliveries("delivered").size(), 3U);
}

TEST_F(OrderTest, AWebhookDisabledWhileItsBatchWaitsHoldsNoUser) {
  deliver_with({{"ordering", "per_user"},
                {"batch", {{"events_max", 10}, {"wait_ms", 100}}},
                {"retry", {{"delays_ms", {600'000, 600'000}}}}});
  receiver_.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index == 0 ? 503 : 200};
  });
  post(1, "anna");
  post(1, "bert");
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{2}));
  const std::string other = server_.add_webhook("survey.submitted", destination_, all_properties());
  post(1, "anna");
  server_.wait(1s);
  ASSERT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", false}}).status, 200);
  server_.wait(1s);
  EXPECT_EQ(deliveries("delivered").size(), 1U);
}

TEST_F(OrderTest, ADisabledDestinationForgetsNoOrder) {
  deliver_with({{"ordering", "per_user"}, {"retry", {{"delays_ms", {60'000, 60'000}}}}});
  receiver_.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index == 0 ? 503 : 200};
  });
  post(2, "anna");
  server_.wait(1s);
  for (const char* const action : {"disable", "resume"}) {
    const Answer answer = server_.post("destinations/" + destination_ + "/" + action);
    ASSERT_EQ(answer.status, 200) << answer.body;
    server_.wait(1s);
  }
  EXPECT_EQ(receiver_.seen().size(), 1U);
  server_.wait(2min);
  ASSERT_EQ(receiver_.seen().size(), 3U);
  EXPECT_EQ(numbers(1), (std::vector<int>{1}));
}

TEST_F(OrderTest, AnOrderThatIsSwitchedOffAndOnHoldsNobodyForLonger) {
  deliver_with({{"ordering", "per_user"}, {"retry", {{"delays_ms", {7'200'000, 7'200'000}}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->at("n") == 1 ? 503 : 200, .delay = 2s};
  });
  const auto order_by = [this](const char* ordering) {
    const Json settings = {{"delivery", {{"ordering", ordering}}}};
    ASSERT_EQ(server_.patch("destinations/" + destination_, settings).status, 200);
  };
  post(1, "anna");
  server_.wait(1s);
  order_by("none");
  post(1, "anna");  // It does not wait for the first.
  server_.wait(10s);
  EXPECT_EQ(deliveries("delivered").size(), 1U);
  order_by("per_user");
  post(1, "anna");
  server_.wait(59min);
  EXPECT_EQ(deliveries("delivered").size(), 1U);  // It does, for an hour.
  server_.wait(2min);
  EXPECT_EQ(deliveries("delivered").size(), 2U);
}

TEST_F(OrderTest, AnOrderBeginsWhenNothingIsUnderWay) {
  deliver_with({{"ordering", "none"}, {"concurrency", 8}});
  receiver_.answers([](const http::Request&, std::size_t) { return Reply{.delay = 4s}; });
  post(2, "anna");
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 2U);
  ASSERT_EQ(
      server_.patch("destinations/" + destination_, {{"delivery", {{"ordering", "per_user"}}}})
          .status,
      200);
  post(2, "anna");
  server_.wait(2s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  server_.wait(3s);
  EXPECT_EQ(receiver_.seen().size(), 3U);  // One at a time.
  server_.wait(4s);
  EXPECT_EQ(receiver_.seen().size(), 4U);
}

TEST_F(OrderTest, ATryThatLastsOverTheHourKeepsTheOrder) {
  deliver_with({{"ordering", "per_user"}, {"retry", {{"delays_ms", {3'590'000}}, {"jitter", 0}}}},
               {{"request", {{"timeout_ms", 30'000}}}});
  receiver_.answers([](const http::Request& request, std::size_t index) {
    const bool is_first = parse_json(request.body)->at("n") == 1;
    return Reply{.status = index == 0 ? 503 : 200, .delay = is_first && index > 0 ? 20s : 0s};
  });
  post(2, "anna");
  server_.wait(60min + 5s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_TRUE(deliveries("delivered").empty());
  server_.wait(1min);
  ASSERT_EQ(receiver_.seen().size(), 3U);
  EXPECT_EQ(deliveries("delivered").size(), 2U);
}

TEST_F(OrderTest, OrderAndBatchesGoTogether) {
  deliver_with({{"ordering", "per_user"}, {"batch", {{"events_max", 10}}}});
  for (int i = 0; i < 3; ++i) {
    post(1, "anna");
    post(1, "bert");
  }
  server_.wait(2s);
  std::vector<int> all;
  for (std::size_t i = 0; i < receiver_.seen().size(); ++i) {
    for (const int number : numbers(i)) all.push_back(number);
  }
  std::vector<int> annas;
  std::ranges::copy_if(all, std::back_inserter(annas), [](int n) { return n % 2 == 1; });
  EXPECT_THAT(annas, ElementsAre(1, 3, 5));
  EXPECT_EQ(all.size(), 6U);
}

}  // namespace
}  // namespace eilpost::test

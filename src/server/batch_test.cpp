// Goal:   several deliveries go in one request; what the answer says is taken for each; a batch
//         that is sent again is the same batch, also after a crash.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "server/batch_fixture_for_test.h"
#include "settings/object_store.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;

TEST_F(BatchTest, SeveralEventsAreOneSignedRequest) {
  deliver_with({{"batch", {{"events_max", 20}}}});
  post(3);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{3}));
  EXPECT_EQ(numbers(0), (std::vector<int>{1, 2, 3}));
  EXPECT_THAT(id_of(0), HasSubstr("bat_"));
  EXPECT_FALSE(receiver_.seen()[0].header("webhook-signature").empty());
  const std::vector<Json> delivered = deliveries("delivered");
  ASSERT_EQ(delivered.size(), 3U);
  for (const Json& delivery : delivered) {  // The log says with which others it was sent.
    const std::string id = delivery.at("id").get<std::string>();
    const Json attempt = server_.list("deliveries/" + id + "/attempts").at(0);
    EXPECT_EQ(attempt.at("batch").at("id"), id_of(0));
    EXPECT_EQ(attempt.at("batch").at("deliveries_count"), 3);
    EXPECT_THAT(attempt.at("request").at("body").get<std::string>(), testing::StartsWith("{"));
  }
}

TEST_F(BatchTest, ABatchGoesWhenItIsFullOrHasWaited) {
  deliver_with({{"batch", {{"events_max", 4}, {"wait_ms", 1000}}}});
  post(9);
  server_.wait(100ms);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{4, 4}));
  server_.wait(800ms);
  EXPECT_EQ(sizes().size(), 2U);
  server_.wait(200ms);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{4, 4, 1}));
  EXPECT_THAT(id_of(2), HasSubstr("dlv_"));
}

TEST_F(BatchTest, ABatchThatFailsIsSentAgainAsItWas) {
  deliver_with({{"batch", {{"events_max", 10}, {"wait_ms", 500}}}});
  receiver_.answers(503);
  post(3);
  server_.wait(2s);
  ASSERT_EQ(sizes().size(), 1U);
  receiver_.answers(200);
  post(2);  // They do not join it.
  server_.wait(10s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{3, 2, 3}));
  EXPECT_EQ(numbers(2), numbers(0));
  EXPECT_EQ(id_of(2), id_of(0));
  EXPECT_NE(id_of(1), id_of(0));
  EXPECT_EQ(deliveries("delivered").size(), 5U);
}

TEST_F(BatchTest, ABatchIsTheSameAfterACrash) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  receiver_.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  post(3);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{3}));
  receiver_.answers(200);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  post(1);
  server_.wait(2s);
  ASSERT_EQ(sizes().size(), 3U);
  const std::size_t again = sizes()[1] == 3 ? 1 : 2;
  EXPECT_EQ(numbers(again), numbers(0));
  EXPECT_EQ(id_of(again), id_of(0));
}

TEST_F(BatchTest, ABatchOfSeveralWebhooksIsTheSameAfterACrash) {
  deliver_with({{"batch", {{"events_max", 10}, {"wait_ms", 100}}}});
  (void)server_.add_webhook("survey.dismissed", destination_, all_properties());
  receiver_.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  post(3);
  ASSERT_EQ(server_.post_event(R"({"id":"x","type":"survey.dismissed","data":{"oId":9}})").status,
            202);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4}));
  receiver_.answers(200);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  server_.wait(2s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4, 4}));
  EXPECT_EQ(numbers(1), numbers(0));
  EXPECT_EQ(id_of(1), id_of(0));
}

TEST_F(BatchTest, OneThatWentAloneGoesAloneAfterACrash) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return parse_json(request.body)->size() > 1 ? Reply{.status = 413} : Reply{.hangs = true};
  });
  post(2);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{2, 1, 1}));
  receiver_.answers(200);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  server_.wait(2s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{2, 1, 1, 1, 1}));
  EXPECT_EQ(std::set({id_of(1), id_of(2)}), std::set({id_of(3), id_of(4)}));
}

TEST_F(BatchTest, OneThatWasSentAloneKeepsItsId) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  receiver_.answers(503);
  post(1);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{1}));
  server_.crash(env::Crash::power_loss);
  server_.restart();
  receiver_.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  server_.wait(6s);  // It is under way again.
  server_.crash(env::Crash::power_loss);
  server_.restart();
  receiver_.answers(200);
  post(2);
  server_.wait(10s);
  for (std::size_t i = 0; i < sizes().size(); ++i) {
    const std::vector<int> sent = numbers(i);
    if (std::ranges::find(sent, 1) == sent.end()) continue;
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_EQ(id_of(i), id_of(0));
  }
  EXPECT_EQ(deliveries("delivered").size(), 3U);
}

TEST_F(BatchTest, ABatchThatWaitsForItsTimeIsTheSameAfterARestart) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  receiver_.answers(503);
  post(4);
  server_.wait(1s);
  receiver_.answers(200);
  server_.stop();
  server_.restart();
  server_.wait(3s);
  EXPECT_EQ(sizes().size(), 1U);  // Not before its time.
  server_.wait(6s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4, 4}));
  EXPECT_EQ(id_of(1), id_of(0));
}

TEST_F(BatchTest, WhenOneLeavesTheRestIsAnotherBatch) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  const std::string other = server_.add_webhook("survey.submitted", destination_, all_properties());
  receiver_.answers(503);
  post(2);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4}));
  receiver_.answers(200);
  ASSERT_EQ(server_.api(http::Method::delete_, fmt::format("webhooks/{}?owed=2", other)).status,
            204);
  server_.wait(10s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4, 2}));
  EXPECT_NE(id_of(1), id_of(0));
  EXPECT_EQ(deliveries("delivered").size(), 2U);
  EXPECT_EQ(deliveries("failed").size(), 2U);
}

// As an earlier version saved it.
TEST_F(BatchTest, WhereBatchesCannotBeMadeEventsGoOneByOne) {
  deliver_with({{"batch", {{"events_max", 10}, {"wait_ms", 60'000}}}});
  server_.stop();
  server_.env().restart();
  {
    const auto store = settings::ObjectStore::open(server_.env());
    ASSERT_TRUE(store.has_value());
    auto versions = (*store)->versions("destination", destination_);
    ASSERT_TRUE(versions.has_value());
    Json json = *parse_json(versions->front().json);
    json["body"] = {{"format", "form"}};
    versions->front().json = to_text(json);
    ASSERT_TRUE((*store)->rewrite("destination", *versions).has_value());
  }
  ASSERT_TRUE(server_.try_start().has_value());
  post(2);
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(deliveries("delivered").size(), 2U);
}

TEST_F(BatchTest, TooLargeABatchIsSentInHalves) {
  deliver_with({{"batch", {{"events_max", 100}}}}, {{"final_statuses", {413}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->size() > 3 ? 413 : 200};
  });
  post(8);
  server_.wait(1s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{8, 4, 4, 2, 2, 2, 2}));
  EXPECT_EQ(deliveries("delivered").size(), 8U);
  post(8);  // It is remembered.
  server_.wait(1s);
  const std::vector<std::size_t> all = sizes();
  EXPECT_THAT(std::vector(all.begin() + 7, all.end()), Each(testing::Le(2U)));
}

TEST_F(BatchTest, WhereBatchesBecameSingleEventsTheirFormStays) {
  deliver_with({{"batch", {{"events_max", 4}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->size() > 1 ? 413 : 200};
  });
  post(4);
  server_.wait(1s);
  post(2);
  server_.wait(1s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{4, 2, 2, 1, 1, 1, 1, 1, 1}));
  for (const SeenRequest& seen : receiver_.seen()) EXPECT_TRUE(seen.json().is_array());
}

TEST_F(BatchTest, HalvesUseUpNoTries) {
  deliver_with({{"retry", {{"delays_ms", {1000, 1000}}}}, {"batch", {{"events_max", 8}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->size() > 1 ? 413 : 500};
  });
  post(8);
  server_.wait(500ms);
  EXPECT_EQ(sizes().size(), 15U);  // Three halvings, and then each alone.
  EXPECT_EQ(deliveries("retrying").size(), 8U);
}

TEST_F(BatchTest, HalvesUseUpNoTriesAfterARestartEither) {
  deliver_with({{"retry", {{"delays_ms", {1000, 60'000}}}}, {"batch", {{"events_max", 8}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    return Reply{.status = parse_json(request.body)->size() > 1 ? 413 : 500};
  });
  post(8);
  server_.wait(500ms);
  ASSERT_EQ(sizes().size(), 15U);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  server_.wait(5s);
  EXPECT_EQ(sizes().size(), 23U);  // Each had its second try, and has a third left.
  EXPECT_EQ(deliveries("retrying").size(), 8U);
}

TEST_F(BatchTest, OneWrongEventIsFoundAndTheOthersAreDelivered) {
  deliver_with({{"batch", {{"events_max", 100}}}}, {{"final_statuses", {422}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    for (const Json& item : *parse_json(request.body)) {
      if (item.at("n") == 5) return Reply{.status = 422, .body = "5 is wrong"};
    }
    return Reply{};
  });
  post(8);
  server_.wait(1s);
  EXPECT_EQ(deliveries("delivered").size(), 7U);
  ASSERT_EQ(deliveries("failed").size(), 1U);
  EXPECT_EQ(deliveries("failed")[0].at("event_id"), "e5");
  EXPECT_EQ(deliveries("failed")[0].at("reason"), "final_status");
}

TEST_F(BatchTest, TheAnswerNamesThoseThatFailed) {
  deliver_with(
      {{"batch", {{"events_max", 10}}}},
      {{"success",
        {{"statuses", {"200"}},
         {"partial", {{"statuses", {"400"}}, {"failed", {"/failed/*"}}, {"rest", "delivered"}}}}}});
  receiver_.answers([](const http::Request&, std::size_t) {
    return Reply{.status = 400, .body = R"({"failed":[1]})"};
  });
  post(3);
  server_.wait(1s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{3}));
  EXPECT_EQ(deliveries("delivered").size(), 2U);
  ASSERT_EQ(deliveries("failed").size(), 1U);
  EXPECT_EQ(deliveries("failed")[0].at("event_id"), "e2");
}

TEST_F(BatchTest, ANameThatNoEventHasLetsNoneCountAsDelivered) {
  deliver_with({{"batch", {{"events_max", 10}}}}, {{"success",
                                                    {{"statuses", {"200"}},
                                                     {"partial",
                                                      {{"statuses", {"207"}},
                                                       {"failed", {"/failed/*"}},
                                                       {"named_by", "/id"},
                                                       {"rest", "delivered"}}}}}});
  receiver_.answers([](const http::Request& request, std::size_t) {
    const Json body = *parse_json(request.body);
    const bool is_wrong =
        std::ranges::any_of(body, [](const Json& item) { return item["n"] == 3; });
    return Reply{.status = 207, .body = is_wrong ? R"({"failed":["E3"]})" : R"({"failed":[]})"};
  });
  post(4);
  server_.wait(1s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{4, 2, 2, 1, 1}));
  EXPECT_EQ(deliveries("delivered").size(), 3U);
  ASSERT_EQ(deliveries("failed").size(), 1U);
  EXPECT_EQ(deliveries("failed")[0].at("event_id"), "e3");
  const std::string id = deliveries("failed")[0].at("id").get<std::string>();
  const std::vector<Json> attempts = server_.list("deliveries/" + id + "/attempts");
  EXPECT_THAT(to_text(Json(attempts)), HasSubstr("which is no event of this batch"));
}

TEST_F(BatchTest, WhereNothingWasTakenTheRestIsSentAgain) {
  deliver_with(
      {{"batch", {{"events_max", 10}}}},
      {{"success",
        {{"statuses", {"200"}},
         {"partial", {{"statuses", {"400"}}, {"failed", {"/failed/*"}}, {"rest", "again"}}}}}});
  receiver_.answers([](const http::Request&, std::size_t index) {
    return index == 0 ? Reply{.status = 400, .body = R"({"failed":[0]})"} : Reply{};
  });
  post(3);
  server_.wait(10s);
  ASSERT_EQ(sizes(), (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(numbers(1), (std::vector<int>{2, 3}));
  EXPECT_NE(id_of(1), id_of(0));
  EXPECT_EQ(deliveries("failed").size(), 1U);
}

TEST_F(BatchTest, OnlyEqualUrlsComeTogetherAndBytesAreBounded) {
  destination_ = server_.add_destination(
      "http://crm.example/{{wm.euId}}",
      {{"delivery", {{"batch", {{"events_max", 100}, {"bytes_max", 100}}}}}});
  webhook_ = server_.add_webhook("survey.submitted", destination_, all_properties());
  for (int i = 0; i < 4; ++i) {
    post(1, "anna");
    post(1, "bert");
  }
  server_.wait(1s);
  std::set<int> seen;
  for (std::size_t i = 0; i < receiver_.seen().size(); ++i) {
    const SeenRequest& request = receiver_.seen()[i];
    EXPECT_LE(request.request.body.size(), 100U);
    for (const Json& item : request.json()) {
      EXPECT_EQ("/" + item.at("wm.euId").get<std::string>(), request.request.target);
      EXPECT_TRUE(seen.insert(item.at("n").get<int>()).second);
    }
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST_F(BatchTest, BytesAreOfTheWholeBody) {
  constexpr int kOfThree =
      67;  // [{"n":1,"wm.euId":"u"},{"n":2,"wm.euId":"u"},{"n":3,"wm.euId":"u"}]
  deliver_with({{"batch", {{"events_max", 100}, {"bytes_max", kOfThree}}}});
  post(6);
  server_.wait(1s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(receiver_.seen()[0].request.body.size(), std::size_t{kOfThree});
  const Json less = {{"delivery", {{"batch", {{"bytes_max", kOfThree - 1}}}}}};
  ASSERT_EQ(server_.patch("destinations/" + destination_, less).status, 200);
  post(3);
  server_.wait(1s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{3, 3, 2, 1}));
}

TEST_F(BatchTest, WhatCannotBeRenderedLeavesTheOthersAlone) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  ASSERT_EQ(server_
                .patch("webhooks/" + webhook_,
                       {{"static_properties", {{{"name", "x"}, {"value", "{{oId | map('a')}}"}}}}})
                .status,
            200);
  post(3);
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 0U);
  EXPECT_EQ(deliveries("retrying").size(), 3U);
  EXPECT_EQ(server_.metric("eilpost_attempts_in_flight"), 0);
}

TEST_F(BatchTest, ADestinationThatStopsToBatchIsSentWhatWaitedOneByOne) {
  deliver_with({{"batch", {{"events_max", 10}}}});
  receiver_.answers(503);
  post(3);
  server_.wait(1s);
  receiver_.answers(200);
  ASSERT_EQ(
      server_
          .patch("destinations/" + destination_, {{"delivery", {{"batch", {{"events_max", 1}}}}}})
          .status,
      200);
  server_.wait(10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{3, 1, 1, 1}));
}

}  // namespace
}  // namespace eilpost::test

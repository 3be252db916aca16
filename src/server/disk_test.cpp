// Goal:   what a disk that is full, slow to answer or bounded by an option does to ingest and to
//         what is owed: nothing accepted is lost, and all goes on when there is space.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;

std::string event(std::string_view id) {
  return fmt::format(R"({{"id":"{}","type":"survey.submitted","data":{{"nps":9}}}})", id);
}

class DiskTest : public testing::Test {
 protected:
  void connect() {
    destination_ = server_.add_destination(receiver_.url());
    (void)server_.add_webhook("survey.submitted", destination_);
  }
  Json destination() { return server_.get("destinations/" + destination_).json(); }
  Json only_delivery() {
    const std::vector<Json> all = server_.list("deliveries");
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Json() : all.front();
  }

  TestServer server_{/*seed=*/1};
  Receiver& receiver_ = server_.receiver("crm");
  std::string destination_;
};

TEST_F(DiskTest, GoneIsSavedAsSoonAsItCanBe) {
  connect();
  receiver_.answers(410);
  env::SimDirectory& disk = server_.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  (void)server_.post_event(event("e1"));
  server_.wait(1min);
  EXPECT_EQ(destination().at("state"), "active");
  (void)server_.post_event(event("e2"));
  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  server_.wait(10s);
  EXPECT_EQ(destination().at("state"), "disabled");
  EXPECT_EQ(receiver_.seen().size(), 1U);
  EXPECT_TRUE(server_.log().contains("saving is tried again"));
}

TEST_F(DiskTest, GoneIsForgottenWhenSomebodyChangedTheDestinationMeanwhile) {
  connect();
  receiver_.answers(410);
  env::SimDirectory& disk = server_.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  (void)server_.post_event(event("e1"));
  server_.wait(3s);
  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  EXPECT_EQ(server_.patch("destinations/" + destination_, {{"name", "New"}}).status, 200);
  server_.wait(1min);
  EXPECT_EQ(destination().at("state"), "active");
}

// Several attempts may be answered 410 at once, and each wants it saved.
TEST_F(DiskTest, GoneIsNotSavedAnyMoreOnceTheServerHasEnded) {
  connect();
  receiver_.answers(
      [](const http::Request&, std::size_t) { return Reply{.status = 410, .delay = 200ms}; });
  env::SimDirectory& disk = server_.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  for (int i = 0; i < 8; ++i) (void)server_.begin_event(event(fmt::format("e{}", i)));
  server_.wait(3s);
  ASSERT_GT(receiver_.seen().size(), 4U);
  server_.stop();
  const std::size_t lines_count = server_.log().lines().size();
  server_.env().advance(1min);
  EXPECT_EQ(server_.log().lines().size(), lines_count);
}

// What was accepted is owed, whatever is changed later.
TEST_F(DiskTest, ALowerBacklogEndsNothingThatWasAccepted) {
  connect();
  EXPECT_EQ(server_.post("destinations/" + destination_ + "/disable").status, 200);
  for (int i = 0; i < 5; ++i) (void)server_.post_event(event(fmt::format("e{}", i)));
  EXPECT_EQ(
      server_.patch("destinations/" + destination_, {{"delivery", {{"backlog_max", 1}}}}).status,
      200);
  server_.stop();
  server_.restart();
  EXPECT_EQ(server_.post("destinations/" + destination_ + "/resume").status, 200);
  ASSERT_TRUE(server_.drain(1h));
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 5U);
  EXPECT_EQ(receiver_.webhook_ids().size(), 5U);
}

TEST_F(DiskTest, AnEventThatCannotBeReadForNowIsTriedAgain) {
  connect();
  receiver_.answers(500);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  server_.stop();
  server_.restart();  // Now the event is on the disk only.
  receiver_.answers(200);
  const auto set_reads = [this](bool fails) {
    for (const auto& [path, bytes] : server_.env().directory().image()) {
      if (path.starts_with("journal/")) server_.env().directory().fail_reads(path, fails);
    }
  };
  set_reads(/*fails=*/true);
  server_.wait(1h);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(server_.metric("eilpost_deliveries_unsettled"), 1);
  set_reads(/*fails=*/false);
  server_.wait(10s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(only_delivery().at("attempts_count"), 2) << "A failed read is no attempt.";
  EXPECT_EQ(only_delivery().at("state"), "delivered");
}

TEST_F(DiskTest, WhatTheJournalLostToDamageIsShownAsLost) {
  connect();
  receiver_.answers(500);
  (void)server_.post_event(event("first-one"));
  (void)server_.post_event(event("damaged-one"));
  server_.wait(10min);  // The log is saved.
  EXPECT_EQ(server_.list("deliveries?state=retrying").size(), 2U);
  server_.crash(env::Crash::power_loss);
  env::SimDirectory& disk = server_.env().directory();
  for (const auto& [path, bytes] : disk.image()) {
    const std::size_t at = as_text(bytes).find("damaged-one");
    const bool is_journal = path.starts_with("journal/") && at != std::string_view::npos;
    if (is_journal) disk.flip_bit(path, at, 3);
  }
  receiver_.answers(200);
  server_.restart();
  ASSERT_TRUE(server_.drain(1h));
  server_.wait(1s);
  const std::vector<Json> lost = server_.list("deliveries?state=failed");
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].at("event_id"), "damaged-one");
  EXPECT_EQ(lost[0].at("reason"), "record_lost");
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 1U);
  EXPECT_EQ(server_.list("deliveries").size(), 2U);
}

server::Config with_small_segments() {
  server::Config config;
  config.segment_bytes = 1U << 20U;
  return config;
}

std::string large_event(std::string_view id, std::size_t bytes) {
  return fmt::format(R"({{"id":"{}","type":"survey.submitted","data":{{"filler":"{}"}}}})", id,
                     std::string(bytes, 'x'));
}

// Sends events of 30 kB, one each `every`, until one is refused or there were enough.
Answer send_until_refused(TestServer& server, Duration every, std::size_t count_max,
                          std::size_t& accepted_count) {
  Answer answer;
  for (std::size_t i = 0; i < count_max; ++i) {
    answer = server.post_event(large_event(fmt::format("n{}", accepted_count), 30'000));
    if (answer.status != 202) return answer;
    ++accepted_count;
    server.wait(every);
  }
  return answer;
}

std::uint64_t bytes_on_disk(TestServer& server) {
  std::uint64_t bytes = 0;
  for (const auto& [path, content] : server.env().directory().image()) bytes += content.size();
  return bytes;
}

TEST(DiskFull, ARequestThatTheJournalCannotTakeAtOnceIsTooLarge) {
  TestServerOptions options{.config = with_small_segments()};
  options.config.request_bytes_max = 3U << 20U;
  TestServer server(1, options);
  Receiver& receiver = server.receiver("crm");
  (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
  std::string body = "[";
  for (int i = 0; i < 40; ++i) {
    body += (i == 0 ? "" : ",") + large_event(fmt::format("e{}", i), 60'000);
  }
  const Answer answer = server.post_event(body + "]");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.code(), "request_too_large");
  server.wait(1s);
  EXPECT_TRUE(receiver.seen().empty());
  EXPECT_EQ(server.metric("eilpost_events_accepted_total"), 0);
}

TEST(DiskBound, AtTheBoundOnTheDiskIngestWaitsAndDeliveriesGoOn) {
  constexpr std::uint64_t kBound = 16U << 20U;
  TestServerOptions options{.config = with_small_segments()};
  options.config.disk_bytes_max = kBound;
  TestServer server(1, options);
  Receiver& receiver = server.receiver("crm");
  const Json retry = {{"delays_ms", std::vector<int>(30, 60'000)}};
  (void)server.add_webhook(
      "survey.submitted",
      server.add_destination(receiver.url(), {{"delivery", {{"retry", retry}}}}));
  EXPECT_EQ(server.metric("eilpost_disk_bytes_max"), kBound);
  receiver.answers(500);
  std::size_t accepted_count = 0;
  const Answer refused = send_until_refused(server, 50ms, 2000, accepted_count);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.code(), "disk_bound_reached");
  EXPECT_EQ(refused.header("retry-after"), "5");
  EXPECT_GT(accepted_count, 100U);
  const double used = server.metric("eilpost_disk_bytes");
  EXPECT_GE(used, kBound);
  EXPECT_LT(used, kBound + (2U << 20U));
  EXPECT_LT(bytes_on_disk(server), kBound + (2U << 20U));
  EXPECT_EQ(server.call(http::Method::get, "/readyz").status, 200);

  receiver.answers(200);
  ASSERT_TRUE(server.drain(24h));
  server.wait(1min);
  std::size_t more_count = accepted_count;
  EXPECT_EQ(send_until_refused(server, 50ms, 10, more_count).status, 202);
  ASSERT_TRUE(server.drain(24h));
  EXPECT_EQ(receiver.webhook_ids().size(), accepted_count + 10);
}

TEST(DiskBound, BeforeTheBoundOnTheDiskTheLogGivesWay) {
  constexpr std::uint64_t kBound = 12U << 20U;
  TestServerOptions options{.config = with_small_segments()};
  options.config.disk_bytes_max = kBound;
  TestServer server(1, options);
  (void)server.add_webhook("survey.submitted",
                           server.add_destination(server.receiver("crm").url()));
  Random random(1);
  constexpr std::size_t kEvents = 1000;
  for (std::size_t i = 0; i < kEvents; ++i) {
    std::string filler;  // that hardly shrinks
    for (int word = 0; word < 1500; ++word) filler += fmt::format("{:016x}", random.next());
    const std::string event = fmt::format(
        R"({{"id":"n{}","type":"survey.submitted","data":{{"filler":"{}"}}}})", i, filler);
    ASSERT_EQ(server.post_event(event).status, 202);
    server.wait(250ms);
  }
  EXPECT_LT(bytes_on_disk(server), kBound + (1U << 20U));
  EXPECT_LT(server.list("deliveries").size(), kEvents);
}

TEST_F(DiskTest, WhatIsOwedIsDeliveredThoughTheDiskIsFullAtTheStart) {
  connect();
  receiver_.answers(500);
  for (int i = 0; i < 20; ++i) (void)server_.post_event(event(fmt::format("e{}", i)));
  env::SimDirectory& disk = server_.env().directory();
  for (const bool is_in_order : {false, true}) {
    SCOPED_TRACE(is_in_order);
    disk.set_capacity_bytes(disk.used_bytes());
    if (is_in_order) {
      server_.stop();
    } else {
      server_.crash(env::Crash::power_loss);
    }
    server_.restart();
    server_.wait(1s);
  }
  receiver_.answers(200);
  ASSERT_TRUE(server_.drain(24h));
  EXPECT_EQ(receiver_.webhook_ids().size(), 20U);
  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  server_.wait(10s);
  EXPECT_EQ(server_.post_event(event("after")).status, 202);
}

// An attempt whose record fits nowhere waits in memory; there must be an end of it.
TEST(DiskFull, AttemptsStopWhenTheirRecordsCannotBeWritten) {
  TestServer server(1, {.config = with_small_segments()});
  Receiver& receiver = server.receiver("crm");
  receiver.answers([](const http::Request&, std::size_t) {
    return Reply{.status = 422, .body = std::string(16'000, 'a')};
  });
  Json delays = Json::array();
  for (int i = 0; i < 30; ++i) delays.push_back(1000);
  (void)server.add_webhook(
      "survey.submitted",
      server.add_destination(receiver.url(), {{"delivery", {{"retry", {{"delays_ms", delays}}}}}}));
  constexpr std::size_t kEvents = 100;
  for (std::size_t i = 0; i < kEvents; ++i) (void)server.begin_event(event(fmt::format("e{}", i)));
  server.wait(100ms);
  env::SimDirectory& disk = server.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  server.wait(1min);
  const std::size_t seen_count = receiver.seen().size();
  EXPECT_LT(seen_count, 2 * limits::kDeferredBytesMax / 16'000);
  EXPECT_GT(seen_count, limits::kDeferredBytesMax / 16'000);
  server.wait(1min);
  EXPECT_EQ(receiver.seen().size(), seen_count);

  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  ASSERT_TRUE(server.drain(1h));
  EXPECT_EQ(receiver.seen().size(), kEvents * 31);
}

}  // namespace
}  // namespace eilpost::test

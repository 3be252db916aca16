// Goal: how a Sender uses HTTP/2. Method: as sender_test.cpp; the receiver is nghttp2's server on a
// stream of the simulation.

#include <deque>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deliver/sender.h"
#include "env/await.h"
#include "env/sim/sim_env.h"
#include "http/http2_peer_for_test.h"
#include "model/limits.h"

namespace eilpost::deliver {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// One connection of the receiver.
struct Served {
  explicit Served(const http::Http2Peer::Settings& settings) : peer(settings) {}

  http::Http2Peer peer;
  std::unique_ptr<env::Stream> stream;
  std::vector<std::byte> input = std::vector<std::byte>(16 * 1024);
  std::string output;
  bool is_over = false;
  std::size_t seen = 0;  // requests that the script has seen
};

// Listens, and does with each whole request what `script` says.
class Receiver {
 public:
  using Script = std::function<void(Served&, const http::Http2Peer::Request&)>;

  Receiver(env::Loop& loop, const env::Endpoint& endpoint) {
    auto listener = loop.network().listen(
        endpoint, [this](std::unique_ptr<env::Stream> stream) { accept(std::move(stream)); });
    EILPOST_ASSERT(listener.has_value());
    listener_ = std::move(*listener);
  }

  static void answer_ok(Served& served, const http::Http2Peer::Request& request) {
    served.peer.answer(request.stream_id, 200, {{"content-type", "text/plain"}}, "ok");
  }

  Script script = answer_ok;
  http::Http2Peer::Settings settings;
  bool speaks_http_1_1 = false;
  std::deque<std::unique_ptr<Served>> served;

  [[nodiscard]] std::size_t requests_count() const {
    std::size_t count = 0;
    for (const auto& one : served) count += one->peer.requests().size();
    return count;
  }

 private:
  void accept(std::unique_ptr<env::Stream> stream) {
    served.push_back(std::make_unique<Served>(settings));
    served.back()->stream = std::move(stream);
    tasks_.spawn(serve(*served.back()));
  }
  Task<void> serve(Served& one) {
    if (one.stream->application_protocol() == "http/1.1") {
      co_await serve_http_1_1(one);
      co_return;
    }
    while (true) {
      one.output = one.peer.take();
      if (!one.output.empty()) {
        const Result<void> written = co_await env::write(*one.stream, as_bytes(one.output));
        if (!written) break;
      }
      const Result<std::size_t> count = co_await env::read(*one.stream, one.input);
      if (!count || *count == 0) break;
      const ByteView bytes = ByteView(one.input).first(*count);
      EXPECT_TRUE(one.peer.feed(as_text(bytes)));
      while (one.seen < one.peer.requests().size()) {
        const http::Http2Peer::Request& request = one.peer.requests()[one.seen];
        if (!request.is_whole) break;
        ++one.seen;
        script(one, request);
      }
      if (one.is_over) break;
    }
    one.stream.reset();
  }
  static Task<void> serve_http_1_1(Served& one) {
    while (true) {
      const Result<std::size_t> count = co_await env::read(*one.stream, one.input);
      if (!count || *count == 0) break;
      one.output = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
      const Result<void> written = co_await env::write(*one.stream, as_bytes(one.output));
      if (!written) break;
    }
    one.stream.reset();
  }

  std::unique_ptr<env::Listener> listener_;
  TaskSet tasks_;
};

class Http2SenderTest : public testing::Test {
 protected:
  Http2SenderTest() {
    env_.internet().set_name("hooks.example", {address_});
    env_.internet().set_partial_reads(false);
    speak({"h2", "http/1.1"});
  }
  ~Http2SenderTest() override { sending_.clear(); }

  void speak(std::vector<std::string> alpn) {
    env_.internet().set_tls({address_, 443}, {.names = {"hooks.example"}, .alpn = std::move(alpn)});
  }
  Outcome send(Duration timeout = 5s) {
    const std::optional<Outcome> outcome = env_.finish(sender_.send(request_, timeout));
    EXPECT_TRUE(outcome.has_value()) << "send() did not end";
    return outcome.value_or(Outcome{.kind = OutcomeKind::token});
  }
  // Many at once; their outcomes.
  std::vector<Outcome> send_many(std::size_t count, Duration timeout = 5s) {
    outcomes_.clear();
    sending_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      sending_.push_back(collect(timeout));
      sending_.back().start();
    }
    env_.advance(timeout + 1s);
    EXPECT_EQ(outcomes_.size(), count);
    return outcomes_;
  }
  Task<void> collect(Duration timeout) {
    Outcome outcome = co_await sender_.send(request_, timeout);
    outcomes_.push_back(std::move(outcome));
  }

  env::SimEnv env_{/*seed=*/1, {.network_delay = {}}};
  env::Address address_ = env_.internet().new_address();
  Receiver receiver_{env_.outside(), env::Endpoint{address_, 443}};
  http::AddressRules rules_;
  Sender sender_{env_.lane(0), rules_,
                 *env_.lane(0).network().make_tls_context({.alpn = {"http/1.1"}})};
  OutboundRequest request_{.url = "https://hooks.example/in?a=1",
                           .headers = {{"Content-Type", "application/json"}},
                           .body = R"({"n":1})"};
  std::vector<Outcome> outcomes_;
  std::vector<Task<void>> sending_;
};

TEST_F(Http2SenderTest, ManyThatBeginAtOnceShareOneConnection) {
  for (const Outcome& outcome : send_many(50)) {
    EXPECT_EQ(outcome.kind, OutcomeKind::answered);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_TRUE(outcome.success);
    EXPECT_TRUE(outcome.request_sent);
    EXPECT_EQ(outcome.answer, "ok");
    EXPECT_EQ(outcome.answer_content_type, "text/plain");
  }
  EXPECT_EQ(receiver_.served.size(), 1U);
  EXPECT_EQ(receiver_.requests_count(), 50U);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

TEST_F(Http2SenderTest, TheConnectionIsKeptForFourSecondsWithoutExchanges) {
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(sender_.shared_connections_count(), 1U);
  env_.advance(limits::kIdleConnection - 10ms);
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(receiver_.served.size(), 1U);
  env_.advance(limits::kIdleConnection - 10ms);
  EXPECT_EQ(sender_.shared_connections_count(), 1U);
  env_.advance(20ms);
  EXPECT_EQ(sender_.shared_connections_count(), 0U);
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(receiver_.served.size(), 2U);
}

TEST_F(Http2SenderTest, AServerOfHttp1GetsHttp1FromEachOnItsOwnConnection) {
  speak({"http/1.1"});
  for (const Outcome& outcome : send_many(10)) EXPECT_EQ(outcome.answer, "one");
  EXPECT_EQ(receiver_.served.size(), 10U);
  EXPECT_EQ(sender_.shared_connections_count(), 0U);
}

TEST_F(Http2SenderTest, AServerThatLearnsHttp2IsSpokenToSo) {
  speak({"http/1.1"});
  EXPECT_EQ(send().answer, "one");
  env_.advance(10s);
  speak({"h2"});
  EXPECT_EQ(send().answer, "ok");
  EXPECT_EQ(sender_.shared_connections_count(), 1U);
}

TEST_F(Http2SenderTest, MoreThanThePeerTakesAtOnceGoesOverFurtherConnections) {
  receiver_.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3}};
  receiver_.script = [](Served&, const http::Http2Peer::Request&) {};
  for (const Outcome& outcome : send_many(7)) {
    EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
    EXPECT_TRUE(outcome.request_sent);
  }
  ASSERT_EQ(receiver_.served.size(), 3U);
  EXPECT_EQ(receiver_.served[0]->peer.requests().size(), 3U);
  EXPECT_EQ(receiver_.served[1]->peer.requests().size(), 3U);
  EXPECT_EQ(receiver_.served[2]->peer.requests().size(), 1U);
}

TEST_F(Http2SenderTest, NobodySharesAConnectionBeforeItsSettingsAreKnown) {
  env_.internet().set_delay(address_, {.min = 50ms, .max = 50ms});
  receiver_.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}};
  receiver_.script = [](Served&, const http::Http2Peer::Request&) {};
  send_many(4);
  ASSERT_EQ(receiver_.served.size(), 2U);
  for (const auto& served : receiver_.served) {
    EXPECT_EQ(served->peer.requests().size(), 2U);
    EXPECT_EQ(served->peer.refused_frames_count(), 0U);
  }
}

TEST_F(Http2SenderTest, ATimeoutResetsTheStreamAndLeavesTheConnection) {
  receiver_.script = [](Served& served, const http::Http2Peer::Request& request) {
    if (request.stream_id != 1) Receiver::answer_ok(served, request);
  };
  const Outcome outcome = send(1500ms);
  EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("waiting for the answer"));
  EXPECT_EQ(send().status, 200);
  ASSERT_EQ(receiver_.served.size(), 1U);
  EXPECT_THAT(receiver_.served[0]->peer.resets(),
              testing::ElementsAre(std::pair(1, NGHTTP2_CANCEL)));
}

TEST_F(Http2SenderTest, ASilentConnectionIsGivenUpAfterTwoTimeouts) {
  EXPECT_EQ(send().status, 200);
  env_.internet().set_reach(address_, env::SimReach::silent);
  EXPECT_EQ(send(1500ms).kind, OutcomeKind::timeout);
  EXPECT_EQ(send(1500ms).kind, OutcomeKind::timeout);
  env_.internet().set_reach(address_, env::SimReach::normal);
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(receiver_.served.size(), 2U);
}

TEST_F(Http2SenderTest, WhatGoAwayDoesNotTakeIsTriedAgainWithinTheAttempt) {
  receiver_.script = [this](Served& served, const http::Http2Peer::Request& request) {
    if (receiver_.served.size() == 1) {
      if (request.stream_id == 1) served.peer.go_away(1);
      if (request.stream_id > 1) return;
    }
    Receiver::answer_ok(served, request);
  };
  for (const Outcome& outcome : send_many(5)) EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(receiver_.served.size(), 2U);
}

TEST_F(Http2SenderTest, ARefusedStreamIsTriedAgainWithinTheAttemptAndNotForEver) {
  int refusals = 1;
  receiver_.script = [&refusals](Served& served, const http::Http2Peer::Request& request) {
    if (refusals-- > 0) {
      served.peer.reset(request.stream_id, NGHTTP2_REFUSED_STREAM);
    } else {
      Receiver::answer_ok(served, request);
    }
  };
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(receiver_.requests_count(), 2U);

  refusals = 100;
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("REFUSED_STREAM"));
  EXPECT_EQ(receiver_.requests_count(), 5U);
}

TEST_F(Http2SenderTest, AnotherResetIsAnOutcomeOfItsOwn) {
  receiver_.script = [](Served& served, const http::Http2Peer::Request& request) {
    served.peer.reset(request.stream_id, NGHTTP2_INTERNAL_ERROR);
  };
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("INTERNAL_ERROR"));
  EXPECT_EQ(receiver_.requests_count(), 1U);
}

TEST_F(Http2SenderTest, WhoRequiresHttp1GetsItFromThenOn) {
  receiver_.script = [](Served& served, const http::Http2Peer::Request& request) {
    served.peer.reset(request.stream_id, NGHTTP2_HTTP_1_1_REQUIRED);
  };
  EXPECT_EQ(send().answer, "one");
  EXPECT_EQ(send().answer, "one");
  EXPECT_EQ(receiver_.served.size(), 2U);
  EXPECT_EQ(receiver_.requests_count(), 1U);
  EXPECT_EQ(sender_.shared_connections_count(), 0U);
}

TEST_F(Http2SenderTest, OneFailureToConnectIsThatOfAllWhoWait) {
  env_.internet().set_tls({address_, 443}, {.names = {"other.example"}, .alpn = {"h2"}});
  for (const Outcome& outcome : send_many(5)) {
    EXPECT_EQ(outcome.kind, OutcomeKind::tls);
    EXPECT_FALSE(outcome.request_sent);
    EXPECT_THAT(outcome.detail, HasSubstr("hooks.example"));
  }
  EXPECT_EQ(env_.internet().lookup_count("hooks.example"), 1U);
  speak({"h2"});
  EXPECT_EQ(send().status, 200);
}

TEST_F(Http2SenderTest, WhoeverConnectsForAllAndRunsOutOfTimeIsFollowedByTheNext) {
  env_.internet().set_reach(address_, env::SimReach::silent);
  sending_.push_back(collect(1500ms));
  sending_.back().start();
  sending_.push_back(collect(20s));
  sending_.back().start();
  env_.advance(1600ms);
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].kind, OutcomeKind::timeout);
  EXPECT_FALSE(outcomes_[0].request_sent);
  env_.internet().set_reach(address_, env::SimReach::normal);
  env_.advance(10s);
  ASSERT_EQ(outcomes_.size(), 2U);
  EXPECT_EQ(outcomes_[1].status, 200);
}

TEST_F(Http2SenderTest, AnIdleConnectionThatBreaksIsReplacedWithinTheAttempt) {
  EXPECT_EQ(send().status, 200);
  receiver_.script = [this](Served& served, const http::Http2Peer::Request& request) {
    if (receiver_.served.size() == 1) {
      served.is_over = true;
    } else {
      Receiver::answer_ok(served, request);
    }
  };
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(receiver_.served.size(), 2U);
  EXPECT_EQ(receiver_.requests_count(), 3U);
}

TEST_F(Http2SenderTest, ANewConnectionThatBreaksIsPerhapsDelivered) {
  receiver_.script = [](Served& served, const http::Http2Peer::Request&) { served.is_over = true; };
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_EQ(receiver_.requests_count(), 1U);
}

TEST_F(Http2SenderTest, LongAnswersAreCutAsThoseOfHttp1Are) {
  int status = 200;
  receiver_.script = [&status](Served& served, const http::Http2Peer::Request& request) {
    served.peer.answer(request.stream_id, status, {{"retry-after", "7"}},
                       std::string(1'000'000, 'x'));
  };
  EXPECT_EQ(send().answer.size(), limits::kAnswerBytesSuccess);
  status = 503;
  const Outcome outcome = send();
  EXPECT_EQ(outcome.answer.size(), limits::kAnswerBytesFailure);
  EXPECT_EQ(outcome.retry_after, Duration(7s));
  env_.advance(1ms);
  EXPECT_EQ(receiver_.served.size(), 1U);
  EXPECT_EQ(receiver_.served[0]->peer.resets().size(), 2U);
}

}  // namespace
}  // namespace eilpost::deliver

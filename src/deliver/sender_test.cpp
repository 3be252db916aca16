// Method: a Sender on lane 0 of a simulated world without delays, so that every duration is exact;
// receivers are SimPeers that answer raw bytes.

#include "deliver/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "base/parse.h"
#include "env/sim/sim_env.h"
#include "env/sim/sim_peer.h"
#include "model/limits.h"

namespace eilpost::deliver {
namespace {

using namespace std::chrono_literals;
using env::SimAnswer;
using testing::EndsWith;
using testing::HasSubstr;

// How many bytes of `text` are the first whole request.
std::size_t frame_request(std::string_view text) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  std::size_t size = head + 4;
  const std::size_t length = text.find(kLength);
  if (length < head) {
    const std::string_view rest = text.substr(length + kLength.size());
    size += parse_integer<std::size_t>(rest.substr(0, rest.find('\r'))).value_or(0);
  }
  return text.size() >= size ? size : 0;
}

std::string answer(std::string_view status, std::string_view headers = "",
                   std::string_view body = "") {
  std::string bytes = "HTTP/1.1 ";
  bytes += status;
  bytes += "\r\n";
  bytes += headers;
  bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  bytes += body;
  return bytes;
}

SimAnswer ok() {
  return {.bytes = answer("200 OK", "", "ok")};
}

class SenderTest : public testing::Test {
 protected:
  SenderTest() { env_.internet().set_name("hooks.example", {address_}); }

  // One attempt, and how long it took.
  Outcome send(Duration timeout = 5s) {
    const Instant started = env_.clock().now();
    std::optional<Outcome> outcome = env_.finish(sender_.send(request_, timeout));
    took_ = env_.clock().now() - started;
    EXPECT_TRUE(outcome.has_value()) << "send() did not end";
    return outcome.value_or(Outcome{.kind = OutcomeKind::token});
  }

  env::SimInternet& internet() { return env_.internet(); }

  static std::shared_ptr<env::TlsContext> make_tls(env::SimEnv& env) {
    return *env.lane(0).network().make_tls_context({.alpn = {"http/1.1"}});
  }

  env::SimEnv env_{/*seed=*/1, {.network_delay = {}}};
  env::Address address_ = env_.internet().new_address();
  env::SimPeer peer_{env_.outside(), env::Endpoint{address_, 80}, frame_request};
  http::AddressRules rules_;
  Sender sender_{env_.lane(0), rules_, make_tls(env_)};
  OutboundRequest request_{.url = "http://hooks.example/in?a=1",
                           .headers = {{"Content-Type", "application/json"}},
                           .body = R"({"n":1})"};
  Duration took_{};
};

TEST_F(SenderTest, SendsTheRequestAndSaysWhatWasAnswered) {
  peer_.always({.bytes = answer("202 Accepted", "Content-Type: text/plain\r\n", "thanks")});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::answered);
  EXPECT_EQ(outcome.status, 202);
  EXPECT_TRUE(outcome.success);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_EQ(outcome.detail, "");
  EXPECT_EQ(outcome.answer, "thanks");
  EXPECT_EQ(outcome.answer_content_type, "text/plain");
  ASSERT_EQ(peer_.received().size(), 1U);
  const std::string& request = peer_.received().front();
  EXPECT_THAT(request, testing::StartsWith("POST /in?a=1 HTTP/1.1\r\nHost: hooks.example\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(request, EndsWith("\r\n\r\n{\"n\":1}"));
}

TEST_F(SenderTest, OnlyTwoHundredsAreSuccess) {
  const struct {
    std::string_view status;
    bool success;
  } kCases[] = {{"200 OK", true},         {"204 No Content", true}, {"299 Fine", true},
                {"301 Moved", false},     {"304 Same", false},      {"400 Bad", false},
                {"410 Gone", false},      {"429 Slow", false},      {"500 Broken", false},
                {"503 Elsewhere", false}, {"599 Odd", false}};
  for (const auto& one : kCases) {
    peer_.next({.bytes = answer(one.status, "Location: http://elsewhere.example/\r\n"),
                .then = SimAnswer::Then::close});
    const Outcome outcome = send();
    EXPECT_EQ(outcome.kind, OutcomeKind::answered) << one.status;
    EXPECT_EQ(outcome.success, one.success) << one.status;
    EXPECT_EQ(std::to_string(outcome.status), one.status.substr(0, 3));
    EXPECT_EQ(outcome.detail.empty(), one.success) << one.status;
    env_.advance(1s);
  }
  EXPECT_EQ(peer_.received().size(), std::size(kCases));
}

TEST_F(SenderTest, RetryAfterOfAFailureIsRead) {
  peer_.next({.bytes = answer("429 Too Many Requests", "Retry-After: 120\r\n")});
  EXPECT_EQ(send().retry_after, Duration(120s));
  peer_.next({.bytes = answer("503 Busy", "Retry-After: Tue, 24 Nov 2026 09:10:00 GMT\r\n")});
  const Outcome outcome = send();
  ASSERT_TRUE(outcome.retry_after);
  EXPECT_EQ(*outcome.retry_after, Duration(10min));
  peer_.next({.bytes = answer("503 Busy", "Retry-After: soon\r\n")});
  EXPECT_FALSE(send().retry_after);
}

TEST_F(SenderTest, UnknownNameIsOutcomeDns) {
  internet().remove_name("hooks.example");
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::dns);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("hooks.example"));
}

TEST_F(SenderTest, ARefusedConnectionIsOutcomeConnect) {
  internet().set_reach(address_, env::SimReach::refused);
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::connect);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_FALSE(outcome.detail.empty());
}

TEST_F(SenderTest, TlsIsSpokenWithTheNameOfTheUrlAndItsFailureIsOutcomeTls) {
  env::SimPeer secure(env_.outside(), {address_, 443}, frame_request);
  secure.always(ok());
  request_.url = "https://hooks.example/in";
  internet().set_tls({address_, 443}, {.names = {"other.example"}});
  const Outcome refused = send();
  EXPECT_EQ(refused.kind, OutcomeKind::tls);
  EXPECT_FALSE(refused.request_sent);
  EXPECT_FALSE(refused.detail.empty());
  EXPECT_TRUE(secure.received().empty());

  internet().set_tls({address_, 443}, {.names = {"hooks.example"}});
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(secure.received().size(), 1U);
}

TEST_F(SenderTest, TheTimeoutRunsWhileLookingUpConnectingAndWaiting) {
  internet().hang_name("hooks.example");
  Outcome outcome = send(1500ms);
  EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
  EXPECT_EQ(took_, 1500ms);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_EQ(outcome.detail, "No answer within 1500 ms, looking up the name.");

  internet().set_name("hooks.example", {address_});
  internet().set_reach(address_, env::SimReach::silent);
  outcome = send(1500ms);
  EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
  EXPECT_EQ(took_, 1500ms);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("connecting"));

  internet().set_reach(address_, env::SimReach::normal);
  outcome = send(1500ms);  // The peer keeps silent.
  EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
  EXPECT_EQ(took_, 1500ms);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("waiting for the answer"));
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

TEST_F(SenderTest, TheTimeoutSpansAllPhasesAndTheWholeHeader) {
  const std::string bytes = answer("200 OK", "X-Long: " + std::string(100, 'x') + "\r\n");
  peer_.always({.bytes = bytes, .drip_bytes = 10, .drip_every = 1s});
  const Outcome outcome = send(3s);
  EXPECT_EQ(outcome.kind, OutcomeKind::timeout);
  EXPECT_EQ(took_, 3s);
}

TEST_F(SenderTest, AConnectionThatEndsAfterTheRequestIsPerhapsDelivered) {
  for (const auto then : {SimAnswer::Then::close, SimAnswer::Then::reset}) {
    peer_.next({.then = then});
    const Outcome outcome = send();
    EXPECT_EQ(outcome.kind, OutcomeKind::reset);
    EXPECT_TRUE(outcome.request_sent);
    EXPECT_FALSE(outcome.success);
    EXPECT_FALSE(outcome.detail.empty());
  }
  EXPECT_EQ(peer_.received().size(), 2U);  // A fresh connection gets no second try.
}

TEST_F(SenderTest, AConnectionThatEndsBeforeTheRequestIsAReset) {
  peer_.on_accept({.then = SimAnswer::Then::reset});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_TRUE(peer_.received().empty());
}

TEST_F(SenderTest, WhatIsNotHttpIsNoAnswer) {
  peer_.always({.bytes = "SSH-2.0-OpenSSH_9.2\r\n"});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_FALSE(outcome.detail.empty());
}

TEST_F(SenderTest, AHeaderWithoutEndIsTooLarge) {
  peer_.always({.bytes = answer("200 OK", "X-Big: " + std::string(80'000, 'x') + "\r\n")});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::too_large);
  EXPECT_FALSE(outcome.success);
}

TEST_F(SenderTest, ABlockedAddressIsNeverConnectedTo) {
  const env::Address inside = *env::parse_address("10.0.0.9");
  env::SimPeer peer(env_.outside(), {inside, 80}, frame_request);
  peer.always(ok());
  internet().set_name("hooks.example", {inside});
  Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::blocked_address);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("10.0.0.9"));

  request_.url = "http://10.0.0.9/";
  EXPECT_EQ(send().kind, OutcomeKind::blocked_address);
  request_.url = "http://[::ffff:10.0.0.9]/";
  EXPECT_EQ(send().kind, OutcomeKind::blocked_address);
  EXPECT_EQ(peer.accepted_count(), 0U);
}

// DNS rebinding: the name answers something harmless to whoever asks first.
TEST_F(SenderTest, ANameIsAskedOnceAnAttemptAndWhatItSaidIsCheckedAndConnectedTo) {
  const env::Address inside = *env::parse_address("169.254.169.254");
  env::SimPeer metadata(env_.outside(), {inside, 80}, frame_request);
  metadata.always(ok());
  peer_.always({.bytes = answer("200 OK"), .then = SimAnswer::Then::close});
  internet().set_name("hooks.example", {address_}, Duration::zero());
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(internet().lookup_count("hooks.example"), 1U);
  internet().set_name("hooks.example", {inside}, Duration::zero());
  EXPECT_EQ(send().kind, OutcomeKind::blocked_address);
  internet().set_name("hooks.example", {inside, address_}, Duration::zero());
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(internet().lookup_count("hooks.example"), 3U);
  EXPECT_EQ(metadata.accepted_count(), 0U);
}

TEST_F(SenderTest, ARedirectIsNotFollowed) {
  const std::string target = env::to_string(address_);
  peer_.always({.bytes = answer("307 Elsewhere", "Location: http://" + target + "/other\r\n")});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.status, 307);
  EXPECT_FALSE(outcome.success);
  EXPECT_EQ(peer_.received().size(), 1U);
}

TEST_F(SenderTest, ASilentAddressLeavesTimeForTheNextOne) {
  peer_.always(ok());
  const env::Address silent = internet().new_address();
  internet().set_reach(silent, env::SimReach::silent);
  internet().set_name("hooks.example", {silent, address_});
  EXPECT_TRUE(send(5s).success);
}

TEST_F(SenderTest, ARefusingAddressSaysMoreThanABlockedOne) {
  internet().set_reach(address_, env::SimReach::refused);
  internet().set_name("hooks.example", {address_, *env::parse_address("10.0.0.9")});
  EXPECT_EQ(send().kind, OutcomeKind::connect);
}

TEST_F(SenderTest, TheNextAddressIsTriedWhereOneIsBlockedOrRefuses) {
  peer_.always({.bytes = answer("200 OK"), .then = SimAnswer::Then::close});
  const env::Address inside = *env::parse_address("192.168.1.1");
  internet().set_name("hooks.example", {inside, internet().new_address(), address_});
  EXPECT_EQ(send().status, 200);
}

TEST_F(SenderTest, AUrlThatIsNoneIsOutcomeRender) {
  request_.url = "ftp://hooks.example/";
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::render);
  EXPECT_FALSE(outcome.request_sent);
}

// ---- Connections that are kept

TEST_F(SenderTest, TwoRequestsShareAConnection) {
  peer_.always(ok());
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(sender_.idle_connections_count(), 1U);
  env_.advance(2s);  // Long enough to be looked at before it is used again.
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(peer_.received().size(), 2U);
  EXPECT_EQ(peer_.accepted_count(), 1U);
  EXPECT_EQ(internet().lookup_count("hooks.example"), 1U);
}

TEST_F(SenderTest, AnotherPeerGetsAnotherConnection) {
  env::SimPeer other(env_.outside(), {address_, 8080}, frame_request);
  other.always(ok());
  peer_.always(ok());
  EXPECT_EQ(send().status, 200);
  request_.url = "http://hooks.example:8080/in";
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(other.received().size(), 1U);
  EXPECT_EQ(peer_.received().size(), 1U);
}

TEST_F(SenderTest, OtherCertificatesGetAnotherConnectionWhileOldOnesEndInPeace) {
  env::SimPeer secure(env_.outside(), {address_, 443}, frame_request);
  internet().set_tls({address_, 443}, {.names = {"hooks.example"}});
  secure.always(ok());
  request_.url = "https://hooks.example/in";
  const auto old_context = make_tls(env_);
  const auto new_context = make_tls(env_);
  const auto send_with = [&](const std::shared_ptr<env::TlsContext>& context) {
    return env_.finish(sender_.send(request_, 5s, context))->status;
  };
  EXPECT_EQ(send_with(old_context), 200);
  EXPECT_EQ(send_with(old_context), 200);
  EXPECT_EQ(secure.accepted_count(), 1U);
  EXPECT_EQ(send_with(new_context), 200);
  EXPECT_EQ(secure.accepted_count(), 2U);
  // One that was begun with the old certificate ends with it, and its connection is of no use then.
  EXPECT_EQ(send_with(old_context), 200);
  EXPECT_EQ(send_with(new_context), 200);
  EXPECT_EQ(secure.accepted_count(), 4U);
  EXPECT_EQ(secure.received().size(), 5U);
}

TEST_F(SenderTest, AConnectionIsNotKeptAfterConnectionClose) {
  peer_.always({.bytes = answer("200 OK", "Connection: close\r\n")});
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(peer_.accepted_count(), 2U);
}

TEST_F(SenderTest, AReusedConnectionThatEndsGetsOneFreshTry) {
  for (const auto then : {SimAnswer::Then::close, SimAnswer::Then::reset}) {
    peer_.always(ok());
    EXPECT_EQ(send().status, 200);
    const std::uint64_t accepted = peer_.accepted_count();
    const std::size_t received = peer_.received().size();
    peer_.next({.then = then});
    const Outcome outcome = send();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(took_, 0s);
    EXPECT_EQ(peer_.accepted_count(), accepted + 1);
    EXPECT_EQ(peer_.received().size(), received + 2);
  }
}

TEST_F(SenderTest, TheFreshTryIsTheLastOne) {
  peer_.next(ok());
  EXPECT_EQ(send().status, 200);
  peer_.always({.then = SimAnswer::Then::close});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::reset);
  EXPECT_TRUE(outcome.request_sent);
  EXPECT_EQ(peer_.received().size(), 3U);
}

TEST_F(SenderTest, WhatAReusedConnectionCarriedIsPerhapsDeliveredThoughNoFreshOneIsMade) {
  for (const auto reach : {env::SimReach::refused, env::SimReach::silent}) {
    internet().set_reach(address_, env::SimReach::normal);
    peer_.next(ok());
    EXPECT_EQ(send().status, 200);
    peer_.next({.then = SimAnswer::Then::reset});
    internet().set_reach(address_, reach);
    EXPECT_TRUE(send().request_sent);
  }
}

TEST_F(SenderTest, AReusedConnectionThatBeganToAnswerGetsNoFreshTry) {
  peer_.next(ok());
  EXPECT_EQ(send().status, 200);
  peer_.next({.bytes = "HTTP/1.1 2", .then = SimAnswer::Then::close});
  EXPECT_EQ(send().kind, OutcomeKind::reset);
  EXPECT_EQ(peer_.received().size(), 2U);
}

TEST_F(SenderTest, AnIdleConnectionThatTheOtherSideClosedIsNotUsed) {
  peer_.next(ok());
  EXPECT_EQ(send().status, 200);
  internet().break_connections(address_);
  env_.advance(1s);
  peer_.next(ok());
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(peer_.received().size(), 2U);
  EXPECT_EQ(peer_.accepted_count(), 2U);
}

TEST_F(SenderTest, AnIdleConnectionIsClosedAfterFourSeconds) {
  peer_.always(ok());
  EXPECT_EQ(send().status, 200);
  env_.advance(3s);
  EXPECT_EQ(send().status, 200);  // Used again: the time runs anew.
  env_.advance(3999ms);
  EXPECT_EQ(internet().connections_count(address_), 1U);
  env_.advance(1ms);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
  env_.advance(1ms);
  EXPECT_EQ(internet().connections_count(address_), 0U);
}

TEST_F(SenderTest, AnIdleConnectionIsClosedWhenTheOtherSideSaysSo) {
  peer_.always({.bytes = answer("200 OK", "Keep-Alive: timeout=2\r\n")});
  EXPECT_EQ(send().status, 200);
  env_.advance(1999ms);
  EXPECT_EQ(sender_.idle_connections_count(), 1U);
  env_.advance(1ms);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

TEST_F(SenderTest, ALongerKeepAliveIsNoReasonToWait) {
  peer_.always({.bytes = answer("200 OK", "Keep-Alive: timeout=60\r\n")});
  EXPECT_EQ(send().status, 200);
  env_.advance(4s);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

// ---- Names

TEST_F(SenderTest, TheNameIsLookedUpAgainAfterItsTimeToLive) {
  internet().set_name("hooks.example", {address_}, 10s);
  peer_.always({.bytes = answer("200 OK", "Connection: close\r\n")});
  (void)send();
  env_.advance(9s);
  (void)send();
  EXPECT_EQ(internet().lookup_count("hooks.example"), 1U);
  env_.advance(1s);
  const env::Address moved = internet().new_address();
  env::SimPeer peer(env_.outside(), {moved, 80}, frame_request);
  peer.always(ok());
  internet().set_name("hooks.example", {moved});
  EXPECT_EQ(send().status, 200);
  EXPECT_EQ(peer.received().size(), 1U);
  EXPECT_EQ(internet().lookup_count("hooks.example"), 2U);
}

TEST_F(SenderTest, NoTimeToLiveIsBelievedLongerThanFiveMinutes) {
  internet().set_name("hooks.example", {address_}, 24h);
  peer_.always({.bytes = answer("200 OK", "Connection: close\r\n")});
  (void)send();
  env_.advance(5min);
  (void)send();
  EXPECT_EQ(internet().lookup_count("hooks.example"), 2U);
}

TEST_F(SenderTest, TheNameIsLookedUpAgainAfterAFailedConnection) {
  peer_.always({.bytes = answer("200 OK", "Connection: close\r\n")});
  internet().set_reach(address_, env::SimReach::refused);
  EXPECT_EQ(send().kind, OutcomeKind::connect);
  const env::Address moved = internet().new_address();
  env::SimPeer peer(env_.outside(), {moved, 80}, frame_request);
  peer.always(ok());
  internet().set_name("hooks.example", {moved});
  EXPECT_EQ(send().status, 200);
}

// A destination that moved away must not be waited for until the old address is forgotten.
TEST_F(SenderTest, TheNameIsLookedUpAgainAfterATimeoutWhileConnecting) {
  internet().set_name("hooks.example", {address_}, 10min);
  internet().set_reach(address_, env::SimReach::silent);
  EXPECT_EQ(send(1s).kind, OutcomeKind::timeout);
  const env::Address moved = internet().new_address();
  env::SimPeer peer(env_.outside(), {moved, 80}, frame_request);
  peer.always(ok());
  internet().set_name("hooks.example", {moved});
  EXPECT_EQ(send(1s).status, 200);
}

// ---- The answer's body

TEST_F(SenderTest, ABodyIsWaitedForTwoSecondsAtMost) {
  const std::string head = "HTTP/1.1 500 Broken\r\nContent-Length: 20\r\n\r\n";
  peer_.next({.bytes = head + "0123456789abcdefghij",
              .delay = 3s,
              .drip_bytes = head.size() + 10,
              .drip_every = 10s});
  const Outcome outcome = send(5s);
  EXPECT_EQ(outcome.kind, OutcomeKind::answered);
  EXPECT_EQ(outcome.status, 500);
  EXPECT_EQ(outcome.answer, "0123456789");
  EXPECT_EQ(took_, 3s + Sender::kAnswerTimeMax);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

TEST_F(SenderTest, ABodyThatBreaksOffKeepsTheOutcome) {
  peer_.next({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123",
              .then = SimAnswer::Then::reset});
  const Outcome outcome = send();
  EXPECT_TRUE(outcome.success);
  EXPECT_EQ(took_, 0s);
}

TEST_F(SenderTest, TheAnswerOfAFailureIsKeptUpToSixteenKibibytes) {
  const std::string body(limits::kAnswerBytesFailure, 'a');
  peer_.next({.bytes = answer("500 Broken", "", body + "bcdef")});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.status, 500);
  EXPECT_EQ(outcome.answer, body);
}

TEST_F(SenderTest, TheAnswerOfASuccessIsKeptUpToOneKibibyte) {
  const std::string body(limits::kAnswerBytesSuccess, 'a');
  peer_.always({.bytes = answer("200 OK", "", body + std::string(3000, 'b'))});
  EXPECT_EQ(send().answer, body);
  EXPECT_EQ(sender_.idle_connections_count(), 1U);  // It was read to its end.
}

TEST_F(SenderTest, AnEndlessBodyIsNotReadToItsEnd) {
  peer_.next({.bytes = answer("500 Broken", "", std::string(1'000'000, 'x'))});
  const Outcome outcome = send();
  EXPECT_EQ(outcome.answer.size(), limits::kAnswerBytesFailure);
  EXPECT_EQ(took_, 0s);
  EXPECT_EQ(sender_.idle_connections_count(), 0U);
}

// ---- Ends

TEST_F(SenderTest, DestroyingTheTaskEndsTheAttemptWhereverItIs) {
  for (const Duration delay : {Duration(0us), Duration(1us), Duration(500ms), Duration(2s)}) {
    peer_.next({.bytes = answer("200 OK", "", "0123456789"),
                .delay = 1s,
                .drip_bytes = 40,
                .drip_every = 1s});
    Task<Outcome> task = sender_.send(request_, 5s);
    task.start();
    env_.advance(delay);
    task = {};
    env_.advance(10s);
  }
  EXPECT_EQ(internet().connections_count(address_), 0U);
}

TEST_F(SenderTest, RequestsAtOnceUseConnectionsOfTheirOwn) {
  peer_.always({.bytes = answer("200 OK"), .delay = 1s});
  Task<Outcome> first = sender_.send(request_, 5s);
  Task<Outcome> second = sender_.send(request_, 5s);
  first.start();
  second.start();
  env_.advance(1s);
  ASSERT_TRUE(first.done() && second.done());
  EXPECT_EQ(first.result().status, 200);
  EXPECT_EQ(second.result().status, 200);
  EXPECT_EQ(peer_.accepted_count(), 2U);
  EXPECT_EQ(sender_.idle_connections_count(), 2U);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const WallTime now = env::kSimWallStart;  // 2026-11-24T09:00:00Z, a Tuesday.
  const struct {
    std::string_view value;
    std::optional<Duration> wait;
  } kCases[] = {
      {"0", 0s},
      {"120", 120s},
      {" 7 ", 7s},
      {"99999999999", 365 * 24h},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"Tue, 24 Nov 2026 09:00:30 GMT", 30s},
      {"Tue, 24 Nov 2026 08:59:00 GMT", 0s},
      {"Tuesday, 24-Nov-26 10:00:00 GMT", 1h},
      {"Tue Nov 24 09:00:05 2026", 5s},
      {"Tue, 24 Nov 2026 09:00:30 CET", std::nullopt},
      {"99999999999999999999999999", std::nullopt},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(parse_retry_after(one.value, now), one.wait) << one.value;
  }
}

}  // namespace
}  // namespace eilpost::deliver

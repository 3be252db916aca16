// Method: the connection over a stream in memory; the other end is nghttp2's server, which does
// what the test says.

#include "http/http2_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>

#include "http/http2_peer_for_test.h"
#include "http/memory_loop_for_test.h"

namespace eilpost::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Exchanged = std::expected<void, ExchangeFailure>;

// One exchange under way, with what it shows.
struct Call {
  std::string body;
  Headers headers = {{"X-A", "b"}};
  std::unique_ptr<Http2Exchange> exchange;
  std::optional<Exchanged> result;
  Task<void> task;

  [[nodiscard]] bool succeeded() const { return result && result->has_value(); }
  [[nodiscard]] const ExchangeFailure& failure() const { return result->error(); }
};

Task<void> store(Task<Exchanged> task, std::optional<Exchanged>& target) {
  Exchanged result = co_await std::move(task);
  target = std::move(result);
}

class Http2ClientTest : public testing::Test {
 protected:
  Http2ClientTest() { connect(); }
  ~Http2ClientTest() override { calls_.clear(); }

  void connect(const Http2Peer::Settings& settings = {}, const MessageLimits& limits = {}) {
    calls_.clear();
    pipes_ = {};
    peer_ = std::make_unique<Http2Peer>(settings);
    connection_ = Http2ClientConnection::make(loop_, pipes_.make_stream(loop_), limits);
  }

  Call& call(std::string body = "hi", ResponseLimits limits = {}, Method method = Method::post) {
    calls_.push_back(std::make_unique<Call>());
    Call& made = *calls_.back();
    made.body = std::move(body);
    made.exchange = std::make_unique<Http2Exchange>(connection_);
    run(made, made.exchange->exchange({.method = method,
                                       .authority = "a.example:8443",
                                       .target = "/x?y=1",
                                       .headers = &made.headers,
                                       .body = made.body},
                                      limits));
    return made;
  }
  static void run(Call& call, Task<Exchanged> task) {
    call.result.reset();
    call.task = store(std::move(task), call.result);
    call.task.start();
  }
  void cancel(Call& call) {
    call.task = {};
    call.exchange.reset();
  }

  // Carries bytes there and back until nothing moves any more.
  void talk() {
    while (true) {
      loop_.run_until_idle();
      const std::string out = pipes_.receive();
      if (!out.empty()) {
        EXPECT_TRUE(peer_->feed(out));
      }
      const std::string in = peer_->take();
      if (!in.empty()) pipes_.send(in);
      if (out.empty() && in.empty()) return;
    }
  }
  [[nodiscard]] std::map<std::string, std::string> headers_of(std::size_t request) const {
    std::map<std::string, std::string> result;
    for (const Header& header : peer_->requests().at(request).headers) {
      result[header.name] = header.value;
    }
    return result;
  }

  MemoryLoop loop_;
  MemoryPeer pipes_;
  std::unique_ptr<Http2Peer> peer_;
  std::shared_ptr<Http2ClientConnection> connection_;
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST_F(Http2ClientTest, SendsARequestAndReadsItsResponse) {
  Call& one = call("hello", {.body_bytes_kept_max = 100});
  talk();
  ASSERT_EQ(peer_->requests().size(), 1U);
  const std::map<std::string, std::string> expected = {
      {":method", "POST"}, {":scheme", "https"}, {":authority", "a.example:8443"},
      {":path", "/x?y=1"}, {"x-a", "b"},         {"content-length", "5"}};
  EXPECT_EQ(headers_of(0), expected);
  EXPECT_EQ(peer_->requests()[0].body, "hello");
  EXPECT_TRUE(peer_->requests()[0].is_whole);
  EXPECT_FALSE(one.result);
  EXPECT_TRUE(one.exchange->request_sent());

  peer_->answer(1, 202, {{"content-type", "text/plain"}}, "thanks");
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().status, 202);
  EXPECT_EQ(one.exchange->response().body, "thanks");
  EXPECT_TRUE(one.exchange->response().body_complete);
  EXPECT_EQ(find_header(one.exchange->response().headers, "Content-Type"), "text/plain");
  EXPECT_EQ(peer_->client_setting(NGHTTP2_SETTINGS_ENABLE_PUSH), 0U);
  EXPECT_TRUE(connection_->accepts_exchanges());
}

TEST_F(Http2ClientTest, HeadersOfAConnectionAreLeftOut) {
  calls_.push_back(std::make_unique<Call>());
  Call& made = *calls_.back();
  made.headers = {{"Connection", "X-Gone"},
                  {"Transfer-Encoding", "chunked"},
                  {"Keep-Alive", "timeout=5"},
                  {"Upgrade", "h2c"},
                  {"TE", "gzip"},
                  {"Host", "other.example"},
                  {"Proxy-Connection", "x"},
                  {"HTTP2-Settings", "x"},
                  {"Content-Length", "77"},
                  {"Expect", "100-continue"},
                  {"Authorization", "Bearer 1"}};
  made.exchange = std::make_unique<Http2Exchange>(connection_);
  run(made, made.exchange->exchange({.method = Method::get,
                                     .authority = "a.example",
                                     .target = "/",
                                     .headers = &made.headers,
                                     .body = {}},
                                    {}));
  talk();
  const std::map<std::string, std::string> expected = {{":method", "GET"},
                                                       {":scheme", "https"},
                                                       {":authority", "a.example"},
                                                       {":path", "/"},
                                                       {"authorization", "Bearer 1"}};
  EXPECT_EQ(headers_of(0), expected);
  EXPECT_TRUE(peer_->requests()[0].is_whole);
}

TEST_F(Http2ClientTest, WhatStartsInOneTurnLeavesInOneWrite) {
  talk();
  const std::size_t writes_before = pipes_.from_stream->writes_count;
  for (int i = 0; i < 50; ++i) call();
  talk();
  EXPECT_EQ(pipes_.from_stream->writes_count, writes_before + 1);
  EXPECT_EQ(peer_->requests().size(), 50U);
  EXPECT_EQ(connection_->exchanges_count(), 50U);
  for (const auto& request : peer_->requests()) {
    peer_->answer(request.stream_id, 200, {}, std::to_string(request.stream_id));
  }
  talk();
  for (std::size_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(calls_[i]->succeeded());
    EXPECT_EQ(calls_[i]->exchange->response().body, std::to_string(2 * i + 1));
  }
}

TEST_F(Http2ClientTest, RequestBodiesAboveTheWindowWaitForIt) {
  connect({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}});
  talk();
  const std::string body(300'000, 'x');
  Call& one = call(body);
  Call& other = call("small");
  talk();
  ASSERT_EQ(peer_->requests().size(), 2U);
  EXPECT_EQ(peer_->requests()[0].body, body);  // The peer opens its windows as it reads.
  EXPECT_EQ(peer_->requests()[1].body, "small");
  peer_->answer(1, 200);
  peer_->answer(3, 200);
  talk();
  EXPECT_TRUE(one.succeeded());
  EXPECT_TRUE(other.succeeded());
}

TEST_F(Http2ClientTest, OutputIsBoundedWhileNothingIsTaken) {
  connect({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10'000'000}});
  talk();
  pipes_.from_stream->stalled = true;
  call(std::string(5'000'000, 'x'));
  talk();
  EXPECT_LE(peer_->requests().at(0).body.size(), 65'535U);
}

TEST_F(Http2ClientTest, LargeResponsesAreReadToTheirEndAndOnlyTheirBeginningKept) {
  Call& one = call("", {.body_bytes_kept_max = 10, .body_bytes_read_max = 2'000'000});
  talk();
  peer_->answer(1, 200, {}, std::string(1'000'000, 'y'));
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().body, "yyyyyyyyyy");
  EXPECT_EQ(one.exchange->response().body_bytes_count, 1'000'000U);
  EXPECT_TRUE(one.exchange->response().body_complete);
}

TEST_F(Http2ClientTest, AnEndlessResponseIsReadUpToTheLimitAndReset) {
  Call& one = call("", {.body_bytes_kept_max = 10, .body_bytes_read_max = 100'000});
  talk();
  peer_->answer(1, 200, {}, std::string(50'000'000, 'y'));
  for (int i = 0; i < 100 && !one.result; ++i) {
    loop_.run_until_idle();
    peer_->feed(pipes_.receive());
    pipes_.send(peer_->take());
  }
  ASSERT_TRUE(one.succeeded());
  EXPECT_FALSE(one.exchange->response().body_complete);
  EXPECT_LT(one.exchange->response().body_bytes_count, 400'000U);
  cancel(one);
  Call& next = call();
  talk();
  EXPECT_THAT(peer_->resets(), testing::ElementsAre(std::pair(1, NGHTTP2_CANCEL)));
  peer_->answer(3, 200);
  talk();
  EXPECT_TRUE(next.succeeded());
}

TEST_F(Http2ClientTest, HeadOnlyStopsAtTheHeadAndTheBodyMayFollow) {
  Call& one = call("", {.body_bytes_kept_max = 100, .head_only = true});
  talk();
  peer_->answer(1, 500, {}, "abcdef");
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().status, 500);
  EXPECT_FALSE(one.exchange->response().body_complete);
  run(one, one.exchange->read_body({.body_bytes_kept_max = 4}));
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().body, "abcd");
  EXPECT_TRUE(one.exchange->response().body_complete);

  Call& other = call("", {.head_only = true});
  talk();
  peer_->answer(3, 204);
  talk();
  ASSERT_TRUE(other.succeeded());
  EXPECT_TRUE(other.exchange->response().body_complete);
}

TEST_F(Http2ClientTest, InterimResponsesAndTrailersAreSkipped) {
  Call& one = call();
  talk();
  peer_->send_headers(1, 100, {{"x-interim", "1"}});
  peer_->send_headers(1, 103, {{"link", "x"}});
  talk();
  EXPECT_FALSE(one.result);
  peer_->answer(1, 200, {{"x-final", "1"}}, "body", {{"x-trailer", "1"}});
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().status, 200);
  EXPECT_EQ(one.exchange->response().body, "body");
  ASSERT_EQ(one.exchange->response().headers.size(), 1U);
  EXPECT_EQ(one.exchange->response().headers[0].name, "x-final");
}

TEST_F(Http2ClientTest, TooManyInterimResponsesAreRefused) {
  Call& one = call();
  talk();
  for (std::size_t i = 0; i <= kInterimResponsesMax; ++i) peer_->send_headers(1, 100);
  talk();
  ASSERT_TRUE(one.result);
  ASSERT_FALSE(one.succeeded());
  EXPECT_EQ(one.failure().error.code, ErrorCode::protocol_violated);
}

TEST_F(Http2ClientTest, HeaderBombsAreTooLargeAndLeaveTheConnection) {
  connect({}, {.header_bytes_max = 2000, .headers_max = 10});
  const Headers cases[] = {{{"x", std::string(2000, 'x')}}, Headers(11, {"x", "y"})};
  for (const Headers& headers : cases) {
    Call& one = call();
    talk();
    peer_->answer(peer_->requests().back().stream_id, 200, headers);
    talk();
    ASSERT_TRUE(one.result);
    ASSERT_FALSE(one.succeeded());
    EXPECT_EQ(one.failure().error.code, ErrorCode::too_large);
    EXPECT_TRUE(one.failure().request_sent);
    EXPECT_TRUE(connection_->accepts_exchanges());
  }
}

TEST_F(Http2ClientTest, AnEarlyAnswerStandsThoughTheBodyWasNotSent) {
  connect({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10}});
  talk();
  Call& one = call(std::string(100'000, 'x'));
  loop_.run_until_idle();
  peer_->feed(pipes_.receive());
  peer_->answer(1, 413, {}, "too large");
  pipes_.send(peer_->take());
  peer_->reset(1, NGHTTP2_NO_ERROR);
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().status, 413);
  EXPECT_TRUE(connection_->accepts_exchanges());
}

TEST_F(Http2ClientTest, ResetStreamsSayWhetherTheyWereTaken) {
  const struct {
    std::uint32_t error_code;
    bool is_unprocessed;
    bool requires_http_1_1;
  } kCases[] = {{NGHTTP2_REFUSED_STREAM, true, false},  {NGHTTP2_HTTP_1_1_REQUIRED, true, true},
                {NGHTTP2_INTERNAL_ERROR, false, false}, {NGHTTP2_ENHANCE_YOUR_CALM, false, false},
                {NGHTTP2_CANCEL, false, false},         {NGHTTP2_NO_ERROR, false, false}};
  for (const auto& one : kCases) {
    connect();
    Call& reset = call();
    talk();
    peer_->reset(1, one.error_code);
    talk();
    ASSERT_TRUE(reset.result);
    ASSERT_FALSE(reset.succeeded()) << one.error_code;
    EXPECT_EQ(reset.failure().error.code, ErrorCode::connection_reset);
    EXPECT_EQ(reset.failure().is_unprocessed, one.is_unprocessed) << one.error_code;
    EXPECT_EQ(reset.failure().request_sent, !one.is_unprocessed) << one.error_code;
    EXPECT_FALSE(reset.failure().answer_begun);
    EXPECT_EQ(connection_->requires_http_1_1(), one.requires_http_1_1);
    EXPECT_EQ(connection_->accepts_exchanges(), !one.requires_http_1_1);
  }
}

TEST_F(Http2ClientTest, GoAwayEndsWhatItDoesNotNameAndLeavesTheRest) {
  Call& first = call();
  Call& second = call();
  Call& third = call();
  talk();
  peer_->go_away(1);
  talk();
  EXPECT_FALSE(first.result);
  for (const Call* one : {&second, &third}) {
    ASSERT_TRUE(one->result);
    ASSERT_FALSE(one->succeeded());
    EXPECT_TRUE(one->failure().is_unprocessed);
    EXPECT_FALSE(one->failure().request_sent);
  }
  EXPECT_FALSE(connection_->accepts_exchanges());
  Call& late = call();
  ASSERT_TRUE(late.result);
  EXPECT_TRUE(late.failure().is_unprocessed);

  peer_->answer(1, 200, {}, "after all");
  talk();
  ASSERT_TRUE(first.succeeded());
  EXPECT_EQ(first.exchange->response().body, "after all");
  EXPECT_TRUE(connection_->has_ended());
}

TEST_F(Http2ClientTest, ThePeersLimitOfStreamsHoldsThemBack) {
  connect({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}});
  EXPECT_FALSE(connection_->has_settings());
  talk();
  EXPECT_TRUE(connection_->has_settings());
  EXPECT_EQ(connection_->exchanges_max(), 1U);
  Call& first = call();
  Call& second = call();
  talk();
  EXPECT_EQ(peer_->requests().size(), 1U);
  EXPECT_FALSE(second.exchange->request_sent());
  peer_->answer(1, 200);
  talk();
  EXPECT_TRUE(first.succeeded());
  ASSERT_EQ(peer_->requests().size(), 2U);

  Call& third = call();  // It waits, and is given up before it ever left.
  talk();
  cancel(third);
  pipes_.reset();
  talk();
  ASSERT_TRUE(second.result);
  EXPECT_TRUE(second.failure().request_sent);
  EXPECT_FALSE(second.failure().is_unprocessed);
}

TEST_F(Http2ClientTest, WhatNeverLeftIsUnprocessedWhenTheConnectionBreaks) {
  connect({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}});
  talk();
  call();
  Call& second = call();
  talk();
  pipes_.end();
  talk();
  ASSERT_TRUE(second.result);
  EXPECT_TRUE(second.failure().is_unprocessed);
  EXPECT_FALSE(second.failure().request_sent);
  EXPECT_TRUE(connection_->has_ended());
}

TEST_F(Http2ClientTest, AnIdleConnectionThatHadEndedIsStale) {
  Call& first = call();
  talk();
  pipes_.reset();
  talk();
  ASSERT_TRUE(first.result);
  EXPECT_FALSE(first.failure().is_stale);  // It was new.

  connect();
  call();
  talk();
  peer_->answer(1, 200);
  talk();
  Call& second = call();
  Call& third = call();
  loop_.run_until_idle();
  pipes_.reset();
  talk();
  for (const Call* one : {&second, &third}) {
    ASSERT_TRUE(one->result);
    EXPECT_TRUE(one->failure().is_stale);
    EXPECT_TRUE(one->failure().request_sent);
  }
}

TEST_F(Http2ClientTest, AConnectionThatAnsweredOthersIsNotStale) {
  call();
  talk();
  peer_->answer(1, 200);
  talk();
  call();
  Call& third = call();
  talk();
  peer_->answer(3, 200);
  talk();
  pipes_.reset();
  talk();
  ASSERT_TRUE(third.result);
  EXPECT_FALSE(third.failure().is_stale);
}

TEST_F(Http2ClientTest, WhatIsNotHttp2IsRefused) {
  Call& one = call();
  talk();
  pipes_.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  loop_.run_until_idle();
  ASSERT_TRUE(one.result);
  ASSERT_FALSE(one.succeeded());
  EXPECT_EQ(one.failure().error.code, ErrorCode::protocol_violated);
  EXPECT_FALSE(one.failure().error.detail.empty());
  EXPECT_TRUE(connection_->has_ended());
}

TEST_F(Http2ClientTest, ABodyShorterThanItsLengthIsRefused) {
  Call& one = call("", {.head_only = true});
  talk();
  peer_->answer(1, 200, {{"content-length", "10"}}, "short");
  talk();
  ASSERT_TRUE(one.succeeded());
  run(one, one.exchange->read_body({}));
  talk();
  ASSERT_TRUE(one.result);
  EXPECT_FALSE(one.succeeded());
  EXPECT_FALSE(one.exchange->response().body_complete);
}

TEST_F(Http2ClientTest, PingsAreAnsweredAndCancellingOneLeavesTheOthers) {
  Call& first = call();
  Call& second = call();
  talk();
  cancel(first);
  peer_->ping();
  talk();
  EXPECT_EQ(peer_->pongs_count(), 1U);
  EXPECT_THAT(peer_->resets(), testing::ElementsAre(std::pair(1, NGHTTP2_CANCEL)));
  peer_->answer(3, 200);
  talk();
  EXPECT_TRUE(second.succeeded());
  EXPECT_TRUE(connection_->accepts_exchanges());
}

TEST_F(Http2ClientTest, ASilentConnectionIsGivenUpAfterTwoTimeoutsInARow) {
  talk();
  cancel(call());  // It never left: nothing is known.
  EXPECT_TRUE(connection_->accepts_exchanges());
  for (const bool answers_ping : {true, false}) {
    Call& first = call();
    Call& same_time = call();
    loop_.run_until_idle();
    loop_.advance(5s);
    cancel(first);
    cancel(same_time);
    EXPECT_TRUE(connection_->accepts_exchanges());
    if (answers_ping) talk();
    Call& second = call();
    loop_.run_until_idle();
    loop_.advance(5s);
    cancel(second);
    EXPECT_EQ(connection_->accepts_exchanges(), answers_ping);
    if (answers_ping) talk();
  }
  EXPECT_GE(peer_->pings_count(), 2U);
}

TEST_F(Http2ClientTest, AnswersOfAConnectionWhoseWritingFailedAreRead) {
  talk();
  Call& one = call();
  talk();
  pipes_.from_stream->reset = true;  // Writes fail,
  Call& two = call();
  loop_.run_until_idle();
  EXPECT_FALSE(connection_->accepts_exchanges());
  peer_->answer(1, 200);
  talk();
  EXPECT_TRUE(one.succeeded());
  pipes_.end();
  talk();
  ASSERT_TRUE(two.result);
  EXPECT_TRUE(two.failure().request_sent);
}

TEST_F(Http2ClientTest, SaysFarewell) {
  call();
  talk();
  peer_->answer(1, 200);
  talk();
  calls_.clear();
  connection_.reset();
  peer_->feed(pipes_.receive());
  EXPECT_TRUE(peer_->got_go_away());
  EXPECT_TRUE(pipes_.is_closed());
}

TEST_F(Http2ClientTest, BadRequestsAreNotSent) {
  calls_.push_back(std::make_unique<Call>());
  Call& made = *calls_.back();
  made.headers = {{"X", "a\r\nb"}};
  made.exchange = std::make_unique<Http2Exchange>(connection_);
  run(made,
      made.exchange->exchange({.authority = "a", .target = "/", .headers = &made.headers}, {}));
  ASSERT_TRUE(made.result);
  EXPECT_EQ(made.failure().error.code, ErrorCode::bad_input);
  EXPECT_FALSE(made.failure().request_sent);
  EXPECT_FALSE(made.failure().is_unprocessed);
  talk();
  EXPECT_TRUE(peer_->requests().empty());
}

TEST_F(Http2ClientTest, BytesInSmallPiecesAreTheSame) {
  pipes_.to_stream->read_bytes_max = 1;
  Call& one = call();
  talk();
  peer_->answer(1, 200, {{"a", "b"}}, "body");
  talk();
  ASSERT_TRUE(one.succeeded());
  EXPECT_EQ(one.exchange->response().body, "body");
}

}  // namespace
}  // namespace eilpost::http

// Goal:   the server answers every client right, within its limits, and ends cleanly.
// Method: raw bytes over connections in memory; time moves only when told to.

#include "http/server.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "http/memory_loop_for_test.h"

namespace eilpost::http {
namespace {

using std::chrono::seconds;

constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

// Waits until resumed from outside.
struct Gate {
  std::coroutine_handle<> waiting;

  struct Awaiter {
    Gate& gate;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { gate.waiting = handle; }
    void await_resume() const noexcept {}
  };
  Awaiter wait() { return {*this}; }
  void open() { std::exchange(waiting, nullptr).resume(); }
};

// Says in `count` when it is destroyed.
struct Witness {
  int& count;
  explicit Witness(int& target) : count(target) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { ++count; }
};

class ScriptedHandler final : public Handler {
 public:
  Task<void> handle(const Request& request, const env::Endpoint& /*client*/,
                    Responder& responder) override {
    seen.push_back(std::string(to_string(request.method)) + " " + request.target + " " +
                   request.body);
    const Witness witness(ended_count);
    const std::string_view path = path_of(request.target);
    if (path == "/silent") co_return;
    if (path == "/stream") {
      const Result<void> begun = co_await responder.begin_stream({});
      results.push_back(begun.has_value());
      for (const std::string_view chunk : {"one", "", "two"}) {
        const Result<void> written = co_await responder.write_chunk(chunk);
        results.push_back(written.has_value());
      }
      co_return;
    }
    if (path == "/events") {
      const Result<void> begun = co_await responder.begin_stream({});
      results.push_back(begun.has_value());
      co_await gate.wait();
      const Result<void> written = co_await responder.write_chunk("late");
      results.push_back(written.has_value());
      co_return;
    }
    if (path == "/wait") co_await gate.wait();
    Response response{.status = path == "/204" ? 204 : 202, .headers = {}, .body = "ok"};
    if (path == "/204") response.body.clear();
    const Result<void> written = co_await responder.respond(std::move(response));
    results.push_back(written.has_value());
  }

  Response refuse(const Request& request, const Refused& refused) override {
    Response response = problem_response(refused);
    response.headers.push_back({"Refused-Target", request.target});
    if (const auto origin = find_header(request.headers, "origin")) {
      response.headers.push_back({"Refused-Origin", std::string(*origin)});
    }
    return response;
  }

  std::vector<std::string> seen;
  std::vector<bool> results;
  int ended_count = 0;
  Gate gate;
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() { restart({}); }

  void restart(ServerOptions options) {
    server_.reset();
    server_ = std::make_unique<Server>(loop_, handler_, std::move(options));
    ASSERT_TRUE(server_->listen({}));
  }
  MemoryPeer connect() {
    const MemoryPeer peer = network_.connect();
    loop_.run_until_idle();
    return peer;
  }
  std::string talk(const MemoryPeer& peer, std::string_view bytes) {
    peer.send(bytes);
    loop_.run_until_idle();
    return peer.receive();
  }

  MemoryLoop loop_;
  MemoryNetwork network_{loop_};
  ScriptedHandler handler_;
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kPost = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

std::string answer(std::string_view after_date = "Content-Length: 2\r\n\r\nok") {
  return "HTTP/1.1 202 Accepted\r\n" + std::string(kDate) + std::string(after_date);
}

TEST_F(ServerTest, KeepAliveServesOneRequestAfterAnotherWithOneReadAndOneWriteEach) {
  const MemoryPeer peer = connect();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(talk(peer, kPost), answer());
  EXPECT_EQ(handler_.seen.size(), 10U);
  EXPECT_EQ(handler_.seen[9], "POST /a hi");
  EXPECT_EQ(server_->requests_count(), 10U);
  EXPECT_EQ(server_->connections_count(), 1U);
  EXPECT_EQ(peer.to_stream->reads_count, 10U);
  EXPECT_EQ(peer.from_stream->writes_count, 10U);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  std::string bytes;
  for (std::size_t i = 0; i < 200; ++i) {
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{5000}}) {
    handler_.seen.clear();
    const MemoryPeer peer = connect();
    peer.to_stream->read_bytes_max = piece;
    std::string expected;
    for (std::size_t i = 0; i < 200; ++i) expected += answer();
    EXPECT_EQ(talk(peer, bytes), expected);
    ASSERT_EQ(handler_.seen.size(), 200U);
    for (std::size_t i = 0; i < 200; ++i)
      EXPECT_EQ(handler_.seen[i], "GET /" + std::to_string(i) + " ");
  }
}

TEST_F(ServerTest, LargeBodyIsReceivedWhole) {
  const std::string body(900'000, 'x');
  const MemoryPeer peer = connect();
  EXPECT_EQ(
      talk(peer, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + body + "GET"),
      answer());
  EXPECT_EQ(handler_.seen[0], "PUT /a " + body);
  EXPECT_EQ(talk(peer, " / HTTP/1.1\r\nHost: a\r\n\r\n"), answer());
}

TEST_F(ServerTest, ConnectionEndsWhereTheClientAsksForIt) {
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    const MemoryPeer peer = connect();
    EXPECT_EQ(talk(peer, bytes), answer("Content-Length: 2\r\nConnection: close\r\n\r\nok"));
    EXPECT_TRUE(peer.is_closed());
  }
  EXPECT_EQ(server_->connections_count(), 0U);
}

TEST_F(ServerTest, LastRequestOfAConnectionIsToldSo) {
  restart({.requests_per_connection_max = 2});
  const MemoryPeer peer = connect();
  EXPECT_EQ(talk(peer, kPost), answer());
  EXPECT_EQ(talk(peer, kPost), answer("Content-Length: 2\r\nConnection: close\r\n\r\nok"));
  EXPECT_TRUE(peer.is_closed());
}

TEST_F(ServerTest, HeadAnd204HaveNoBody) {
  const MemoryPeer peer = connect();
  EXPECT_EQ(talk(peer, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"), answer("Content-Length: 2\r\n\r\n"));
  EXPECT_EQ(talk(peer, "GET /204 HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 204 No Content\r\n" + std::string(kDate) + "\r\n");
  EXPECT_EQ(talk(peer, kPost), answer());
}

TEST_F(ServerTest, StreamIsChunkedAndTheConnectionLivesOn) {
  const MemoryPeer peer = connect();
  EXPECT_EQ(talk(peer, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\n" + std::string(kDate) +
                "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_EQ(talk(peer, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\n" + std::string(kDate) + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(talk(peer, kPost), answer());
  const MemoryPeer old = connect();
  EXPECT_EQ(talk(old, "GET /stream HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\n" + std::string(kDate) + "Connection: close\r\n\r\nonetwo");
  EXPECT_TRUE(old.is_closed());
}

TEST_F(ServerTest, HandlerWithoutAnswerEndsTheConnection) {
  const MemoryPeer peer = connect();
  EXPECT_EQ(talk(peer, "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(server_->connections_count(), 0U);
}

TEST_F(ServerTest, ExpectationIsAnsweredOnceAndOnlyIfTheBodyIsAwaited) {
  const std::string head =
      "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  const MemoryPeer peer = connect();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(talk(peer, head), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(talk(peer, "h"), "");
    EXPECT_EQ(talk(peer, "i"), answer());
  }
  EXPECT_EQ(talk(peer, head + "hi"), answer());
}

TEST_F(ServerTest, BadRequestsAreAnsweredWithAProblemAndEndTheConnection) {
  const struct {
    std::string_view bytes, status, code;
  } kCases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "malformed_request"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", "413 Content Too Large",
       "request_too_large"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented", "not_implemented"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported",
       "version_not_supported"},
      {"HEAD / HTTP/1.1\r\n\r\n", "400 Bad Request", "malformed_request"},
  };
  for (const auto& one : kCases) {
    const MemoryPeer peer = connect();
    EXPECT_EQ(talk(peer, kPost), answer());
    const std::string text = talk(peer, one.bytes);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 " + std::string(one.status) +
                                 "\r\nContent-Type: application/problem+json\r\n"))
        << text;
    EXPECT_TRUE(text.contains("Connection: close\r\n")) << text;
    EXPECT_TRUE(text.contains("\"status\":" + std::string(one.status.substr(0, 3)))) << text;
    EXPECT_TRUE(text.contains("\"code\":\"" + std::string(one.code) + "\"")) << text;
    // What still comes is thrown away, so that the answer is not lost in a reset.
    EXPECT_FALSE(peer.is_closed());
    EXPECT_EQ(talk(peer, kPost), "");
    peer.end();
    loop_.run_until_idle();
    EXPECT_TRUE(peer.is_closed());
  }
  EXPECT_EQ(handler_.seen.size(), std::size(kCases));
}

TEST_F(ServerTest, HandlerAnswersARefusedRequestKnowingWhatWasUnderstoodOfIt) {
  const std::string origin = "Origin: https://a.example\r\n";
  const std::string many = std::string(70'000, 'x');
  const struct {
    std::string bytes, status, origin;
  } kCases[] = {
      {"POST /b?k=1 HTTP/1.1\r\nHost: a\r\n" + origin + "Content-Length: 2000000\r\n\r\n", "413",
       "https://a.example"},
      {"POST /b?k=1 HTTP/1.1\r\nHost: a\r\n" + origin + "X: " + many, "431", "https://a.example"},
      {"POST /b?k=1 HTTP/1.1\r\nHost: a\r\nX: " + many, "431", ""},
      {"POST /b?k=1 HTTP/1.1\r\nHost : a\r\n\r\n", "400", ""},
  };
  for (const auto& one : kCases) {
    const MemoryPeer peer = connect();
    // Nothing of the request before may be taken for this one's.
    EXPECT_EQ(talk(peer, "GET /a HTTP/1.1\r\nHost: a\r\nOrigin: https://b.example\r\n\r\n"),
              answer());
    const std::string text = talk(peer, one.bytes);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 " + one.status)) << text;
    EXPECT_TRUE(text.contains("\"errors\":[]")) << text;
    EXPECT_TRUE(text.contains("Refused-Target: /b?k=1\r\n")) << text;
    EXPECT_EQ(text.contains("Refused-Origin: " + one.origin + "\r\n"), !one.origin.empty()) << text;
    EXPECT_FALSE(text.contains("https://b.example")) << text;
  }
}

TEST_F(ServerTest, RefusedClientThatStaysIsDroppedSoon) {
  const MemoryPeer peer = connect();
  EXPECT_NE(talk(peer, "\n"), "");
  loop_.advance(seconds(1));
  EXPECT_FALSE(peer.is_closed());
  loop_.advance(seconds(3));
  EXPECT_TRUE(peer.is_closed());

  const MemoryPeer flood = connect();
  EXPECT_NE(talk(flood, "\n"), "");
  for (int i = 0; i < 100 && !flood.is_closed(); ++i) talk(flood, std::string(100'000, 'x'));
  EXPECT_TRUE(flood.is_closed());
}

TEST_F(ServerTest, IdleConnectionIsClosedWithoutAWord) {
  const MemoryPeer peer = connect();
  talk(peer, kPost);
  loop_.advance(seconds(60));
  EXPECT_TRUE(talk(peer, kPost).starts_with("HTTP/1.1 202"));
  loop_.advance(seconds(74));
  EXPECT_FALSE(peer.is_closed());
  loop_.advance(seconds(3));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(peer.receive(), "");
  EXPECT_EQ(server_->connections_count(), 0U);
}

TEST_F(ServerTest, SlowHeaderAndSlowBodyAreTimedOut) {
  const struct {
    std::string_view bytes;
    seconds limit;
  } kCases[] = {{"GET / HTTP/1.1\r\n", seconds(10)},
                {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", seconds(60)}};
  for (const auto& one : kCases) {
    const MemoryPeer peer = connect();
    loop_.advance(seconds(30));
    EXPECT_EQ(talk(peer, one.bytes), "");
    // A drip does not extend the limit.
    for (seconds passed{0}; passed + seconds(2) < one.limit; passed += seconds(1)) {
      loop_.advance(seconds(1));
      EXPECT_EQ(talk(peer, "x"), "");
    }
    loop_.advance(seconds(4));
    EXPECT_TRUE(peer.receive().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    peer.end();
    loop_.run_until_idle();
    EXPECT_TRUE(peer.is_closed());
  }
}

TEST_F(ServerTest, ClientThatDoesNotReadIsDropped) {
  const MemoryPeer peer = connect();
  peer.from_stream->stalled = true;
  talk(peer, kPost);
  loop_.advance(seconds(59));
  EXPECT_FALSE(peer.is_closed());
  loop_.advance(seconds(3));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(handler_.ended_count, 1);
}

TEST_F(ServerTest, HandlerMayTakeItsTime) {
  const MemoryPeer peer = connect();
  EXPECT_EQ(talk(peer, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  loop_.advance(std::chrono::hours(1));
  handler_.gate.open();
  loop_.run_until_idle();
  EXPECT_TRUE(peer.receive().starts_with("HTTP/1.1 202"));
}

TEST_F(ServerTest, BrokenConnectionDestroysItsHandler) {
  const MemoryPeer peer = connect();
  talk(peer, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(handler_.ended_count, 0);
  peer.reset();
  loop_.run_until_idle();
  EXPECT_EQ(handler_.ended_count, 1);
  EXPECT_EQ(server_->connections_count(), 0U);
}

TEST_F(ServerTest, ClientThatClosedItsHalfStillGetsItsAnswer) {
  const MemoryPeer peer = connect();
  talk(peer, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.end();
  loop_.run_until_idle();
  handler_.gate.open();
  loop_.run_until_idle();
  EXPECT_EQ(peer.receive(), answer("Content-Length: 2\r\nConnection: close\r\n\r\nok"));
  EXPECT_TRUE(peer.is_closed());
}

TEST_F(ServerTest, StreamEndsWhenItsReaderGoes) {
  const MemoryPeer peer = connect();
  talk(peer, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.end();
  loop_.run_until_idle();
  EXPECT_EQ(handler_.ended_count, 1);
  EXPECT_EQ(server_->connections_count(), 0U);
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitAreTurnedAway) {
  restart({.connections_max = 2});
  const MemoryPeer first = connect();
  const MemoryPeer second = connect();
  const MemoryPeer third = connect();
  const std::string text = third.receive();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << text;
  EXPECT_TRUE(text.contains("Retry-After: 1\r\n"));
  third.end();
  loop_.run_until_idle();
  EXPECT_TRUE(third.is_closed());
  EXPECT_EQ(talk(first, kPost), answer());
  first.end();
  loop_.run_until_idle();
  EXPECT_EQ(talk(connect(), kPost), answer());
  std::vector<MemoryPeer> crowd;
  for (int i = 0; i < 1000; ++i) crowd.push_back(connect());
  EXPECT_LE(server_->connections_count(), 200U);
  EXPECT_EQ(talk(second, kPost), answer());
}

TEST_F(ServerTest, PauseHoldsBackNewRequestsOnly) {
  const MemoryPeer fresh = connect();
  const MemoryPeer busy = connect();
  talk(busy, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
  server_->pause_reading(true);
  EXPECT_EQ(talk(busy, "hi"), answer());    // partly read before
  EXPECT_EQ(talk(fresh, kPost), answer());  // its read was under way
  const MemoryPeer later = connect();
  for (const MemoryPeer* peer : {&busy, &fresh, &later}) EXPECT_EQ(talk(*peer, kPost), "");
  loop_.advance(std::chrono::minutes(10));  // No fault of theirs.
  for (const MemoryPeer* peer : {&busy, &fresh, &later}) EXPECT_FALSE(peer->is_closed());
  server_->pause_reading(false);
  loop_.run_until_idle();
  for (const MemoryPeer* peer : {&busy, &fresh, &later}) {
    EXPECT_TRUE(peer->receive().starts_with("HTTP/1.1 202"));
  }
  loop_.advance(seconds(78));
  for (const MemoryPeer* peer : {&busy, &fresh, &later}) EXPECT_TRUE(peer->is_closed());
}

TEST_F(ServerTest, StopFinishesRequestsUnderWay) {
  const MemoryPeer idle = connect();
  const MemoryPeer busy = connect();
  const MemoryPeer half = connect();
  talk(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  talk(half, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh");
  Task<void> stopping = server_->stop(seconds(20));
  stopping.start();
  loop_.run_until_idle();
  EXPECT_FALSE(network_.is_listening());
  EXPECT_TRUE(idle.is_closed());
  EXPECT_FALSE(busy.is_closed());
  EXPECT_FALSE(stopping.done());
  EXPECT_EQ(talk(half, "i"), answer("Content-Length: 2\r\nConnection: close\r\n\r\nok"));
  handler_.gate.open();
  loop_.run_until_idle();
  EXPECT_EQ(busy.receive(), answer("Content-Length: 2\r\nConnection: close\r\n\r\nok"));
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(stopping.done());
}

TEST_F(ServerTest, StopClosesWhatOutlivesTheGrace) {
  const MemoryPeer peer = connect();
  talk(peer, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  Task<void> stopping = server_->stop(seconds(20));
  stopping.start();
  loop_.advance(seconds(19));
  EXPECT_FALSE(stopping.done());
  loop_.advance(seconds(2));
  EXPECT_TRUE(stopping.done());
  EXPECT_TRUE(peer.is_closed());
  EXPECT_EQ(handler_.ended_count, 1);
}

TEST_F(ServerTest, StopOfAnIdleServerIsDoneAtOnce) {
  Task<void> stopping = server_->stop(seconds(20));
  stopping.start();
  EXPECT_TRUE(stopping.done());
}

TEST_F(ServerTest, DestructionCancelsEverything) {
  const MemoryPeer waiting = connect();
  const MemoryPeer idle = connect();
  const MemoryPeer stalled = connect();
  stalled.from_stream->stalled = true;
  talk(waiting, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  talk(stalled, kPost);
  talk(idle, "GET");
  server_.reset();
  loop_.advance(seconds(100));
  EXPECT_EQ(handler_.ended_count, 2);
  for (const MemoryPeer* peer : {&waiting, &idle, &stalled}) EXPECT_TRUE(peer->is_closed());
}

TEST_F(ServerTest, ListeningTwiceOnOneEndpointFails) {
  const Result<env::Endpoint> again = server_->listen({});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::listen_failed);
}

}  // namespace
}  // namespace eilpost::http

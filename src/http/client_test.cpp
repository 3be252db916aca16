#include "http/client.h"

#include <gtest/gtest.h>
#include <optional>

#include "http/memory_loop_for_test.h"

namespace eilpost::http {
namespace {

using Exchanged = std::expected<void, ExchangeFailure>;

Task<void> store(Task<Exchanged> task, std::optional<Exchanged>& target) {
  Exchanged result = co_await std::move(task);
  target = std::move(result);
}

class ClientConnectionTest : public testing::Test {
 protected:
  // Runs an exchange as far as it comes.
  std::optional<Exchanged>& exchange(ResponseLimits limits = {}, Method method = Method::post) {
    return run(connection_->exchange({.method = method,
                                      .authority = "a.example",
                                      .target = "/x",
                                      .headers = &headers_,
                                      .body = "hi"},
                                     limits));
  }
  std::optional<Exchanged>& read_body(ResponseLimits limits = {}) {
    return run(connection_->read_body(limits));
  }
  std::optional<Exchanged>& run(Task<Exchanged> task) {
    result_.reset();
    task_ = store(std::move(task), result_);
    task_.start();
    loop_.run_until_idle();
    return result_;
  }
  void answer(std::string_view bytes) {
    peer_.send(bytes);
    loop_.run_until_idle();
  }

  MemoryLoop loop_;
  MemoryPeer peer_;
  Headers headers_ = {{"X-A", "b"}};
  std::unique_ptr<ClientConnection> connection_ =
      std::make_unique<ClientConnection>(peer_.make_stream(loop_));
  std::optional<Exchanged> result_;
  Task<void> task_;
};

constexpr std::string_view kRequest =
    "POST /x HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\nContent-Length: 2\r\n\r\nhi";

TEST_F(ClientConnectionTest, OneExchangeFollowsAnother) {
  for (int i = 0; i < 3; ++i) {
    const std::optional<Exchanged>& result = exchange();
    EXPECT_EQ(peer_.receive(), kRequest);
    EXPECT_FALSE(result);
    EXPECT_FALSE(connection_->is_reusable());
    answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nKeep-Alive: max=9, Timeout=7\r\n\r\nyes");
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->has_value());
    EXPECT_EQ(connection_->response().status, 200);
    EXPECT_EQ(connection_->response().body, "yes");
    EXPECT_TRUE(connection_->is_reusable());
    EXPECT_EQ(connection_->keep_alive_timeout(), std::chrono::seconds(7));
  }
  EXPECT_EQ(peer_.from_stream->writes_count, 3U);
  EXPECT_EQ(connection_->exchanges_count(), 3U);
}

TEST_F(ClientConnectionTest, IsNotReusableAfterAnAnswerThatEndsIt) {
  const struct {
    std::string_view bytes;
    bool ends;
  } kCases[] = {
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", false},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true},
  };
  for (const auto& one : kCases) {
    peer_ = {};
    connection_ = std::make_unique<ClientConnection>(peer_.make_stream(loop_));
    const std::optional<Exchanged>& result = exchange();
    answer(one.bytes);
    if (one.ends) {
      EXPECT_FALSE(result);
      peer_.end();
      loop_.run_until_idle();
    }
    ASSERT_TRUE(result) << one.bytes;
    EXPECT_TRUE(result->has_value()) << one.bytes;
    EXPECT_FALSE(connection_->is_reusable()) << one.bytes;
    EXPECT_TRUE(connection_->response().body_complete);
  }
}

TEST_F(ClientConnectionTest, FailureSaysHowFarItCame) {
  const struct {
    std::string_view bytes;
    bool resets;
    ErrorCode code;
    bool answer_begun;
  } kCases[] = {
      {"", false, ErrorCode::connection_reset, false},
      {"", true, ErrorCode::connection_reset, false},
      {"HTTP/1.1 2", false, ErrorCode::connection_reset, true},
      {"HTTP/1.1 2", true, ErrorCode::connection_reset, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", false, ErrorCode::connection_reset, true},
      {"HTTP/1.1 100 Continue\r\n\r\n", false, ErrorCode::connection_reset, true},
      {"SSH-2.0-OpenSSH_9.2\r\n", false, ErrorCode::protocol_violated, true},
  };
  for (const auto& one : kCases) {
    peer_ = {};
    connection_ = std::make_unique<ClientConnection>(peer_.make_stream(loop_));
    const std::optional<Exchanged>& result = exchange();
    answer(one.bytes);
    if (one.resets) {
      peer_.reset();
    } else {
      peer_.end();
    }
    loop_.run_until_idle();
    ASSERT_TRUE(result);
    ASSERT_FALSE(result->has_value()) << one.bytes;
    EXPECT_EQ(result->error().error.code, one.code) << one.bytes;
    EXPECT_EQ(result->error().answer_begun, one.answer_begun) << one.bytes;
    EXPECT_TRUE(result->error().request_sent);
    EXPECT_FALSE(connection_->is_reusable());
  }
}

TEST_F(ClientConnectionTest, HeaderBombIsTooLarge) {
  const std::optional<Exchanged>& result = exchange();
  answer("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().error.code, ErrorCode::too_large);
}

TEST_F(ClientConnectionTest, AnswerToARequestThatCouldNotBeSentWholeIsRead) {
  peer_.from_stream->reset = true;  // Writes fail,
  const std::optional<Exchanged>& result = exchange();
  EXPECT_FALSE(result);
  answer("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(connection_->response().status, 413);
  EXPECT_FALSE(connection_->is_reusable());
}

TEST_F(ClientConnectionTest, BadRequestIsNotSentAndLeavesTheConnection) {
  headers_ = {{"X", "a\r\nb"}};
  const std::optional<Exchanged>& result = exchange();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().error.code, ErrorCode::bad_input);
  EXPECT_FALSE(result->error().request_sent);
  EXPECT_EQ(peer_.receive(), "");
  EXPECT_TRUE(connection_->is_reusable());
}

TEST_F(ClientConnectionTest, HeadOnlyStopsAtTheHeadAndTheBodyMayFollow) {
  const std::optional<Exchanged>& result = exchange({.head_only = true});
  answer("HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nabc");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(connection_->response().status, 500);
  EXPECT_EQ(connection_->response().body, "");
  EXPECT_FALSE(connection_->is_reusable());

  EXPECT_FALSE(read_body({.body_bytes_kept_max = 4}));
  answer("def");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(connection_->response().body, "abcd");
  EXPECT_EQ(connection_->response().body_bytes_count, 6U);
  EXPECT_TRUE(connection_->is_reusable());
}

TEST_F(ClientConnectionTest, HeadOnlyOfAnAnswerWithoutBodyIsComplete) {
  const std::optional<Exchanged>& result = exchange({.head_only = true});
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(result);
  EXPECT_TRUE(connection_->is_reusable());
  EXPECT_TRUE(connection_->response().body_complete);
  EXPECT_TRUE(read_body()->has_value());
}

TEST_F(ClientConnectionTest, EndlessBodyIsReadUpToTheLimitOnly) {
  const std::optional<Exchanged>& result =
      exchange({.body_bytes_kept_max = 10, .body_bytes_read_max = 100'000});
  answer("HTTP/1.1 200 OK\r\n\r\n");
  int pieces = 0;
  while (!result && pieces < 100) {
    answer(std::string(4000, 'x'));
    ++pieces;
  }
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->has_value());
  EXPECT_EQ(pieces, 26);
  EXPECT_EQ(connection_->response().body, "xxxxxxxxxx");
  EXPECT_FALSE(connection_->response().body_complete);
  EXPECT_FALSE(connection_->is_reusable());
}

TEST_F(ClientConnectionTest, AnswerInSmallPiecesIsTheSame) {
  peer_.to_stream->read_bytes_max = 1;
  const std::optional<Exchanged>& result = exchange();
  answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(connection_->response().body, "abc");
  EXPECT_TRUE(connection_->is_reusable());
}

TEST_F(ClientConnectionTest, ExchangeCanBeCancelledAtAnyPoint) {
  for (const std::string_view bytes : {"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"}) {
    peer_ = {};
    peer_.from_stream->stalled = bytes.empty();
    connection_ = std::make_unique<ClientConnection>(peer_.make_stream(loop_));
    EXPECT_FALSE(exchange());
    answer(bytes);
    task_ = {};
    connection_.reset();
    answer("HTTP");
    EXPECT_TRUE(peer_.is_closed());
  }
}

TEST_F(ClientConnectionTest, KeepAliveTimeoutIsReadStrictly) {
  const struct {
    std::string_view value;
    std::optional<Duration> timeout;
  } kCases[] = {{"timeout=5", std::chrono::seconds(5)},
                {"TIMEOUT=0,max=3", std::chrono::seconds(0)},
                {"timeout=999999999", std::chrono::seconds(86'400)},
                {"timeout=-1", std::nullopt},
                {"timeout=", std::nullopt},
                {"max=3", std::nullopt},
                {"", std::nullopt}};
  for (const auto& one : kCases) {
    exchange();
    answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: " + std::string(one.value) +
           "\r\n\r\n");
    EXPECT_EQ(connection_->keep_alive_timeout(), one.timeout) << one.value;
  }
}

}  // namespace
}  // namespace eilpost::http

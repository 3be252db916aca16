#include "http/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include "base/encoding.h"
#include "http/memory_loop_for_test.h"

namespace eilpost::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Proxy, IsReadFromAUrl) {
  const Result<Proxy> plain = parse_proxy("http://Proxy.Example:3128");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->host, "proxy.example");
  EXPECT_EQ(plain->port, 3128);
  EXPECT_EQ(plain->authorization, "");
  EXPECT_EQ(plain->to_string(), "http://proxy.example:3128");

  const Result<Proxy> v6 = parse_proxy("http://[::1]:8080/");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->to_string(), "http://[::1]:8080");

  const Result<Proxy> secret = parse_proxy("http://ann:p%40ss%3Aword@127.0.0.1:3128");
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret->host, "127.0.0.1");
  EXPECT_EQ(secret->authorization, "Basic " + encode_base64(as_bytes("ann:p@ss:word")));
  EXPECT_EQ(secret->to_string(), "http://127.0.0.1:3128");
}

TEST(Proxy, WhatIsNotOneIsRefusedWithoutShowingItsPassword) {
  for (const std::string_view text :
       {"", "proxy.example:3128", "https://a:hunter2@proxy.example", "socks5://a:hunter2@b",
        "http://ahunter2@b:1", "http://a:hunter2%zz@b:1", "http://a:hunter2@b:99999",
        "http://a:hunter2@:1", "http://a:hunter2@b:1/path", "http://a%3Ab:hunter2@c:1"}) {
    const Result<Proxy> proxy = parse_proxy(text);
    ASSERT_FALSE(proxy.has_value()) << text;
    EXPECT_EQ(proxy.error().code, ErrorCode::bad_input);
    EXPECT_FALSE(proxy.error().detail.empty());
    EXPECT_THAT(proxy.error().detail, Not(HasSubstr("hunter2")));
  }
}

Task<void> store(Task<Result<void>> task, std::optional<Result<void>>& target) {
  Result<void> result = co_await std::move(task);
  target = std::move(result);
}

class TunnelTest : public testing::Test {
 protected:
  void open() {
    peer_ = {};
    result_.reset();
    task_ = {};
    stream_ = peer_.make_stream(loop_);
    task_ =
        store(open_tunnel(*stream_, proxy_, {.address = {.bytes = {192, 0, 2, 7}}, .port = 443}),
              result_);
    task_.start();
    loop_.run_until_idle();
  }
  void answer(std::string_view bytes) {
    peer_.send(bytes);
    loop_.run_until_idle();
  }

  MemoryLoop loop_;
  MemoryPeer peer_;
  Proxy proxy_ = *parse_proxy("http://ann:hunter2@proxy.example:3128");
  std::unique_ptr<MemoryStream> stream_;
  std::optional<Result<void>> result_;
  Task<void> task_;
};

TEST_F(TunnelTest, AsksForTheAddressAndShowsTheCredentials) {
  open();
  EXPECT_EQ(peer_.receive(),
            "CONNECT 192.0.2.7:443 HTTP/1.1\r\nHost: 192.0.2.7:443\r\n"
            "Proxy-Authorization: " +
                proxy_.authorization + "\r\n\r\n");
  EXPECT_FALSE(result_);
  answer("HTTP/1.1 200 Connection established\r\nContent-Le");
  EXPECT_FALSE(result_);
  answer("ngth: 5\r\n\r\n");
  ASSERT_TRUE(result_);
  EXPECT_TRUE(result_->has_value());
}

TEST_F(TunnelTest, SaysThatItWasTheProxyThatRefused) {
  const struct {
    std::string_view bytes;
    std::string_view detail;
  } kCases[] = {
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
       "The proxy http://proxy.example:3128 answered 403 to CONNECT 192.0.2.7:443: it does not"},
      {"HTTP/1.1 407 Who?\r\nContent-Length: 5\r\n\r\nhello", "it asks for other credentials"},
      {"HTTP/1.0 502 Bad Gateway\r\n\r\n", "answered 502"},
      {"HTTP/1.1 200 OK\r\n\r\nSSH-2.0", "sent bytes"},
      {"SSH-2.0\r\n\r\n", "does not speak HTTP"},
      {"", "closed the connection"}};
  for (const auto& one : kCases) {
    open();
    answer(one.bytes);
    peer_.end();
    loop_.run_until_idle();
    ASSERT_TRUE(result_) << one.bytes;
    ASSERT_FALSE(result_->has_value()) << one.bytes;
    EXPECT_EQ(result_->error().code, ErrorCode::connect_failed);
    EXPECT_THAT(result_->error().detail, HasSubstr(std::string(one.detail)));
    EXPECT_THAT(result_->error().detail, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace eilpost::http

#include "http/url.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace eilpost::http {
namespace {

TEST(Url, ReadsUrls) {
  const struct {
    std::string_view text, host, authority, target;
    std::uint16_t port;
    bool is_address = false;
  } kCases[] = {
      {"https://example.com", "example.com", "example.com", "/", 443},
      {"HTTP://Example.COM:80/A/b?C=d&e=%2f#frag", "example.com", "example.com", "/A/b?C=d&e=%2f",
       80},
      {"http://example.com:8080?q", "example.com", "example.com:8080", "/?q", 8080},
      {"https://example.com/?", "example.com", "example.com", "/?", 443},
      {"https://example.com./a", "example.com", "example.com", "/a", 443},
      {"https://xn--bcher-kva.example/", "xn--bcher-kva.example", "xn--bcher-kva.example", "/",
       443},
      {"http://127.0.0.1:1/x", "127.0.0.1", "127.0.0.1:1", "/x", 1, true},
      {"http://[::1]/x", "::1", "[::1]", "/x", 80, true},
      {"https://[2001:DB8:0::1]:8443/x", "2001:db8::1", "[2001:db8::1]:8443", "/x", 8443, true},
      {"http://[::ffff:10.0.0.1]", "::ffff:10.0.0.1", "[::ffff:10.0.0.1]", "/", 80, true},
      {"http://localhost:65535/", "localhost", "localhost:65535", "/", 65535},
      {"http://my_service/", "my_service", "my_service", "/", 80},
      {"https://a/b/../c/./d//e;f=g,h:@!$&'()*+=~", "a", "a", "/b/../c/./d//e;f=g,h:@!$&'()*+=~",
       443},
      {"https://a?x[]=1/2?3", "a", "a", "/?x[]=1/2?3", 443},
      {"https://1e3.example1/", "1e3.example1", "1e3.example1", "/", 443},
      {"https://a#b?c", "a", "a", "/", 443},
  };
  for (const auto& one : kCases) {
    const Result<Url> url = parse_url(one.text);
    ASSERT_TRUE(url) << one.text << ": " << url.error().detail;
    EXPECT_EQ(url->host, one.host);
    EXPECT_EQ(url->authority(), one.authority);
    EXPECT_EQ(url->target(), one.target);
    EXPECT_EQ(url->port, one.port);
    EXPECT_EQ(url->address.has_value(), one.is_address) << one.text;
    const Result<Url> again = parse_url(url->to_string());
    ASSERT_TRUE(again) << url->to_string();
    EXPECT_EQ(*again, *url);
  }
}

TEST(Url, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string_view text :
       {// schemes
        "", "example.com", "//example.com", "ftp://example.com", "https:example.com",
        "https:/example.com", "javascript://x", "file:///etc/passwd", "://a", " https://a",
        "httpss://a", "\thttps://a",
        // user information
        "https://user@example.com", "https://user:pass@example.com", "https://@example.com",
        "https://a@b@c", "https://example.com:80@evil.example",
        // hosts
        "https://", "https:///path", "https://.", "https://..", "https://a..b", "https://.a",
        "https://a../", "https://?x", "https://:80", "https://ex%61mple.com", "https://exa mple",
        "https://-a.example", "https://a-.example", "https://a!b", "https://a,b", "https://a*b",
        "https://b\xC3\xBC"
        "cher.example",
        "https://a\\b", "https://a\\@b",
        // IPv4 in other clothes
        "http://2130706433", "http://0x7f000001", "http://0x7f.1", "http://0177.0.0.1",
        "http://127.1", "http://127.0.1", "http://127.0.0.256", "http://127.0.0.0x1",
        "http://1.2.3.4.5", "http://0x", "http://a.0x", "http://a.1", "http://00.0.0.0",
        "http://127.0.0.1..", "http://0X7F.1", "http://127.0.0.01",
        // IPv6
        "http://[::1", "http://::1", "http://[::1]a", "http://[127.0.0.1]", "http://[fe80::1%25e]",
        "http://[fe80::1%e]", "http://[]", "http://[::g]", "http://[v1.a]", "http://a[::1]",
        // ports
        "http://a:", "http://a:0", "http://a:65536", "http://a:+80", "http://a:-1", "http://a:8x",
        "http://a:80:80", "http://a: 80", "http://a:000080", "http://[::1]:",
        // characters
        "http://a/ b", "http://a/\n", "http://a/\r\nX: y", "http://a/\x7F", "http://a/%",
        "http://a/%1", "http://a/%zz", "http://a/?%g0", "http://a/<b>", "http://a/{b}",
        "http://a/\"", "http://a/b|c", "http://a/^", "http://a/?a`b", "http://a/\xC3\xBC"}) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url) << text << " -> " << url->to_string();
    EXPECT_EQ(url.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(url.error().detail.ends_with('.')) << url.error().detail;
  }
  EXPECT_FALSE(parse_url(std::string_view("http://a\0b", 10)));
}

TEST(Url, LengthsAreLimited) {
  const std::string start = "http://a/";
  EXPECT_TRUE(parse_url(start + std::string(kUrlBytesMax - start.size(), 'x')));
  EXPECT_FALSE(parse_url(start + std::string(kUrlBytesMax - start.size() + 1, 'x')));
  EXPECT_TRUE(parse_url("http://" + std::string(63, 'a') + ".b"));
  EXPECT_FALSE(parse_url("http://" + std::string(64, 'a') + ".b"));
  std::string host;
  for (int i = 0; i < 126; ++i) host += "a.";
  EXPECT_TRUE(parse_url("http://" + host + "a"));
  EXPECT_FALSE(parse_url("http://" + host + "ab"));
}

TEST(Url, DetailSaysWhatToMend) {
  const struct {
    std::string_view text, part;
  } kCases[] = {{"http://b\xC3\xBC", "punycode"},
                {"http://u@a", "authentication"},
                {"http://127.1", "four decimal"},
                {"http://a/ b", "%20"},
                {"http://a/<", "%3C"},
                {"ftp://a", "https://"},
                {"http://a:99999", "1 to 65535"},
                {"http://a%41/", "percent-encoded"},
                {"http://a\\b", "backslash"}};
  for (const auto& one : kCases) {
    const Result<Url> url = parse_url(one.text);
    ASSERT_FALSE(url);
    EXPECT_TRUE(url.error().detail.contains(one.part)) << url.error().detail;
  }
}

TEST(UrlProperty, WhatIsReadIsReadBackTheSame) {
  constexpr std::string_view kPieces[] = {"http", "https",     ":",     "//",  "/",  "a",   "B.c",
                                          "1",    "127.0.0.1", "[::1]", "?",   "#",  "%41", "%",
                                          "@",    ".",         "-",     ":80", ":81"};
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::string text = random.chance(1, 2) ? "http://" : "https://";
    const std::uint64_t count = random.below(8);
    for (std::uint64_t i = 0; i < count; ++i) text += kPieces[random.below(std::size(kPieces))];
    const Result<Url> url = parse_url(text);
    if (!url) continue;
    const Result<Url> again = parse_url(url->to_string());
    ASSERT_TRUE(again) << text;
    ASSERT_EQ(*again, *url) << text;
  }
}

}  // namespace
}  // namespace eilpost::http

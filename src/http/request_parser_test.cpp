// Goal:   a request is read or refused as RFC 9112 says, strictly, however its bytes are cut.
// Method: tables of raw bytes; each is fed whole, byte by byte, and cut in two at every place.

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"

namespace eilpost::http {
namespace {

struct Parsed {
  ParseState state = ParseState::idle;
  Refusal refusal{.status = 0, .detail = {}};
  std::string text;  // method, target, headers, body
  bool keeps_alive = false;
  std::size_t consumed = 0;

  friend bool operator==(const Parsed& a, const Parsed& b) {
    return a.state == b.state && a.refusal.status == b.refusal.status &&
           a.refusal.detail == b.refusal.detail && a.text == b.text &&
           a.keeps_alive == b.keeps_alive && a.consumed == b.consumed;
  }
};

std::string text_of(const Request& request) {
  std::string text(to_string(request.method));
  text += " " + request.target + "\n";
  for (const Header& header : request.headers) text += header.name + "=" + header.value + "\n";
  return text + "\n" + request.body;
}

bool is_over(const RequestParser& parser) {
  return parser.state() == ParseState::complete || parser.state() == ParseState::failed;
}

// Feeds the pieces that `cuts` make of `bytes`, each as often as it takes.
Parsed parse_cut(std::string_view bytes, const std::vector<std::size_t>& cuts,
                 const MessageLimits& limits) {
  RequestParser parser(limits, [](Method, std::string_view) { return std::size_t{20}; });
  Parsed parsed;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size() && !is_over(parser); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    // A copy of its own, so that a sanitizer sees a read beyond it.
    const std::string piece(bytes.substr(begin, end - begin));
    std::size_t at = 0;
    while (at < piece.size() && !is_over(parser)) {
      at += parser.feed(std::string_view(piece).substr(at));
    }
    parsed.consumed += at;
    begin = end;
  }
  parsed.state = parser.state();
  if (parsed.state == ParseState::failed) {
    parsed.refusal = parser.refusal();
    parsed.consumed = 0;
  }
  if (parsed.state == ParseState::complete) {
    parsed.text = text_of(parser.request());
    parsed.keeps_alive = parser.keeps_alive();
  }
  return parsed;
}

Parsed parse(std::string_view bytes, const MessageLimits& limits = {}) {
  const Parsed whole = parse_cut(bytes, {}, limits);
  std::vector<std::size_t> each;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    each.push_back(i);
    EXPECT_EQ(parse_cut(bytes, {i}, limits), whole) << "cut at " << i << " of\n" << bytes;
  }
  EXPECT_EQ(parse_cut(bytes, each, limits), whole) << "byte by byte:\n" << bytes;
  return whole;
}

TEST(RequestParser, ReadsRequests) {
  const struct {
    std::string_view bytes, text;
    bool keeps_alive = true;
  } kCases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\nHost=a\n\n"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\nHost=a\n\n"},
      {"POST /v1/events?key=src_1&partial=1 HTTP/1.1\r\nHost: a.example:8080\r\n"
       "content-length: 5\r\nX-Empty:\r\nX-Trim: \t a b \t\r\n\r\nhello",
       "POST /v1/events?key=src_1&partial=1\nHost=a.example:8080\ncontent-length=5\nX-Empty=\n"
       "X-Trim=a b\n\nhello"},
      {"PUT /a HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
       "PUT /a\nHost=[::1]\nTransfer-Encoding=chunked\n\nabc0123456789"},
      {"PATCH /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "PATCH /a\nHost=a\nTransfer-Encoding=chunked\n\n"},
      {"DELETE /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
       "DELETE /a\nHost=a\nContent-Length=0\nConnection=close\n\n", false},
      {"DELETE /a HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
       "DELETE /a\nHost=a\nConnection=x, Close\n\n", false},
      {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "OPTIONS *\nHost=\n\n"},
      {"HEAD /a HTTP/1.0\r\n\r\n", "HEAD /a\n\n", false},
      {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /a\nConnection=keep-alive\n\n",
       false},
      {"GET http://a.example/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b?c\nHost=a\n\n"},
      {"GET https://a.example?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?c\nHost=a\n\n"},
      // What curl --http2 offers is not taken up, and the request keeps its body.
      {"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
       "Content-Length: 2\r\n\r\nhi",
       "POST /\nHost=a\nConnection=Upgrade\nUpgrade=h2c\nContent-Length=2\n\nhi"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
       "GET /\nHost=a\nConnection=Upgrade\nUpgrade=websocket\n\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n", "GET /\nHost=a\nX=\x80\xff\n\n"},
  };
  for (const auto& one : kCases) {
    const Parsed parsed = parse(one.bytes);
    EXPECT_EQ(parsed.state, ParseState::complete) << one.bytes << "\n" << parsed.refusal.detail;
    EXPECT_EQ(parsed.text, one.text);
    EXPECT_EQ(parsed.keeps_alive, one.keeps_alive) << one.bytes;
    EXPECT_EQ(parsed.consumed, one.bytes.size()) << one.bytes;
  }
}

TEST(RequestParser, RefusesWhatIsMalformed) {
  const struct {
    int status;
    std::string_view bytes;
  } kCases[] = {
      {400, "GET / HTTP/1.1\r\n\r\n"},                            // no Host
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},      // two
      {400, "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"},      // two
      {400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},      // two
      {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},               //
      {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},               //
      {400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},               //
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"},   // obs-fold
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n"},  //
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n \r\n\r\n"},    //
      {400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},                //
      {400, "GET /\r\nHost: a\r\n\r\n"},                          // no version
      {400, "GET / \r\nHost: a\r\n\r\n"},                         //
      {400, "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n"},               //
      {400, "GET / HTTP/1\r\nHost: a\r\n\r\n"},                   //
      {400, "GET / HTTQ/1.1\r\nHost: a\r\n\r\n"},                 //
      {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},                 //
      {505, "GET / HTTP/3.1\r\nHost: a\r\n\r\n"},                 //
      {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},                  //
      {400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},                // blank before the colon
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n"},       //
      {400, "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},          // no name
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"},            // no colon
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n"},        //
      {400, "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n"},      //
      {400, "GET / HTTP/1.1\nHost: a\n\n"},                       // LF alone
      {400, "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},           //
      {400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},                   //
      {400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},           // CR alone
      {400, "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n"},       //
      {400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},              // a fragment
      {400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},                 // no origin form
      {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},                 //
      {400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},          //
      {400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},       //
      {400, "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"},             //
      {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},             //
      {501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"},               // methods
      {501, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},          //
      {501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},                //
      {501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"},                 //
      {400, "\x16\x03\x01\x02"},                                  // TLS
      {400, "{\"a\":1}\r\n\r\n"},                                 //
      {417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n"},
  };
  for (const auto& one : kCases) {
    const Parsed parsed = parse(one.bytes);
    EXPECT_EQ(parsed.state, ParseState::failed) << one.bytes << "\n" << parsed.text;
    EXPECT_EQ(parsed.refusal.status, one.status) << one.bytes << "\n" << parsed.refusal.detail;
    EXPECT_FALSE(parsed.refusal.detail.empty()) << one.bytes;
  }
  const std::string nul("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 35);
  EXPECT_EQ(parse(nul).refusal.status, 400);
}

TEST(RequestParser, RefusesAmbiguousBodies) {
  const struct {
    int status;
    std::string_view after_host;
  } kCases[] = {
      {400, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
      {400, "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
      {400, "Content-Length: 3, 3\r\n\r\nabc"},
      {400, "Content-Length: +3\r\n\r\nabc"},
      {400, "Content-Length: 0x3\r\n\r\nabc"},
      {400, "Content-Length: -3\r\n\r\nabc"},
      {400, "Content-Length: 3 3\r\n\r\nabc"},
      {400, "Content-Length:\r\n\r\nabc"},
      {400, "Content-Length: 18446744073709551617\r\n\r\na"},
      {501, "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {501, "Transfer-Encoding: identity\r\n\r\nabc"},
      {400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {501, "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {501, "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\rY: b\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n"},
      {400, "Transfer-Encoding: chunked\r\n\r\n0\r\nX : a\r\n\r\n"},
      {413, "Content-Length: 21\r\n\r\n"},
      {413, "Transfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n1\r\na\r\n0\r\n\r\n"},
  };
  for (const auto& one : kCases) {
    const std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(one.after_host);
    const Parsed parsed = parse(bytes);
    EXPECT_EQ(parsed.state, ParseState::failed) << bytes << "\n" << parsed.text;
    EXPECT_EQ(parsed.refusal.status, one.status) << bytes << "\n" << parsed.refusal.detail;
  }
  EXPECT_EQ(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").refusal.status,
            400);
}

TEST(RequestParser, EveryLimitIsExact) {
  const MessageLimits limits{.header_bytes_max = 80,
                             .headers_max = 3,
                             .target_bytes_max = 10,
                             .chunk_extension_bytes_max = 6,
                             .trailer_bytes_max = 12};
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
  const auto padded = [&](std::size_t bytes) {
    return start + "X: " + std::string(bytes - start.size() - 7, 'x') + "\r\n\r\n";
  };
  const struct {
    int status;  // 0: complete
    std::string bytes;
  } kCases[] = {
      {0, padded(80)},
      {431, padded(81)},
      {431, "\r\n" + padded(79)},
      {431, std::string(100, '\n')},  // Replaced below: empty lines count too.
      {0, start + "A: 1\r\nB: 2\r\n\r\n"},
      {431, start + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n"},
      {0, "GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {414, "GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {0, start + "Content-Length: 20\r\n\r\n01234567890123456789"},
      {0, chunked + "1;ab;cd\r\nx\r\n0\r\n\r\n"},
      {400, chunked + "1;ab;cde\r\nx\r\n0\r\n\r\n"},
      {400, chunked + "1;a=b\r\nx\r\n1;a=b\r\nx\r\n0\r\n\r\n"},
      {0, chunked + "0\r\nX: 12345\r\n\r\n"},
      {431, chunked + "0\r\nX: 123456\r\n\r\n"},
  };
  for (const auto& one : kCases) {
    std::string bytes = one.bytes;
    if (bytes[0] == '\n') {
      bytes.clear();
      for (int i = 0; i < 50; ++i) bytes += "\r\n";
    }
    EXPECT_EQ(parse(bytes, limits).refusal.status, one.status) << bytes;
  }
}

TEST(RequestParser, PipelinedRequestsAreReadOneByOneHoweverCut) {
  const std::string bytes =
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\nX-Long: 01234567890123456789012345\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    RequestParser parser{MessageLimits{}};
    std::vector<std::string> seen;
    std::string buffered;
    for (std::size_t begin = 0; begin < bytes.size(); begin += step) {
      buffered += bytes.substr(begin, step);
      while (!buffered.empty()) {
        const std::size_t count = parser.feed(buffered);
        ASSERT_NE(parser.state(), ParseState::failed) << parser.refusal().detail;
        buffered.erase(0, count);
        if (parser.state() != ParseState::complete) continue;
        seen.push_back(text_of(parser.request()));
        parser.next();
      }
    }
    const std::vector<std::string> expected = {
        "POST /1\nHost=a\nContent-Length=3\n\nabc", "GET /2\nHost=a\n\n",
        "POST /3\nHost=a\nTransfer-Encoding=chunked\n\nx",
        "GET /4\nHost=a\nX-Long=01234567890123456789012345\n\n"};
    ASSERT_EQ(seen, expected) << "step " << step;
  }
}

TEST(RequestParser, SaysWhenAClientWaitsForContinue) {
  RequestParser parser{MessageLimits{}};
  parser.feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r");
  EXPECT_FALSE(parser.awaits_continue());
  parser.feed("\n");
  EXPECT_TRUE(parser.awaits_continue());
  parser.feed("a");
  EXPECT_FALSE(parser.awaits_continue());
}

TEST(RequestParser, LimitOfTheBodyIsAskedForEachTarget) {
  RequestParser parser(MessageLimits{}, [](Method method, std::string_view target) {
    return method == Method::post && target == "/big" ? std::size_t{3} : std::size_t{2};
  });
  parser.feed("POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(parser.state(), ParseState::complete);
  parser.next();
  parser.feed("PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(parser.refusal().status, 413);
}

}  // namespace
}  // namespace eilpost::http

// What HTTP/1.1 costs without the network: a request of 600 bytes read, its answer written; an
// outbound request written, its answer read, its URL read.

#include <benchmark/benchmark.h>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/codec.h"
#include "http/serialize.h"
#include "http/url.h"

namespace eilpost::http {
namespace {

std::string make_request() {
  const std::string body(600, 'x');
  return "POST /v1/events HTTP/1.1\r\nHost: events.example.com\r\n"
         "Authorization: Bearer src_0123456789abcdefghijklmnop\r\n"
         "Content-Type: application/json\r\nAccept: */*\r\nUser-Agent: bench/1.0\r\n"
         "Content-Length: 600\r\n\r\n" +
         body;
}

void parse_request(benchmark::State& state) {
  const std::string bytes = make_request();
  RequestParser parser{MessageLimits{}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.feed(bytes));
    EILPOST_ASSERT(parser.state() == ParseState::complete);
    parser.next();
  }
}
BENCHMARK(parse_request);

void write_response(benchmark::State& state) {
  const Response response{.status = 202,
                          .headers = {{"Content-Type", "application/json"}},
                          .body = R"({"accepted":1,"duplicates":0})"};
  DateCache date;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_response(out, response, {.date = date.at(WallTime{})});
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(write_response);

void write_request(benchmark::State& state) {
  const Headers headers = {{"Content-Type", "application/json"},
                           {"webhook-id", "dlv_0123456789abcdef"},
                           {"webhook-timestamp", "1790000000"},
                           {"webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
                           {"User-Agent", "Eilpost/0.1"}};
  const std::string body(600, 'x');
  std::string out;
  for (auto _ : state) {
    out.clear();
    const Result<void> appended = append_request(out, {.method = Method::post,
                                                       .authority = "api.example.com",
                                                       .target = "/v1/events",
                                                       .headers = &headers,
                                                       .body = body});
    benchmark::DoNotOptimize(appended.has_value());
  }
}
BENCHMARK(write_request);

void parse_response(benchmark::State& state) {
  constexpr std::string_view kBytes =
      "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: application/json\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\n"
      "{\"ok\":true}";
  ResponseParser parser{MessageLimits{}};
  for (auto _ : state) {
    parser.begin(Method::post, 1024);
    const std::size_t head = parser.feed(kBytes);
    benchmark::DoNotOptimize(parser.feed(kBytes.substr(head)));
    EILPOST_ASSERT(parser.state() == ParseState::complete);
  }
}
BENCHMARK(parse_response);

void parse_destination_url(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_url("https://api.example.com/v1/events?source=eilpost"));
  }
}
BENCHMARK(parse_destination_url);

}  // namespace
}  // namespace eilpost::http

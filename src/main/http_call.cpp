#include "main/http_call.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/task.h"
#include "env/await.h"
#include "env/real/real_loop.h"
#include "http/codec.h"
#include "http/serialize.h"
#include "http/url.h"

namespace eilpost::main {
namespace {

constexpr std::size_t kAnswerBytesMax = 64UL << 20U;
constexpr std::size_t kReadBytes = 64UL * 1024;

Task<Result<std::unique_ptr<env::Stream>>> connect(env::Loop& loop, const http::Url& url) {
  env::Network& network = loop.network();
  EILPOST_CO_ASSIGN_OR_RETURN(const env::Resolved resolved,
                              co_await env::resolve(network, url.host));
  std::shared_ptr<env::TlsContext> tls;
  if (url.scheme == http::Scheme::https) {
    EILPOST_CO_ASSIGN_OR_RETURN(tls, network.make_tls_context({.alpn = {"http/1.1"}}));
  }
  Result<std::unique_ptr<env::Stream>> stream = fail(ErrorCode::connect_failed);
  for (const env::Address& address : resolved.addresses) {
    env::ConnectOptions options{.endpoint = {.address = address, .port = url.port},
                                .tls = tls.get(),
                                .server_name = url.host};
    stream = co_await env::connect(network, std::move(options));
    if (stream) break;
  }
  co_return std::move(stream);
}

// Feeds what comes until the answer is whole or the other side has ended.
Task<Result<void>> read_answer(env::Stream& stream, http::ResponseParser& parser,
                               const Call& call) {
  std::vector<std::byte> buffer(kReadBytes);
  while (parser.state() != http::ParseState::complete) {
    EILPOST_CO_ASSIGN_OR_RETURN(const std::size_t count, co_await env::read(stream, buffer));
    if (count == 0) {
      parser.feed_end();
      if (parser.state() != http::ParseState::complete) co_return fail(ErrorCode::connection_reset);
      break;
    }
    std::string_view bytes = as_text(ByteView(buffer).first(count));
    while (!bytes.empty() && parser.state() != http::ParseState::complete) {
      bytes.remove_prefix(parser.feed(bytes));
      if (parser.state() == http::ParseState::failed) {
        co_return fail(parser.error_code(), std::string(parser.error_detail()));
      }
    }
    if (call.on_body && parser.response().status / 100 == 2) call.on_body(parser.take_body());
  }
  co_return Result<void>{};
}

Task<Result<http::Response>> exchange(env::Loop& loop, const Call& call) {
  EILPOST_CO_ASSIGN_OR_RETURN(const http::Url url, http::parse_url(call.url));
  EILPOST_CO_ASSIGN_OR_RETURN(const std::unique_ptr<env::Stream> stream,
                              co_await connect(loop, url));
  const std::string authority = url.authority();
  const std::string target = url.target();
  std::string bytes;
  EILPOST_CO_RETURN_IF_ERROR(http::append_request(bytes, {.method = call.method,
                                                          .authority = authority,
                                                          .target = target,
                                                          .headers = &call.headers,
                                                          .body = call.body}));
  EILPOST_CO_RETURN_IF_ERROR(co_await env::write(*stream, as_bytes(bytes)));
  http::ResponseParser parser{http::MessageLimits{}};
  parser.begin(call.method, kAnswerBytesMax);
  EILPOST_CO_RETURN_IF_ERROR(co_await read_answer(*stream, parser, call));
  const http::ReceivedResponse& response = parser.response();
  co_return http::Response{
      .status = response.status, .headers = response.headers, .body = response.body};
}

}  // namespace

Result<http::Response> call(const Call& call) {
  env::RealLoop loop({.name = "call", .dns = {}, .system_trust = {}});
  Task<Result<http::Response>> task = exchange(loop, call);
  bool is_done = false;
  task.start([&is_done] { is_done = true; });
  while (!is_done) loop.run_turn(std::chrono::hours(1));
  return task.result();
}

}  // namespace eilpost::main

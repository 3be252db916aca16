#include "http/proxy.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "env/await.h"
#include "http/codec.h"
#include "http/percent.h"
#include "http/url.h"

namespace eilpost::http {
namespace {

constexpr std::size_t kInputBytes = 4UL * 1024;
constexpr std::size_t kHeadBytesMax = 16UL * 1024;
constexpr std::string_view kScheme = "http://";

std::string_view why(int status) {
  if (status == 407) return ": it asks for other credentials";
  if (status == 403) return ": it does not allow this";
  return "";
}

Error failed(std::string detail) {
  return {.code = ErrorCode::connect_failed, .detail = std::move(detail)};
}

}  // namespace

std::string Proxy::to_string() const {
  const bool is_v6 = host.contains(':');
  return is_v6 ? fmt::format("http://[{}]:{}", host, port)
               : fmt::format("http://{}:{}", host, port);
}

Result<Proxy> parse_proxy(std::string_view text) {
  const auto bad = [](std::string_view what) {
    return fail(ErrorCode::bad_input, fmt::format("{}", what));
  };
  if (!text.starts_with(kScheme)) {
    return bad("it must be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");
  }
  std::string_view rest = text.substr(kScheme.size());
  Proxy proxy;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    if (colon == std::string_view::npos) {
      return bad("before the @ there must be USER:PASSWORD, percent-encoded");
    }
    const std::optional<std::string> user = decode_percent(credentials.substr(0, colon));
    const std::optional<std::string> password = decode_percent(credentials.substr(colon + 1));
    if (!user || !password || user->contains(':')) {
      return bad("the user or the password is not percent-encoded as it should be");
    }
    const std::string pair = *user + ":" + *password;
    proxy.authorization = "Basic " + encode_base64(as_bytes(pair));
    rest.remove_prefix(at + 1);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  Result<Url> url = parse_url(std::string(kScheme) + std::string(rest));
  if (!url) return std::unexpected(std::move(url).error());
  if (url->target() != "/") return bad("nothing may stand behind the host and the port");
  proxy.host = std::move(url->host);
  proxy.port = url->port;
  return proxy;
}

Task<Result<void>> open_tunnel(env::Stream& stream, const Proxy& proxy, env::Endpoint target) {
  const std::string place = env::to_string(target);
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", place);
  if (!proxy.authorization.empty()) {
    request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  }
  request += "\r\n";
  const std::string name = "The proxy " + proxy.to_string();
  Result<void> written = co_await env::write(stream, as_bytes(request));
  if (!written) co_return std::unexpected(failed(name + " closed the connection."));

  ResponseParser parser({.header_bytes_max = kHeadBytesMax});
  // A successful answer has no body, whatever it says: what follows is the other side's.
  parser.begin(Method::head, /*body_bytes_kept_max=*/0);
  std::vector<std::byte> input(kInputBytes);
  while (true) {
    const Result<std::size_t> count = co_await env::read(stream, input);
    if (!count || *count == 0) {
      co_return std::unexpected(
          failed(fmt::format("{} closed the connection when asked for {}.", name, place)));
    }
    const std::string_view bytes = as_text(ByteView(input).first(*count));
    std::size_t taken = 0;
    while (taken < bytes.size() && parser.state() != ParseState::complete &&
           parser.state() != ParseState::failed) {
      taken += parser.feed(bytes.substr(taken));
    }
    if (parser.state() == ParseState::failed) {
      co_return std::unexpected(
          failed(fmt::format("{} does not speak HTTP: {}", name, parser.error_detail())));
    }
    if (parser.state() != ParseState::complete) continue;
    const int status = parser.response().status;
    if (status / 100 != 2) {
      co_return std::unexpected(
          failed(fmt::format("{} answered {} to CONNECT {}{}.", name, status, place, why(status))));
    }
    if (taken < bytes.size()) {
      co_return std::unexpected(
          failed(fmt::format("{} sent bytes that nobody had asked for.", name)));
    }
    co_return Result<void>{};
  }
}

}  // namespace eilpost::http

// The first byte says how the exchanges begin and in what pieces the server's bytes come, the
// others are what the server sends. Whatever it sends, every exchange ends once the connection
// does; none says more than came, and nothing is counted as unprocessed after its answer had begun.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "http/http2_client.h"
#include "http/memory_loop_for_test.h"

namespace {

namespace http = eilpost::http;
using Exchanged = std::expected<void, http::ExchangeFailure>;

struct Call {
  std::unique_ptr<http::Http2Exchange> exchange;
  std::optional<Exchanged> result;
  eilpost::Task<void> task;
};

eilpost::Task<void> run(Call& call, std::string_view body, bool head_only) {
  const http::OutboundRequest request{
      .authority = "a.example", .target = "/", .headers = nullptr, .body = body};
  const http::ResponseLimits limits{
      .body_bytes_kept_max = 20, .body_bytes_read_max = 200, .head_only = head_only};
  Exchanged result = co_await call.exchange->exchange(request, limits);
  if (result && head_only) {
    Exchanged read = co_await call.exchange->read_body(limits);
    result = std::move(read);
  }
  call.result = std::move(result);
}

void check(const Call& call) {
  EILPOST_ASSERT(call.result.has_value());
  const http::ReceivedResponse& response = call.exchange->response();
  EILPOST_ASSERT(response.body.size() <= 20 && response.body.size() <= response.body_bytes_count);
  if (*call.result) {
    EILPOST_ASSERT(response.status >= 200 && response.status <= 999);
    return;
  }
  const http::ExchangeFailure& failure = call.result->error();
  EILPOST_ASSERT(!(failure.is_unprocessed && (failure.request_sent || failure.answer_begun)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t how = data[0];
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string body((how & 1U) != 0 ? 100'000 : 10, 'x');
  const std::size_t piece_bytes = (how & 2U) != 0 ? 7 : 4096;
  const std::size_t calls_count = 1 + ((how >> 2U) & 3U);

  http::MemoryLoop loop;
  const http::MemoryPeer peer;
  auto connection = http::Http2ClientConnection::make(loop, peer.make_stream(loop),
                                                      {.header_bytes_max = 512, .headers_max = 8});
  std::vector<Call> calls(calls_count);
  for (Call& call : calls) {
    call.exchange = std::make_unique<http::Http2Exchange>(connection);
    call.task = run(call, body, (how & 16U) != 0);
    call.task.start();
    loop.run_until_idle();
  }
  bool is_first = true;
  while (!bytes.empty()) {
    const std::size_t count = std::min(piece_bytes, bytes.size());
    peer.send(bytes.substr(0, count));
    bytes.remove_prefix(count);
    loop.run_until_idle();
    if (is_first && (how & 32U) != 0 && calls_count > 1) calls.pop_back();  // One is cancelled.
    is_first = false;
  }
  peer.end();
  loop.run_until_idle();
  EILPOST_ASSERT(connection->has_ended());
  for (const Call& call : calls) check(call);
  return 0;
}

#include "support/load/event_sender.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "env/await.h"

namespace eilpost::load {
namespace {

constexpr Duration kReconnectDelay = std::chrono::milliseconds(20);

}  // namespace

EventSender::EventSender(env::Loop& loop, SenderOptions options)
    : loop_(loop), options_(std::move(options)), authority_(to_string(options_.server)) {
  headers_ = {
      {"Authorization", "Bearer " + options_.source_key},
      {"Content-Type", options_.events_per_request == 1 ? "application/json"
                                                        : "application/cloudevents-batch+json"}};
  padding_.assign(options_.data_bytes, 'x');
}

EventSender::~EventSender() = default;

void EventSender::start() {
  working_ = options_.connections;
  started_at_ = loop_.clock().now();
  under_way_.resize(working_);
  for (std::size_t i = 0; i < options_.connections; ++i) workers_.spawn(work(i));
}

void EventSender::stop(std::function<void()> done) {
  is_stopping_ = true;
  stopped_ = std::move(done);
  if (working_ == 0) stopped_();
}

std::optional<Instant> EventSender::oldest_under_way() const {
  std::optional<Instant> oldest;
  for (const std::optional<Instant>& begun : under_way_) {
    if (begun && (!oldest || *begun < *oldest)) oldest = begun;
  }
  return oldest;
}

Task<void> EventSender::work(std::size_t worker) {
  std::unique_ptr<http::ClientConnection> connection;
  std::string body;
  while (!is_stopping_ && next_number_ < options_.events_max) {
    const std::uint64_t first = next_number_;
    const std::uint64_t count =
        std::min<std::uint64_t>(options_.events_per_request, options_.events_max - first);
    next_number_ += count;
    write_body(body, first, count);
    if (options_.events_per_second > 0) co_await wait_for_turn(first);
    for (std::uint64_t i = 0; on_begun && i < count; ++i) on_begun(first + i);
    while (true) {
      const bool is_acknowledged = co_await send_noted(worker, connection, body, count);
      if (is_acknowledged) {
        for (std::uint64_t i = 0; on_acknowledged && i < count; ++i) on_acknowledged(first + i);
        break;
      }
      if (!options_.persists || is_stopping_) break;
      co_await env::wait_until(loop_.timers(), loop_.clock().now() + kReconnectDelay);
    }
  }
  if (--working_ > 0) co_return;
  if (stopped_) stopped_();
  if (on_all_acknowledged && figures_.events_acknowledged >= options_.events_max) {
    on_all_acknowledged();
  }
}

// A sender that is late catches up at once, so that the rate holds on average.
Task<void> EventSender::wait_for_turn(std::uint64_t number) {
  const Duration offset = std::chrono::nanoseconds(
      static_cast<std::int64_t>(number * (1'000'000'000ULL / options_.events_per_second)));
  const Instant when = started_at_ + offset;
  if (when > loop_.clock().now()) co_await env::wait_until(loop_.timers(), when);
}

Task<bool> EventSender::send_noted(std::size_t worker,
                                   std::unique_ptr<http::ClientConnection>& connection,
                                   const std::string& body, std::uint64_t count) {
  const Instant begun = loop_.clock().now();
  under_way_[worker] = begun;
  const bool is_acknowledged = co_await send_once(connection, body, count);
  if (!is_acknowledged) failed_wait_ = std::max(failed_wait_, loop_.clock().now() - begun);
  under_way_[worker].reset();
  co_return is_acknowledged;
}

Task<bool> EventSender::send_once(std::unique_ptr<http::ClientConnection>& connection,
                                  const std::string& body, std::uint64_t count) {
  if (!connection || !connection->is_reusable()) {
    connection.reset();
    Result<std::unique_ptr<env::Stream>> stream =
        co_await env::connect(loop_.network(), {.endpoint = options_.server});
    if (!stream) {
      ++figures_.requests_failed;
      if (!options_.persists) {
        co_await env::wait_until(loop_.timers(), loop_.clock().now() + kReconnectDelay);
      }
      co_return false;
    }
    connection = std::make_unique<http::ClientConnection>(std::move(*stream));
  }
  const Instant begun = loop_.clock().now();
  const http::OutboundRequest request{.method = http::Method::post,
                                      .authority = authority_,
                                      .target = "/v1/events",
                                      .headers = &headers_,
                                      .body = body};
  const auto exchanged = co_await connection->exchange(request, {});
  if (!exchanged) {
    ++figures_.requests_failed;
    connection.reset();
    co_return false;
  }
  if (connection->response().status != 202) {
    ++figures_.requests_refused;
    co_return false;
  }
  figures_.events_acknowledged += count;
  const Duration took = loop_.clock().now() - begun;
  figures_.ack_microseconds.push_back(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  co_return true;
}

// About 600 bytes an event with the default padding.
void EventSender::write_body(std::string& body, std::uint64_t first, std::uint64_t count) const {
  body.clear();
  const bool is_batch = options_.events_per_request > 1;
  if (is_batch) body += '[';
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) body += ',';
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, first + i).ptr;
    const std::string_view number(digits, static_cast<std::size_t>(end - digits));
    body += R"({"specversion":"1.0","source":"https://app.example.com","type":")";
    body += options_.event_type;
    body += R"(","id":")";
    body += options_.id_prefix;
    body += '-';
    body += number;
    body += R"(","data":{"oId":)";
    char item[20];
    body.append(item,
                std::to_chars(item, item + sizeof item, (first + i) % options_.items_count).ptr);
    body += R"(,"oName":"NPS Q4","nps":9,"wm":{"euId":"user-)";
    body += number.substr(number.size() > 3 ? number.size() - 3 : 0);
    body += R"(","language":"de"},"note":")";
    body += padding_;
    body += R"("}})";
  }
  if (is_batch) body += ']';
}

}  // namespace eilpost::load

#pragma once
// Sends events over many connections, as fast as the answers come or at a steady rate, and knows
// which of them were acknowledged.
//
// Threads: everything on the loop's thread, but the figures: read them when the loop has stopped,
// or by post().

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"
#include "env/loop.h"
#include "http/client.h"

namespace eilpost::load {

struct SenderOptions {
  env::Endpoint server;
  std::string source_key;
  std::size_t connections = 64;
  std::size_t events_per_request = 1;
  std::size_t data_bytes = 400;  // of padding in each event's data
  std::string id_prefix = "e";   // ids are PREFIX-NUMBER, numbered from 0
  std::uint64_t events_max = UINT64_MAX;
  std::uint64_t items_count = 1;        // oId is NUMBER modulo that
  std::uint64_t events_per_second = 0;  // a steady rate; 0: as fast as the answers come
  // Sends a request again, with the same ids, until it is acknowledged.
  bool persists = false;
  std::string event_type = "survey.submitted";
};

// What came of one request.
struct SenderFigures {
  std::uint64_t events_acknowledged = 0;
  std::uint64_t requests_failed = 0;            // no answer: connection refused, reset
  std::uint64_t requests_refused = 0;           // answered other than 202
  std::vector<std::uint32_t> ack_microseconds;  // one a request answered 202
};

class EventSender final {
 public:
  EventSender(env::Loop& loop, SenderOptions options);
  ~EventSender();

  void start();
  // Begins no further request; `done` runs when those under way have ended.
  void stop(std::function<void()> done);

  // Called for each event, with its number, when its request is about to be sent first.
  std::function<void(std::uint64_t number)> on_begun;
  // Called for each event acknowledged, with its number.
  std::function<void(std::uint64_t number)> on_acknowledged;
  // Called when every event of events_max has been acknowledged.
  std::function<void()> on_all_acknowledged;

  [[nodiscard]] const SenderFigures& figures() const { return figures_; }
  [[nodiscard]] std::uint64_t events_begun() const { return next_number_; }
  // How long the request had waited that waited longest of those that failed since the last call.
  [[nodiscard]] Duration take_failed_wait() { return std::exchange(failed_wait_, Duration{}); }
  // Since when the request waits for its answer that waits longest; nothing if none is under way.
  [[nodiscard]] std::optional<Instant> oldest_under_way() const;

 private:
  [[nodiscard]] Task<void> work(std::size_t worker);
  [[nodiscard]] Task<bool> send_once(std::unique_ptr<http::ClientConnection>& connection,
                                     const std::string& body, std::uint64_t count);
  // send_once(), noted in under_way_.
  [[nodiscard]] Task<bool> send_noted(std::size_t worker,
                                      std::unique_ptr<http::ClientConnection>& connection,
                                      const std::string& body, std::uint64_t count);
  [[nodiscard]] Task<void> wait_for_turn(std::uint64_t number);
  void write_body(std::string& body, std::uint64_t first, std::uint64_t count) const;

  env::Loop& loop_;
  const SenderOptions options_;
  std::string authority_;
  http::Headers headers_;
  std::string padding_;
  std::uint64_t next_number_ = 0;
  Instant started_at_{};
  bool is_stopping_ = false;
  std::size_t working_ = 0;
  std::function<void()> stopped_;
  std::vector<std::optional<Instant>> under_way_;  // since when, by worker
  SenderFigures figures_;
  Duration failed_wait_{};
  TaskSet workers_;
};

}  // namespace eilpost::load

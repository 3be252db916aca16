#pragma once
// One simulated run: a whole server, its receivers, a random workload, faults, and the checkers.
//
// Threads: one. Everything random in it comes from its seed.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "books.h"
#include "checkers.h"
#include "options.h"
#include "proxy.h"
#include "receiver.h"
#include "support/test_server.h"
#include "token_end_point.h"
#include "trace.h"

namespace eilpost::sim {

class World final {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void run();

  [[nodiscard]] Trace& trace() { return trace_; }
  // The first broken promise, if any.
  [[nodiscard]] const std::optional<std::string>& verdict() const { return judge_.verdict(); }
  // Equal for equal runs.
  [[nodiscard]] std::uint64_t digest() {
    return combine_hashes(trace_.digest(), server_.env().trace());
  }

 private:
  struct Pending {
    std::shared_ptr<test::Exchange> exchange;
    std::function<void(const test::Answer&)> done;
  };

  // world.cpp: how a run goes
  void set_up();
  void set_up_ways();
  [[nodiscard]] bool lead(const std::string& place, std::unique_ptr<env::Stream>& stream);
  void judge_token(SeenBook& seen, const RawRequest& request);
  void on_fault(std::string_view what);
  void advance();
  void fill_disk();
  void observe();
  [[nodiscard]] bool has_dropped_of_small_log() const;
  void calm_down();
  void finish_requests();
  void resolve_webhooks();
  void release_all();
  void send_unconfirmed();
  void check_end();
  [[nodiscard]] std::optional<std::vector<Json>> list(const std::string& path);
  [[nodiscard]] SeenBook& on_request(const std::string& receiver, const RawRequest& request);

  // world.cpp: crashes
  void crash();
  void flip_bits();
  void stop_in_order();
  void bring_back();
  void check_restarted();

  // workload.cpp: what people and senders do
  void step();
  void send_events();
  void send_invalid();
  void send(std::vector<std::size_t> events, const std::string& body);
  void note_events(const std::vector<std::size_t>& events, std::size_t was_confirmed,
                   const test::Answer& answer);
  [[nodiscard]] std::size_t new_event();
  void edit();
  void edit_webhook(WebhookBook& webhook);
  void delete_webhook(WebhookBook& webhook);
  void add_webhook(const std::string& destination);
  void add_notices(const std::string& destination);
  void edit_destination(DestinationBook& destination);
  void rotate(DestinationBook& destination);
  void add_destination();
  void replay();
  void backfill();
  void look();
  void make_fault();
  void jump_calendar();
  void set_calendar(std::chrono::milliseconds ahead);
  void make_token_trouble();
  void make_proxy_trouble();
  void fail_at_trim();
  void set_disk_full(bool is_full);
  void begin_api(http::Method method, const std::string& path, const Json& body,
                 std::function<void(const test::Answer&)> done);
  [[nodiscard]] Json destination_json(std::uint32_t number, const Receiver& receiver,
                                      std::uint32_t concurrency);
  [[nodiscard]] Json delivery_json(std::uint32_t number, std::uint32_t concurrency) const;
  void prescribe_batches(Json& json) const;
  [[nodiscard]] bool is_per_user(std::uint32_t destination) const;
  [[nodiscard]] Json authentication_json(std::uint32_t number);

  [[nodiscard]] Instant now() { return server_.env().clock().now(); }
  template <class Map>
  [[nodiscard]] auto& any_of(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(random_.below(map.size())))->second;
  }

  Random random_;
  Random more_random_;    // of what came to the worlds later
  Random policy_random_;  // … and later still
  WorldOptions options_;
  test::TestServer server_;
  Trace trace_;
  Judge judge_;
  Books books_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<TokenEndPoint> token_end_point_;  // null: there is none
  std::unique_ptr<Proxy> proxy_;                    // null: there is none
  std::vector<Pending> pending_;
  std::vector<std::string> deliveries_known_;
  std::uint32_t destinations_made_ = 0;
  std::size_t log_lines_read_ = 0;
  std::chrono::milliseconds calendar_ahead_{};
  bool is_calm_ = false;
  bool is_backfilling_ = false;
};

}  // namespace eilpost::sim

#pragma once
// The promises that every simulated run is held to. Each is a small class that listens to what
// happens, and reports to the Judge.
//
// Ownership: what a Bench names must outlive the checkers. Threads: one.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "books.h"
#include "options.h"
#include "receiver.h"
#include "support/test_server.h"
#include "trace.h"

namespace eilpost::sim {

struct Bench {
  const WorldOptions& options;
  test::TestServer& server;
  Books& books;
  Judge& judge;
};

// The delivery log at the end of a run, when nothing is owed any more.
struct FinalLog {
  std::vector<Json> events;
  std::vector<Json> deliveries;
  std::map<std::string, std::vector<Json>> attempts;  // by delivery
};

class Checker {
 public:
  virtual ~Checker() = default;
  // What is promised, as a sentence.
  [[nodiscard]] virtual std::string_view promise() const = 0;

  // A receiver has read a request.
  virtual void request_seen(const SeenBook& /*seen*/, const RawRequest& /*request*/) {}
  // The token end point has read a request.
  virtual void token_asked(const TokenAsk& /*ask*/) {}
  // The API said where each destination stands.
  virtual void destinations_listed(const std::vector<Json>& /*destinations*/) {}
  // A sender got an answer. `was_confirmed`: to how many of its events before it was sent.
  virtual void events_answered(const Json& /*answer*/, std::size_t /*sent*/,
                               std::size_t /*was_confirmed*/) {}
  // The server runs again, and its log names these events.
  virtual void restarted(const std::vector<Json>& /*events*/) {}
  // The server does not run; this is its disk. `in_order`: it stopped by itself.
  virtual void at_rest(const env::SimDiskImage& /*disk*/, bool /*in_order*/) {}
  virtual void log_line(std::string_view /*line*/) {}
  // Whether nothing was owed any more within `bound` after the last fault.
  virtual void calmed_down(bool /*is_drained*/, Duration /*bound*/) {}
  virtual void at_end(const FinalLog& /*log*/) {}
};

[[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_schedule_checker(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_secret_checker(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_token_checker(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_order_checker(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_rate_checker(const Bench& bench);
[[nodiscard]] std::unique_ptr<Checker> make_batch_checker(const Bench& bench);

// ---- What the log's JSON says

// Times in the log are whole milliseconds.
inline constexpr std::chrono::milliseconds kRounding{2};

[[nodiscard]] std::string text_at(const Json& json, const char* key);
[[nodiscard]] WallTime time_at(const Json& json, const char* key);
// The webhook-id of the request that an attempt of `delivery` made: its batch's, or its own.
[[nodiscard]] std::string request_id_of(const Json& delivery, const Json& attempt);
// Whether it only asked for smaller batches, which uses up no try.
[[nodiscard]] bool is_split(const WorldOptions& options, const Json& attempt);
// Of a delivery or a whole event.
[[nodiscard]] bool is_replay(const Json& delivery);

}  // namespace eilpost::sim

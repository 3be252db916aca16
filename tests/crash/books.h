#pragma once
// The books of a crash test: what was sent and acknowledged, what the receivers saw, what the log
// says, when the program was killed; and their comparison.
//
// Threads: one at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace eilpost::crash {

enum class Receiver : std::uint8_t {
  plain,    // answers soon; refuses some events at first
  slow,     // answers late
  failing,  // refuses everything: a delivery to it ends as failed
  late,     // refuses everything until it is opened
};
inline constexpr std::size_t kReceiversCount = 4;
inline constexpr int kRefused = 422;  // how receivers refuse
[[nodiscard]] std::string_view text_of(Receiver receiver);

// One request that a receiver saw.
struct SeenRequest {
  Instant received_at;
  std::optional<Instant> answered_at;  // nothing: the connection broke first
  int status = 0;                      // that was answered, or would have been
};

// All requests with one webhook-id, in the order in which they came.
struct SeenDelivery {
  std::string event_id;
  Receiver receiver = Receiver::plain;
  std::vector<SeenRequest> requests;
};

// One event that was sent.
struct SentEvent {
  bool is_acknowledged = false;  // by a 202
  bool is_damaged = false;       // its bytes on the disk were changed: it may be lost
  std::vector<Receiver> owed = {Receiver::plain};
};

// One kill -9, or a stretch of time in which the program or a receiver was frozen or gone.
// `margin`: how much longer than kSettleDelay it may have taken until what had come was durable, by
// the pace of that time.
struct Kill {
  Instant begun_at;
  Instant ended_at;
  Duration margin{};
};

// A delivery as the log shows it.
struct LoggedDelivery {
  std::string id;
  std::string webhook_id;
  std::string event_id;
  std::string state;
  std::uint64_t attempts_count = 0;
  std::optional<std::vector<int>> statuses;  // of its attempts, if they were asked for; 0: none
};

struct Books {
  std::unordered_map<std::string, SentEvent> events;   // by id
  std::unordered_map<std::string, SeenDelivery> seen;  // by webhook-id
  std::vector<LoggedDelivery> log;
  std::vector<Kill> kills;           // in the order in which they began
  std::vector<std::string> remarks;  // what was wrong at once
  std::uint64_t failing_attempts_max = 4;
  // False: parts of the log may be gone, as when its disk failed.
  bool is_log_whole = true;
  // True: attempts may have been made that no receiver saw.
  bool has_outage = false;
};

// An outcome is durable at the latest so long after it came, in a program that is not overloaded.
inline constexpr Duration kSettleDelay = std::chrono::milliseconds(20);

struct Verdict {
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;
  std::uint64_t owed = 0;         // deliveries of the accepted ones
  std::uint64_t delivered = 0;    // of the owed ones
  std::uint64_t ended = 0;        // of the owed ones: failed as it must
  std::uint64_t damaged = 0;      // owed by an event whose bytes were changed, not delivered
  std::uint64_t lost = 0;         // owed, neither delivered nor ended
  std::uint64_t duplicated = 0;   // requests after one that was answered 200, a kill explains it
  std::uint64_t unexplained = 0;  // such requests that no kill explains
  std::uint64_t unrecorded = 0;   // requests without an attempt on record, a kill explains it
  Duration explained_age_max{};   // before its kill the oldest answer ended that was forgotten
  std::vector<std::string> violations;
};

// True if `request` was under way at a kill, or answered so shortly before one that its outcome
// need not have been durable.
[[nodiscard]] bool is_near_kill(const SeenRequest& request, const std::vector<Kill>& kills);

[[nodiscard]] Verdict compare(const Books& books);

}  // namespace eilpost::crash

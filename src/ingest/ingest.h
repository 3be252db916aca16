#pragma once
// From the bytes of a request to checked events (SPEC "Events on the wire"). Pure but for the rate
// limiter: no I/O, no clock of its own.
//
// Threads: an Ingest belongs to one lane.
// Errors:  what is wrong with a request is a Refusal, a value: the answer to send.

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "env/network.h"
#include "http/message.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/problem.h"
#include "model/source.h"

namespace eilpost::ingest {

struct Limits {
  std::size_t event_bytes_max;
  std::size_t request_bytes_max;
  std::size_t request_events_max;
  std::uint32_t browser_events_per_second;
};

// An answer other than 202: problem+json.
struct Refusal {
  int status = 400;
  std::string code;    // stable
  std::string detail;  // what is wrong and what would be right
  std::vector<Problem> errors;
  std::optional<Duration> retry_after;
};

// The sources by key, as the settings know them. Immutable. Threads: any.
class Sources {
 public:
  explicit Sources(std::vector<Source> sources);
  // By crypto's hash_token of the key; nothing if no enabled source has it.
  [[nodiscard]] const Source* find_by_key_hash(std::string_view key_hash) const;
  [[nodiscard]] const std::vector<Source>& all() const;
};

struct Taken {
  std::vector<Event> events;      // normalised, in the request's order
  std::vector<Problem> rejected;  // with ?partial=1: what was not taken, `index` set
  const Source* source = nullptr;
};

// The moment of a request, on both clocks.
struct Now {
  Instant instant;
  WallTime wall;
};

class Ingest {
 public:
  Ingest(const Limits& limits, std::uint64_t seed);

  // Checks key, origin, rate, media type, limits, shape and property types of one POST /v1/events
  // and normalises its events.
  [[nodiscard]] std::expected<Taken, Refusal> take(const http::Request& request,
                                                   const env::Endpoint& client,
                                                   const Sources& sources, const Catalog& catalog,
                                                   const Now& now);

  // The CORS headers of an answer to `request` (RFC 6454 origin; empty if it sent none), and the
  // answer to its preflight.
  [[nodiscard]] http::Headers cors_headers(const http::Request& request,
                                           const Sources& sources) const;
  [[nodiscard]] http::Response preflight(const http::Request& request,
                                         const Sources& sources) const;
};

// 202 {"accepted":n,"duplicates":m[,"rejected":[…]]}
[[nodiscard]] http::Response accepted_response(std::size_t accepted, std::size_t duplicates,
                                               const std::vector<Problem>& rejected);
[[nodiscard]] http::Response refusal_response(const Refusal& refusal);

}  // namespace eilpost::ingest

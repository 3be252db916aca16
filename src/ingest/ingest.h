#pragma once
// From the bytes of a request to checked events (SPEC "Events on the wire"). Pure but for the rate
// limiter: no I/O, no clock of its own.
//
// Threads: an Ingest belongs to one lane.
// Errors:  what is wrong with a request is a Refusal, a value: the answer to send.

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "env/network.h"
#include "http/message.h"
#include "ingest/event_builder.h"
#include "ingest/key_hashes.h"
#include "ingest/origin_rules.h"
#include "ingest/padded_buffer.h"
#include "ingest/rate_limiter.h"
#include "ingest/refusal.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/limits.h"
#include "model/problem.h"
#include "model/source.h"

namespace eilpost::ingest {

struct Limits {
  std::size_t event_bytes_max = limits::kEventBytesMax;
  std::size_t request_bytes_max = limits::kRequestBytesMax;
  std::size_t request_events_max = limits::kRequestEventsMax;
  std::size_t event_depth_max = limits::kEventDepthMax;
  std::size_t event_properties_max = limits::kEventPropertiesMax;
  bool takes_operations = false;  // see EventContext
  // Of one browser address, on one lane; 0: unlimited.
  std::uint32_t browser_events_per_second = limits::kBrowserEventsPerSecond;
};

// The source's key that a request carries, in Authorization: Bearer or as ?key=; nothing if it has
// none.
[[nodiscard]] std::optional<std::string> key_of(const http::Request& request);

// The sources by key, as the settings know them. Immutable. Threads: any.
class Sources {
 public:
  explicit Sources(std::vector<Source> sources);
  // The enabled source whose key a request carries; null if none has it.
  [[nodiscard]] const Source* find(const http::Request& request) const;
  // By crypto's hash_token of the key; nothing if no enabled source has it.
  [[nodiscard]] const Source* find_by_key_hash(std::string_view key_hash) const;
  [[nodiscard]] const std::vector<Source>& all() const { return sources_; }
  // Whether a browser may send to `source` from pages of this origin ("https://app.example.com").
  // REQUIRES: `source` is one of all().
  [[nodiscard]] bool allows_origin(const Source& source, std::string_view origin) const;
  // Whether a page of `origin` may send this request, or a preflight for it: asks the source whose
  // key it carries. A preflight has no Authorization; then any enabled source's consent will do.
  [[nodiscard]] bool allows_origin(const http::Request& request, std::string_view origin) const;

 private:
  std::vector<Source> sources_;
  std::vector<OriginRules> origins_;  // of sources_, in their order
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_key_hash_;
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
  // `seed` is for the ids of events that come without one: an unguessable one for each Ingest.
  Ingest(const Limits& limits, std::uint64_t seed);

  // Checks key, origin, rate, media type, limits, shape and property types of one POST /v1/events
  // and normalises its events.
  //
  // The moment of sending, for correcting the client's clock, stands in the header eilpost-sent-at
  // (or sent-at, sent_at) or in ?sent_at=, as RFC 3339 or in milliseconds since 1970. With
  // ?partial=1 what is wrong with one event is in Taken::rejected and the others are taken.
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

 private:
  class Batch;

  [[nodiscard]] const Source* source_of(const http::Request& request, const Sources& sources);
  [[nodiscard]] std::optional<Refusal> read(const http::Request& request, WallTime received_at,
                                            Batch& batch);

  Limits limits_;
  KeyHashes key_hashes_;
  RateLimiter limiter_;
  EventBuilder builder_;
  simdjson::dom::parser parser_;
  PaddedBuffer buffer_;
};

// 202 {"accepted":n,"duplicates":m[,"rejected":[…]]}
[[nodiscard]] http::Response accepted_response(std::size_t accepted, std::size_t duplicates,
                                               const std::vector<Problem>& rejected);
[[nodiscard]] http::Response refusal_response(const Refusal& refusal);

}  // namespace eilpost::ingest

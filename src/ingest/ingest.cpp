#include "ingest/ingest.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/iso_time.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "crypto/token.h"
#include "ingest/json_scan.h"
#include "ingest/request_body.h"

namespace eilpost::ingest {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

std::unexpected<Refusal> refuse(int status, std::string code, std::string detail) {
  return std::unexpected(Refusal{.status = status,
                                 .code = std::move(code),
                                 .detail = std::move(detail),
                                 .errors = {},
                                 .retry_after = {}});
}

bool asks_for_partial(const http::Request& request) {
  const auto value = http::find_query_parameter(http::query_of(request.target), "partial");
  return value && (*value == "1" || *value == "true");
}

// ISO 8601, or milliseconds since 1970.
std::optional<WallTime> parse_sent_at(std::string_view text) {
  if (const auto time = parse_iso_time(text)) return time;
  const auto milliseconds = parse_integer<std::int64_t>(text);
  if (!milliseconds) return std::nullopt;
  const WallTime time{std::chrono::milliseconds(*milliseconds)};
  if (time < kWallTimeMin || time > kWallTimeMax) return std::nullopt;
  return time;
}

// How much the client's clock is behind ours, as its sent_at tells.
std::expected<std::chrono::milliseconds, Refusal> skew_of(const http::Request& request,
                                                          WallTime received_at) {
  std::optional<std::string> text;
  for (const std::string_view name : {"eilpost-sent-at", "sent-at", "sent_at"}) {
    if (text) break;
    if (const auto header = http::find_header(request.headers, name)) text = std::string(*header);
  }
  if (!text) text = http::find_query_parameter(http::query_of(request.target), "sent_at");
  if (!text || text->empty()) return std::chrono::milliseconds(0);
  std::optional<WallTime> sent_at = parse_sent_at(*text);
  if (!sent_at) {
    // A '+' that was not encoded in a query means a blank.
    std::ranges::replace(*text, ' ', '+');
    sent_at = parse_sent_at(*text);
  }
  if (sent_at) return received_at - *sent_at;
  return refuse(400, "invalid_sent_at",
                fmt::format("sent_at \"{}\" is neither a time as RFC 3339 has it nor milliseconds "
                            "since 1970.",
                            is_valid_utf8(*text) ? truncate_to_bytes(*text, 100) : "?"));
}

std::string describe(const SyntaxFault& fault) {
  return fmt::format("The body is not JSON: line {}, column {} (byte {}): {}", fault.line,
                     fault.column, fault.offset, fault.detail);
}

}  // namespace

// One request's events on their way from text to values.
class Ingest::Batch {
 public:
  Batch(Ingest& ingest, const EventContext& context, bool is_partial)
      : ingest_(ingest), context_(context), is_partial_(is_partial) {}

  // Each returns a refusal if the body as a whole cannot be taken.
  std::optional<Refusal> take_json(std::string_view text);
  std::optional<Refusal> take_ndjson(std::string_view text);
  std::optional<Refusal> take_binary(const http::Headers& headers, std::string_view data);

  void set_skew(std::chrono::milliseconds skew) { context_.skew = skew; }
  [[nodiscard]] std::size_t events_count() const { return events_count_; }
  [[nodiscard]] std::expected<Taken, Refusal> finish() &&;

 private:
  std::optional<Refusal> take_slowly(std::string_view text);
  std::optional<Refusal> check_count(std::size_t count);
  void take_line(std::string_view line, std::size_t line_number);
  void take_event(simdjson::dom::element element, std::size_t raw_bytes);
  void take_scanned(const ScannedEvent& event);
  void add_problem(std::string code, std::string detail, std::string pointer);
  void end_event();
  [[nodiscard]] bool is_full() const { return !is_partial_ && errors_.size() >= kErrorsMax; }

  // The size of an event is that of its text where it is known, else that of what is written of it.
  static constexpr std::size_t kUnknownSize = std::numeric_limits<std::size_t>::max();

  Ingest& ingest_;
  EventContext context_;
  bool is_partial_;
  std::size_t events_count_ = 0;
  std::size_t next_index_ = 0;
  Taken taken_;
  std::vector<Problem> errors_;
  std::vector<Problem> event_errors_;  // of the event under way
};

std::optional<Refusal> Ingest::Batch::check_count(std::size_t count) {
  events_count_ = count;
  const std::size_t max = ingest_.limits_.request_events_max;
  if (count <= max) return std::nullopt;
  return refuse(413, "too_many_events",
                fmt::format("A request has at most {} events. Send them in several requests.", max))
      .error();
}

std::optional<Refusal> Ingest::Batch::take_json(std::string_view text) {
  const std::string_view padded = ingest_.buffer_.assign(text);
  simdjson::dom::element root;
  const auto error =
      ingest_.parser_.parse(padded.data(), padded.size(), /*realloc_if_needed=*/false).get(root);
  if (error != simdjson::SUCCESS) return take_slowly(text);
  if (root.is_object()) {
    events_count_ = 1;
    take_event(root, text.size());
    return std::nullopt;
  }
  if (!root.is_array()) {
    events_count_ = 1;
    return refuse(400, "malformed",
                  "The body must be an event, a JSON object, or an array of them.")
        .error();
  }
  const simdjson::dom::array events = root.get_array().value_unsafe();
  if (auto refusal = check_count(events.size())) return refusal;
  const bool can_exceed = text.size() > ingest_.limits_.event_bytes_max;
  for (const simdjson::dom::element event : events) {
    take_event(event, can_exceed ? kUnknownSize : 0);
    if (is_full()) break;
  }
  return std::nullopt;
}

// The fast parser has refused the text: find the place, or the events that it could not take.
std::optional<Refusal> Ingest::Batch::take_slowly(std::string_view text) {
  const Scan scan = scan_json(text);
  if (scan.fault) {
    events_count_ = 1;
    Refusal refusal = refuse(400, "malformed", describe(*scan.fault)).error();
    refusal.errors.push_back({.code = "malformed", .detail = refusal.detail, .pointer = ""});
    return refusal;
  }
  if (auto refusal = check_count(scan.events.size())) return refusal;
  for (const ScannedEvent& event : scan.events) {
    take_scanned(event);
    if (is_full()) break;
  }
  return std::nullopt;
}

void Ingest::Batch::take_scanned(const ScannedEvent& event) {
  if (event.fault) {
    add_problem(event.fault->code, event.fault->detail, event.fault->pointer);
    return end_event();
  }
  const std::string_view padded = ingest_.buffer_.assign(event.text);
  simdjson::dom::element element;
  const auto error =
      ingest_.parser_.parse(padded.data(), padded.size(), /*realloc_if_needed=*/false).get(element);
  if (error == simdjson::SUCCESS) return take_event(element, event.text.size());
  if (error == simdjson::DEPTH_ERROR) {
    add_problem("too_deep",
                fmt::format("Objects and arrays in \"data\" are nested at most {} deep.",
                            context_.depth_max),
                "/data");
  } else {
    add_problem("malformed", simdjson::error_message(error), "");
  }
  end_event();
}

std::optional<Refusal> Ingest::Batch::take_ndjson(std::string_view text) {
  for (std::size_t line_number = 1; !text.empty() && !is_full(); ++line_number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim_ascii(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (auto refusal = check_count(events_count_ + 1)) return refusal;
    take_line(line, line_number);
  }
  if (events_count_ > 0) return std::nullopt;
  return refuse(400, "malformed", "The body holds no event.").error();
}

void Ingest::Batch::take_line(std::string_view line, std::size_t line_number) {
  const std::string_view padded = ingest_.buffer_.assign(line);
  simdjson::dom::element element;
  const auto error =
      ingest_.parser_.parse(padded.data(), padded.size(), /*realloc_if_needed=*/false).get(element);
  if (error == simdjson::SUCCESS) return take_event(element, line.size());
  const Scan scan = scan_json(line);
  if (scan.fault) {
    add_problem("malformed",
                fmt::format("Line {} is not JSON: column {}: {}", line_number, scan.fault->column,
                            scan.fault->detail),
                "");
    return end_event();
  }
  if (scan.events.size() == 1 && scan.events.front().text.size() == line.size()) {
    return take_scanned(scan.events.front());
  }
  add_problem("not_an_object", "An event is a JSON object; this line is an array.", "");
  end_event();
}

std::optional<Refusal> Ingest::Batch::take_binary(const http::Headers& headers,
                                                  std::string_view data) {
  events_count_ = 1;
  data = trim_ascii(data);
  if (!data.empty()) {
    const std::string_view padded = ingest_.buffer_.assign(data);
    const auto error =
        ingest_.parser_.parse(padded.data(), padded.size(), /*realloc_if_needed=*/false).error();
    // Data alone must be whole JSON, so that it cannot reach out of its place in the event.
    if (error != simdjson::SUCCESS) {
      Scan scan = scan_json(data);
      if (scan.fault) return refuse(400, "malformed", describe(*scan.fault)).error();
    }
  }
  const std::expected<std::string, Refusal> event = to_structured(headers, data);
  if (!event) return event.error();
  return take_json(*event);
}

void Ingest::Batch::take_event(simdjson::dom::element element, std::size_t raw_bytes) {
  const std::size_t max = ingest_.limits_.event_bytes_max;
  if (raw_bytes != kUnknownSize && raw_bytes > max) {
    add_problem("event_too_large", fmt::format("An event has at most {} bytes.", max), "");
    return end_event();
  }
  context_.data_bytes_max = raw_bytes == kUnknownSize ? max : kUnknownSize;
  std::optional<Event> event = ingest_.builder_.build(context_, element, event_errors_);
  if (event) taken_.events.push_back(*std::move(event));
  end_event();
}

void Ingest::Batch::add_problem(std::string code, std::string detail, std::string pointer) {
  event_errors_.push_back(
      {.code = std::move(code), .detail = std::move(detail), .pointer = std::move(pointer)});
}

void Ingest::Batch::end_event() {
  const std::size_t index = next_index_++;
  for (Problem& problem : event_errors_) {
    problem.index = index;
    if (is_partial_) {
      taken_.rejected.push_back(std::move(problem));
      break;  // One reason an event: the client needs to know which, not all that is wrong.
    }
    if (errors_.size() < kErrorsMax) errors_.push_back(std::move(problem));
  }
  event_errors_.clear();
}

std::expected<Taken, Refusal> Ingest::Batch::finish() && {
  taken_.source = &context_.source;
  if (errors_.empty()) return std::move(taken_);
  // The gravest one says what the whole answer is.
  const Problem& gravest = *std::ranges::max_element(errors_, {}, [](const Problem& problem) {
    return problem.code == "malformed" ? 2 : problem.code == "event_too_large" ? 1 : 0;
  });
  Refusal refusal;
  refusal.status = gravest.code == "malformed"         ? 400
                   : gravest.code == "event_too_large" ? 413
                                                       : 422;
  refusal.code = gravest.code;
  refusal.detail = gravest.detail;
  if (errors_.size() > 1) {
    refusal.detail += fmt::format(" ({} errors in all; nothing was taken.)", errors_.size());
  }
  refusal.errors = std::move(errors_);
  return std::unexpected(std::move(refusal));
}

Ingest::Ingest(const Limits& limits, std::uint64_t seed)
    : limits_(limits), limiter_(limits.browser_events_per_second), builder_(seed) {}

std::expected<Taken, Refusal> Ingest::take(const http::Request& request,
                                           const env::Endpoint& client, const Sources& sources,
                                           const Catalog& catalog, const Now& now) {
  if (request.method != http::Method::post) {
    return refuse(405, "method_not_allowed", "Events are sent with POST.");
  }
  const Source* const source = source_of(request, sources);
  if (source == nullptr) {
    return refuse(401, "unauthorized",
                  "The source's key is missing or not valid. Send it as \"Authorization: Bearer "
                  "src_…\" or as ?key=src_…");
  }
  const auto origin = http::find_header(request.headers, "origin");
  if (origin && !sources.allows_origin(*source, *origin)) {
    return refuse(403, "origin_not_allowed",
                  "This source does not take events from browsers on pages of this origin.");
  }
  if (origin) {
    if (const auto wait = limiter_.wait(client.address, now.instant)) {
      auto refusal = refuse(429, "rate_limited",
                            fmt::format("One browser address may send {} events a second.",
                                        limits_.browser_events_per_second));
      refusal.error().retry_after = *wait;
      return refusal;
    }
  }
  const EventContext context{.source = *source,
                             .catalog = catalog,
                             .received_at = now.wall,
                             .depth_max = limits_.event_depth_max,
                             .properties_max = limits_.event_properties_max,
                             .takes_operations = limits_.takes_operations};
  Batch batch(*this, context, asks_for_partial(request));
  const std::optional<Refusal> refusal = read(request, now.wall, batch);
  if (origin)
    limiter_.charge(client.address, std::max<std::size_t>(batch.events_count(), 1), now.instant);
  if (refusal) return std::unexpected(*refusal);
  return std::move(batch).finish();
}

// Sources::find(), but a key that was good before is not hashed again.
const Source* Ingest::source_of(const http::Request& request, const Sources& sources) {
  const std::optional<std::string> key = key_of(request);
  if (!key || key->empty()) return nullptr;
  if (const std::string* const known = key_hashes_.find(*key)) {
    return sources.find_by_key_hash(*known);
  }
  std::string hash = crypto::hash_token(*key);
  const Source* const source = sources.find_by_key_hash(hash);
  if (source != nullptr) key_hashes_.put(*key, std::move(hash));
  return source;
}

std::optional<Refusal> Ingest::read(const http::Request& request, WallTime received_at,
                                    Batch& batch) {
  const auto skew = skew_of(request, received_at);
  if (!skew) return skew.error();
  batch.set_skew(*skew);
  const auto form = form_of(request.headers);
  if (!form) return form.error();
  std::string inflated;
  const auto body = decode_body(request, limits_.request_bytes_max, inflated);
  if (!body) return body.error();
  std::string_view text = *body;
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  switch (*form) {
    case BodyForm::json:
      return batch.take_json(text);
    case BodyForm::ndjson:
      return batch.take_ndjson(text);
    case BodyForm::binary:
      return batch.take_binary(request.headers, text);
  }
  assert_failed("unknown BodyForm");
}

}  // namespace eilpost::ingest

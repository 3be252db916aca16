#pragma once
// The canonical JSON of an event, and how its properties are read.
//
// Format: {"event":{"id":…,"type":…,"name":…,"time":…,"received_at":…, further attributes},
//          "created_at":1764000000123,"data":{…}}
//
// "event" holds what SPEC calls event.*: id, type, name (the English label), time and received_at
// (ISO 8601, UTC, milliseconds), client_time where time was clamped, and every other CloudEvents
// attribute of the sender (source, subject, …) but specversion. "data" is the sender's data with
// wm.env, wm.envName and wm.euId stamped, keys in document order, numbers as they were written.

#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace eilpost {

// A parsed document. Valid until the parser is used again or destroyed; copies what it parses.
class EventDocument {
 public:
  // Errors: bad_input if `text` is not a canonical document.
  [[nodiscard]] static Result<EventDocument> parse(simdjson::dom::parser& parser,
                                                   std::string_view text);

  [[nodiscard]] simdjson::dom::object event() const { return event_; }
  [[nodiscard]] simdjson::dom::element created_at() const { return created_at_; }
  [[nodiscard]] simdjson::dom::object data() const { return data_; }

 private:
  simdjson::dom::object event_;
  simdjson::dom::element created_at_;
  simdjson::dom::object data_;
};

// A dotted path into an event: wm.euId, answers.0.value, answers.*.value, event.id, created_at.
//
// Limits: at most 16 segments, each 1 to 200 bytes; a digit segment also indexes an array.
struct PropertyPath {
  std::vector<std::string> segments;

  [[nodiscard]] bool has_wildcard() const;
  [[nodiscard]] std::string to_string() const;

  // Errors: bad_input (`detail` says what is wrong and what would be right).
  [[nodiscard]] static Result<PropertyPath> parse(std::string_view text);
};

// What a wildcard path met: the segments that stood for each '*', and the value.
struct WildcardMatch {
  std::vector<std::string_view> stars;
  simdjson::dom::element value;
};

// The values of the paths of one PropertyTrie in one event. Reuse it: it keeps its memory.
class PropertyValues {
 public:
  // The value at a path without wildcard; nothing if it is missing or null.
  [[nodiscard]] std::optional<simdjson::dom::element> value(std::size_t slot) const;
  // True if the property is there but null.
  [[nodiscard]] bool is_null(std::size_t slot) const;
  // All matches of a wildcard path, in document order.
  [[nodiscard]] const std::vector<WildcardMatch>& matches(std::size_t slot) const;

 private:
  friend class PropertyTrie;
  struct Slot {
    simdjson::dom::element value;
    std::uint64_t priority = 0;  // how literal the dotted keys were; 0: missing
    std::vector<WildcardMatch> matches;
  };
  std::vector<Slot> slots_;
};

// A set of paths that is looked up in one walk over an event.
//
// Rules (SPEC "Events on the wire"): event.* and created_at shadow data's own; a literally dotted
// key
// ("wm.euId":…) is read before a nested one; null counts as missing.
// Threads: build it on one thread; then walk() from any, also at once.
class PropertyTrie {
 public:
  // The slot of `path`; equal paths share one.
  [[nodiscard]] std::size_t add(const PropertyPath& path);
  [[nodiscard]] std::size_t slots_count() const { return slots_count_; }

  void walk(const EventDocument& document, PropertyValues& values) const;

 private:
  struct Node {
    std::string segment;
    std::optional<std::size_t> slot;
    std::vector<Node> children;
    std::vector<Node> star;  // zero or one
  };
  Node root_;
  std::size_t slots_count_ = 0;
};

}  // namespace eilpost

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

#include <cstdint>
#include <deque>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace eilpost {

// A parsed document. Valid until the parser is used again or destroyed; copies what it parses.
class EventDocument {
 public:
  // Errors: bad_input if `text` is not a canonical document: exactly these three keys in this
  // order.
  [[nodiscard]] static Result<EventDocument> parse(simdjson::dom::parser& parser,
                                                   std::string_view text);
  // The same into `target`, so that the result is valid until `target` is used again.
  [[nodiscard]] static Result<EventDocument> parse(simdjson::dom::parser& parser,
                                                   simdjson::dom::document& target,
                                                   std::string_view text);

  [[nodiscard]] simdjson::dom::object event() const { return event_; }
  [[nodiscard]] simdjson::dom::element event_element() const { return event_element_; }
  [[nodiscard]] simdjson::dom::element created_at() const { return created_at_; }
  [[nodiscard]] simdjson::dom::object data() const { return data_; }

 private:
  [[nodiscard]] static Result<EventDocument> read(
      simdjson::simdjson_result<simdjson::dom::element> parsed);

  simdjson::dom::object event_;
  simdjson::dom::element event_element_;
  simdjson::dom::element created_at_;
  simdjson::dom::object data_;
};

// A dotted path into an event: wm.euId, answers.0.value, answers.*.value, event.id, created_at.
//
// Limits: at most kSegmentsMax segments, each of 1 to kSegmentBytesMax bytes of UTF-8 without
//         control characters and without blanks at its ends. Digits also index an array. `*` is a
//         segment of its own.
struct PropertyPath {
  static constexpr std::size_t kSegmentsMax = 16;
  static constexpr std::size_t kSegmentBytesMax = 200;

  std::vector<std::string> segments;

  [[nodiscard]] bool has_wildcard() const;
  [[nodiscard]] std::string to_string() const;

  // Errors: bad_input (`detail` says what is wrong and what would be right).
  [[nodiscard]] static Result<PropertyPath> parse(std::string_view text);
};

// What a wildcard path met: the segments that stood for each '*' (a member's key or an element's
// index), and the value, which is never null. The segments live as long as the document and the
// PropertyValues do.
struct WildcardMatch {
  std::vector<std::string_view> stars;
  simdjson::dom::element value;
};

// The values of the paths of one PropertyTrie in one event. Reuse it: it keeps its memory. Valid as
// long as the document is. REQUIRES for all readers: a walk() of a trie that has `slot`.
class PropertyValues {
 public:
  PropertyValues() = default;
  PropertyValues(PropertyValues&&) noexcept = default;
  PropertyValues& operator=(PropertyValues&&) noexcept = default;

  // The value at a path without wildcard; nothing if it is missing or null.
  [[nodiscard]] std::optional<simdjson::dom::element> value(std::size_t slot) const;
  // True if the property is there but null.
  [[nodiscard]] bool is_null(std::size_t slot) const;
  // All matches of a wildcard path, in document order.
  [[nodiscard]] const std::vector<WildcardMatch>& matches(std::size_t slot) const;
  // The slots for which something was there, if only null; each once, in no particular order.
  [[nodiscard]] const std::vector<std::uint32_t>& found_slots() const { return found_slots_; }

 private:
  friend class PropertyTrie;
  struct Slot {
    std::uint64_t generation = 0;  // of another walk: everything else here is stale
    simdjson::dom::element value;
    std::uint32_t rank = 0;  // of the value: the highest wins; 0: missing
    bool has_literal = false;
    std::vector<WildcardMatch> matches;
    std::vector<std::uint32_t> ranks;  // of the matches
  };
  std::uint64_t generation_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> found_slots_;
  std::deque<std::string> index_names_;  // "0", "1", … as far as they were needed
  std::vector<std::string_view> stars_;  // of the place that the walk is at
};

// A set of paths that is looked up in one walk over an event.
//
// Rules (SPEC "Events on the wire"): event.* and created_at shadow data's own; a literally dotted
// key ("wm.euId":…) is read before a nested one, at each level the longest first; null counts as
// missing, so a nested value is read where the dotted key is null. A `*` at the beginning meets the
// members of data.
// Threads: build it on one thread; then walk() from any, also at once.
class PropertyTrie {
 public:
  // The slot of `path`; equal paths share one. REQUIRES: `path` is within its limits.
  [[nodiscard]] std::size_t add(const PropertyPath& path);
  [[nodiscard]] std::size_t slots_count() const { return slots_count_; }

  void walk(const EventDocument& document, PropertyValues& values) const;

 private:
  using NodeIndex = std::uint32_t;  // in nodes_
  static constexpr NodeIndex kNone = 0;
  static constexpr std::size_t kHashedAbove = 16;  // children are hashed above this number

  struct Child {
    std::string name;
    NodeIndex node = kNone;
  };
  struct Node {
    std::optional<std::uint32_t> slot;
    NodeIndex star = kNone;
    std::size_t elements_end = 0;  // elements from here on have no child of their own
    std::vector<Child> children;
    std::unordered_map<std::string, NodeIndex, StringHash, std::equal_to<>> hashed;
  };
  struct Place {
    NodeIndex node = kNone;
    std::uint32_t depth = 0;  // segments so far
    std::uint32_t literal_joints = 0;
  };
  class Walk;

  [[nodiscard]] NodeIndex find_child(const Node& node, std::string_view name) const;
  [[nodiscard]] NodeIndex add_child(NodeIndex parent, const std::string& segment);

  std::vector<Node> nodes_ = std::vector<Node>(1);  // the root is the first
  std::size_t slots_count_ = 0;
};

}  // namespace eilpost

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "model/event_document.h"

namespace eilpost {
namespace {

using simdjson::dom::element;

constexpr std::uint32_t kPresent = 1U << 30U;
constexpr std::uint32_t kNotNull = 1U << 31U;

// Where segment `depth` and the next are one key, joined by its dot. Earlier joints weigh more, so
// that of two readings of a path the one with the longer key at the first difference ranks higher.
constexpr std::uint32_t joint_after(std::uint32_t depth) {
  return 1U << (PropertyPath::kSegmentsMax - depth);
}

// The element that a segment of digits names.
std::optional<std::uint32_t> element_index(std::string_view segment) {
  if (segment.empty() || !std::ranges::all_of(segment, is_ascii_digit)) return std::nullopt;
  return parse_integer<std::uint32_t>(segment);
}

}  // namespace

std::optional<element> PropertyValues::value(std::size_t slot) const {
  EILPOST_ASSERT(slot < slots_.size());
  const Slot& found = slots_[slot];
  if (found.generation != generation_ || found.rank < kNotNull) return std::nullopt;
  return found.value;
}

bool PropertyValues::is_null(std::size_t slot) const {
  EILPOST_ASSERT(slot < slots_.size());
  const Slot& found = slots_[slot];
  return found.generation == generation_ && found.rank != 0 && found.rank < kNotNull;
}

const std::vector<WildcardMatch>& PropertyValues::matches(std::size_t slot) const {
  static const std::vector<WildcardMatch> kNoMatches;
  EILPOST_ASSERT(slot < slots_.size());
  const Slot& found = slots_[slot];
  return found.generation == generation_ ? found.matches : kNoMatches;
}

// One walk over one event.
class PropertyTrie::Walk {
 public:
  Walk(const PropertyTrie& trie, PropertyValues& values) : trie_(trie), values_(values) {
    ++values_.generation_;
    if (values_.slots_.size() < trie_.slots_count_) values_.slots_.resize(trie_.slots_count_);
    values_.found_slots_.clear();
    values_.stars_.clear();
  }

  void run(const EventDocument& document) {
    const Node& root = trie_.nodes_.front();
    if (const NodeIndex event = trie_.find_child(root, "event")) {
      visit({.node = event, .depth = 1}, document.event_element());
    }
    if (const NodeIndex created_at = trie_.find_child(root, "created_at")) {
      visit({.node = created_at, .depth = 1}, document.created_at());
    }
    if (!has_more(root)) return;
    for (const auto member : document.data()) {
      const std::string_view first = member.key.substr(0, member.key.find('.'));
      if (first == "event" || first == "created_at") continue;
      visit_key({}, member.key, member.value);
    }
    if (is_ambiguous_) keep_best_matches();
  }

 private:
  [[nodiscard]] const Node& node_at(Place place) const { return trie_.nodes_[place.node]; }
  [[nodiscard]] static bool has_more(const Node& node) {
    return node.star != kNone || !node.children.empty();
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by PropertyPath::kSegmentsMax.
  void visit(Place place, element value) {
    const Node& node = node_at(place);
    if (node.slot) record(*node.slot, value, place.literal_joints);
    if (!has_more(node)) return;
    if (value.is_object()) {
      for (const auto member : value.get_object().value_unsafe()) {
        visit_key(place, member.key, member.value);
      }
    } else if (value.is_array()) {
      visit_elements(place, value.get_array().value_unsafe());
    }
  }

  // `rest` is what is left of a member's key: the next segment, or several with dots between.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by PropertyPath::kSegmentsMax.
  void visit_key(Place place, std::string_view rest, element value) {
    const Node& node = node_at(place);
    const std::size_t dot = rest.find('.');
    const std::string_view first = rest.substr(0, dot);
    const std::uint32_t depth = place.depth + 1;
    const NodeIndex child = trie_.find_child(node, first);
    if (child != kNone && dot == std::string_view::npos) {
      visit({.node = child, .depth = depth, .literal_joints = place.literal_joints}, value);
    }
    if (node.star != kNone) {
      values_.stars_.push_back(rest);
      visit({.node = node.star, .depth = depth, .literal_joints = place.literal_joints}, value);
      values_.stars_.pop_back();
    }
    if (dot == std::string_view::npos) return;

    const std::uint32_t joints = place.literal_joints | joint_after(depth);
    const std::string_view after = rest.substr(dot + 1);
    if (child != kNone) {
      visit_key({.node = child, .depth = depth, .literal_joints = joints}, after, value);
    }
    if (node.star != kNone) {
      values_.stars_.push_back(first);
      visit_key({.node = node.star, .depth = depth, .literal_joints = joints}, after, value);
      values_.stars_.pop_back();
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by PropertyPath::kSegmentsMax.
  void visit_elements(Place place, simdjson::dom::array elements) {
    const Node& node = node_at(place);
    std::size_t index = 0;
    for (const element value : elements) {
      if (node.star == kNone && index >= node.elements_end) return;
      Place next{.node = kNone, .depth = place.depth + 1, .literal_joints = place.literal_joints};
      const std::string_view name = index_name(index);
      if (index < node.elements_end) {
        next.node = trie_.find_child(node, name);
        if (next.node != kNone) visit(next, value);
      }
      if (node.star != kNone) {
        values_.stars_.push_back(name);
        next.node = node.star;
        visit(next, value);
        values_.stars_.pop_back();
      }
      ++index;
    }
  }

  void record(std::uint32_t slot_index, element value, std::uint32_t literal_joints) {
    PropertyValues::Slot& slot = values_.slots_[slot_index];
    if (slot.generation != values_.generation_) {
      slot.generation = values_.generation_;
      values_.found_slots_.push_back(slot_index);
      slot.rank = 0;
      slot.has_literal = false;
      slot.matches.clear();
      slot.ranks.clear();
    }
    const bool is_null = value.is_null();
    if (values_.stars_.empty()) {
      const std::uint32_t rank = literal_joints | kPresent | (is_null ? 0 : kNotNull);
      if (rank <= slot.rank) return;
      slot.rank = rank;
      slot.value = value;
      return;
    }
    if (is_null) return;
    slot.matches.push_back({.stars = values_.stars_, .value = value});
    slot.ranks.push_back(literal_joints);
    if (literal_joints != 0) slot.has_literal = is_ambiguous_ = true;
  }

  // Where dotted keys took part, the same place may have been met in several readings.
  void keep_best_matches() {
    for (const std::uint32_t index : values_.found_slots_) {
      PropertyValues::Slot& slot = values_.slots_[index];
      if (slot.has_literal) keep_best(slot);
    }
  }

  static void keep_best(PropertyValues::Slot& slot) {
    std::vector<std::size_t> order(slot.matches.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&slot](std::size_t a, std::size_t b) {
      const auto compared = slot.matches[a].stars <=> slot.matches[b].stars;
      if (compared != 0) return compared < 0;
      return slot.ranks[a] != slot.ranks[b] ? slot.ranks[a] > slot.ranks[b] : a < b;
    });
    const auto same_place = [&slot](std::size_t a, std::size_t b) {
      return slot.matches[a].stars == slot.matches[b].stars;
    };
    order.erase(std::ranges::unique(order, same_place).begin(), order.end());
    std::ranges::sort(order);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i != order[i]) slot.matches[i] = std::move(slot.matches[order[i]]);
    }
    slot.matches.erase(slot.matches.begin() + static_cast<std::ptrdiff_t>(order.size()),
                       slot.matches.end());
  }

  std::string_view index_name(std::size_t index) {
    std::deque<std::string>& names = values_.index_names_;
    while (names.size() <= index) names.push_back(fmt::to_string(names.size()));
    return names[index];
  }

  const PropertyTrie& trie_;
  PropertyValues& values_;
  bool is_ambiguous_ = false;
};

PropertyTrie::NodeIndex PropertyTrie::find_child(const Node& node, std::string_view name) const {
  if (node.children.size() > kHashedAbove) {
    const auto found = node.hashed.find(name);
    return found == node.hashed.end() ? kNone : found->second;
  }
  for (const Child& child : node.children) {
    if (child.name == name) return child.node;
  }
  return kNone;
}

PropertyTrie::NodeIndex PropertyTrie::add_child(NodeIndex parent, const std::string& segment) {
  const auto added = static_cast<NodeIndex>(nodes_.size());
  nodes_.emplace_back();
  Node& node = nodes_[parent];
  if (segment == "*") {
    node.star = added;
    return added;
  }
  if (const auto index = element_index(segment)) {
    node.elements_end = std::max<std::size_t>(node.elements_end, std::size_t{*index} + 1);
  }
  node.children.push_back({.name = segment, .node = added});
  if (node.children.size() == kHashedAbove + 1) {
    for (const Child& child : node.children) node.hashed.emplace(child.name, child.node);
  } else if (node.children.size() > kHashedAbove) {
    node.hashed.emplace(segment, added);
  }
  return added;
}

std::size_t PropertyTrie::add(const PropertyPath& path) {
  EILPOST_ASSERT(!path.segments.empty());
  EILPOST_ASSERT(path.segments.size() <= PropertyPath::kSegmentsMax);
  NodeIndex node = 0;
  for (const std::string& segment : path.segments) {
    const Node& parent = nodes_[node];
    const NodeIndex next = segment == "*" ? parent.star : find_child(parent, segment);
    node = next != kNone ? next : add_child(node, segment);
  }
  std::optional<std::uint32_t>& slot = nodes_[node].slot;
  if (!slot) slot = static_cast<std::uint32_t>(slots_count_++);
  return *slot;
}

void PropertyTrie::walk(const EventDocument& document, PropertyValues& values) const {
  Walk(*this, values).run(document);
}

}  // namespace eilpost

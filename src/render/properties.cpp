#include "render/properties.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/hash.h"
#include "http/percent.h"
#include "model/json_text.h"
#include "model/limits.h"
#include "render/compiled.h"

namespace eilpost::render {
namespace {

// Which entry stays where two have one name. A leaf of the event counts down from kLeafRank with
// each level of nesting.
constexpr std::uint32_t kLeafRank = 1000;
constexpr std::uint32_t kEventRank = 2000;
constexpr std::uint32_t kChosenRank = 3000;
constexpr std::uint32_t kStaticRank = 4000;

constexpr std::string_view kEventPrefix = "event.";

class Collector {
 public:
  explicit Collector(Evaluation& evaluation)
      : evaluation_(evaluation),
        webhook_(evaluation.input.webhook),
        scratch_(evaluation.scratch),
        own_{.input = evaluation.input,
             .options = evaluation.options,
             .scratch = evaluation.scratch,
             .values = evaluation.scratch.webhook_values} {}

  Rendered<void> collect() {
    if (webhook_.sends_all) {
      collect_all();
    } else {
      for (const CompiledChoice& choice : webhook_.chosen) collect_chosen(choice);
    }
    for (const CompiledStatic& property : webhook_.statics) {
      auto value = property.constant ? Rendered<Value>(property.constant->get())
                                     : evaluate(property.text, own_, scratch_.entry_text);
      if (!value) return std::unexpected(std::move(value).error());
      if (value->kind == Value::Kind::missing) {
        if (!webhook_.null_if_missing) continue;
        value = Value::null();
      }
      add_fixed(property.name, {}, *value, kStaticRank);
    }
    if (scratch_.entries.size() > limits::kOutboundPropertiesMax) {
      return cannot_render(
          fmt::format("The event gives more than {} properties.", limits::kOutboundPropertiesMax));
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_full() const {
    return scratch_.entries.size() > limits::kOutboundPropertiesMax;
  }

  void add(Entry entry, std::uint64_t hash) {
    const auto known = scratch_.names.find(entry.name, hash, scratch_.entries);
    if (!known) {
      scratch_.names.insert(hash, scratch_.entries.size());
      scratch_.entries.push_back(entry);
    } else if (entry.rank > scratch_.entries[*known].rank) {
      scratch_.entries[*known] = entry;
    }
  }

  // Adds a value under a name that is known beforehand; an object by its leaves.
  void add_fixed(const FixedName& name, std::string_view property, const Value& value,
                 std::uint32_t rank) {
    if (value.kind == Value::Kind::tree && value.is_object()) {
      scratch_.entry_name = name.text;
      add_leaves(property, value.tree, rank, 0);
      return;
    }
    add({.name = name.text,
         .key_json = name.key_json,
         .value = value,
         .property = property,
         .rank = rank},
        name.hash);
  }

  // Adds `element`, whose name so far is scratch_.entry_name, by its leaves.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by the depth of the parsed event.
  void add_leaves(std::string_view property, simdjson::dom::element element, std::uint32_t rank,
                  std::uint32_t level) {
    if (is_full()) return;
    if (element.is_object() && simdjson::dom::object(element).size() > 0) {
      const std::size_t size = scratch_.entry_name.size();
      for (const auto field : simdjson::dom::object(element)) {
        scratch_.entry_name += '.';
        scratch_.entry_name += field.key;
        add_leaves(property, field.value, std::min(rank, kLeafRank), level + 1);
        scratch_.entry_name.resize(size);
      }
      return;
    }
    const std::uint32_t lowered = rank == kLeafRank ? rank - std::min(level, rank) : rank;
    add_leaf(property, scratch_.arena.copy(scratch_.entry_name), element, lowered);
  }

  // `path` lives as long as the render.
  void add_leaf(std::string_view property, std::string_view path, simdjson::dom::element element,
                std::uint32_t rank) {
    if (element.is_null() && !webhook_.null_if_missing) return;
    const std::string_view name = final_name(path);
    // Where all are sent the leaf's own name is its path.
    add({.name = name,
         .key_json = {},
         .value = Value::of(element),
         .property = property.empty() ? path : property,
         .rank = rank},
        hash64(name));
  }

  [[nodiscard]] std::string_view final_name(std::string_view name) {
    if (!webhook_.underscores) return name;
    std::string replaced(name);
    std::ranges::replace(replaced, '.', '_');
    return scratch_.arena.copy(replaced);
  }

  // Adds `element` under its path, an object by its leaves. `path` lives as long as the render.
  void add_whole(std::string_view path, simdjson::dom::element element, std::uint32_t rank) {
    if (is_full()) return;
    if (!element.is_object()) return add_leaf({}, path, element, rank);
    scratch_.entry_name = path;
    add_leaves({}, element, rank, 0);
  }

  void collect_all() {
    const EventDocument& document = *scratch_.document;
    for (const std::string_view path : {"event.id", "event.type", "event.time"}) {
      simdjson::dom::element value;
      const std::string_view key = path.substr(kEventPrefix.size());
      if (document.event().at_key(key).get(value) != simdjson::SUCCESS) continue;
      add_whole(path, value, kEventRank);
    }
    for (const auto field : document.data()) add_own_leaves(field.key, field.value);
  }

  // A name means the same everywhere: where the sender's own `created_at` or `event.…` is shadowed,
  // the shadowing value is sent.
  void add_own_leaves(std::string_view key, simdjson::dom::element element) {
    const EventDocument& document = *scratch_.document;
    if (key == "created_at") {
      add_whole(key, document.created_at(), kLeafRank);
      return;
    }
    const std::size_t first = scratch_.entries.size();
    add_whole(key, element, kLeafRank);
    if (!key.starts_with("event")) return;
    for (std::size_t i = first; i < scratch_.entries.size(); ++i) {
      Entry& entry = scratch_.entries[i];
      if (!entry.property.starts_with(kEventPrefix)) continue;
      simdjson::dom::element shadow;
      const std::string_view attribute = entry.property.substr(kEventPrefix.size());
      if (document.event().at_key(attribute).get(shadow) == simdjson::SUCCESS) {
        entry.value = Value::of(shadow);
      }
    }
  }

  void collect_chosen(const CompiledChoice& choice) {
    if (choice.has_wildcard) return collect_matches(choice);
    const auto element = own_.values.value(choice.slot);
    if (!element) return note_missing(choice);
    add_fixed(choice.name, choice.property, Value::of(*element), kChosenRank);
  }

  void collect_matches(const CompiledChoice& choice) {
    const std::vector<WildcardMatch>& matches = own_.values.matches(choice.slot);
    std::vector<Value> items;
    bool found = false;
    for (const WildcardMatch& match : matches) {
      if (match.value.is_null() && !choice.null_if_missing) continue;
      found = true;
      if (choice.name_parts.empty()) {
        items.push_back(Value::of(match.value));
        continue;
      }
      scratch_.entry_name = choice.name_parts[0];
      for (std::size_t i = 0; i < match.stars.size(); ++i) {
        scratch_.entry_name += match.stars[i];
        scratch_.entry_name += choice.name_parts[i + 1];
      }
      add_leaves(choice.property, match.value, kLeafRank, 0);
    }
    if (!items.empty()) {
      add_fixed(choice.name, choice.property, Value::of(scratch_.arena.copy(items)), kChosenRank);
    }
    if (!found) note_missing(choice);
  }

  void note_missing(const CompiledChoice& choice) {
    if (evaluation_.options.origins != nullptr) {
      evaluation_.options.origins->push_back(
          {.name = choice.name.text, .property = choice.property, .missing = true});
    }
    if (!choice.null_if_missing || !choice.name_parts.empty()) return;
    add_fixed(choice.name, choice.property, Value::null(), kChosenRank);
  }

  Evaluation& evaluation_;
  const CompiledWebhook& webhook_;
  Scratch& scratch_;
  Evaluation own_;  // static properties are the webhook's, whoever asked for them
};

void note_origins(const Evaluation& evaluation) {
  std::vector<Origin>* const origins = evaluation.options.origins;
  if (origins == nullptr) return;
  for (const Entry& entry : evaluation.scratch.entries) {
    const bool known = std::ranges::find(*origins, entry.name, &Origin::name) != origins->end();
    if (known) continue;
    origins->push_back({.name = std::string(entry.name),
                        .property = std::string(entry.property),
                        .missing = false});
  }
}

void append_key(const Entry& entry, std::string& out) {
  if (!entry.key_json.empty()) {
    out += entry.key_json;
    return;
  }
  append_script_string(out, entry.name);
  out += ':';
}

// The child of `parent` with this key, made if there is none.
std::uint32_t child_of(std::vector<TreeNode>& nodes, std::uint32_t parent, std::string_view key) {
  for (std::uint32_t i = nodes[parent].first_child; i != 0; i = nodes[i].next) {
    if (nodes[i].key == key) return i;
  }
  const auto added = static_cast<std::uint32_t>(nodes.size());
  nodes.push_back({.key = key});
  TreeNode& node = nodes[parent];
  if (node.last_child == 0) {
    node.first_child = added;
  } else {
    nodes[node.last_child].next = added;
  }
  node.last_child = added;
  return added;
}

void plant(Scratch& scratch, std::uint32_t entry) {
  std::string_view name = scratch.entries[entry].name;
  std::uint32_t node = 0;
  for (std::size_t level = 1;; ++level) {
    const std::size_t dot = level < limits::kTemplateDepthMax ? name.find('.') : std::string::npos;
    node = child_of(scratch.nodes, node, name.substr(0, dot));
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  scratch.nodes[node].entry = entry;
}

class NestedWriter {
 public:
  NestedWriter(const Scratch& scratch, std::string& out) : scratch_(scratch), out_(out) {}

  void write() {
    out_ += '{';
    write_members(0, {});
    out_ += '}';
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  void write_members(std::uint32_t parent, std::string_view prefix) {
    for (std::uint32_t i = scratch_.nodes[parent].first_child; i != 0; i = scratch_.nodes[i].next) {
      const TreeNode& node = scratch_.nodes[i];
      const std::string key =
          parent_is_object_ ? std::string(node.key) : fmt::format("{}.{}", prefix, node.key);
      if (node.entry) {
        write_key(key);
        append_json(out_, scratch_.entries[*node.entry].value);
      }
      if (node.first_child == 0) continue;
      if (node.entry) {
        const bool was = std::exchange(parent_is_object_, false);
        write_members(i, key);
        parent_is_object_ = was;
      } else {
        write_key(key);
        out_ += '{';
        const bool was = std::exchange(parent_is_object_, true);
        write_members(i, {});
        parent_is_object_ = was;
        out_ += '}';
      }
    }
  }

  void write_key(std::string_view key) {
    if (out_.back() != '{') out_ += ',';
    append_script_string(out_, key);
    out_ += ':';
  }

  const Scratch& scratch_;
  std::string& out_;
  bool parent_is_object_ = true;  // else the names keep the dots of a prefix
};

void append_form_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_ascii_letter(c) || is_ascii_digit(c) || std::string_view("*-._").contains(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHexDigits[byte >> 4U];
      out += kHexDigits[byte & 0xFU];
    }
  }
}

}  // namespace

FixedName make_fixed_name(std::string_view name) {
  FixedName fixed{.text = std::string(name), .key_json = {}, .hash = hash64(name)};
  append_script_string(fixed.key_json, name);
  fixed.key_json += ':';
  return fixed;
}

Rendered<void> collect_entries(Evaluation& evaluation) {
  Scratch& scratch = evaluation.scratch;
  if (scratch.entries_state != Scratch::Entries::none) return {};
  scratch.entries_state = Scratch::Entries::collecting;
  auto collected = Collector(evaluation).collect();
  scratch.entries_state = Scratch::Entries::ready;
  if (collected) note_origins(evaluation);
  return collected;
}

void append_flat_object(const Scratch& scratch, std::string& out) {
  char separator = '{';
  for (const Entry& entry : scratch.entries) {
    if (entry.value.kind == Value::Kind::tree && entry.value.is_object()) continue;
    out += separator;
    append_key(entry, out);
    append_json(out, entry.value);
    separator = ',';
  }
  out += separator == '{' ? "{}" : "}";
}

void append_nested_object(Scratch& scratch, std::string& out) {
  scratch.nodes.assign(1, TreeNode{});
  for (std::uint32_t i = 0; i < scratch.entries.size(); ++i) plant(scratch, i);
  NestedWriter(scratch, out).write();
}

void append_pairs(const Scratch& scratch, Encoding encoding, std::string& out) {
  bool is_first = true;
  std::string text;
  for (const Entry& entry : scratch.entries) {
    if (entry.value.is_missing_or_null() || entry.value.kind == Value::Kind::json ||
        (entry.value.kind == Value::Kind::tree && entry.value.is_object())) {
      continue;
    }
    text.clear();
    append_text(text, entry.value);
    if (!is_first) out += '&';
    is_first = false;
    if (encoding == Encoding::form) {
      append_form_encoded(out, entry.name);
      out += '=';
      append_form_encoded(out, text);
    } else {
      out += http::encode_query_value(entry.name);
      out += '=';
      out += http::encode_query_value(text);
    }
  }
}

}  // namespace eilpost::render

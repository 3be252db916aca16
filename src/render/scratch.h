#pragma once
// The memory of one render, reused from delivery to delivery.
//
// Threads: one at a time; each lane has its own.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hmac.h"
#include "model/event_document.h"
#include "render/arena.h"
#include "render/renderer.h"
#include "render/value.h"

namespace eilpost::render {

// One property on its way into the body, under its final name. No two have the same name.
struct Entry {
  std::string_view name;
  std::string_view key_json;  // `"name":`, or empty where it must be made
  Value value;
  std::string_view property;  // the path in the event; empty for static properties
  std::uint32_t rank = 0;     // of two with one name the higher one stays, else the first
};

// Finds entries by name. Forgets all in one step.
class NameIndex {
 public:
  void clear();
  // The place of `name` among `entries`, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name, std::uint64_t hash,
                                                const std::vector<Entry>& entries) const;
  // REQUIRES: find() gave nothing.
  void insert(std::uint64_t hash, std::size_t entry);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t entry = 0;
    std::uint32_t stamp = 0;  // used if it is stamp_
  };

  void place(std::uint64_t hash, std::uint32_t entry);

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::uint32_t stamp_ = 0;
};

// A node of the tree that dotted names make. Indices into Scratch::nodes; 0 is the root, so 0 also
// means none.
struct TreeNode {
  std::string_view key;
  std::uint32_t first_child = 0;
  std::uint32_t last_child = 0;
  std::uint32_t next = 0;
  std::optional<std::uint32_t> entry{};
};

// The keyed HMAC of one secret. Immutable; each Scratch works on its own copy.
struct SigningKey {
  crypto::HmacSha256 hmac;
};

// Copies of signing keys, so that signing needs no lock and no memory.
class SigningKeys {
 public:
  // Valid until the next call.
  [[nodiscard]] crypto::HmacSha256& copy_of(const std::shared_ptr<const SigningKey>& key);

 private:
  struct Slot {
    std::shared_ptr<const SigningKey> key;  // keeps the address from being used again
    std::optional<crypto::HmacSha256> copy;
  };
  static constexpr std::size_t kSlots = 256;

  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
};

struct Scratch {
  enum class Entries : std::uint8_t { none, collecting, ready };

  simdjson::dom::parser parser;
  std::optional<EventDocument> document;
  PropertyValues webhook_values;
  PropertyValues destination_values;
  Arena arena;

  Entries entries_state = Entries::none;
  std::vector<Entry> entries;
  NameIndex names;
  std::vector<TreeNode> nodes;

  std::vector<Value> loops;  // what {{this}} is, innermost last
  std::size_t each_steps = 0;

  std::vector<std::string> notes;  // what had to be cut, in sentences
  std::string body;
  std::string text;        // of one text with placeholders
  std::string entry_text;  // of one static property
  std::string entry_name;  // of the leaf being collected
  SigningKeys signing_keys;

  // Before each render.
  void reset();
};

}  // namespace eilpost::render

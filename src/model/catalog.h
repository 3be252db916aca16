#pragma once
// The catalog: what kinds of events there are, with their labels and typed properties.
//
// The 32 built-in types are data in catalog_data.cpp. Behind them come those that Eilpost itself
// raises, the group `operations`, and those that an administrator adds, the group `custom`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "model/declaration_trie.h"
#include "model/problem.h"
#include "model/property_type.h"

namespace eilpost {

struct Text {
  std::string en;
  std::string de;
};

struct PropertyDeclaration {
  std::string path;  // a pattern may end in '*': wm.userVars.*
  PropertyType type = PropertyType::any;
  Text description;
};

struct EventType {
  std::string code;
  std::string group;  // code of the group: the part before the dot, or operations
  Text label;
  Text description;
  std::vector<PropertyDeclaration> properties;  // those that this type adds
  std::string sample;  // a realistic event as a sender writes it: CloudEvents JSON
  bool is_custom = false;
  bool is_operational = false;  // raised by Eilpost itself (docs/NOTICES.md); no sender has it
  std::uint32_t version = 1;    // grows with every change of a custom one
};

struct EventGroup {
  std::string code;
  Text label;
};

// Whether events of this type are raised by Eilpost itself.
[[nodiscard]] bool is_operational(std::string_view code);

// Immutable once built. Threads: any.
class Catalog {
 public:
  // The built-in types and these custom ones. REQUIRES: the custom ones passed check_custom_type().
  explicit Catalog(std::vector<EventType> custom = {});

  [[nodiscard]] const EventType* find(std::string_view code) const;
  [[nodiscard]] const std::vector<EventType>& types() const { return types_; }
  [[nodiscard]] const std::vector<EventGroup>& groups() const { return groups_; }
  // The properties that every event has; one of Eilpost itself has event.* and created_at only.
  [[nodiscard]] const std::vector<PropertyDeclaration>& common_properties() const {
    return common_;
  }
  // The declared type of a path in events of `type`: its own, then the common ones. What lies
  // inside a declared array, object or `any` is `any`: answers.*.value. Nothing if it is
  // undeclared.
  [[nodiscard]] std::optional<PropertyType> declared_type(const EventType& type,
                                                          std::string_view path) const;
  // The types that a webhook's `event` names: a code, or a group such as "survey.*". Empty: none.
  [[nodiscard]] std::vector<const EventType*> select(std::string_view pattern) const;
  // The code that is most like a misspelt one; empty if none is near enough to be meant.
  [[nodiscard]] std::string_view closest_code(std::string_view code) const;
  // What may stand in the `data` of an event of `type`, for checking it in one walk: every
  // declaration but event.* and created_at, which data cannot give.
  // REQUIRES: `type` is one of types().
  [[nodiscard]] const DeclarationTrie& declarations(const EventType& type) const;

 private:
  std::vector<EventGroup> groups_;
  std::vector<PropertyDeclaration> common_;
  std::vector<EventType> types_;
  std::vector<DeclarationTrie> declarations_;  // of types_, in their order
  DeclarationTrie event_properties_;           // event.*, created_at
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_code_;
};

// Whether `type` may be added: code custom.[a-z0-9_]{1,64}, labels in both languages, each property
// once with a valid path; a common property keeps its type. Pointers are those of the type's JSON:
// /code, /label/de, /properties/0/path.
void check_custom_type(const EventType& type, Problems& problems);

}  // namespace eilpost

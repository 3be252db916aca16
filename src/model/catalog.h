#pragma once
// The catalog: what kinds of events there are, with their labels and typed properties.
//
// The 32 built-in types are data in catalog_data.cpp; an administrator adds custom ones.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/problem.h"

namespace eilpost {

enum class PropertyType : std::uint8_t {
  string,
  integer,
  number,
  boolean,
  array,
  object,
  id,  // a string or an integer
  any,
};

[[nodiscard]] std::string_view to_string(PropertyType type);
[[nodiscard]] std::optional<PropertyType> parse_property_type(std::string_view text);

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
  std::string group;  // code of the group: the part before the dot
  Text label;
  Text description;
  std::vector<PropertyDeclaration> properties;  // those that this type adds
  std::string sample;  // a realistic event as a sender writes it: CloudEvents JSON
  bool is_custom = false;
};

struct EventGroup {
  std::string code;
  Text label;
};

// Immutable once built. Threads: any.
class Catalog {
 public:
  // The built-in types and these custom ones. REQUIRES: the custom ones passed check_custom_type().
  explicit Catalog(std::vector<EventType> custom = {});

  [[nodiscard]] const EventType* find(std::string_view code) const;
  [[nodiscard]] const std::vector<EventType>& types() const { return types_; }
  [[nodiscard]] const std::vector<EventGroup>& groups() const { return groups_; }
  // The properties that every event has.
  [[nodiscard]] const std::vector<PropertyDeclaration>& common_properties() const {
    return common_;
  }
  // The declared type of a path in events of `type`: its own, then the common ones; nothing if it
  // is undeclared.
  [[nodiscard]] std::optional<PropertyType> declared_type(const EventType& type,
                                                          std::string_view path) const;
  // The types that a webhook's `event` names: a code, or a group such as "survey.*". Empty: none.
  [[nodiscard]] std::vector<const EventType*> select(std::string_view pattern) const;

 private:
  std::vector<EventGroup> groups_;
  std::vector<PropertyDeclaration> common_;
  std::vector<EventType> types_;
  std::map<std::string, std::size_t, std::less<>> by_code_;
};

// Whether `type` may be added: code custom.[a-z0-9_]{1,64}, labels in both languages, valid paths.
void check_custom_type(const EventType& type, Problems& problems);

}  // namespace eilpost

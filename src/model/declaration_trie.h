#pragma once
// Declared property types by path, for checking an event while walking through it once.
//
// Invariants: of two declarations of one path the first counts.
// Threads:    build it on one thread; then read it from any.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/property_type.h"

namespace eilpost {

class DeclarationTrie {
 public:
  // A place in declared paths. Valid as long as its trie.
  struct Node {
    std::string segment;
    std::optional<PropertyType> type;     // if a declared path ends here
    std::vector<std::uint32_t> children;  // by name
    std::uint32_t star = 0;               // what any other name leads to; 0: nothing
  };

  DeclarationTrie() : nodes_(1) {}

  // `path` may end in '*'.
  void add(std::string_view path, PropertyType type);

  [[nodiscard]] const Node& root() const { return nodes_.front(); }
  // What one key of an object, or an index of an array, leads to; null if nothing below it is
  // declared.
  [[nodiscard]] const Node* child(const Node& node, std::string_view segment) const;
  // The same for a dotted key: as many steps as it has segments, but what a final '*' stands for
  // may itself hold dots.
  [[nodiscard]] const Node* descend(const Node& node, std::string_view dotted) const;

  // The declared type of a path; what lies inside a declared array, object or `any` is `any`.
  [[nodiscard]] std::optional<PropertyType> type_of(std::string_view path) const;

 private:
  std::vector<Node> nodes_;
};

}  // namespace eilpost

#include "model/declaration_trie.h"

namespace eilpost {
namespace {

// Takes the first segment off a dotted path; `path` is nothing once the last one was taken.
std::string_view take_segment(std::optional<std::string_view>& path) {
  const std::size_t dot = path->find('.');
  const std::string_view segment = path->substr(0, dot);
  if (dot == std::string_view::npos) {
    path.reset();
  } else {
    path->remove_prefix(dot + 1);
  }
  return segment;
}

bool holds_anything(PropertyType type) {
  return type == PropertyType::any || type == PropertyType::array || type == PropertyType::object;
}

}  // namespace

void DeclarationTrie::add(std::string_view path, PropertyType type) {
  std::uint32_t at = 0;
  std::optional rest = path;
  while (rest) {
    const std::string_view segment = take_segment(rest);
    std::uint32_t next = 0;
    if (segment == "*") {
      next = nodes_[at].star;
    } else {
      for (const std::uint32_t child : nodes_[at].children) {
        if (nodes_[child].segment == segment) next = child;
      }
    }
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      if (segment == "*") {
        nodes_[at].star = next;
      } else {
        nodes_[at].children.push_back(next);
      }
      Node node;
      node.segment = segment;
      nodes_.push_back(std::move(node));
    }
    at = next;
  }
  if (!nodes_[at].type) nodes_[at].type = type;
}

const DeclarationTrie::Node* DeclarationTrie::child(const Node& node,
                                                    std::string_view segment) const {
  for (const std::uint32_t index : node.children) {
    const std::string_view name = nodes_[index].segment;
    // Most names differ in length or in their last letter: cheaper than calling memcmp.
    if (name.size() != segment.size() || name.empty() || name.back() != segment.back()) continue;
    if (name == segment) return &nodes_[index];
  }
  return node.star == 0 ? nullptr : &nodes_[node.star];
}

const DeclarationTrie::Node* DeclarationTrie::descend(const Node& node,
                                                      std::string_view dotted) const {
  const Node* at = &node;
  std::optional rest = dotted;
  while (rest && at != nullptr) {
    const Node* next = child(*at, take_segment(rest));
    // The rest of the key is one name, dots and all, if nothing else is declared for it.
    if (at->star != 0 && next == &nodes_[at->star] && next->children.empty()) return next;
    at = next;
  }
  return at;
}

std::optional<PropertyType> DeclarationTrie::type_of(std::string_view path) const {
  const Node* at = &root();
  std::optional rest = path;
  while (rest) {
    if (at->type && holds_anything(*at->type)) return PropertyType::any;
    const Node* next = child(*at, take_segment(rest));
    if (next == nullptr) return std::nullopt;
    if (at->star != 0 && next == &nodes_[at->star] && next->children.empty()) {
      return rest && holds_anything(*next->type) ? PropertyType::any : next->type;
    }
    at = next;
  }
  return at->type;
}

}  // namespace eilpost

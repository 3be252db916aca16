#include "model/catalog.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "model/catalog_data.h"
#include "model/limits.h"

namespace eilpost {
namespace {

constexpr std::string_view kCustomGroup = "custom";

// What the event's own attributes give, whatever is in data.
bool is_event_property(std::string_view path) {
  return path == "created_at" || path == "event" || path.starts_with("event.");
}

PropertyDeclaration to_declaration(const catalog_data::PropertyRow& row) {
  return {.path = std::string(row.path),
          .type = row.type,
          .description = {.en = std::string(row.description_en),
                          .de = std::string(row.description_de)}};
}

std::vector<PropertyDeclaration> to_declarations(std::span<const catalog_data::PropertyRow> rows) {
  std::vector<PropertyDeclaration> result;
  for (const catalog_data::PropertyRow& row : rows) result.push_back(to_declaration(row));
  return result;
}

std::string make_sample(std::string_view code, std::string_view members, std::string_view ctx) {
  std::string sample(catalog_data::kSampleHead);
  sample += code;
  sample += catalog_data::kSampleData;
  sample += members;
  sample += catalog_data::kSampleCtx;
  sample += ctx;
  sample += catalog_data::kSampleTail;
  return sample;
}

std::string make_operation_sample(const catalog_data::TypeRow& row) {
  std::string sample(catalog_data::kSampleHead);
  sample += row.code;
  sample += catalog_data::kOperationSampleData;
  sample += row.sample;
  sample += catalog_data::kOperationSampleTail;
  return sample;
}

EventGroup to_group(const catalog_data::GroupRow& row) {
  return {.code = std::string(row.code),
          .label = {.en = std::string(row.label_en), .de = std::string(row.label_de)}};
}

EventType to_event_type(const catalog_data::TypeRow& row) {
  EventType type;
  type.code = row.code;
  type.group = row.code.substr(0, row.code.find('.'));
  type.label = {.en = std::string(row.label_en), .de = std::string(row.label_de)};
  type.description = {.en = std::string(row.description_en), .de = std::string(row.description_de)};
  if (row.about == catalog_data::About::item) {
    type.properties = to_declarations(catalog_data::kItemProperties);
  }
  for (const catalog_data::PropertyRow& property : row.properties) {
    type.properties.push_back(to_declaration(property));
  }
  if (row.about == catalog_data::About::eilpost) {
    type.group = catalog_data::kOperations.code;
    type.is_operational = true;
    type.sample = make_operation_sample(row);
  } else {
    type.sample = make_sample(row.code, row.sample, row.sample_ctx);
  }
  return type;
}

std::string_view example_of(PropertyType type) {
  switch (type) {
    case PropertyType::string:
    case PropertyType::scalar:
    case PropertyType::any:
      return R"("text")";
    case PropertyType::integer:
      return "42";
    case PropertyType::number:
      return "12.5";
    case PropertyType::boolean:
      return "true";
    case PropertyType::array:
      return R"(["first","second"])";
    case PropertyType::object:
      return R"({"name":"text"})";
    case PropertyType::id:
      return "1001";
  }
  assert_failed("unknown PropertyType");
}

// A custom type has no sample of its own; its properties stand in it as dotted keys.
std::string make_custom_sample(const EventType& type) {
  std::string members;
  for (const PropertyDeclaration& property : type.properties) {
    std::string key = property.path;
    if (key.ends_with('*')) key.replace(key.size() - 1, 1, "example");
    members += '"';
    members += key;
    members += "\":";
    members += example_of(property.type);
    members += ',';
  }
  return make_sample(type.code, members, "");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_operational(std::string_view code) {
  return std::ranges::find(catalog_data::kOperationTypes, code, &catalog_data::TypeRow::code) !=
         catalog_data::kOperationTypes.end();
}

Catalog::Catalog(std::vector<EventType> custom)
    : common_(to_declarations(catalog_data::kCommonProperties)) {
  for (const catalog_data::GroupRow& row : catalog_data::kGroups) {
    groups_.push_back(to_group(row));
  }
  groups_.push_back(to_group(catalog_data::kOperations));
  if (!custom.empty()) {
    groups_.push_back(
        {.code = std::string(kCustomGroup), .label = {.en = "Custom", .de = "Eigene"}});
  }
  for (const catalog_data::TypeRow& row : catalog_data::kTypes) {
    types_.push_back(to_event_type(row));
  }
  for (const catalog_data::TypeRow& row : catalog_data::kOperationTypes) {
    types_.push_back(to_event_type(row));
  }
  for (EventType& type : custom) {
    type.group = kCustomGroup;
    type.is_custom = true;
    if (type.sample.empty()) type.sample = make_custom_sample(type);
    types_.push_back(std::move(type));
  }
  for (const PropertyDeclaration& property : common_) {
    if (is_event_property(property.path)) event_properties_.add(property.path, property.type);
  }
  for (const EventType& type : types_) {
    by_code_.emplace(type.code, by_code_.size());
    DeclarationTrie& trie = declarations_.emplace_back();
    for (const PropertyDeclaration& property : type.properties) {
      trie.add(property.path, property.type);
    }
    if (type.is_operational) continue;
    for (const PropertyDeclaration& property : common_) {
      if (!is_event_property(property.path)) trie.add(property.path, property.type);
    }
  }
  EILPOST_ASSERT(by_code_.size() == types_.size());
}

const EventType* Catalog::find(std::string_view code) const {
  const auto at = by_code_.find(code);
  return at == by_code_.end() ? nullptr : &types_[at->second];
}

std::optional<PropertyType> Catalog::declared_type(const EventType& type,
                                                   std::string_view path) const {
  if (is_event_property(path)) return event_properties_.type_of(path);
  return declarations(type).type_of(path);
}

std::vector<const EventType*> Catalog::select(std::string_view pattern) const {
  std::vector<const EventType*> result;
  const bool is_group = pattern.ends_with(".*");
  if (is_group) pattern.remove_suffix(2);
  for (const EventType& type : types_) {
    if ((is_group ? type.group : type.code) == pattern) result.push_back(&type);
  }
  return result;
}

std::string_view Catalog::closest_code(std::string_view code) const {
  std::string_view best;
  // A longer text is no misspelling of anything; the bound keeps its cost small too.
  if (code.size() > 2 * limits::kTypeBytesMax) return best;
  const std::string wanted = to_ascii_lower(code);
  std::size_t best_distance = std::max<std::size_t>(2, code.size() / 3) + 1;
  for (const EventType& type : types_) {
    const std::size_t distance = edit_distance(wanted, type.code);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = type.code;
  }
  return best;
}

const DeclarationTrie& Catalog::declarations(const EventType& type) const {
  const auto index = static_cast<std::size_t>(&type - types_.data());
  EILPOST_ASSERT(index < declarations_.size());
  return declarations_[index];
}

}  // namespace eilpost

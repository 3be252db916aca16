#pragma once
// The built-in catalog as rows: the one place where event types and their properties are written
// down. Catalog turns it into values.

#include <cstdint>
#include <span>
#include <string_view>

#include "model/property_type.h"

namespace eilpost::catalog_data {

struct GroupRow {
  std::string_view code;
  std::string_view label_en;
  std::string_view label_de;
};

struct PropertyRow {
  std::string_view path;
  PropertyType type;
  std::string_view description_en;
  std::string_view description_de;
};

// Whether events of a type are about one guidance item, and so have oId and oName, about a page, or
// about Eilpost itself.
enum class About : std::uint8_t { item, page, eilpost };

struct TypeRow {
  std::string_view code;
  std::string_view label_en;
  std::string_view label_de;
  std::string_view description_en;
  std::string_view description_de;
  About about;
  std::span<const PropertyRow> properties;
  std::string_view sample;      // members of the sample's data, with a comma behind each
  std::string_view sample_ctx;  // the same of its ctx
};

extern const std::span<const GroupRow> kGroups;
extern const std::span<const PropertyRow> kCommonProperties;
extern const std::span<const PropertyRow> kItemProperties;  // oId, oName
extern const std::span<const TypeRow> kTypes;
extern const GroupRow kOperations;  // of events that Eilpost itself raises: no user, no page
extern const std::span<const TypeRow> kOperationTypes;

// What stands around a type's own members in a sample.
extern const std::string_view kSampleHead;  // up to the value of "type"
extern const std::string_view kSampleData;  // from there to the members of data
extern const std::string_view kSampleCtx;   // from there to the members of ctx
extern const std::string_view kSampleTail;

// The same around a type of kOperationTypes.
extern const std::string_view kOperationSampleData;
extern const std::string_view kOperationSampleTail;

}  // namespace eilpost::catalog_data

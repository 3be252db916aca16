#include "history/seen.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "model/event_document.h"

namespace eilpost::history {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kPathBytesMax = 1000;

PropertyType type_of(element value) {
  switch (value.type()) {
    case element_type::STRING:
      return PropertyType::string;
    case element_type::INT64:
    case element_type::UINT64:
      return PropertyType::integer;
    case element_type::DOUBLE:
      return PropertyType::number;
    case element_type::BOOL:
      return PropertyType::boolean;
    case element_type::ARRAY:
      return PropertyType::array;
    case element_type::OBJECT:
      return PropertyType::object;
    case element_type::NULL_VALUE:
      return PropertyType::any;
  }
  return PropertyType::any;
}

// Ids of users and sessions: nothing to suggest, and nothing to keep.
bool is_personal(std::string_view path) {
  return path == "wm.euId" || path == "sId" || path.starts_with("user.");
}

bool is_number(PropertyType type) {
  return type == PropertyType::integer || type == PropertyType::number;
}

}  // namespace

PropertyType join_types(PropertyType a, PropertyType b) {
  if (a == b) return a;
  return is_number(a) && is_number(b) ? PropertyType::number : PropertyType::any;
}

bool Seen::take_budget(Instant now) {
  if (batch_count_ >= kSeenBatchMax) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - filled_at_).count();
  if (seconds > 0) {
    filled_at_ = now;
    const auto added = static_cast<std::size_t>(std::min<std::int64_t>(seconds, 2));
    budget_ = std::min(budget_ + (added * kSeenPerSecond), 2 * kSeenPerSecond);
  }
  if (budget_ == 0) return false;
  --budget_;
  ++batch_count_;
  return true;
}

void Seen::look_at(const Event& event, Instant now) {
  if (!take_budget(now)) return;
  const Result<EventDocument> document = EventDocument::parse(parser_, event.document);
  if (!document) return;
  note_item(event, document->data());
  note_properties(event, document->data());
}

void Seen::clear() {
  items_.clear();
  properties_.clear();
  values_.clear();
}

void Seen::note_item(const Event& event, simdjson::dom::object data) {
  element id;
  if (data.at_key("oId").get(id) != simdjson::SUCCESS) return;
  if (!id.is_string() && !id.is_int64() && !id.is_uint64()) return;
  std::string id_text = simdjson::minify(id);
  if (id_text.size() > kSeenValueBytesMax) return;
  std::string_view name;
  if (data.at_key("oName").get(name) != simdjson::SUCCESS) name = {};
  const std::string_view group =
      std::string_view(event.type).substr(0, std::string_view(event.type).find('.'));
  Item& item = items_[{std::string(group), std::move(id_text)}];
  if (!name.empty() && name.size() <= kSeenValueBytesMax) item.name = name;
  item.last_seen_at = std::max(item.last_seen_at, event.received_at);
}

void Seen::note_properties(const Event& event, simdjson::dom::object data) {
  struct Place {
    element value;
    std::string path;
  };
  std::vector<Place> open;
  const auto push = [&](const Place& above, std::string_view key, element value) {
    std::string path = above.path;
    if (!path.empty()) path += '.';
    path += key;
    if (!key.empty() && path.size() <= kPathBytesMax) open.push_back({value, std::move(path)});
  };
  for (const auto& [key, value] : data) push({}, key, value);
  while (!open.empty()) {  // Ingest bounds depth and number of properties.
    const Place place = std::move(open.back());
    open.pop_back();
    switch (place.value.type()) {
      case element_type::NULL_VALUE:
        break;  // As if it were missing.
      case element_type::OBJECT:
        for (const auto& [key, value] : simdjson::dom::object(place.value)) {
          push(place, key, value);
        }
        break;
      case element_type::ARRAY:
        note(event, place.path, place.value);
        for (const element value : simdjson::dom::array(place.value)) push(place, "*", value);
        break;
      default:
        note(event, place.path, place.value);
        break;
    }
  }
}

void Seen::note(const Event& event, const std::string& path, element value) {
  const PropertyType type = type_of(value);
  const auto [it, is_new] = properties_.try_emplace({event.type, path}, Property{.type = type});
  if (!is_new) it->second.type = join_types(it->second.type, type);
  ++it->second.count;
  if (type == PropertyType::array || is_personal(path)) return;
  std::string text = simdjson::minify(value);
  if (text.size() > kSeenValueBytesMax) return;
  Value& seen = values_[{event.type, path, std::move(text)}];
  ++seen.count;
  seen.last_seen_at = std::max(seen.last_seen_at, event.received_at);
}

}  // namespace eilpost::history

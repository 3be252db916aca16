// The canonical document of an event: its attributes, then its data with what the server knows
// better written in the place of the client's.

#include <fmt/format.h>

#include "ingest/event_builder.h"
#include "ingest/value_type.h"
#include "model/json_text.h"

namespace eilpost::ingest {

using simdjson::dom::element_type;
using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

void EventBuilder::write_attributes(std::string_view id, std::string_view time) {
  out_ += R"({"event":{"id":)";
  append_json_string(out_, id);
  out_ += R"(,"type":")";
  out_ += type_->code;
  out_ += R"(","name":)";
  append_json_string(out_, type_->label.en);
  out_ += R"(,"time":")";
  out_ += time;
  out_ += R"(","received_at":")";
  out_ += received_at_text_;
  out_ += '"';
  if (!client_time_.empty()) {
    out_ += R"(,"client_time":)";
    append_json_string(out_, client_time_);
  }
  for (const Attribute& attribute : attributes_) {
    out_ += ',';
    append_json_string(out_, attribute.name);
    out_ += ':';
    write_value(attribute.value, {});
  }
  if (!user_.empty()) {
    out_ += R"(,"subject":)";
    append_json_string(out_, user_);
  }
  out_ += R"(},"created_at":)";
  append_json_integer(out_, happened_at_.time_since_epoch().count());
  out_ += R"(,"data":)";
}

void EventBuilder::write_data() {
  const std::size_t begin = out_.size();
  const Place place{.node = &context_->catalog.declarations(*type_).root()};
  bool has_wm = false;
  out_ += '{';
  path_.push_back({.key = "data"});
  if (data_) {
    const Object data = data_->get_object().value_unsafe();
    check_keys(data);
    for (const auto member : data) {
      if (!member.key.starts_with("wm")) {
        write_member(member.key, member.value, place);
        continue;
      }
      if (member.key == "wm.env" || member.key == "wm.envName") continue;
      if (member.key == "wm.euId") {
        path_.push_back({.key = member.key});
        check_value(context_->catalog.declarations(*type_).descend(*place.node, member.key),
                    member.value);
        path_.pop_back();
      } else if (member.key != "wm") {
        write_member(member.key, member.value, place);
      } else if (!member.value.is_null()) {
        has_wm = true;
        write_wm_member(member.value, place);
      }
    }
  }
  if (!has_wm && !type_->is_operational) {
    separate();
    out_ += R"("wm":{)";
    write_wm_missing(false, false, false);
    out_ += '}';
  }
  path_.pop_back();
  const std::size_t size = out_.size() - begin;
  out_ += "}}";
  if (properties_count_ > context_->properties_max) {
    report_at("too_many_properties",
              fmt::format("An event has at most {} properties; this one has {}.",
                          context_->properties_max, properties_count_),
              "/data");
  }
  if (size > context_->data_bytes_max) {
    report_at("event_too_large",
              fmt::format("An event has at most {} bytes.", context_->data_bytes_max), "");
  }
}

// The environment and the end user that count are written in the place of the client's.
void EventBuilder::write_wm_member(Element value, Place place) {
  path_.push_back({.key = "wm"});
  separate();
  out_ += R"("wm":)";
  if (!value.is_object()) {
    report("wrong_type", fmt::format("\"wm\" must be an object; it is {}.", words_for(value)));
  } else {
    place.node = context_->catalog.declarations(*type_).child(*place.node, "wm");
    write_wm(value.get_object().value_unsafe(), place);
  }
  path_.pop_back();
}

void EventBuilder::write_wm(Object wm, Place place) {
  check_keys(wm);
  ++place.depth;
  bool has_user = false;
  bool has_env = false;
  bool has_env_name = false;
  out_ += '{';
  for (const auto member : wm) {
    if (member.key == "env") {
      has_env = true;
      write_env();
    } else if (member.key == "envName") {
      has_env_name = true;
      write_env_name();
    } else if (member.key == "euId") {
      has_user = true;
      path_.push_back({.key = member.key});
      check_value(context_->catalog.declarations(*type_).child(*place.node, member.key),
                  member.value);
      path_.pop_back();
      write_user();
    } else {
      write_member(member.key, member.value, place);
    }
  }
  write_wm_missing(has_user, has_env, has_env_name);
  out_ += '}';
}

void EventBuilder::write_wm_missing(bool has_user, bool has_env, bool has_env_name) {
  if (!has_user) write_user();
  if (!has_env) write_env();
  if (!has_env_name) write_env_name();
}

void EventBuilder::write_user() {
  if (user_.empty()) return;
  separate();
  out_ += R"("euId":)";
  append_json_string(out_, user_);
}

void EventBuilder::write_env() {
  separate();
  out_ += R"("env":)";
  append_json_integer(out_, static_cast<std::uint32_t>(context_->source.environment));
}

void EventBuilder::write_env_name() {
  separate();
  out_ += R"("envName":)";
  append_json_string(out_, context_->source.environment_name);
}

void EventBuilder::separate() {
  if (out_.back() != '{' && out_.back() != '[') out_ += ',';
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by EventContext::depth_max.
void EventBuilder::write_members(Object object, Place place) {
  check_keys(object);
  out_ += '{';
  for (const auto member : object) write_member(member.key, member.value, place);
  out_ += '}';
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by EventContext::depth_max.
void EventBuilder::write_member(std::string_view key, Element value, Place place) {
  path_.push_back({.key = key});
  if (place.node != nullptr) {
    const DeclarationTrie& trie = context_->catalog.declarations(*type_);
    place.node = key.contains('.') ? trie.descend(*place.node, key) : trie.child(*place.node, key);
    check_value(place.node, value);
  }
  separate();
  append_json_string(out_, key);
  out_ += ':';
  if (!place.inside_array && !value.is_object()) ++properties_count_;
  write_value(value, place);
  path_.pop_back();
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by EventContext::depth_max.
void EventBuilder::write_value(Element value, Place place) {
  switch (value.type()) {
    case element_type::ARRAY:
      if (enter(place)) write_elements(value.get_array().value_unsafe(), place);
      return;
    case element_type::OBJECT:
      if (enter(place)) write_members(value.get_object().value_unsafe(), place);
      return;
    case element_type::INT64:
      return append_json_integer(out_, value.get_int64().value_unsafe());
    case element_type::UINT64:
      return append_json_integer(out_, value.get_uint64().value_unsafe());
    case element_type::DOUBLE:
      return append_json_double(out_, value.get_double().value_unsafe());
    case element_type::STRING:
      return append_json_string(out_, value.get_string().value_unsafe());
    case element_type::BOOL:
      out_ += value.get_bool().value_unsafe() ? "true" : "false";
      return;
    case element_type::NULL_VALUE:
      out_ += "null";
      return;
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by EventContext::depth_max.
void EventBuilder::write_elements(simdjson::dom::array array, Place place) {
  const Node* const node = place.node;
  const bool has_declared = node != nullptr && (!node->children.empty() || node->star != 0);
  place.inside_array = true;
  std::size_t index = 0;
  out_ += '[';
  for (const Element value : array) {
    path_.push_back({.index = index});
    place.node = nullptr;
    if (has_declared) {
      place.node = context_->catalog.declarations(*type_).child(*node, std::to_string(index));
      check_value(place.node, value);
    }
    if (index > 0) out_ += ',';
    write_value(value, place);
    path_.pop_back();
    ++index;
  }
  out_ += ']';
}

// One level deeper; false if that is too deep.
bool EventBuilder::enter(Place& place) {
  if (++place.depth <= context_->depth_max) return true;
  report("too_deep", fmt::format("Objects and arrays in \"data\" are nested at most {} deep.",
                                 context_->depth_max));
  return false;
}

}  // namespace eilpost::ingest

#include "ingest/event_builder.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/iso_time.h"
#include "base/utf8.h"
#include "ingest/value_type.h"
#include "model/json_text.h"
#include "model/limits.h"

namespace eilpost::ingest {
namespace {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr std::size_t kShownBytesMax = 100;
// Up to here comparing every pair of keys is faster than sorting them.
constexpr std::size_t kPairwiseKeysMax = 16;

// Attributes that the server itself gives: a sender's own are dropped.
constexpr std::array<std::string_view, 3> kServerAttributes = {"name", "received_at",
                                                               "client_time"};
constexpr std::array<std::string_view, 4> kTextAttributes = {"source", "datacontenttype",
                                                             "dataschema", "specversion"};

std::string_view shown(std::string_view text) {
  return truncate_to_bytes(text, kShownBytesMax);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

// Most keys differ in length or in their last letter: cheaper than calling memcmp.
bool is_same_key(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || (a.back() == b.back() && a == b));
}

std::string make_uuid(Random& random) {
  const std::uint64_t first = random.next();
  const std::uint64_t second = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", first >> 32U, (first >> 16U) & 0xFFFFU,
                     first & 0xFFFU, 0x8000U | ((second >> 48U) & 0x3FFFU),
                     second & 0xFFFF'FFFF'FFFFU);
}

}  // namespace

std::optional<Event> EventBuilder::build(const EventContext& context, Element element,
                                         std::vector<Problem>& problems) {
  context_ = &context;
  problems_ = &problems;
  problems_before_ = problems.size();
  type_ = nullptr;
  has_type_member_ = false;
  id_ = type_code_ = subject_ = time_ = data_ = std::nullopt;
  attributes_.clear();
  user_ = {};
  client_time_ = {};
  properties_count_ = 0;
  path_.clear();
  if (context.received_at != received_at_ || received_at_text_.empty()) {
    received_at_ = context.received_at;
    received_at_text_ = format_iso_time(received_at_);
  }
  if (!element.is_object()) {
    report("not_an_object",
           fmt::format("An event is a JSON object; this is {}.", words_for(element)));
    return std::nullopt;
  }
  const Object object = element.get_object().value_unsafe();
  if (!check_keys(object)) return std::nullopt;
  read_attributes(object);
  // Every check runs, so that a sender sees all that is wrong at once.
  const bool has_good_id = check_id();
  const bool has_good_type = check_type(context.catalog);
  const bool has_good_user = find_user();
  const bool has_good_time = read_time();
  if (!has_good_type) return std::nullopt;
  Event event;
  event.id = has_good_id && id_ ? std::string(text_of(id_)) : make_uuid(random_);
  if (!has_good_id || !has_good_user || !has_good_time) happened_at_ = received_at_;
  const std::string time = format_iso_time(happened_at_);
  out_.clear();
  write_attributes(event.id, time);
  write_data();
  if (!ok()) return std::nullopt;
  event.type = type_->code;
  event.user = user_;
  event.environment = context.source.environment;
  event.source = context.source.id;
  event.time = happened_at_;
  event.received_at = received_at_;
  event.document = out_;
  return event;
}

void EventBuilder::read_attributes(Object event) {
  for (const auto member : event) {
    if (member.value.is_null()) continue;
    path_.push_back({.key = member.key});
    read_attribute(member.key, member.value);
    path_.pop_back();
  }
}

void EventBuilder::read_attribute(std::string_view name, Element value) {
  const auto keep_text = [&](std::optional<Element>& target) {
    if (value.is_string()) {
      target = value;
    } else {
      report("wrong_type",
             fmt::format("\"{}\" must be a string; it is {}.", name, words_for(value)));
    }
  };
  if (name == "data") {
    if (value.is_object()) {
      data_ = value;
    } else {
      report("wrong_type", fmt::format("\"data\" must be an object; it is {}.", words_for(value)));
    }
    return;
  }
  if (name == "id") return keep_text(id_);
  if (name == "type") {
    has_type_member_ = true;
    return keep_text(type_code_);
  }
  if (name == "subject") return keep_text(subject_);
  if (name == "time") return keep_text(time_);
  if (std::ranges::find(kServerAttributes, name) != kServerAttributes.end()) return;
  if (name == "data_base64") {
    report("data_base64_not_supported",
           "An event's data is a JSON object in \"data\"; \"data_base64\" is not supported.");
    return;
  }
  if (is_container(value)) {
    report("invalid_attribute",
           fmt::format("\"{}\" is {} beside \"data\": an event's properties belong into \"data\".",
                       shown(name), words_for(value)));
    return;
  }
  std::optional<Element> text = value;
  if (std::ranges::find(kTextAttributes, name) != kTextAttributes.end()) {
    text.reset();
    keep_text(text);
  }
  if (!text) return;
  if (name != "specversion") {
    attributes_.push_back({.name = name, .value = value});
    ++properties_count_;  // It becomes event.NAME, a property like those in "data".
  } else if (!text_of(text).starts_with("1.")) {
    report("unsupported_specversion",
           fmt::format("CloudEvents {} is not known here: leave \"specversion\" out or send 1.0.",
                       shown(text_of(text))));
  }
}

std::string_view EventBuilder::text_of(const std::optional<Element>& value) const {
  return value ? value->get_string().value_unsafe() : std::string_view();
}

bool EventBuilder::check_id() {
  if (!id_) return true;
  const std::string_view id = text_of(id_);
  if (!id.empty() && id.size() <= limits::kEventIdBytesMax && !has_control(id)) return true;
  report_at(
      "invalid_id",
      fmt::format("An event's id has 1 to {} bytes and no control characters; leave it out to "
                  "have one made.",
                  limits::kEventIdBytesMax),
      "/id");
  return false;
}

bool EventBuilder::check_type(const Catalog& catalog) {
  if (!type_code_) {
    if (!has_type_member_) {
      report_at("type_missing", "An event needs a \"type\", such as \"survey.submitted\".",
                "/type");
    }
    return false;
  }
  const std::string_view code = text_of(type_code_);
  type_ = catalog.find(code);
  if (type_ != nullptr && type_->is_operational && !context_->takes_operations) {
    report_at("operations_type",
              fmt::format("\"{}\" is an event that Eilpost itself raises; it cannot be sent.",
                          type_->code),
              "/type");
    return false;
  }
  if (type_ != nullptr) return true;
  std::string detail = fmt::format("\"{}\" is not an event type.", shown(code));
  const std::string_view closest = catalog.closest_code(code);
  if (!closest.empty()) detail += fmt::format(" Did you mean \"{}\"?", closest);
  report_at("unknown_type", detail, "/type");
  return false;
}

// The end user: wm.euId, its dotted key before the nested one; else the subject.
bool EventBuilder::find_user() {
  std::string_view literal;
  std::string_view nested;
  if (data_) {
    for (const auto member : data_->get_object().value_unsafe()) {
      if (member.key == "wm.euId" && member.value.is_string()) {
        literal = member.value.get_string().value_unsafe();
      } else if (member.key == "wm" && member.value.is_object()) {
        const auto user = member.value.at_key("euId");
        if (user.error() == simdjson::SUCCESS && user.is_string())
          nested = user.get_string().value_unsafe();
      }
    }
  }
  if (!literal.empty()) {
    user_ = literal;
    return check_user(user_, "/data/wm.euId");
  }
  if (!nested.empty()) {
    user_ = nested;
    return check_user(user_, "/data/wm/euId");
  }
  user_ = text_of(subject_);
  return check_user(user_, "/subject");
}

bool EventBuilder::check_user(std::string_view user, std::string_view pointer) {
  if (user.size() <= limits::kUserBytesMax && !has_control(user)) return true;
  report_at("invalid_user",
            fmt::format("An end user's id has at most {} bytes and no control characters.",
                        limits::kUserBytesMax),
            pointer);
  return false;
}

bool EventBuilder::read_time() {
  happened_at_ = received_at_;
  if (!time_) return true;
  const std::string_view text = text_of(time_);
  const std::optional<WallTime> time = parse_iso_time(text);
  if (!time) {
    report_at("invalid_time",
              fmt::format("\"{}\" is not a time with an offset as RFC 3339 has it, such as "
                          "2026-11-24T09:00:00.123Z.",
                          shown(text)),
              "/time");
    return false;
  }
  happened_at_ = std::clamp(*time + context_->skew, kWallTimeMin, kWallTimeMax);
  // In milliseconds: eight thousand years in nanoseconds would overflow.
  if (happened_at_ - received_at_ > std::chrono::floor<WallTime::duration>(limits::kFutureMax)) {
    happened_at_ = received_at_;
    client_time_ = text;
  }
  return true;
}

bool EventBuilder::check_keys(Object object) {
  keys_.clear();
  for (const auto member : object) keys_.push_back(member.key);
  std::string_view repeated;
  if (keys_.size() <= kPairwiseKeysMax) {
    for (std::size_t i = 1; i < keys_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (is_same_key(keys_[i], keys_[j])) repeated = keys_[i];
      }
    }
  } else {
    std::ranges::sort(keys_);
    const auto at = std::ranges::adjacent_find(keys_);
    if (at != keys_.end()) repeated = *at;
  }
  if (repeated.data() == nullptr) return true;
  path_.push_back({.key = repeated});
  report("duplicate_key",
         fmt::format("The key \"{}\" stands twice in one object.", shown(repeated)));
  path_.pop_back();
  return false;
}

void EventBuilder::check_value(const Node* node, Element value) {
  if (node == nullptr || !node->type || value.is_null() || has_type(value, *node->type)) return;
  std::string name;
  for (std::size_t i = 1; i < path_.size(); ++i) {
    if (i > 1) name += '.';
    name +=
        path_[i].key.data() == nullptr ? std::to_string(path_[i].index) : std::string(path_[i].key);
  }
  report("wrong_type", fmt::format("\"{}\" must be {}; it is {}.", shown(name),
                                   words_for(*node->type), words_for(value)));
}

std::string EventBuilder::pointer() const {
  std::string result;
  for (const Step& step : path_) {
    if (step.key.data() == nullptr) {
      append_pointer_token(result, std::to_string(step.index));
    } else {
      append_pointer_token(result, step.key);
    }
  }
  return result;
}

void EventBuilder::report_at(std::string_view code, std::string_view detail,
                             std::string_view pointer) {
  if (problems_->size() - problems_before_ >= kProblemsPerEventMax) return;
  problems_->push_back(
      {.code = std::string(code), .detail = std::string(detail), .pointer = std::string(pointer)});
}

}  // namespace eilpost::ingest

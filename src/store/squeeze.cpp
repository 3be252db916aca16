#include "store/squeeze.h"

#include <charconv>

#include "base/iso_time.h"

namespace eilpost::store {
namespace {

constexpr std::string_view kBeforeId = R"({"event":{"id":")";
constexpr std::string_view kBeforeType = R"(","type":")";
constexpr std::string_view kBeforeName = R"(","name":")";
constexpr std::string_view kBeforeTime = R"(","time":")";
constexpr std::string_view kBeforeReceived = R"(","received_at":")";
constexpr std::string_view kBeforeCreated = R"(},"created_at":)";
constexpr std::string_view kBeforeData = R"(,"data":)";

// Takes `expected` off the front of `text`; false if it does not begin so.
bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::string times_text(const Event& event) {
  std::string text;
  text.reserve(kBeforeTime.size() + kBeforeReceived.size() + 2 * kIsoTimeBytes + 1);
  text += kBeforeTime;
  append_iso_time(text, event.time);
  text += kBeforeReceived;
  append_iso_time(text, event.received_at);
  text += '"';
  return text;
}

std::string created_text(const Event& event) {
  char digits[24];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, event.time.time_since_epoch().count());
  std::string text;
  text.reserve(kBeforeCreated.size() + sizeof digits + kBeforeData.size());
  text += kBeforeCreated;
  text.append(digits, end.ptr);
  text += kBeforeData;
  return text;
}

}  // namespace

std::optional<Squeezed> squeeze(const Event& event) {
  std::string_view rest = event.document;
  if (!take(rest, kBeforeId) || !take(rest, event.id)) return std::nullopt;
  if (!take(rest, kBeforeType) || !take(rest, event.type)) return std::nullopt;
  if (!take(rest, kBeforeName)) return std::nullopt;

  const std::string times = times_text(event);
  const std::size_t name_size = rest.find(times);
  if (name_size == std::string_view::npos) return std::nullopt;
  const std::string_view name = rest.substr(0, name_size);
  rest.remove_prefix(name_size + times.size());

  const std::string created = created_text(event);
  const std::size_t middle_size = rest.find(created);
  if (middle_size == std::string_view::npos) return std::nullopt;
  return Squeezed{.name = name,
                  .middle = rest.substr(0, middle_size),
                  .tail = rest.substr(middle_size + created.size())};
}

std::string unsqueeze(const Event& event, const Squeezed& pieces) {
  const std::string times = times_text(event);
  const std::string created = created_text(event);
  std::string document;
  document.reserve(kBeforeId.size() + event.id.size() + kBeforeType.size() + event.type.size() +
                   kBeforeName.size() + pieces.name.size() + times.size() + pieces.middle.size() +
                   created.size() + pieces.tail.size());
  document += kBeforeId;
  document += event.id;
  document += kBeforeType;
  document += event.type;
  document += kBeforeName;
  document += pieces.name;
  document += times;
  document += pieces.middle;
  document += created;
  document += pieces.tail;
  return document;
}

}  // namespace eilpost::store

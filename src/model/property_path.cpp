#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "model/event_document.h"

namespace eilpost {
namespace {

std::unexpected<Error> bad_path(std::string detail) {
  return fail(ErrorCode::bad_input, std::move(detail));
}

Result<void> check_segment(std::string_view segment, std::string_view shown) {
  if (segment.empty()) {
    return bad_path(fmt::format(
        "\"{}\" has an empty part: between two dots stands a name, as in wm.euId.", shown));
  }
  if (segment.size() > PropertyPath::kSegmentBytesMax) {
    return bad_path(fmt::format("A part of a property's path has at most {} bytes; \"{}…\" has {}.",
                                PropertyPath::kSegmentBytesMax, truncate_to_bytes(segment, 40),
                                segment.size()));
  }
  if (is_ascii_space(segment.front()) || is_ascii_space(segment.back())) {
    return bad_path(fmt::format("\"{}\" has a blank beside a dot or at an end: remove it.", shown));
  }
  if (segment != "*" && segment.contains('*')) {
    return bad_path(fmt::format(
        "In \"{}\" the * must stand alone between two dots, as in answers.*.value.", shown));
  }
  return {};
}

}  // namespace

bool PropertyPath::has_wildcard() const {
  return std::ranges::find(segments, "*") != segments.end();
}

std::string PropertyPath::to_string() const {
  return fmt::format("{}", fmt::join(segments, "."));
}

Result<PropertyPath> PropertyPath::parse(std::string_view text) {
  if (text.empty()) return bad_path("A property's path is empty: name one, such as wm.euId.");
  if (!is_valid_utf8(text)) return bad_path("A property's path is not valid UTF-8.");
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (std::ranges::any_of(text, is_control)) {
    return bad_path(
        "A property's path holds a control character, such as a line break: remove it.");
  }
  const std::string_view shown = truncate_to_bytes(text, kSegmentBytesMax);
  PropertyPath path;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view segment = text.substr(begin, end - begin);
    if (path.segments.size() == kSegmentsMax) {
      return bad_path(fmt::format("A property's path has at most {} parts.", kSegmentsMax));
    }
    EILPOST_RETURN_IF_ERROR(check_segment(segment, shown));
    path.segments.emplace_back(segment);
    begin = end + 1;
  }
  return path;
}

}  // namespace eilpost

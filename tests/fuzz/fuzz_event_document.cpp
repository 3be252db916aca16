// Any paths must be read from any document without a crash, and a path must read the same whether
// it is looked up alone or together with others.
//
// Format of the input: paths, one a line, an empty line, then the event's data as JSON.

#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "model/event_document.h"

namespace {

using namespace eilpost;

constexpr std::size_t kPathsMax = 40;

std::vector<PropertyPath> read_paths(std::string_view& input) {
  std::vector<PropertyPath> paths;
  while (!input.empty() && paths.size() < kPathsMax) {
    const std::size_t end = input.find('\n');
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (line.empty()) break;
    auto path = PropertyPath::parse(line);
    if (!path) continue;
    EILPOST_ASSERT(path->to_string() == line);
    paths.push_back(*std::move(path));
  }
  return paths;
}

// What is at a slot, as text.
std::string shown(const PropertyValues& values, std::size_t slot) {
  std::string text = values.is_null(slot) ? "null" : "";
  if (const auto value = values.value(slot)) text = simdjson::minify(*value);
  for (const WildcardMatch& match : values.matches(slot)) {
    text += fmt::format("{}={};", fmt::join(match.stars, "/"), simdjson::minify(match.value));
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  simdjson::dom::parser parser;
  if (const auto raw = EventDocument::parse(parser, input)) {
    EILPOST_ASSERT(raw->created_at().is_int64());
  }
  const std::vector<PropertyPath> paths = read_paths(input);
  const auto document = EventDocument::parse(
      parser, fmt::format(R"({{"event":{{"id":"e1"}},"created_at":1,"data":{}}})", input));
  if (!document) return 0;

  PropertyTrie together;
  std::vector<std::size_t> slots;
  for (const PropertyPath& path : paths) slots.push_back(together.add(path));
  PropertyValues values;
  together.walk(*document, values);
  PropertyValues alone_values;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    PropertyTrie alone;
    const std::size_t slot = alone.add(paths[i]);
    alone.walk(*document, alone_values);
    EILPOST_ASSERT(shown(alone_values, slot) == shown(values, slots[i]));
    EILPOST_ASSERT(paths[i].has_wildcard() ? !values.value(slots[i]).has_value()
                                           : values.matches(slots[i]).empty());
  }
  return 0;
}

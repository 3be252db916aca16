#pragma once
// For tests: the time zones of this machine.

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace eilpost::render {

inline std::optional<std::string> read_zone_file(std::string_view name) {
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace eilpost::render

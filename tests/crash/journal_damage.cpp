#include "crash/journal_damage.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace eilpost::crash {
namespace {

constexpr std::string_view kFrameMagic = "EFRM";

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

}  // namespace

std::vector<std::string> files_of(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

Result<Place> find_event(const std::string& journal, std::string_view id) {
  // A text of the journal has its length before it.
  const std::string needle = static_cast<char>(id.size()) + std::string(id);
  for (const std::string& path : files_of(journal, "segment-")) {
    const std::size_t at = read_text(path).find(needle);
    if (at != std::string::npos) return Place{.path = path, .offset = at + 1};
  }
  return fail(ErrorCode::not_found, fmt::format("event {} is not in the journal", id));
}

Result<FrameText> read_frame(const Place& place) {
  const std::string bytes = read_text(place.path);
  const std::size_t begin = bytes.rfind(kFrameMagic, place.offset);
  if (begin == std::string::npos) return fail(ErrorCode::not_found, "no frame is there");
  const std::size_t end = bytes.find(kFrameMagic, std::max<std::size_t>(place.offset, begin + 1));
  return FrameText{.begin = {.path = place.path, .offset = begin},
                   .bytes = bytes.substr(begin, end == std::string::npos ? end : end - begin)};
}

std::vector<std::string> ids_in(std::string_view bytes, std::string_view prefix) {
  std::vector<std::string> ids;
  const std::string beginning = fmt::format("{}-", prefix);
  for (std::size_t at = bytes.find(beginning); at != std::string_view::npos;
       at = bytes.find(beginning, at + 1)) {
    std::size_t end = at + beginning.size();
    while (end < bytes.size() && is_digit(bytes[end])) ++end;
    if (end > at + beginning.size()) ids.emplace_back(bytes.substr(at, end - at));
  }
  return ids;
}

Result<void> flip_bit(const Place& place, unsigned bit) {
  const int file = ::open(place.path.c_str(), O_RDWR | O_CLOEXEC);
  const auto offset = static_cast<off_t>(place.offset);
  unsigned char byte = 0;
  bool is_done = file >= 0 && ::pread(file, &byte, 1, offset) == 1;
  byte = static_cast<unsigned char>(byte ^ (1U << bit));
  is_done = is_done && ::pwrite(file, &byte, 1, offset) == 1;
  if (file >= 0) ::close(file);
  if (is_done) return {};
  return fail(ErrorCode::disk_failed, fmt::format("{}, offset {}", place.path, place.offset));
}

}  // namespace eilpost::crash

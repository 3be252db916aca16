#pragma once
// A copy of a text with readable bytes behind it, as the JSON parser needs them.

#include <cstddef>
#include <cstring>
#include <simdjson.h>
#include <string_view>
#include <vector>

namespace eilpost::ingest {

// Keeps its memory from text to text.
class PaddedBuffer {
 public:
  // The copy is valid until the next call.
  std::string_view assign(std::string_view text) {
    if (bytes_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
      bytes_.resize(text.size() + simdjson::SIMDJSON_PADDING);
    }
    if (!text.empty()) std::memcpy(bytes_.data(), text.data(), text.size());
    std::memset(bytes_.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);
    return {bytes_.data(), text.size()};
  }

 private:
  std::vector<char> bytes_;
};

}  // namespace eilpost::ingest

// A time that is understood is written in a form that means the same moment.
//
// Format of the input: an ISO 8601 time, or a date of HTTP.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/iso_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eilpost;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto time = parse_iso_time(input)) {
    EILPOST_ASSERT(parse_iso_time(format_iso_time(*time)) == time);
  }
  const WallTime now{std::chrono::milliseconds(1'795'510'800'000)};
  if (const auto time = parse_http_date(input, now)) {
    EILPOST_ASSERT(parse_http_date(format_http_date(*time), now) == time);
  }
  return 0;
}

// Any bytes are a time zone or not; one that is answers for every moment with an offset of less
// than the 26 hours that RFC 9636 allows.
//
// Format of the input: the bytes of a TZif file, or a POSIX TZ string.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/assert.h"
#include "render/time_zone.h"

namespace {

using namespace eilpost;

constexpr std::int64_t kMoments[] = {-62'135'596'800, -1, 0, 1'790'000'000, 4'102'444'800,
                                     253'402'300'799};
constexpr std::int32_t kOffsetMax = 26 * 3600;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto rule = render::ZoneRule::parse(input)) {
    for (const std::int64_t moment : kMoments) (void)rule->at(moment);
  }
  if (const auto zone = render::TimeZone::parse(input)) {
    for (const std::int64_t moment : kMoments) {
      EILPOST_ASSERT(std::abs((*zone)->at(moment).seconds) < kOffsetMax);
    }
  }
  return 0;
}

#include "http/inflate.h"

#include <algorithm>
#include <limits>
#include <zlib.h>

namespace eilpost::http {
namespace {

constexpr int kWindowBitsGzipOnly = 15 + 16;
constexpr std::size_t kGrowthBytesMin = 4UL * 1024;
constexpr std::size_t kGrowthBytesMax = 256UL * 1024;

// Owns zlib's state.
class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, kWindowBitsGzipOnly) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }

  [[nodiscard]] bool is_ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

Result<std::string> inflate_gzip(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) {
    return fail(ErrorCode::too_large, "the gzip data is too large");
  }
  Inflater inflater;
  if (!inflater.is_ready()) return fail(ErrorCode::bad_input, "zlib could not begin");
  z_stream& stream = inflater.stream();
  // zlib's interface is older than const; it does not write here.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());

  std::string out;
  std::size_t produced = 0;
  while (true) {
    // One byte more than allowed, to tell the limit from what exceeds it.
    const std::size_t growth = std::clamp(produced, kGrowthBytesMin, kGrowthBytesMax);
    const std::size_t room = std::min(growth, bytes_max - produced + 1);
    out.resize(produced + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    produced += room - stream.avail_out;
    if (produced > bytes_max) {
      return fail(ErrorCode::too_large, "the inflated data is larger than the limit");
    }
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return fail(ErrorCode::bad_input, "zlib could not go on");
      continue;
    }
    const bool is_cut_short = stream.avail_in == 0 && stream.avail_out > 0;
    if (status != Z_OK || is_cut_short) {
      return fail(ErrorCode::bad_input,
                  stream.msg == nullptr ? "the gzip data is cut short" : std::string(stream.msg));
    }
  }
  out.resize(produced);
  return out;
}

}  // namespace eilpost::http

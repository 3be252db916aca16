#pragma once
// Compression of many records together, because one alone hardly gets smaller.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace eilpost::history {

inline constexpr std::size_t kBlockBytes = 256 * 1024;  // of records, about
inline constexpr std::size_t kBlockBytesMax = 64 * 1024 * 1024;

// Makes and opens blocks. Threads: one.
class BlockCodec final {
 public:
  BlockCodec();
  ~BlockCodec();
  BlockCodec(const BlockCodec&) = delete;
  BlockCodec& operator=(const BlockCodec&) = delete;

  // The view lives until the next call. REQUIRES: text.size() <= kBlockBytesMax.
  [[nodiscard]] ByteView compress(std::string_view text);
  // Errors: database_corrupt.
  [[nodiscard]] Result<std::string> decompress(ByteView block);

 private:
  ZSTD_CCtx_s* compressor_;
  ZSTD_DCtx_s* decompressor_;
  Bytes buffer_;
};

}  // namespace eilpost::history

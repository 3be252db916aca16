#include "history/bodies.h"

#include <zstd.h>

#include "base/assert.h"

namespace eilpost::history {
namespace {

constexpr int kLevel = 1;

}  // namespace

BlockCodec::BlockCodec() : compressor_(ZSTD_createCCtx()), decompressor_(ZSTD_createDCtx()) {
  EILPOST_ASSERT(compressor_ != nullptr);
  EILPOST_ASSERT(decompressor_ != nullptr);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_checksumFlag, 1);
}

BlockCodec::~BlockCodec() {
  ZSTD_freeCCtx(compressor_);
  ZSTD_freeDCtx(decompressor_);
}

ByteView BlockCodec::compress(std::string_view text) {
  EILPOST_ASSERT(text.size() <= kBlockBytesMax);
  const std::size_t bound = ZSTD_compressBound(text.size());
  if (buffer_.size() < bound) buffer_.resize(bound);
  const std::size_t size =
      ZSTD_compress2(compressor_, buffer_.data(), buffer_.size(), text.data(), text.size());
  EILPOST_ASSERT(ZSTD_isError(size) == 0);  // The bound is large enough for anything.
  return {buffer_.data(), size};
}

Result<std::string> BlockCodec::decompress(ByteView block) {
  const unsigned long long size = ZSTD_getFrameContentSize(block.data(), block.size());
  if (size > kBlockBytesMax) {  // Also what stands for an error or an unknown size.
    return fail(ErrorCode::database_corrupt, "A block of events has no valid header.");
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  const std::size_t got =
      ZSTD_decompressDCtx(decompressor_, text.data(), text.size(), block.data(), block.size());
  if (ZSTD_isError(got) != 0 || got != text.size()) {
    return fail(ErrorCode::database_corrupt, "A block of events is damaged.");
  }
  return text;
}

}  // namespace eilpost::history

#include "http/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/random.h"

namespace eilpost::http {
namespace {

std::string deflate_gzip(std::string_view text, int window_bits = 15 + 16) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(InflateGzip, ReadsBackAnySize) {
  Random random(1);
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100'000U, 2'000'000U}) {
    std::string text(size, 'x');
    for (char& c : text) c = static_cast<char>('a' + random.below(20));
    const Result<std::string> inflated = inflate_gzip(deflate_gzip(text), size);
    ASSERT_TRUE(inflated) << size << " " << inflated.error().detail;
    EXPECT_EQ(*inflated, text);
  }
}

TEST(InflateGzip, LimitIsExact) {
  const std::string bytes = deflate_gzip(std::string(10'000, 'x'));
  EXPECT_TRUE(inflate_gzip(bytes, 10'000));
  const Result<std::string> result = inflate_gzip(bytes, 9'999);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
  EXPECT_EQ(inflate_gzip(deflate_gzip("x"), 0).error().code, ErrorCode::too_large);
  EXPECT_EQ(inflate_gzip(deflate_gzip(""), 0).value(), "");
}

TEST(InflateGzip, BombIsStoppedAtTheLimit) {
  const std::string bytes = deflate_gzip(std::string(100'000'000, '\0'));
  EXPECT_LT(bytes.size(), 110'000U);
  EXPECT_EQ(inflate_gzip(bytes, 1U << 20U).error().code, ErrorCode::too_large);
}

TEST(InflateGzip, MembersFollowEachOther) {
  const std::string bytes = deflate_gzip("one,") + deflate_gzip("") + deflate_gzip("two");
  EXPECT_EQ(inflate_gzip(bytes, 7).value(), "one,two");
  EXPECT_EQ(inflate_gzip(bytes, 6).error().code, ErrorCode::too_large);
}

TEST(InflateGzip, BadInputIsRefused) {
  const std::string good = deflate_gzip("some text, some text, some more text");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Result<std::string> result = inflate_gzip(std::string_view(good).substr(0, size), 1000);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  }
  std::string wrong_checksum = good;
  wrong_checksum[good.size() - 8] ^= 1;
  const std::string raw = deflate_gzip("text", -15);
  const std::string zlib = deflate_gzip("text", 15);
  for (const std::string& bytes : {wrong_checksum, good + "x", good + good.substr(0, 15), raw, zlib,
                                   std::string("{\"type\":\"x\"}")}) {
    const Result<std::string> result = inflate_gzip(bytes, 1000);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace eilpost::http

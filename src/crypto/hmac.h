#pragma once
// HMAC-SHA256 with a kept key, so that what depends on the key alone is computed once; and other
// digests without.

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace eilpost::crypto {

// Threads: one at a time. A moved-from object is only good for being destroyed or assigned to.
class HmacSha256 {
 public:
  // A key of any length, also an empty one.
  explicit HmacSha256(ByteView key);
  HmacSha256(HmacSha256&& other) noexcept;
  HmacSha256& operator=(HmacSha256&& other) noexcept;
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  ~HmacSha256();

  // Another one with the same key, at the beginning of a message. Also from several threads at
  // once, as long as nobody signs with this one.
  [[nodiscard]] HmacSha256 copy() const;

  // The code of the whole message.
  [[nodiscard]] Sha256 sign(ByteView message);

  // The same in parts: any number of add(), then finish(), which begins anew.
  void add(ByteView part);
  [[nodiscard]] Sha256 finish();

 private:
  struct State;
  explicit HmacSha256(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

enum class HmacDigest : std::uint8_t { sha1, sha256, sha512 };

// The code of a whole message, without keeping the key.
[[nodiscard]] Bytes hmac(HmacDigest digest, ByteView key, ByteView message);

}  // namespace eilpost::crypto

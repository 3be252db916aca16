#include "crypto/password.h"

#include <array>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/sodium.h"

namespace eilpost::crypto {
namespace {

using internal::ensure_sodium;
using internal::raw;
using internal::target;

constexpr std::size_t kHashBytes = 32;
constexpr std::uint32_t kMemoryKibMin = 8;
constexpr std::uint32_t kMemoryKibMax = 4U * 1024 * 1024;
constexpr std::uint32_t kPassesMax = 100;

// The text form has standard base64 without padding.
std::string encode_unpadded(ByteView bytes) {
  std::string text = encode_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string head_of(const PasswordCost& cost) {
  return fmt::format("$argon2id$v=19$m={},t={},p=1$", cost.memory_kib, cost.passes);
}

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordCost& cost,
                                  env::Entropy& entropy) {
  ensure_sodium();
  EILPOST_ASSERT(cost.memory_kib >= kMemoryKibMin && cost.memory_kib <= kMemoryKibMax);
  EILPOST_ASSERT(cost.passes >= 1 && cost.passes <= kPassesMax);
  if (password.size() > kPasswordBytesMax) return fail(ErrorCode::bad_input, "password too long");

  // libsodium would draw the salt itself; here all chance comes from the Entropy that was given.
  std::array<std::byte, crypto_pwhash_argon2id_SALTBYTES> salt{};
  entropy.fill(salt);
  std::array<std::byte, kHashBytes> hash{};
  const int failed = crypto_pwhash_argon2id(
      target(std::span(hash)), hash.size(), password.data(), password.size(), raw(ByteView(salt)),
      cost.passes, std::size_t{cost.memory_kib} * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return fail(ErrorCode::crypto_failed, "argon2id: out of memory");
  return head_of(cost) + encode_unpadded(salt) + "$" + encode_unpadded(hash);
}

bool verify_password(std::string_view password, const std::string& hash) {
  ensure_sodium();
  if (password.size() > kPasswordBytesMax) return false;
  if (hash.size() >= crypto_pwhash_argon2id_STRBYTES) return false;
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool needs_hashing_again(const std::string& hash, const PasswordCost& cost) {
  return !hash.starts_with(head_of(cost));
}

}  // namespace eilpost::crypto

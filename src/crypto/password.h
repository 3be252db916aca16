#pragma once
// Passwords of people, hashed with argon2id. Slow on purpose: call it on a Worker.
//
// Format: the usual text, $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
// Threads: any.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/entropy.h"

namespace eilpost::crypto {

inline constexpr std::size_t kPasswordBytesMax = 1024;

// What one hash costs; by default what OWASP asks for, which takes some 30 ms.
// REQUIRES: memory_kib from 8 to 4 Mi, passes from 1 to 100.
struct PasswordCost {
  std::uint32_t memory_kib = 19'456;
  std::uint32_t passes = 2;
};

// For tests.
inline constexpr PasswordCost kPasswordCostLowest{.memory_kib = 8, .passes = 1};

// Errors: bad_input above kPasswordBytesMax; crypto_failed when memory is short.
[[nodiscard]] Result<std::string> hash_password(std::string_view password, const PasswordCost& cost,
                                                env::Entropy& entropy);

// False too if `hash` is not a hash of this kind.
[[nodiscard]] bool verify_password(std::string_view password, const std::string& hash);

// Whether the hash was made with another cost, so that it should be made anew when the password is
// next known.
[[nodiscard]] bool needs_hashing_again(const std::string& hash, const PasswordCost& cost);

}  // namespace eilpost::crypto

#pragma once
// A private key in PEM, for signing JSON Web Tokens (RFC 7518, RFC 8037).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace eilpost::crypto {

// The enumerators are in the order of kNames in private_key.cpp.
enum class JwtAlgorithm : std::uint8_t { rs256, ps256, es256, es384, ed_dsa };

// RS256, PS256, ES256, ES384, EdDSA.
[[nodiscard]] std::string_view name_of(JwtAlgorithm algorithm);
[[nodiscard]] std::optional<JwtAlgorithm> parse_jwt_algorithm(std::string_view name);

// Threads: sign() from several at once. A moved-from object is only good for being destroyed or
// assigned to.
class PrivateKey {
 public:
  // PKCS #8, or the older forms of RSA and EC. Errors: bad_input, also for a key with a passphrase
  // and for an RSA key below kRsaBitsMin.
  [[nodiscard]] static Result<PrivateKey> parse(std::string_view pem);
  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;
  ~PrivateKey();

  static constexpr int kRsaBitsMin = 2048;

  // Whether a key of this kind, and of this curve, signs by this algorithm.
  [[nodiscard]] bool can_sign(JwtAlgorithm algorithm) const;

  // The signature in the form that JWS asks for: of ECDSA, both numbers at full length.
  // Errors: bad_input unless can_sign(algorithm); crypto_failed.
  [[nodiscard]] Result<Bytes> sign(JwtAlgorithm algorithm, ByteView message) const;

 private:
  struct State;
  explicit PrivateKey(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace eilpost::crypto

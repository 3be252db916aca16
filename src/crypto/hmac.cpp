#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "base/assert.h"

namespace eilpost::crypto {
namespace {

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const kAlgorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EILPOST_ASSERT(kAlgorithm != nullptr);
  return kAlgorithm;
}

const unsigned char* raw(ByteView bytes) {
  // A null pointer would mean "the key as before".
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

struct HmacSha256::State {
  State() : State(EVP_MAC_CTX_new(hmac_algorithm())) {}
  explicit State(EVP_MAC_CTX* owned) : context(owned) { EILPOST_ASSERT(context != nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MAC_CTX_free(context); }

  EVP_MAC_CTX* context;
};

HmacSha256::HmacSha256(ByteView key) : state_(std::make_unique<State>()) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  EILPOST_ASSERT(EVP_MAC_init(state_->context, raw(key), key.size(), parameters) == 1);
}

HmacSha256::HmacSha256(HmacSha256&& other) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&& other) noexcept = default;
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(std::unique_ptr<State> state) : state_(std::move(state)) {}

HmacSha256 HmacSha256::copy() const {
  return HmacSha256(std::make_unique<State>(EVP_MAC_CTX_dup(state_->context)));
}

Sha256 HmacSha256::sign(ByteView message) {
  add(message);
  return finish();
}

void HmacSha256::add(ByteView part) {
  EILPOST_ASSERT(EVP_MAC_update(state_->context, raw(part), part.size()) == 1);
}

Sha256 HmacSha256::finish() {
  Sha256 code{};
  std::size_t size = 0;
  auto* const target = reinterpret_cast<unsigned char*>(code.data());
  EILPOST_ASSERT(EVP_MAC_final(state_->context, target, &size, code.size()) == 1);
  EILPOST_ASSERT(size == code.size());
  EILPOST_ASSERT(EVP_MAC_init(state_->context, nullptr, 0, nullptr) == 1);
  return code;
}

Bytes hmac(HmacDigest digest, ByteView key, ByteView message) {
  const EVP_MD* algorithm = EVP_sha256();
  if (digest == HmacDigest::sha1) algorithm = EVP_sha1();
  if (digest == HmacDigest::sha512) algorithm = EVP_sha512();
  Bytes code(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const auto* const made =
      HMAC(algorithm, raw(key), static_cast<int>(key.size()), raw(message), message.size(),
           reinterpret_cast<unsigned char*>(code.data()), &size);
  EILPOST_ASSERT(made != nullptr);
  code.resize(size);
  return code;
}

}  // namespace eilpost::crypto

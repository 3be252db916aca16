#include "crypto/private_key.h"

#include <array>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace eilpost::crypto {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"RS256", "PS256", "ES256", "ES384", "EdDSA"};

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// A key with a passphrase has no use here, and OpenSSL would ask the terminal for it.
int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*is_for_writing*/, void* /*data*/) {
  return -1;
}

const char* digest_name(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::rs256:
    case JwtAlgorithm::ps256:
    case JwtAlgorithm::es256:
      return "SHA256";
    case JwtAlgorithm::es384:
      return "SHA384";
    case JwtAlgorithm::ed_dsa:
      return nullptr;  // Ed25519 hashes by itself.
  }
  return nullptr;
}

// Bytes of each of the two numbers of an ECDSA signature; 0 for other algorithms.
std::size_t number_bytes(JwtAlgorithm algorithm) {
  if (algorithm == JwtAlgorithm::es256) return 32;
  if (algorithm == JwtAlgorithm::es384) return 48;
  return 0;
}

bool has_curve(const EVP_PKEY* key, std::string_view wanted) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return false;
  return std::string_view(name.data(), size) == wanted;
}

std::unexpected<Error> refuse_signing() {
  ERR_clear_error();
  return fail(ErrorCode::crypto_failed, "the key would not sign");
}

// From OpenSSL's ASN.1 form to the two numbers one after the other.
Result<Bytes> join_numbers(const Bytes& der, std::size_t bytes_each) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, Free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return refuse_signing();
  Bytes joined(2 * bytes_each);
  auto* const target = reinterpret_cast<unsigned char*>(joined.data());
  const int width = static_cast<int>(bytes_each);
  const BIGNUM* const r = ECDSA_SIG_get0_r(signature.get());
  const BIGNUM* const s = ECDSA_SIG_get0_s(signature.get());
  if (BN_bn2binpad(r, target, width) != width) return refuse_signing();
  if (BN_bn2binpad(s, target + bytes_each, width) != width) return refuse_signing();
  return joined;
}

bool use_pss(EVP_PKEY_CTX* parameters) {
  return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

struct PrivateKey::State {
  explicit State(EVP_PKEY* pkey) : key(pkey) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_PKEY_free(key); }

  EVP_PKEY* key;
};

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::PrivateKey(PrivateKey&& other) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept = default;
PrivateKey::~PrivateKey() = default;

std::string_view name_of(JwtAlgorithm algorithm) {
  return kNames[static_cast<std::size_t>(algorithm)];
}

std::optional<JwtAlgorithm> parse_jwt_algorithm(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<JwtAlgorithm>(i);
  }
  return std::nullopt;
}

Result<PrivateKey> PrivateKey::parse(std::string_view pem) {
  constexpr std::size_t kPemBytesMax = 64 * 1024;
  if (pem.size() > kPemBytesMax) return fail(ErrorCode::bad_input, "private key: too long");
  const std::unique_ptr<BIO, Free> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(source.get(), nullptr, refuse_passphrase, nullptr);
  if (key == nullptr) {
    ERR_clear_error();
    return fail(ErrorCode::bad_input, "private key: not PEM without a passphrase");
  }
  PrivateKey made(std::make_unique<State>(key));
  if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) < kRsaBitsMin) {
    return fail(ErrorCode::bad_input, "private key: RSA of fewer than 2048 bits");
  }
  return made;
}

bool PrivateKey::can_sign(JwtAlgorithm algorithm) const {
  const EVP_PKEY* const key = state_->key;
  switch (algorithm) {
    case JwtAlgorithm::rs256:
    case JwtAlgorithm::ps256:
      return EVP_PKEY_is_a(key, "RSA") == 1;
    case JwtAlgorithm::es256:
      return EVP_PKEY_is_a(key, "EC") == 1 && has_curve(key, "prime256v1");
    case JwtAlgorithm::es384:
      return EVP_PKEY_is_a(key, "EC") == 1 && has_curve(key, "secp384r1");
    case JwtAlgorithm::ed_dsa:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
  }
  return false;
}

Result<Bytes> PrivateKey::sign(JwtAlgorithm algorithm, ByteView message) const {
  if (!can_sign(algorithm)) {
    return fail(ErrorCode::bad_input, "private key: not for " + std::string(name_of(algorithm)));
  }
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // Belongs to the context.
  if (EVP_DigestSignInit_ex(context.get(), &parameters, digest_name(algorithm), nullptr, nullptr,
                            state_->key, nullptr) != 1) {
    return refuse_signing();
  }
  if (algorithm == JwtAlgorithm::ps256 && !use_pss(parameters)) return refuse_signing();
  const auto* const from = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, from, message.size()) != 1) {
    return refuse_signing();
  }
  Bytes signature(size);
  auto* const target = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), target, &size, from, message.size()) != 1) {
    return refuse_signing();
  }
  signature.resize(size);
  const std::size_t bytes_each = number_bytes(algorithm);
  return bytes_each == 0 ? Result<Bytes>(std::move(signature))
                         : join_numbers(signature, bytes_each);
}

}  // namespace eilpost::crypto

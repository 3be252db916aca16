#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/assert.h"

namespace eilpost::crypto {
namespace {

// Fetching an algorithm by name costs more than hashing an event, so each is fetched once.
class Algorithm {
 public:
  explicit Algorithm(const char* name) : digest_(EVP_MD_fetch(nullptr, name, nullptr)) {
    EILPOST_ASSERT(digest_ != nullptr);
  }
  Algorithm(const Algorithm&) = delete;
  Algorithm& operator=(const Algorithm&) = delete;
  ~Algorithm() { EVP_MD_free(digest_); }

  template <std::size_t kSize>
  [[nodiscard]] std::array<std::byte, kSize> digest(ByteView bytes) const {
    std::array<std::byte, kSize> result{};
    unsigned int size = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(result.data()),
                   &size, digest_, nullptr);
    EILPOST_ASSERT(done == 1 && size == kSize);
    return result;
  }

 private:
  EVP_MD* digest_;
};

}  // namespace

Sha256 sha256(ByteView bytes) {
  static const Algorithm kAlgorithm("SHA256");
  return kAlgorithm.digest<32>(bytes);
}

Sha1 sha1(ByteView bytes) {
  static const Algorithm kAlgorithm("SHA1");
  return kAlgorithm.digest<20>(bytes);
}

Md5 md5(ByteView bytes) {
  static const Algorithm kAlgorithm("MD5");
  return kAlgorithm.digest<16>(bytes);
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::byte> secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace eilpost::crypto

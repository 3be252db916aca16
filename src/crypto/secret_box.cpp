#include "crypto/secret_box.h"

#include <algorithm>

#include "base/assert.h"
#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/sodium.h"

namespace eilpost::crypto {
namespace {

using internal::ensure_sodium;
using internal::raw;
using internal::target;

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHeaderBytes = 2;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes == 24 && kTagBytes == 16);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == sizeof(BoxKey::key));

Bytes associated_data(std::uint8_t key_id, std::string_view context) {
  Bytes data = {std::byte{kFormat}, std::byte{key_id}};
  const ByteView text = as_bytes(context);
  data.insert(data.end(), text.begin(), text.end());
  return data;
}

std::unexpected<Error> refuse(std::string_view context, std::string_view reason) {
  std::string detail(context);
  return fail(ErrorCode::crypto_failed, detail.append(": ").append(reason));
}

}  // namespace

SecretBox::SecretBox(std::vector<BoxKey> keys) : keys_(std::move(keys)) {
  ensure_sodium();
  EILPOST_ASSERT(!keys_.empty());
  for (const BoxKey& key : keys_) EILPOST_ASSERT(find(key.id) == &key);
}

SecretBox::~SecretBox() {
  for (BoxKey& key : keys_) wipe(key.key);
}

std::string SecretBox::seal(std::string_view secret, std::string_view context,
                            env::Entropy& entropy) const {
  const BoxKey& key = keys_.front();
  const Bytes data = associated_data(key.id, context);
  Bytes sealed(kHeaderBytes + kNonceBytes + secret.size() + kTagBytes);
  sealed[0] = std::byte{kFormat};
  sealed[1] = std::byte{key.id};
  const std::span<std::byte> nonce = std::span(sealed).subspan(kHeaderBytes, kNonceBytes);
  const std::span<std::byte> cipher = std::span(sealed).subspan(kHeaderBytes + kNonceBytes);
  entropy.fill(nonce);
  const int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
      target(cipher), nullptr, raw(as_bytes(secret)), secret.size(), raw(ByteView(data)),
      data.size(), nullptr, raw(ByteView(nonce)), raw(ByteView(key.key)));
  EILPOST_ASSERT(failed == 0);
  return encode_base64url(sealed);
}

Result<std::string> SecretBox::open(std::string_view sealed, std::string_view context) const {
  const std::optional<Bytes> bytes = decode_base64url(sealed);
  if (!bytes || bytes->size() < kHeaderBytes + kNonceBytes + kTagBytes) {
    return refuse(context, "not a sealed secret");
  }
  if ((*bytes)[0] != std::byte{kFormat}) return refuse(context, "sealed in an unknown format");
  const BoxKey* const key = find(static_cast<std::uint8_t>((*bytes)[1]));
  if (key == nullptr) return refuse(context, "sealed with a key that is not among those given");

  const Bytes data = associated_data(key->id, context);
  const ByteView nonce = ByteView(*bytes).subspan(kHeaderBytes, kNonceBytes);
  const ByteView cipher = ByteView(*bytes).subspan(kHeaderBytes + kNonceBytes);
  std::string secret(cipher.size() - kTagBytes, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(secret.data()), nullptr, nullptr, raw(cipher), cipher.size(),
      raw(ByteView(data)), data.size(), raw(nonce), raw(ByteView(key->key)));
  if (failed != 0)
    return refuse(context, "the sealed secret was changed, moved, or the key differs");
  return secret;
}

bool SecretBox::needs_sealing_again(std::string_view sealed) const {
  const std::optional<Bytes> bytes = decode_base64url(sealed);
  if (!bytes || bytes->size() < kHeaderBytes) return true;
  return (*bytes)[0] != std::byte{kFormat} || (*bytes)[1] != std::byte{keys_.front().id};
}

const BoxKey* SecretBox::find(std::uint8_t id) const {
  const auto found = std::ranges::find(keys_, id, &BoxKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace eilpost::crypto

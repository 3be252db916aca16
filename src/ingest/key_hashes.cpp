#include "ingest/key_hashes.h"

#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "crypto/digest.h"

namespace eilpost::ingest {
namespace {

std::size_t place_of(std::string_view key) {
  return hash64(key) % KeyHashes::kSlots;
}

}  // namespace

const std::string* KeyHashes::find(std::string_view key) const {
  const Slot& slot = slots_[place_of(key)];
  const bool is_same = crypto::constant_time_equal(as_bytes(slot.key), as_bytes(key));
  return is_same && !key.empty() ? &slot.hash : nullptr;
}

void KeyHashes::put(std::string_view key, std::string hash) {
  slots_[place_of(key)] = {.key = std::string(key), .hash = std::move(hash)};
}

}  // namespace eilpost::ingest

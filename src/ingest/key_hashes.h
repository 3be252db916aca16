#pragma once
// The hashes of the keys of sources that were used last: hashing one costs more than reading a
// small event.
//
// A hash depends on nothing but the key, so that nothing here is ever out of date: whether a source
// has that hash (still) is asked each time.
//
// Limits:  kSlots keys; of two that fall on one place the later one stays.
// Threads: one.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace eilpost::ingest {

class KeyHashes {
 public:
  // crypto's hash_token of the key; null if it is not known. Valid until the next put(). How long
  // it takes does not tell how much of a known key was guessed.
  [[nodiscard]] const std::string* find(std::string_view key) const;
  // REQUIRES: a source has that key, else strangers could push out what is used.
  void put(std::string_view key, std::string hash);

  static constexpr std::size_t kSlots = 64;

 private:
  struct Slot {
    std::string key;
    std::string hash;
  };

  std::array<Slot, kSlots> slots_;
};

}  // namespace eilpost::ingest

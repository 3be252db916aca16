#pragma once
// A simulated file without its name: what programs see of it, and what would survive a power loss.

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "env/sim/sparse_bytes.h"

namespace eilpost::env {

// The disk writes sectors of this size whole or not at all.
inline constexpr std::uint64_t kSimSectorBytes = 512;

class SimInode {
 public:
  [[nodiscard]] const SparseBytes& seen() const { return seen_; }
  [[nodiscard]] const SparseBytes& durable() const { return durable_; }

  void write(std::uint64_t offset, ByteView bytes);
  void truncate(std::uint64_t size);
  // What was written so far will survive.
  void sync();

  // The power goes off: each change since the last sync survives, in part or whole, or not, as
  // `random` says. What is seen from then on is what survived.
  void crash(Random& random);
  // A sync failed: some changes are on the disk, the others will never be, though they are seen
  // until the next crash.
  void fail_sync(Random& random);

  void flip_bit(std::uint64_t offset, unsigned bit);
  void make_durable(ByteView content);

  bool reads_fail = false;

 private:
  struct Change {
    std::uint64_t offset = 0;  // Of a truncation: the new size.
    std::uint64_t size = 0;
    Bytes bytes;  // Empty: as many zeros.
    bool is_truncation = false;
  };

  void apply(const Change& change);
  void apply_in_part(const Change& change, Random& random);
  // Applies to durable_ what survives of pending_, and forgets the rest.
  void settle(Random& random);

  SparseBytes seen_;
  SparseBytes durable_;
  std::vector<Change> pending_;
};

}  // namespace eilpost::env

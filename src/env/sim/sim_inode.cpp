#include "env/sim/sim_inode.h"

#include <algorithm>

namespace eilpost::env {
namespace {

// How an unlucky moment treats the changes of one file.
enum class Mood : std::uint8_t { keeps_all, loses_all, keeps_a_prefix, keeps_some };

}  // namespace

void SimInode::write(std::uint64_t offset, ByteView bytes) {
  seen_.write(offset, bytes);
  Change change{.offset = offset, .size = bytes.size(), .bytes = {}};
  if (!is_all_zero(bytes)) change.bytes.assign(bytes.begin(), bytes.end());
  pending_.push_back(std::move(change));
}

void SimInode::truncate(std::uint64_t size) {
  seen_.resize(size);
  pending_.push_back({.offset = size, .size = 0, .bytes = {}, .is_truncation = true});
}

void SimInode::sync() {
  for (const Change& change : pending_) apply(change);
  pending_.clear();
}

void SimInode::crash(Random& random) {
  settle(random);
  seen_ = durable_;
}

void SimInode::fail_sync(Random& random) {
  settle(random);
}

void SimInode::flip_bit(std::uint64_t offset, unsigned bit) {
  seen_.flip_bit(offset, bit);
  if (offset < durable_.size()) durable_.flip_bit(offset, bit);
}

void SimInode::make_durable(ByteView content) {
  pending_.clear();
  seen_ = {};
  seen_.write(0, content);
  durable_ = seen_;
}

void SimInode::apply(const Change& change) {
  if (change.is_truncation) {
    durable_.resize(change.offset);
  } else if (change.bytes.empty()) {
    durable_.write_zeros(change.offset, change.size);
  } else {
    durable_.write(change.offset, change.bytes);
  }
}

// Each sector by itself is new or old. Where there was no old one, because the file grew, the
// sector may also hold what the disk held there before.
void SimInode::apply_in_part(const Change& change, Random& random) {
  if (change.is_truncation) return;
  const std::uint64_t old_size = durable_.size();
  const std::uint64_t end = change.offset + change.size;
  for (std::uint64_t at = change.offset; at < end;) {
    const std::uint64_t sector_end = (at / kSimSectorBytes + 1) * kSimSectorBytes;
    const std::uint64_t part = std::min(end, sector_end) - at;
    const std::uint64_t fate = random.below(8);
    if (fate < 4) {
      Change piece{.offset = at, .size = part, .bytes = {}};
      if (!change.bytes.empty()) {
        const ByteView bytes = ByteView(change.bytes).subspan(at - change.offset, part);
        piece.bytes.assign(bytes.begin(), bytes.end());
      }
      apply(piece);
    } else if (fate == 4 && at >= old_size) {
      Bytes garbage(part);
      for (std::byte& byte : garbage) byte = static_cast<std::byte>(random.below(256));
      durable_.write(at, garbage);
    }
    at += part;
  }
}

void SimInode::settle(Random& random) {
  const auto mood = static_cast<Mood>(random.below(4));
  const std::size_t prefix = random.below(pending_.size() + 1);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    switch (mood) {
      case Mood::keeps_all:
        apply(pending_[i]);
        break;
      case Mood::loses_all:
        break;
      case Mood::keeps_a_prefix:
        if (i < prefix) apply(pending_[i]);
        if (i == prefix) apply_in_part(pending_[i], random);
        break;
      case Mood::keeps_some: {
        const std::uint64_t fate = random.below(3);
        if (fate == 0) apply(pending_[i]);
        if (fate == 1) apply_in_part(pending_[i], random);
        break;
      }
    }
  }
  pending_.clear();
}

}  // namespace eilpost::env

#pragma once
// A journal: an append-only run of records with one owner. One partition of what must not be lost.
//
// Other kinds than the file journal (a table of a database, a partition of a message log) keep the
// same promises; journal_conformance.h checks them.
//
// Invariants: a record that was durable comes back from every later recover(), unchanged, in the
//             order of appending, until it is trimmed. Records of one append() are durable together
//             or not at all. Positions grow and are never used again.
// Threads:    append() and recover() from one thread, the owner's. Everything else from any thread,
//             also at the same time.
// Errors:     after fenced, unknown or failed the Journal is dead: destroy it.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "model/ids.h"

namespace eilpost::store {

enum class AppendOutcome : std::uint8_t {
  durable,
  full,     // nothing was appended: no space. May be tried again
  fenced,   // nothing was appended: another owner took over
  unknown,  // it may or may not be durable: the answer was lost
  failed,   // it may or may not be durable: the disk failed
};

// What an append may use. The reserve is there so that what is owed can be settled on a full disk.
enum class Space : std::uint8_t { common, reserve };

// A state derived from the journal, so that recover() need not read everything.
struct Checkpoint {
  Bytes bytes;
  Position covers;  // it says everything that lies before
};

struct JournalUsage {
  std::uint64_t bytes = 0;  // between the oldest record and the end
  std::uint64_t segments_count = 0;
  std::uint64_t disk_bytes = 0;  // with what is ready for use, spare, or a checkpoint; about
};

// The view is valid until the callback returns.
using RecordSink = std::function<void(Position, ByteView)>;

class Journal {
 public:
  virtual ~Journal() = default;

  // The newest checkpoint that is whole, as found when the journal was opened.
  [[nodiscard]] virtual std::optional<Checkpoint> take_checkpoint() = 0;

  // Hands over every record from `from` on, and makes the journal ready to append.
  // `from` is Position{} (everything), or what end() was once.
  // REQUIRES: called once, before everything but take_checkpoint() and begin().
  [[nodiscard]] virtual Result<void> recover(Position from, const RecordSink& each) = 0;

  // Before the oldest record that is kept.
  [[nodiscard]] virtual Position begin() const = 0;
  // Where the next append begins: greater than every position before.
  [[nodiscard]] virtual Position end() const = 0;

  // Appends the records as one unit and makes them durable; `positions` gets one for each.
  // REQUIRES: `records` is not empty and its bytes are at most append_bytes_max().
  [[nodiscard]] virtual AppendOutcome append(std::span<const ByteView> records, Space space,
                                             std::vector<Position>& positions) = 0;

  // How many bytes one append may have; each record counts kRecordOverheadBytes more.
  static constexpr std::size_t kRecordOverheadBytes = 8;
  [[nodiscard]] virtual std::size_t append_bytes_max() const = 0;

  // Hands over durable records from `from` on, about `bytes_max` of them, and returns where to go
  // on; damaged ones are left out. `from` is Position{} (the oldest) or what an earlier call
  // returned.
  [[nodiscard]] virtual Result<Position> read_from(Position from, std::size_t bytes_max,
                                                   const RecordSink& each) = 0;

  // One durable record, verified. Errors: record_gone (trimmed), journal_corrupt, disk_failed.
  [[nodiscard]] virtual Result<Bytes> read_one(Position position) = 0;

  // Gives up records before `before`: as many as it can do without, none at or after it.
  [[nodiscard]] virtual Result<void> trim(Position before) = 0;

  // Errors: disk_full and disk_failed leave the older checkpoint as it was.
  [[nodiscard]] virtual Result<void> save_checkpoint(ByteView bytes, Position covers) = 0;

  // Makes space ready for coming appends; takes long. Errors: disk_full, disk_failed.
  [[nodiscard]] virtual Result<void> prepare_space() = 0;
  [[nodiscard]] virtual bool wants_space() const = 0;
  // Gives back some space that was made ready, for what else is to be written on a full disk; what
  // is left is `kept` times what was given, or more. Errors: disk_full if there is none to give,
  // disk_failed.
  [[nodiscard]] virtual Result<void> give_back_space(std::size_t /*kept*/) {
    return fail(ErrorCode::disk_full);
  }
  // Only Space::reserve is left, until prepare_space() succeeds. From the owner's thread.
  [[nodiscard]] virtual bool is_in_reserve() const { return false; }

  [[nodiscard]] virtual JournalUsage usage() const = 0;

  // Start nothing that could go on after this moment. Nothing: owned until destroyed.
  [[nodiscard]] virtual std::optional<Instant> owned_until() const = 0;
};

}  // namespace eilpost::store

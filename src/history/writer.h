#pragma once
// Writes what the journal says into the files of the log.
//
// A stretch of the journal is one transaction of the newest file, which keeps the position in it:
// events before it are not taken again. What happens to deliveries that are in files already
// changes nothing when it is written again.
//
// Threads: one.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "history/block.h"
#include "history/bodies.h"
#include "history/log_files.h"
#include "history/recent.h"
#include "store/records.h"
#include "store/store.h"

namespace eilpost::history {

class Writer final {
 public:
  // Ownership: `files` must outlive the Writer.
  explicit Writer(LogFiles& files) : files_(files) {}

  // The events that were not there yet. On an error nothing of it is in the newest file: it is to
  // be written again.
  [[nodiscard]] Result<std::vector<AcceptedRecord>> write(const store::Followed& followed);

 private:
  struct Count {
    std::uint64_t events = 0;
    std::uint64_t unwanted = 0;
  };
  struct Update {
    std::variant<Attempt, store::Settled> what;
    ByteView record;
  };
  struct Updates {
    LogFiles::Entry* file = nullptr;
    std::vector<Update> updates;
  };
  struct AttemptRecord {
    std::size_t event = 0;  // its place among the events
    std::size_t place = 0;  // in the journal
    ByteView record;
  };
  struct Batch {
    LoggedEvents events;                  // new ones that are wanted
    std::vector<ByteView> records;        // of them
    std::vector<AttemptRecord> attempts;  // of them, by event
    std::map<Position, Updates> older;    // of deliveries in files already, by Entry::first
    std::map<std::pair<std::int64_t, std::string_view>, Count> counts;  // by hour and type
    std::vector<AcceptedRecord> accepted;                               // new ones, wanted or not
  };

  [[nodiscard]] Batch sort(const store::Followed& followed);
  void sort_accepted(const store::FollowedRecord& record, Batch& batch) const;
  void sort_attempt(const store::FollowedRecord& record, Batch& batch);
  void sort_settled(const store::FollowedRecord& record, Batch& batch);
  void sort_older(Position sequence, Update update, Batch& batch);
  [[nodiscard]] Result<void> write_updates(LogFiles::Entry& entry,
                                           const std::vector<Update>& updates);
  [[nodiscard]] Result<void> write_newest(LogFiles::Entry& entry, Batch& batch, Position position);
  [[nodiscard]] Result<void> write_blocks(LogFile& file, const Batch& batch);

  LogFiles& files_;
  BlockCodec codec_;
  store::Record scratch_;
};

}  // namespace eilpost::history

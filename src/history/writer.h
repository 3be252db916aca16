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
#include <vector>

#include "base/result.h"
#include "history/bodies.h"
#include "history/log_files.h"
#include "store/store.h"

namespace eilpost::history {

class Writer final {
 public:
  // Ownership: `files` must outlive the Writer.
  explicit Writer(LogFiles& files) : files_(files) {}

  // On an error nothing of it is in the newest file: it is to be written again.
  [[nodiscard]] Result<void> write(const store::Followed& followed);

 private:
  struct Count {
    std::uint64_t events = 0;
    std::uint64_t unwanted = 0;
  };
  struct Updates {
    LogFiles::Entry* file = nullptr;
    std::vector<const store::Entry*> entries;
  };
  struct Batch {
    std::vector<NewEvent> events;          // wanted ones, by sequence
    std::vector<const Attempt*> attempts;  // of them
    std::map<Position, Updates> older;     // of deliveries in files already, by Entry::first
    std::map<std::pair<std::int64_t, std::string_view>, Count> counts;  // by hour and type
  };

  [[nodiscard]] Batch sort(const store::Followed& followed);
  void sort_accepted(const store::AcceptedEntry& entry, Batch& batch) const;
  [[nodiscard]] Result<void> write_updates(LogFiles::Entry& entry,
                                           const std::vector<const store::Entry*>& updates);
  [[nodiscard]] Result<void> write_newest(LogFiles::Entry& entry, Batch& batch, Position position);
  [[nodiscard]] Result<void> write_bodies(LogFile& file, std::vector<NewEvent>& events);

  LogFiles& files_;
  BlockCodec codec_;
};

}  // namespace eilpost::history

#pragma once
// Ends the deliveries of the log that the journal does not owe any more though the log never heard
// how they ended: their records were damaged, or left out on a full disk.
//
// Threads: one.
// Errors:  those of LogFile; a file that turns out corrupt is set aside.

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "history/log_files.h"
#include "model/ids.h"
#include "store/store.h"

namespace eilpost::history {

inline constexpr std::size_t kMendedAtOnce = 10'000;

class Mender final {
 public:
  // Ownership: everything given must outlive the Mender.
  Mender(LogFiles& files, store::Store& store) : files_(files), store_(store) {}

  // At most kMendedAtOnce of the log's open deliveries that are not owed. It may be that the store
  // is about to take one in, or that the record of its end is about to be written to the log.
  [[nodiscard]] Result<std::vector<DeliveryId>> find();

  // Those of `lost` that are still open in the log end as failed, with the reason record_lost.
  // Returns how many.
  [[nodiscard]] Result<std::size_t> end(const std::vector<DeliveryId>& lost, WallTime now);

 private:
  [[nodiscard]] Result<void> find_in(LogFile& file, std::vector<DeliveryId>& found);
  [[nodiscard]] Result<std::size_t> end_in(LogFiles::Entry& entry, std::span<const DeliveryId> lost,
                                           WallTime now);

  LogFiles& files_;
  store::Store& store_;
};

}  // namespace eilpost::history

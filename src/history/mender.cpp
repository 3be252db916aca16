#include "history/mender.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/probe.h"

namespace eilpost::history {
namespace {

constexpr std::size_t kLookedAtOnce = 1000;  // the store is asked about so many

}  // namespace

Result<std::vector<DeliveryId>> Mender::find() {
  std::vector<DeliveryId> found;
  for (std::size_t i = 0; i < files_.entries().size() && found.size() < kMendedAtOnce; ++i) {
    LogFiles::Entry& entry = *files_.entries()[i];
    if (entry.facts.unsettled_count == 0) continue;
    const Result<LogFile*> file = files_.use(entry);
    const Result<void> done = file ? find_in(**file, found) : std::unexpected(file.error());
    if (done) continue;
    (void)files_.note_failure(entry, done.error());
    return std::unexpected(done.error());
  }
  return found;
}

Result<void> Mender::find_in(LogFile& file, std::vector<DeliveryId>& found) {
  std::optional<DeliveryId> after;
  while (found.size() < kMendedAtOnce) {
    EILPOST_ASSIGN_OR_RETURN(std::vector<DeliveryId> open, file.open_late(after, kLookedAtOnce));
    if (open.empty()) return {};
    after = open.back();
    const std::vector<DeliveryId> lost = store_.settled_of(std::move(open));
    found.insert(found.end(), lost.begin(), lost.end());
  }
  return {};
}

Result<std::size_t> Mender::end(const std::vector<DeliveryId>& lost, WallTime now) {
  std::size_t count = 0;
  for (auto it = lost.begin(); it != lost.end();) {
    LogFiles::Entry* const entry = files_.find(it->sequence);
    const auto until = std::find_if(
        it, lost.end(), [&](DeliveryId id) { return files_.find(id.sequence) != entry; });
    if (entry != nullptr) {
      const Result<std::size_t> ended = end_in(*entry, std::span(it, until), now);
      if (!ended) {
        (void)files_.note_failure(*entry, ended.error());
        return ended;
      }
      count += *ended;
    }
    it = until;
  }
  return count;
}

Result<std::size_t> Mender::end_in(LogFiles::Entry& entry, std::span<const DeliveryId> lost,
                                   WallTime now) {
  EILPOST_PROBE("history.lost_delivery_ended");
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, files_.use(entry));
  const std::uint64_t open_count = file->facts().unsettled_count;
  EILPOST_RETURN_IF_ERROR(file->begin());
  for (const DeliveryId id : lost) {
    EILPOST_RETURN_IF_ERROR(
        file->add_settled({.delivery = id, .reason = FailReason::record_lost, .at = now}));
  }
  EILPOST_RETURN_IF_ERROR(file->commit());
  files_.note_commit(entry);
  return open_count - file->facts().unsettled_count;
}

}  // namespace eilpost::history

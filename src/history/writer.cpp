#include "history/writer.h"

#include <algorithm>

#include "base/assert.h"
#include "base/probe.h"

namespace eilpost::history {
namespace {

constexpr std::size_t kMergedAtOnce = 16;  // blocks of one level
constexpr Position kNewest{.value = INT64_MAX};

Result<void> apply_update(LogFile& file, const Attempt& attempt, ByteView record) {
  return file.add_attempt(attempt, record);
}

Result<void> apply_update(LogFile& file, const store::Settled& settled, ByteView /*record*/) {
  return file.add_settled(settled);
}

// The size of what several blocks hold together.
struct Size {
  std::uint64_t events_count = 0;
  std::uint64_t deliveries_count = 0;
  std::uint64_t details_bytes = 0;

  void add(const BlockFacts& facts) {
    events_count += facts.events_count;
    deliveries_count += facts.deliveries_count;
    details_bytes += facts.details_bytes;
  }
  [[nodiscard]] int level() const {
    return level_of({.events_count = events_count, .details_bytes = details_bytes});
  }
};

// Which of the newest blocks become one with those of `size` that come: levels never grow from a
// block to the next, and of each but the highest there are fewer than kMergedAtOnce. Newest first.
Result<std::vector<BlockFacts>> choose_merged(LogFile& file, Size& size) {
  std::vector<BlockFacts> small;
  EILPOST_RETURN_IF_ERROR(
      file.for_each_block(kNewest, [&](const BlockFacts& facts, ByteView) -> Result<bool> {
        if (level_of(facts) == kBlockLevelMax) return false;
        small.push_back(facts);
        return true;
      }));
  std::size_t taken = 0;
  for (bool is_more = true; is_more;) {
    is_more = false;
    const int level = size.level();
    const auto end =
        std::ranges::find_if(small.begin() + static_cast<std::ptrdiff_t>(taken), small.end(),
                             [&](const BlockFacts& facts) { return level_of(facts) > level; });
    const auto is_lower = [&](const BlockFacts& facts) { return level_of(facts) < level; };
    auto until =
        std::ranges::find_if_not(small.begin() + static_cast<std::ptrdiff_t>(taken), end, is_lower);
    const bool is_full =
        level < kBlockLevelMax && static_cast<std::size_t>(end - until) + 1 >= kMergedAtOnce;
    if (is_full) until = end;
    for (; taken < static_cast<std::size_t>(until - small.begin()); ++taken) {
      size.add(small[taken]);
      is_more = true;
    }
  }
  small.resize(taken);
  return small;
}

// Packs events into as many blocks of about one size as are needed.
class Packer {
 public:
  Packer(BlockCodec& codec, const Size& size) : codec_(codec) {
    const std::uint64_t count = std::max<std::uint64_t>(
        {1, (size.details_bytes + kBlockBytes - 1) / kBlockBytes,
         (size.deliveries_count + kBlockDeliveriesMax - 1) / kBlockDeliveriesMax});
    details_bytes_max_ = size.details_bytes / count + 1;
    deliveries_max_ = size.deliveries_count / count + 1;
  }

  void add(const LoggedEvent& event, std::span<const LoggedDelivery> deliveries, ByteView details) {
    builder_.add(event, deliveries, details);
    const BlockFacts& facts = builder_.facts();
    const bool is_full =
        facts.details_bytes >= details_bytes_max_ || facts.deliveries_count >= deliveries_max_;
    if (is_full) blocks_.push_back(builder_.finish(codec_));
  }
  [[nodiscard]] std::vector<Block> finish() {
    if (builder_.facts().events_count > 0) blocks_.push_back(builder_.finish(codec_));
    return std::move(blocks_);
  }

 private:
  BlockCodec& codec_;
  BlockBuilder builder_;
  std::vector<Block> blocks_;
  std::uint64_t details_bytes_max_ = 0;
  std::uint64_t deliveries_max_ = 0;
};

Result<void> pack_again(LogFile& file, const BlockFacts& block, Packer& packer) {
  EILPOST_ASSIGN_OR_RETURN(const std::string details, file.details(block));
  EILPOST_ASSIGN_OR_RETURN(LoggedEvents* const events, file.load(block));
  for (const LoggedEvent& event : events->events) {
    if (event.details_offset > details.size() ||
        event.details_bytes > details.size() - event.details_offset) {
      return fail(ErrorCode::database_corrupt, "Details lie outside their block.");
    }
    packer.add(event, events->deliveries_of(event),
               as_bytes(details).subspan(event.details_offset, event.details_bytes));
  }
  return {};
}

}  // namespace

Result<std::vector<AcceptedRecord>> Writer::write(const store::Followed& followed) {
  EILPOST_ASSIGN_OR_RETURN(LogFiles::Entry* const newest, files_.newest());
  Batch batch = sort(followed);
  for (const auto& [first, updates] : batch.older) {
    if (updates.file == newest) continue;
    const Result<void> done = write_updates(*updates.file, updates.updates);
    if (!done && !files_.note_failure(*updates.file, done.error())) {
      return std::unexpected(done.error());
    }
  }
  const Result<void> done = write_newest(*newest, batch, followed.next);
  if (done) return std::move(batch.accepted);
  (void)files_.note_failure(*newest, done.error());
  return std::unexpected(done.error());
}

Writer::Batch Writer::sort(const store::Followed& followed) {
  Batch batch;
  for (const store::FollowedRecord& record : followed.records) {
    const bool is_good = store::decode_record(record.bytes, scratch_);
    EILPOST_ASSERT(is_good);
    switch (scratch_.kind) {
      case store::RecordKind::accepted:
        sort_accepted(record, batch);
        break;
      case store::RecordKind::attempt:
        sort_attempt(record, batch);
        break;
      case store::RecordKind::settled:
        sort_settled(record, batch);
        break;
      case store::RecordKind::carried:
      case store::RecordKind::batch:
        break;  // They are not followed.
    }
  }
  std::ranges::sort(batch.attempts, {}, [](const AttemptRecord& attempt) {
    return std::pair(attempt.event, attempt.place);
  });
  return batch;
}

void Writer::sort_accepted(const store::FollowedRecord& record, Batch& batch) const {
  const Position sequence = record.position;
  if (sequence < files_.position()) return;  // It is there already.
  const store::EventRecord& accepted = scratch_.event;
  const store::EventView& view = accepted.event;
  const auto hour = std::chrono::floor<std::chrono::hours>(view.received_at);
  Count& count = batch.counts[{hour.time_since_epoch().count(), view.type}];
  ++count.events;
  batch.accepted.push_back(
      {.record = record, .type = view.type, .owed_count = accepted.deliveries.size()});
  if (accepted.deliveries.empty()) {
    ++count.unwanted;
    return;
  }
  LoggedEvent& event = batch.events.events.emplace_back();
  event.sequence = sequence;
  event.id = view.id;
  event.type = view.type;
  event.user = view.user;
  event.webhook_id = view.webhook_id;
  event.environment = view.environment;
  event.source = view.source;
  event.time = view.time;
  event.received_at = view.received_at;
  if (accepted.replay_of) event.replay_of = accepted.replay_of->original;
  event.first_delivery = batch.events.deliveries.size();
  event.deliveries_count = accepted.deliveries.size();
  for (const store::OwedState& state : accepted.deliveries) {
    LoggedDelivery& delivery = batch.events.deliveries.emplace_back();
    delivery.webhook = state.owed.webhook;
    delivery.destination = state.owed.destination;
    delivery.progress.webhook_version = state.owed.webhook_version;
  }
  batch.records.push_back(record.bytes);
}

void Writer::sort_attempt(const store::FollowedRecord& record, Batch& batch) {
  const Attempt& attempt = scratch_.attempt;
  const LoggedEvent* const event = batch.events.find(attempt.delivery.sequence);
  if (event == nullptr) {
    sort_older(attempt.delivery.sequence, {.what = attempt, .record = record.bytes}, batch);
    return;
  }
  if (attempt.delivery.ordinal >= event->deliveries_count) return;
  DeliveryProgress& progress =
      batch.events.deliveries_of(*event)[attempt.delivery.ordinal].progress;
  if (!is_settled(progress.state)) progress.apply(attempt);
  batch.attempts.push_back({.event = static_cast<std::size_t>(event - batch.events.events.data()),
                            .place = batch.attempts.size(),
                            .record = record.bytes});
}

void Writer::sort_settled(const store::FollowedRecord& record, Batch& batch) {
  const store::Settled& settled = scratch_.settled;
  if (batch.events.find(settled.delivery.sequence) == nullptr) {
    sort_older(settled.delivery.sequence, {.what = settled, .record = record.bytes}, batch);
    return;
  }
  LoggedDelivery* const delivery = batch.events.find(settled.delivery);
  if (delivery != nullptr && !is_settled(delivery->progress.state)) {
    delivery->progress.apply(settled);
  }
}

void Writer::sort_older(Position sequence, Update update, Batch& batch) {
  LogFiles::Entry* const file = files_.find(sequence);
  if (file == nullptr) return;  // It was dropped.
  Updates& updates = batch.older[file->first];
  updates.file = file;
  updates.updates.push_back(std::move(update));
}

Result<void> Writer::write_updates(LogFiles::Entry& entry, const std::vector<Update>& updates) {
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, files_.use(entry));
  EILPOST_RETURN_IF_ERROR(file->begin());
  for (const Update& update : updates) {
    EILPOST_RETURN_IF_ERROR(std::visit(
        [&](const auto& what) { return apply_update(*file, what, update.record); }, update.what));
  }
  EILPOST_RETURN_IF_ERROR(file->commit());
  files_.note_commit(entry);
  return {};
}

Result<void> Writer::write_newest(LogFiles::Entry& entry, Batch& batch, Position position) {
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, files_.use(entry));
  EILPOST_RETURN_IF_ERROR(file->begin());
  for (const Update& update : batch.older[entry.first].updates) {
    EILPOST_RETURN_IF_ERROR(std::visit(
        [&](const auto& what) { return apply_update(*file, what, update.record); }, update.what));
  }
  EILPOST_RETURN_IF_ERROR(write_blocks(*file, batch));
  EILPOST_RETURN_IF_ERROR(file->add_new(batch.events));
  for (const auto& [key, count] : batch.counts) {
    EILPOST_RETURN_IF_ERROR(file->add_counts(key.first, key.second, count.events, count.unwanted));
  }
  file->facts().position = std::max(file->facts().position, position);
  EILPOST_RETURN_IF_ERROR(file->commit());
  files_.note_commit(entry);
  return {};
}

Result<void> Writer::write_blocks(LogFile& file, const Batch& batch) {
  if (batch.events.events.empty()) return {};
  Size size{.events_count = batch.events.events.size(),
            .deliveries_count = batch.events.deliveries.size()};
  for (const ByteView record : batch.records) size.details_bytes += record.size();
  for (const AttemptRecord& attempt : batch.attempts) size.details_bytes += attempt.record.size();
  EILPOST_ASSIGN_OR_RETURN(const std::vector<BlockFacts> merged, choose_merged(file, size));
  Packer packer(codec_, size);
  for (auto it = merged.rbegin(); it != merged.rend(); ++it) {
    EILPOST_PROBE("history.blocks_merged");
    EILPOST_RETURN_IF_ERROR(pack_again(file, *it, packer));
  }
  Bytes details;
  auto attempt = batch.attempts.begin();
  for (std::size_t i = 0; i < batch.events.events.size(); ++i) {
    details.clear();
    append_detail(batch.records[i], details);
    for (; attempt != batch.attempts.end() && attempt->event == i; ++attempt) {
      append_detail(attempt->record, details);
    }
    const LoggedEvent& event = batch.events.events[i];
    packer.add(event, batch.events.deliveries_of(event), details);
  }
  const std::vector<Block> blocks = packer.finish();
  for (const BlockFacts& block : merged) {
    EILPOST_RETURN_IF_ERROR(file.remove_block(block.first));
  }
  for (const Block& block : blocks) EILPOST_RETURN_IF_ERROR(file.add_block(block));
  return {};
}

}  // namespace eilpost::history

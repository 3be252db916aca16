#include "history/writer.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace eilpost::history {
namespace {

DeliveryId delivery_of(const store::Entry& entry) {
  if (const auto* attempt = std::get_if<Attempt>(&entry)) return attempt->delivery;
  return std::get<store::Settled>(entry).delivery;
}

NewEvent* find_event(std::vector<NewEvent>& events, Position sequence) {
  const auto it = std::ranges::lower_bound(
      events, sequence, {}, [](const NewEvent& event) { return event.entry->sequence; });
  return it != events.end() && it->entry->sequence == sequence ? &*it : nullptr;
}

Result<void> apply_updates(LogFile& file, const std::vector<const store::Entry*>& updates) {
  for (const store::Entry* const update : updates) {
    if (const auto* attempt = std::get_if<Attempt>(update)) {
      EILPOST_RETURN_IF_ERROR(file.add_attempt(*attempt));
    } else {
      EILPOST_RETURN_IF_ERROR(file.add_settled(std::get<store::Settled>(*update)));
    }
  }
  return {};
}

}  // namespace

Result<void> Writer::write(const store::Followed& followed) {
  EILPOST_ASSIGN_OR_RETURN(LogFiles::Entry* const newest, files_.newest());
  Batch batch = sort(followed);
  for (const auto& [first, updates] : batch.older) {
    if (updates.file == newest) continue;
    const Result<void> done = write_updates(*updates.file, updates.entries);
    if (!done && !files_.note_failure(*updates.file, done.error())) return done;
  }
  const Result<void> done = write_newest(*newest, batch, followed.next);
  if (!done) (void)files_.note_failure(*newest, done.error());
  return done;
}

Writer::Batch Writer::sort(const store::Followed& followed) {
  Batch batch;
  for (const store::Entry& entry : followed.entries) {
    if (const auto* accepted = std::get_if<store::AcceptedEntry>(&entry)) {
      sort_accepted(*accepted, batch);
      continue;
    }
    const DeliveryId delivery = delivery_of(entry);
    NewEvent* const event = find_event(batch.events, delivery.sequence);
    if (event == nullptr) {
      LogFiles::Entry* const file = files_.find(delivery.sequence);
      if (file == nullptr) continue;  // It was dropped.
      Updates& updates = batch.older[file->first];
      updates.file = file;
      updates.entries.push_back(&entry);
      continue;
    }
    if (delivery.ordinal >= event->progress.size()) continue;
    DeliveryProgress& progress = event->progress[delivery.ordinal];
    if (const auto* attempt = std::get_if<Attempt>(&entry)) {
      if (!is_settled(progress.state)) progress.apply(*attempt);
      batch.attempts.push_back(attempt);
    } else if (!is_settled(progress.state)) {
      progress.apply(std::get<store::Settled>(entry));
    }
  }
  return batch;
}

void Writer::sort_accepted(const store::AcceptedEntry& entry, Batch& batch) const {
  if (entry.sequence < files_.position()) return;  // It is there already.
  const auto hour = std::chrono::floor<std::chrono::hours>(entry.event.received_at);
  Count& count = batch.counts[{hour.time_since_epoch().count(), entry.event.type}];
  ++count.events;
  if (entry.owed.empty()) {
    ++count.unwanted;
    return;
  }
  NewEvent event{.entry = &entry, .progress = {}, .body = {}};
  event.progress.resize(entry.owed.size());
  for (std::size_t i = 0; i < entry.owed.size(); ++i) {
    event.progress[i].webhook_version = entry.owed[i].webhook_version;
  }
  batch.events.push_back(std::move(event));
}

Result<void> Writer::write_updates(LogFiles::Entry& entry,
                                   const std::vector<const store::Entry*>& updates) {
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, files_.use(entry));
  EILPOST_RETURN_IF_ERROR(file->begin());
  EILPOST_RETURN_IF_ERROR(apply_updates(*file, updates));
  EILPOST_RETURN_IF_ERROR(file->commit());
  files_.note_commit(entry);
  return {};
}

Result<void> Writer::write_newest(LogFiles::Entry& entry, Batch& batch, Position position) {
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, files_.use(entry));
  EILPOST_RETURN_IF_ERROR(file->begin());
  EILPOST_RETURN_IF_ERROR(apply_updates(*file, batch.older[entry.first].entries));
  EILPOST_RETURN_IF_ERROR(write_bodies(*file, batch.events));
  std::unordered_map<std::uint64_t, std::int64_t> first_keys;
  first_keys.reserve(batch.events.size());
  for (const NewEvent& event : batch.events) {
    first_keys.emplace(event.entry->sequence.value, file->facts().next_key);
    EILPOST_RETURN_IF_ERROR(file->add_event(event));
  }
  for (const Attempt* const attempt : batch.attempts) {
    const std::int64_t first_key = first_keys.at(attempt->delivery.sequence.value);
    EILPOST_RETURN_IF_ERROR(file->add_attempt_row(first_key + attempt->delivery.ordinal, *attempt));
  }
  for (const auto& [key, count] : batch.counts) {
    EILPOST_RETURN_IF_ERROR(file->add_counts(key.first, key.second, count.events, count.unwanted));
  }
  file->facts().position = std::max(file->facts().position, position);
  EILPOST_RETURN_IF_ERROR(file->commit());
  files_.note_commit(entry);
  return {};
}

Result<void> Writer::write_bodies(LogFile& file, std::vector<NewEvent>& events) {
  std::string text;
  std::size_t first = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string& document = events[i].entry->event.document;
    events[i].body.offset = static_cast<std::int64_t>(text.size());
    events[i].body.size = static_cast<std::int64_t>(document.size());
    text += document;
    if (text.size() < kBlockBytes && i + 1 < events.size()) continue;
    EILPOST_ASSIGN_OR_RETURN(const std::int64_t block, file.add_block(codec_.compress(text)));
    for (; first <= i; ++first) events[first].body.block = block;
    text.clear();
  }
  return {};
}

}  // namespace eilpost::history

#include "history/log_files.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/parse.h"
#include "base/probe.h"
#include "history/aside.h"

namespace eilpost::history {
namespace {

constexpr std::string_view kPrefix = "log-";
constexpr std::string_view kSuffix = ".db";
constexpr std::string_view kLogSuffix = "-wal";  // SQLite's
constexpr int kFailuresMax = 3;
// A file is at most this part of all, so that dropping one does not drop much.
constexpr std::uint64_t kFilesMin = 8;

std::string name_of_file(Position first) {
  return fmt::format("{}{:020}{}", kPrefix, first.value, kSuffix);
}

std::optional<Position> parse_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  const auto value = parse_integer<std::uint64_t>(name);
  if (!value) return std::nullopt;
  return Position{.value = *value};
}

}  // namespace

LogFiles::LogFiles(env::Env& env, env::Directory& directory, const Options& options,
                   std::function<void(std::string_view)> on_trouble, OwesBetween owes_between)
    : env_(env),
      directory_(directory),
      options_(options),
      on_trouble_(std::move(on_trouble)),
      owes_between_(std::move(owes_between)) {}

Result<void> LogFiles::load() {
  EILPOST_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_.list());
  for (const std::string& name : names) {
    if (name.starts_with(kPrefix) && name.ends_with(kLogSuffix) &&
        !std::ranges::binary_search(names, name.substr(0, name.size() - kLogSuffix.size()))) {
      EILPOST_RETURN_IF_ERROR(directory_.remove(name));  // Of a file that was dropped.
    }
    const std::optional<Position> first = parse_name(name);
    if (!first) continue;
    auto entry = std::make_unique<Entry>();
    entry->name = name;
    entry->first = *first;
    entries_.push_back(std::move(entry));
  }
  std::ranges::sort(entries_, {}, [](const auto& entry) { return entry->first; });
  for (std::size_t i = 0; i < entries_.size();) {
    Entry& entry = *entries_[i];
    const Result<LogFile*> file = use(entry);
    if (file) {
      entry.is_dirty = true;  // It may have a log of its own that is not durable.
      ++i;
      continue;
    }
    if (file.error().code != ErrorCode::database_corrupt) return std::unexpected(file.error());
    const std::size_t count = entries_.size();
    set_aside(entry, file.error());
    if (entries_.size() == count) return std::unexpected(file.error());
  }
  drop_leftovers();
  return {};
}

Result<LogFile*> LogFiles::use(Entry& entry) {
  entry.used_at = ++uses_count_;
  if (!entry.file) {
    close_least_used();
    EILPOST_ASSIGN_OR_RETURN(entry.file, LogFile::open(env_, directory_, entry.name));
    entry.facts = entry.file->facts();
    measure(entry);
  }
  return entry.file.get();
}

void LogFiles::close_least_used() {
  Entry* oldest = nullptr;
  std::size_t count = 0;
  for (const auto& entry : entries_) {
    if (!entry->file) continue;
    ++count;
    if (entry == entries_.back()) continue;  // It is always in use.
    if (oldest == nullptr || entry->used_at < oldest->used_at) oldest = entry.get();
  }
  if (count < kOpenMax || oldest == nullptr) return;
  if (oldest->is_dirty) {
    const Result<void> done = oldest->file->checkpoint();
    if (done) oldest->is_dirty = false;
  }
  oldest->file.reset();
}

bool LogFiles::is_full(const Entry& entry) const {
  if (entry.facts.rows_count >= options_.file_rows_max) return true;
  if (entry.bytes >= options_.bytes_max / kFilesMin) return true;
  return env_.clock().wall_now() - entry.facts.created_at >= options_.file_age_max;
}

Result<void> LogFiles::begin_file(Position position) {
  if (!entries_.empty()) {
    // The new file's position must never outlive events that are before it.
    EILPOST_ASSIGN_OR_RETURN(LogFile* const file, use(*entries_.back()));
    EILPOST_RETURN_IF_ERROR(file->checkpoint());
    EILPOST_RETURN_IF_ERROR(directory_.sync());
  }
  auto entry = std::make_unique<Entry>();
  entry->name = name_of_file(position);
  entry->first = position;
  entries_.push_back(std::move(entry));
  const Result<LogFile*> file = use(*entries_.back());
  if (file) return {};
  // The one before it may go on, and what is left of this one would stand for events of that.
  drop(entries_.size() - 1);
  return std::unexpected(file.error());
}

// Of files that could not be begun, nor be removed then.
void LogFiles::drop_leftovers() {
  for (std::size_t i = 1; i < entries_.size();) {
    const Entry& entry = *entries_[i];
    const bool is_leftover =
        entry.first < entries_[i - 1]->facts.position && entry.facts.rows_count == 0;
    if (is_leftover) {
      drop(i);
    } else {
      ++i;
    }
  }
}

Result<LogFiles::Entry*> LogFiles::newest() {
  const Position position = this->position();
  // One that nothing was written into, when what was before it is lost.
  while (!entries_.empty() && position < entries_.back()->first) drop(entries_.size() - 1);
  // A file is named by where it begins, so the one before must have got further than that.
  const bool is_usable =
      !entries_.empty() && (position <= entries_.back()->first || !is_full(*entries_.back()));
  if (!is_usable) EILPOST_RETURN_IF_ERROR(begin_file(position));
  Entry& entry = *entries_.back();
  const Result<LogFile*> file = use(entry);
  if (file) return &entry;
  (void)note_failure(entry, file.error());
  return std::unexpected(file.error());
}

LogFiles::Entry* LogFiles::find(Position sequence) {
  const auto after = std::ranges::upper_bound(entries_, sequence, {},
                                              [](const auto& entry) { return entry->first; });
  if (after == entries_.begin()) return nullptr;
  return std::prev(after)->get();
}

Position LogFiles::position() const {
  Position position = given_up_until_;
  for (const auto& entry : entries_) position = std::max(position, entry->facts.position);
  return position;
}

Position LogFiles::saved_position() const {
  Position position;
  for (const auto& entry : entries_) position = std::max(position, entry->facts.saved_position);
  return position;
}

bool LogFiles::note_failure(Entry& entry, const Error& error) {
  entry.file.reset();  // Rolls back.
  if (error.code == ErrorCode::disk_full) return false;
  if (error.code != ErrorCode::database_corrupt && ++entry.failures_count < kFailuresMax) {
    return false;
  }
  const std::size_t count = entries_.size();
  set_aside(entry, error);
  return entries_.size() < count;
}

void LogFiles::note_commit(Entry& entry) {
  entry.facts = entry.file->facts();
  entry.failures_count = 0;
  entry.is_dirty = true;
}

void LogFiles::set_aside(Entry& entry, const Error& error) {
  EILPOST_PROBE("history.file_set_aside");
  entry.file.reset();
  const Result<void> done = set_aside_file(directory_, entry.name, error, on_trouble_);
  if (!done) return;
  std::erase_if(entries_, [&](const auto& other) { return other.get() == &entry; });
}

Result<void> LogFiles::checkpoint(Position position) {
  for (const auto& entry : entries_) {
    if (!entry->is_dirty) continue;
    EILPOST_ASSIGN_OR_RETURN(LogFile* const file, use(*entry));
    const Result<void> done = file->checkpoint();
    if (!done) {
      entry->file.reset();
      return done;
    }
    entry->is_dirty = false;
    measure(*entry);
  }
  EILPOST_RETURN_IF_ERROR(directory_.sync());
  if (entries_.empty()) return {};
  Entry& entry = *entries_.back();
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, use(entry));
  file->facts().saved_position = position;
  Result<void> done = file->begin();
  if (done) done = file->commit();
  if (!done) {
    entry.file.reset();
    return done;
  }
  note_commit(entry);
  return {};
}

std::uint64_t LogFiles::size_of(const std::string& name) const {
  const auto file = directory_.open(name, env::OpenMode::read);
  return file ? (*file)->size().value_or(0) : 0;
}

void LogFiles::measure(Entry& entry) {
  entry.bytes = size_of(entry.name) + size_of(fmt::format("{}{}", entry.name, kLogSuffix));
}

bool LogFiles::is_droppable(std::size_t index) const {
  if (index + 1 >= entries_.size()) return false;
  const Entry& entry = *entries_[index];
  if (entry.facts.unsettled_count == 0) return true;
  return !owes_between_(entry.first, entries_[index + 1]->first);
}

Result<void> LogFiles::retire_newest() {
  const Position position = this->position();
  EILPOST_ASSIGN_OR_RETURN(Entry* const entry, newest());
  EILPOST_ASSIGN_OR_RETURN(LogFile* const file, use(*entry));
  EILPOST_RETURN_IF_ERROR(file->begin());
  file->facts().position = position;
  EILPOST_RETURN_IF_ERROR(file->commit());
  note_commit(*entry);
  return {};
}

void LogFiles::apply_retention(WallTime now) {
  if (!entries_.empty()) {
    const FileFacts& facts = entries_.back()->facts;
    if (facts.accepted_max && now - *facts.accepted_max > options_.retention) {
      // Without new events the newest would stay for ever.
      const Result<void> done = retire_newest();
      if (!done) {
        (void)note_failure(*entries_.back(), done.error());
        return;
      }
    }
  }
  std::size_t i = 0;
  while (i < entries_.size()) {
    const FileFacts& facts = entries_[i]->facts;
    const bool is_old = now - facts.accepted_max.value_or(facts.created_at) > options_.retention;
    if (is_droppable(i) && (is_old || bytes() > options_.bytes_max)) {
      drop(i);
    } else {
      ++i;
    }
  }
}

bool LogFiles::drop_oldest() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!is_droppable(i)) continue;
    on_trouble_(
        fmt::format("No space on the disk: history file {} was dropped.", entries_[i]->name));
    drop(i);
    return true;
  }
  return false;
}

bool LogFiles::drop_newest(std::uint64_t bytes_min) {
  if (entries_.empty()) return false;
  Entry& entry = *entries_.back();
  const Position end = position();
  if (end <= entry.first) return false;  // There is nothing in it.
  measure(entry);
  if (entry.bytes < bytes_min || owes_between_(entry.first, end)) return false;
  on_trouble_(
      fmt::format("No space on the disk: history file {}, the newest, was dropped.", entry.name));
  skip_to(end);
  drop(entries_.size() - 1);
  return true;
}

void LogFiles::drop(std::size_t index) {
  EILPOST_PROBE("history.file_dropped");
  Entry& entry = *entries_[index];
  entry.file.reset();
  Result<void> done = directory_.remove(entry.name);
  if (done) done = directory_.remove(fmt::format("{}{}", entry.name, kLogSuffix));
  if (!done) {
    on_trouble_(
        fmt::format("History file {} cannot be removed: {}", entry.name, done.error().detail));
  }
  // Its rows are gone for readers even if the disk did not do its part: it is found again, and
  // dropped again, when the log is next opened.
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

std::uint64_t LogFiles::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& entry : entries_) bytes += entry->bytes;
  return bytes;
}

std::uint64_t LogFiles::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::string& name : directory_.list().value_or(std::vector<std::string>())) {
    bytes += size_of(name);
  }
  return bytes;
}

}  // namespace eilpost::history

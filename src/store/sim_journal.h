#pragma once
// A journal in memory that gives the answers which the file journal never gives: fenced, unknown.
// For tests.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "store/journal.h"

namespace eilpost::store {

// What outlives the SimJournal objects that use it, one after the other.
struct SimJournalContent {
  std::map<std::uint64_t, Bytes> records;
  std::uint64_t end = 1;
  std::uint64_t begin = 0;
  std::optional<Checkpoint> checkpoint;
  std::size_t records_max = SIZE_MAX;  // more are answered `full`
};

// Threads: one.
class SimJournal final : public Journal {
 public:
  explicit SimJournal(std::shared_ptr<SimJournalContent> content) : content_(std::move(content)) {}

  // The `count`-th append from now on is answered so; an unknown one is taken if `is_taken`.
  void answer_after(std::uint64_t count, AppendOutcome outcome, bool is_taken) {
    answer_after_ = count;
    answer_ = outcome;
    is_taken_ = is_taken;
  }

  [[nodiscard]] std::optional<Checkpoint> take_checkpoint() override {
    return content_->checkpoint;
  }
  [[nodiscard]] Result<void> recover(Position from, const RecordSink& each) override {
    for (const auto& [value, bytes] : content_->records) {
      if (value >= from.value) each({.value = value}, bytes);
    }
    return {};
  }
  [[nodiscard]] Position begin() const override { return {.value = content_->begin}; }
  [[nodiscard]] Position end() const override { return {.value = content_->end}; }

  [[nodiscard]] AppendOutcome append(std::span<const ByteView> records, Space space,
                                     std::vector<Position>& positions) override {
    EILPOST_ASSERT(!records.empty());
    if (is_dead_) return AppendOutcome::failed;
    const bool is_special = answer_after_ > 0 && --answer_after_ == 0;
    if (is_special && answer_ != AppendOutcome::durable && !is_taken_) {
      is_dead_ = answer_ != AppendOutcome::full;
      return answer_;
    }
    const bool is_full = content_->records.size() + records.size() > content_->records_max;
    if (is_full && space == Space::common) return AppendOutcome::full;
    positions.clear();
    for (const ByteView record : records) {
      positions.push_back({.value = content_->end});
      content_->records.emplace(content_->end, Bytes(record.begin(), record.end()));
      content_->end += record.size() + 1;
    }
    if (!is_special) return AppendOutcome::durable;
    is_dead_ = true;
    return answer_;
  }
  [[nodiscard]] std::size_t append_bytes_max() const override { return 1UL << 20U; }

  [[nodiscard]] Result<Position> read_from(Position from, std::size_t bytes_max,
                                           const RecordSink& each) override {
    std::size_t bytes = 0;
    for (auto at = content_->records.lower_bound(from.value); at != content_->records.end(); ++at) {
      if (bytes >= bytes_max) return Position{.value = at->first};
      each({.value = at->first}, at->second);
      bytes += at->second.size();
    }
    return end();
  }
  [[nodiscard]] Result<Bytes> read_one(Position position) override {
    const auto found = content_->records.find(position.value);
    if (found == content_->records.end()) return fail(ErrorCode::record_gone);
    return found->second;
  }
  [[nodiscard]] Result<void> trim(Position before) override {
    std::erase_if(content_->records,
                  [&](const auto& record) { return record.first < before.value; });
    content_->begin = std::max(content_->begin, before.value);
    return {};
  }
  [[nodiscard]] Result<void> save_checkpoint(ByteView bytes, Position covers) override {
    content_->checkpoint = Checkpoint{.bytes = Bytes(bytes.begin(), bytes.end()), .covers = covers};
    return {};
  }
  [[nodiscard]] Result<void> prepare_space() override { return fail(ErrorCode::disk_full); }
  [[nodiscard]] bool wants_space() const override { return false; }
  [[nodiscard]] JournalUsage usage() const override {
    return {.bytes = content_->end - content_->begin, .segments_count = 1};
  }
  [[nodiscard]] std::optional<Instant> owned_until() const override { return std::nullopt; }

 private:
  std::shared_ptr<SimJournalContent> content_;
  std::uint64_t answer_after_ = 0;
  AppendOutcome answer_ = AppendOutcome::durable;
  bool is_taken_ = false;
  bool is_dead_ = false;
};

}  // namespace eilpost::store

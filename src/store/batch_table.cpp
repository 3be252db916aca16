#include "store/batch_table.h"

#include "base/assert.h"

namespace eilpost::store {

std::uint32_t BatchTable::add(const BatchRef& batch) {
  if (!batch.is_there()) return kNone;
  const auto found = numbers_.find(batch.formed_at.value);
  if (found != numbers_.end()) {
    ++rows_[found->second - 1].users_count;
    return found->second;
  }
  if (free_.empty()) {
    rows_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(rows_.size()));
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  rows_[number - 1] = {.batch = batch, .users_count = 1};
  numbers_.emplace(batch.formed_at.value, number);
  return number;
}

void BatchTable::release(std::uint32_t number) {
  if (number == kNone) return;
  Row& row = rows_[number - 1];
  EILPOST_ASSERT(row.users_count > 0);
  if (--row.users_count > 0) return;
  numbers_.erase(row.batch.formed_at.value);
  free_.push_back(number);
}

std::vector<BatchRef> BatchTable::list() const {
  std::vector<BatchRef> list;
  list.reserve(rows_.size());
  for (const Row& row : rows_) list.push_back(row.batch);
  return list;
}

}  // namespace eilpost::store

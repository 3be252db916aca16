#include "store/owed_table.h"

#include "base/assert.h"

namespace eilpost::store {

std::uint32_t OwedTable::add(const Owed& owed) {
  const auto found = numbers_.find(owed);
  if (found != numbers_.end()) {
    ++rows_[found->second].users_count;
    return found->second;
  }
  std::uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<std::uint32_t>(rows_.size());
    EILPOST_ASSERT(number <= kNumberMax);
    rows_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  rows_[number] = {.owed = owed, .users_count = 1};
  numbers_.emplace(owed, number);
  return number;
}

void OwedTable::release(std::uint32_t number) {
  Row& row = rows_[number];
  EILPOST_ASSERT(row.users_count > 0);
  if (--row.users_count > 0) return;
  numbers_.erase(row.owed);
  free_.push_back(number);
}

std::vector<Owed> OwedTable::list() const {
  std::vector<Owed> list;
  list.reserve(rows_.size());
  for (const Row& row : rows_) list.push_back(row.owed);
  return list;
}

}  // namespace eilpost::store

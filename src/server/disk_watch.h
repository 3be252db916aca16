#pragma once
// The bound on the disk that the journal and the delivery log use together (disk-bytes-max).
//
// Near the bound the journal is kept as short as can be, and the log's oldest files in which
// nothing is owed are dropped, one a second. At the bound ingest is to refuse; deliveries go on,
// and so does what they write: the use may exceed the bound by that, and by a segment.
//
// Ownership: the loop, Store and History must outlive it.
// Threads:   is_reached(), bytes() and bytes_max() any; all else the loop's, or when it does not
// run.

#include <cstdint>
#include <optional>

#include "env/loop.h"
#include "history/history.h"
#include "store/store.h"

namespace eilpost::server {

class DiskWatch final {
 public:
  // `bytes_max` 0: no bound.
  DiskWatch(env::Loop& loop, store::Store& store, history::History& history,
            std::uint64_t bytes_max);
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  void start();

  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] bool is_reached() const { return bytes_max_ > 0 && bytes() >= bytes_max_; }

  // Of a bound, what the log may have at most: the journal must have room beside it.
  [[nodiscard]] static std::uint64_t history_share(std::uint64_t bytes_max) {
    return bytes_max / 2;
  }

 private:
  void look();

  env::Loop& loop_;
  store::Store& store_;
  history::History& history_;
  std::uint64_t bytes_max_;
  std::optional<env::TimerId> timer_;
};

}  // namespace eilpost::server

#pragma once
// Carries what is still owed out of the journal's oldest segment, so that it can be trimmed.
//
// Threads: the storage thread.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "store/records.h"

namespace eilpost::store {

class Carrier {
 public:
  // The carried records of the next few events of `segment`; the caller appends and applies them.
  // May be empty although there is more.
  [[nodiscard]] std::vector<Bytes> next(const Ledger& ledger, Journal& journal,
                                        std::uint64_t segment);
  // Whether all of `segment` was gone through. What could not be read stays where it is.
  [[nodiscard]] bool is_through(std::uint64_t segment) const {
    return segment == segment_ && is_through_;
  }
  // After records that could not be appended.
  void start_over() { segment_ = 0; }

 private:
  [[nodiscard]] std::vector<Unsettled> choose(const Ledger& ledger, std::uint64_t segment);
  [[nodiscard]] std::optional<Bytes> carry_event(Journal& journal,
                                                 std::span<const Unsettled> deliveries);

  std::uint64_t segment_ = 0;
  DeliveryId cursor_;
  bool is_through_ = false;
  Record scratch_;
};

}  // namespace eilpost::store

#pragma once
// What waits for its time, earliest first; of two with one time the one with the smaller key.
//
// Threads: one.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace eilpost::pipeline {

// `T` has a member key() whose values are ordered and differ.
template <class T>
class LaterHeap final {
 public:
  struct Entry {
    Instant at;
    T value;
  };

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::optional<Instant> earliest() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.front().at;
  }

  void push(Instant at, T value) {
    entries_.push_back({.at = at, .value = std::move(value)});
    std::ranges::push_heap(entries_, Later{});
  }

  // The first, if its time has come.
  [[nodiscard]] std::optional<T> pop_due(Instant now) {
    if (entries_.empty() || entries_.front().at > now) return std::nullopt;
    std::ranges::pop_heap(entries_, Later{});
    T value = std::move(entries_.back().value);
    entries_.pop_back();
    return value;
  }

  // All of them, in no order.
  [[nodiscard]] std::vector<Entry> take_all() { return std::exchange(entries_, {}); }

  // Takes out those about which `is_over` is true; it may keep what it is shown.
  template <class IsOver>
  void erase_if(IsOver is_over) {
    if (std::erase_if(entries_, [&](Entry& entry) { return is_over(entry); }) == 0) return;
    std::ranges::make_heap(entries_, Later{});
  }

 private:
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.at != b.at ? a.at > b.at : a.value.key() > b.value.key();
    }
  };

  std::vector<Entry> entries_;
};

}  // namespace eilpost::pipeline

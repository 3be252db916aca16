#include "env/real/timer_heap.h"

#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

TimerId id_of(std::uint32_t slot, std::uint32_t generation) {
  return TimerId{(std::uint64_t{generation} << 32U) | slot};
}

}  // namespace

TimerId TimerHeap::call_at(Instant when, std::move_only_function<void()> callback) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot].callback = std::move(callback);

  const Entry entry{.when = when, .sequence = next_sequence_++, .slot = slot};
  heap_.push_back(entry);
  sift_up(static_cast<std::uint32_t>(heap_.size() - 1), entry);
  return id_of(slot, slots_[slot].generation);
}

void TimerHeap::cancel(TimerId id) {
  const auto slot = static_cast<std::uint32_t>(std::to_underlying(id));
  const auto generation = static_cast<std::uint32_t>(std::to_underlying(id) >> 32U);
  if (slot >= slots_.size() || slots_[slot].generation != generation) return;
  if (!slots_[slot].callback) return;
  // The callback's end may itself set or cancel timers, so it comes last.
  const std::move_only_function<void()> dropped = take(slots_[slot].place);
}

std::optional<Instant> TimerHeap::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

void TimerHeap::run_due(Instant now) {
  // A timer that sets itself again for now must not keep the loop from its other work.
  const std::uint64_t sequence_end = next_sequence_;
  while (!heap_.empty() && heap_.front().when <= now && heap_.front().sequence < sequence_end) {
    std::move_only_function<void()> callback = take(0);
    callback();
  }
}

void TimerHeap::clear() {
  while (!heap_.empty()) {
    const std::move_only_function<void()> dropped =
        take(static_cast<std::uint32_t>(heap_.size() - 1));
  }
}

bool TimerHeap::is_before(const Entry& a, const Entry& b) {
  return a.when != b.when ? a.when < b.when : a.sequence < b.sequence;
}

void TimerHeap::put(std::uint32_t place, const Entry& entry) {
  heap_[place] = entry;
  slots_[entry.slot].place = place;
}

void TimerHeap::sift_up(std::uint32_t place, const Entry& entry) {
  while (place > 0) {
    const std::uint32_t parent = (place - 1) / 2;
    if (!is_before(entry, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerHeap::sift_down(std::uint32_t place, const Entry& entry) {
  const auto count = static_cast<std::uint32_t>(heap_.size());
  while (true) {
    std::uint32_t child = 2 * place + 1;
    if (child >= count) break;
    if (child + 1 < count && is_before(heap_[child + 1], heap_[child])) ++child;
    if (!is_before(heap_[child], entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

std::move_only_function<void()> TimerHeap::take(std::uint32_t place) {
  EILPOST_ASSERT(place < heap_.size());
  const std::uint32_t slot_number = heap_[place].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) {
    sift_up(place, last);
    if (slots_[last.slot].place == place) sift_down(place, last);
  }
  Slot& slot = slots_[slot_number];
  ++slot.generation;
  free_slots_.push_back(slot_number);
  return std::exchange(slot.callback, nullptr);
}

}  // namespace eilpost::env

#pragma once
// Probes: a rare branch says that it was reached, so that a run of many simulated seeds can prove
// that it tried all of them.
//
//   if (is_torn) {
//     EILPOST_PROBE("store.torn_tail_cut");
//
// A probe stays in every build, so that what is simulated is what is shipped: it is one relaxed
// store of one byte, in a branch that is rare by definition. All probes of a program stand in one
// section of it; a probe needs no registration, and one that was never reached is known too.
//
// Threads: any. Not for inline functions and templates: their copies would be several probes.

#include <atomic>

namespace eilpost {

struct Probe {
  const char* name;
  std::atomic<bool> is_reached{false};

  void reach() { is_reached.store(true, std::memory_order_relaxed); }
};

}  // namespace eilpost

// The linker sets these to the borders of the section, if the program has any probe.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names.
extern "C" {
extern eilpost::Probe __start_eilpost_probes[] __attribute__((weak, visibility("hidden")));
extern eilpost::Probe __stop_eilpost_probes[] __attribute__((weak, visibility("hidden")));
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace eilpost {

// Calls visit(probe) for each probe of the program.
template <class Visit>
void for_each_probe(Visit visit) {
  for (Probe* probe = __start_eilpost_probes; probe != __stop_eilpost_probes; ++probe) {
    visit(*probe);
  }
}

}  // namespace eilpost

#define EILPOST_PROBE(text)                                                                        \
  do {                                                                                             \
    [[gnu::section("eilpost_probes"), gnu::used]] static constinit ::eilpost::Probe eilpost_probe{ \
        text};                                                                                     \
    eilpost_probe.reach();                                                                         \
  } while (false)

#include "crash/crash_run.h"

#include "base/random.h"
#include "crash/rig.h"

namespace eilpost::crash {
namespace {

constexpr std::uint64_t kLoadMsMin = 200;
constexpr std::uint64_t kLoadMsMax = 600;

Result<Books> kill_repeatedly(const RunOptions& options, Rig& rig) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  for (std::uint64_t round = 0; round < options.rounds; ++round) {
    const Duration load_time = std::chrono::microseconds(
        (kLoadMsMin * 1000) + rig.random().below((kLoadMsMax - kLoadMsMin) * 1000));
    rig.pause(load_time);
    rig.kill();
    if (options.on_killed) options.on_killed(round, load_time);
    // Every other time the power fails.
    const Survives survives = round % 2 == 0 ? Survives::synced : Survives::written;
    EILPOST_RETURN_IF_ERROR(rig.start(survives));
  }
  rig.pause(std::chrono::milliseconds(kLoadMsMin));
  return rig.finish();
}

}  // namespace

Result<Books> run(const RunOptions& options) {
  EILPOST_ASSIGN_OR_RETURN(const auto rig,
                           Rig::make({.binary = options.binary,
                                      .library = options.library,
                                      .folder = options.folder,
                                      .load = {.seed = options.seed, .events_per_second = 0}}));
  return kill_repeatedly(options, *rig);
}

}  // namespace eilpost::crash

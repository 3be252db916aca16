#include "crash/soak.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "crash/rig.h"

namespace eilpost::crash {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLapTime = 60s;
constexpr Duration kSampleEvery = 200ms;
constexpr std::uint64_t kQuietMsMin = 1000;
constexpr std::uint64_t kQuietMsMax = 6000;
constexpr std::uint64_t kCalmLapEvery = 3;
constexpr std::uint64_t kMiB = 1ULL << 20U;

std::uint64_t disk_bytes(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  const std::filesystem::recursive_directory_iterator end;
  while (!error && entry != end) {
    std::error_code gone;  // The program removes files meanwhile.
    const std::uint64_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
    entry.increment(error);
  }
  return bytes;
}

bool is_calm(std::uint64_t lap) {
  return lap % kCalmLapEvery == 0;
}

Duration time_of(std::uint64_t lap) {
  return is_calm(lap) ? 2 * kLapTime : kLapTime;
}

class LapRun {
 public:
  LapRun(const SoakOptions& options, Rig& rig, Lap& lap)
      : options_(options), rig_(rig), lap_(lap) {}

  Result<void> run(Duration duration) {
    EILPOST_RETURN_IF_ERROR(rig_.begin());
    const Instant until = rig_.loop().now() + duration;
    while (rig_.loop().now() < until) {
      watch(
          std::chrono::milliseconds(kQuietMsMin + rig_.random().below(kQuietMsMax - kQuietMsMin)));
      EILPOST_RETURN_IF_ERROR(options_.is_calm || is_calm(lap_.number) ? trouble_receivers()
                                                                       : trouble());
    }
    rig_.with_books([](Books& books) { books.is_log_whole = false; });
    EILPOST_ASSIGN_OR_RETURN(const Books books, rig_.finish());
    sample();
    lap_.verdict = compare(books);
    lap_.kills = rig_.kills_count();
    check_bounds();
    return {};
  }

 private:
  // Lets time pass, and looks at what the program uses.
  void watch(Duration duration) {
    const Instant until = rig_.loop().now() + duration;
    while (rig_.loop().now() < until) {
      rig_.pause(kSampleEvery);
      sample();
      if (!rig_.change_settings()) rig_.remark("a change of the settings is refused");
    }
  }

  void sample() {
    const load::ProcessFigures figures = rig_.process().figures();
    Usage& most = lap_.most;
    most.resident_bytes = std::max(most.resident_bytes, figures.resident_bytes);
    most.descriptors_count = std::max(most.descriptors_count, figures.descriptors_count);
    most.disk_bytes = std::max(most.disk_bytes, disk_bytes(options_.folder + "/data"));
    ++lap_.samples;
  }

  Result<void> trouble() {
    const std::uint64_t choice = rig_.random().below(6);
    if (choice > 2) return trouble_receivers();
    rig_.kill();
    // Now and then what an end left stays away for a while.
    if (choice == 2) rig_.pause(1s);
    const bool loses_next = rig_.random().chance(1, 2);
    return rig_.start(loses_next ? Survives::synced : Survives::written);
  }

  Result<void> trouble_receivers() {
    switch (rig_.random().below(3)) {
      case 0: {
        rig_.begin_trouble();
        EILPOST_RETURN_IF_ERROR(rig_.set_receivers_up(false));
        watch(2s);
        EILPOST_RETURN_IF_ERROR(rig_.set_receivers_up(true));
        rig_.end_trouble();
        return {};
      }
      case 1:
        EILPOST_RETURN_IF_ERROR(rig_.set_hanging(true));
        watch(2s);
        return rig_.set_hanging(false);
      default:
        return rig_.freeze(1500ms);
    }
  }

  void check_bounds() {
    const Usage& bounds = options_.bounds;
    const Usage& most = lap_.most;
    std::vector<std::string>& violations = lap_.verdict.violations;
    if (most.resident_bytes > bounds.resident_bytes) {
      violations.push_back(fmt::format("{} MiB of memory, the bound is {}",
                                       most.resident_bytes / kMiB, bounds.resident_bytes / kMiB));
    }
    if (most.descriptors_count > bounds.descriptors_count) {
      violations.push_back(fmt::format("{} open files, the bound is {}", most.descriptors_count,
                                       bounds.descriptors_count));
    }
    if (most.disk_bytes > bounds.disk_bytes) {
      violations.push_back(fmt::format("{} MiB of disk, the bound is {}", most.disk_bytes / kMiB,
                                       bounds.disk_bytes / kMiB));
    }
    if (lap_.verdict.accepted == 0) violations.emplace_back("nothing was accepted");
  }

  const SoakOptions& options_;
  Rig& rig_;
  Lap& lap_;
};

Result<Lap> run_lap(const SoakOptions& options, std::uint64_t number, Duration duration) {
  EILPOST_ASSIGN_OR_RETURN(
      const auto rig,
      Rig::make({.binary = options.binary,
                 .library = options.library,
                 .folder = options.folder,
                 .load = {.seed = options.seed + number,
                          .events_per_second = options.events_per_second,
                          .has_late = !options.is_calm && number % kCalmLapEvery == 1,
                          .id_prefix = fmt::format("lap{}-", number)},
                 .kill_margin = 30ms}));
  Lap lap{.number = number};
  EILPOST_RETURN_IF_ERROR(LapRun(options, *rig, lap).run(duration));
  EILPOST_RETURN_IF_ERROR(rig->terminate());
  return lap;
}

}  // namespace

Result<bool> soak(const SoakOptions& options) {
  bool is_good = true;
  std::uint64_t number = 0;
  for (Duration left = options.duration; left > Duration::zero(); left -= time_of(number)) {
    ++number;
    const Duration lap_time = options.is_calm ? left : std::min(left, time_of(number));
    EILPOST_ASSIGN_OR_RETURN(const Lap lap, run_lap(options, number, lap_time));
    is_good = is_good && lap.verdict.violations.empty();
    if (options.on_lap) options.on_lap(lap);
    if (options.is_calm) break;
  }
  return is_good;
}

}  // namespace eilpost::crash

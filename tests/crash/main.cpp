// eilpost_crash: kills the real program under load, lets its disk fail, and compares the books.
// Exits 1 if they differ.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "crash/crash_run.h"
#include "crash/matrix.h"
#include "crash/report.h"
#include "crash/soak.h"
#include "env/real/real_entropy.h"
#include "support/load/scratch_folder.h"

namespace eilpost::crash {
namespace {

constexpr std::size_t kViolationsShown = 30;

// What all commands take.
struct Arguments {
  std::string binary = EILPOST_BINARY_DEFAULT;
  std::string library = EILPOST_FAULTS_DEFAULT;
  std::string folder;
  std::uint64_t seed = 0;
  std::uint64_t rounds = 20;
  bool is_short = false;
  bool is_calm = false;
  std::string only;
  std::string report;
  double minutes = 10;
  std::uint64_t rate = SoakOptions().events_per_second;
};

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

int complain(const Error& error) {
  fmt::print(stderr, "{} {}\n", text_of(error.code), error.detail);
  return 2;
}

void print_violations(const Verdict& verdict) {
  const std::size_t shown = std::min(verdict.violations.size(), kViolationsShown);
  for (std::size_t i = 0; i < shown; ++i) fmt::print("  {}\n", verdict.violations[i]);
  if (shown < verdict.violations.size()) fmt::print("  … {} in all\n", verdict.violations.size());
}

void print(const Books& books, const Verdict& verdict) {
  Duration margin_max{};
  for (const Kill& kill : books.kills) margin_max = std::max(margin_max, kill.margin);
  std::uint64_t requests = 0;
  for (const auto& [id, delivery] : books.seen) requests += delivery.requests.size();
  fmt::print("\n{:>7} {:>8} {:>9} {:>8} {:>10} {:>9} {:>6} {:>11} {:>12}\n", "rounds", "sent",
             "accepted", "owed", "ended well", "requests", "lost", "duplicated", "unexplained");
  fmt::print("{:>7} {:>8} {:>9} {:>8} {:>10} {:>9} {:>6} {:>11} {:>12}\n\n", books.kills.size(),
             verdict.sent, verdict.accepted, verdict.owed, verdict.delivered + verdict.ended,
             requests, verdict.lost, verdict.duplicated, verdict.unexplained);
  fmt::print("Log: {} deliveries; {} requests have no attempt on record.\n", books.log.size(),
             verdict.unrecorded);
  fmt::print(
      "Near a kill is what was in flight, or answered within {:.0f} ms and a margin before it. "
      "The\n"
      "margin is how long acknowledgements took then (99th percentile of the round) or how long\n"
      "the oldest waited in vain; here up to {:.1f} ms. The oldest answer that was forgotten:\n"
      "{:.1f} ms before its kill.\n",
      milliseconds(kSettleDelay), milliseconds(margin_max),
      milliseconds(verdict.explained_age_max));
}

int run_rounds(const Arguments& arguments, load::ScratchFolder& folder) {
  RunOptions options{.binary = arguments.binary,
                     .library = arguments.library,
                     .folder = folder.path(),
                     .rounds = arguments.rounds,
                     .seed = arguments.seed};
  options.on_killed = [](std::uint64_t round, Duration load) {
    fmt::print("round {:>3}: killed after {:>5.1f} ms\n", round + 1, milliseconds(load));
  };
  const Result<Books> books = run(options);
  if (!books) {
    folder.keep();
    fmt::print("Data: {}\n", folder.path());
    return complain(books.error());
  }
  const Verdict verdict = compare(*books);
  print(*books, verdict);
  if (verdict.accepted == 0) fmt::print("Nothing was accepted: this tells nothing.\n");
  if (verdict.violations.empty()) return verdict.accepted == 0 ? 1 : 0;
  folder.keep();
  fmt::print("\n{} violations (data: {}):\n", verdict.violations.size(), folder.path());
  print_violations(verdict);
  return 1;
}

int run_matrix(const Arguments& arguments, load::ScratchFolder& folder) {
  MatrixOptions options{.binary = arguments.binary,
                        .library = arguments.library,
                        .folder = folder.path(),
                        .seed = arguments.seed,
                        .is_short = arguments.is_short,
                        .only = arguments.only};
  options.on_played = [](const RowResult& result) { fmt::print("{}", describe(result)); };
  const std::vector<RowResult> results = play_matrix(options);
  const bool is_good = !results.empty() && std::ranges::all_of(results, &RowResult::is_good);
  if (!is_good) {
    folder.keep();
    fmt::print("{} (data: {})\n", results.empty() ? "There is no such row." : "Something is wrong.",
               folder.path());
  }
  if (!arguments.report.empty()) {
    const Result<void> written = write_report(results, arguments.seed, arguments.report);
    if (!written) return complain(written.error());
  }
  return is_good ? 0 : 1;
}

int run_soak(const Arguments& arguments, load::ScratchFolder& folder) {
  constexpr std::uint64_t kMiB = 1ULL << 20U;
  SoakOptions options{
      .binary = arguments.binary,
      .library = arguments.library,
      .folder = folder.path(),
      .seed = arguments.seed,
      .duration = std::chrono::milliseconds(static_cast<std::int64_t>(arguments.minutes * 60'000)),
      .events_per_second = arguments.rate,
      .is_calm = arguments.is_calm};
  fmt::print("Bounds: {} MiB of memory, {} open files, {} MiB of disk.\n",
             options.bounds.resident_bytes / kMiB, options.bounds.descriptors_count,
             options.bounds.disk_bytes / kMiB);
  options.on_lap = [](const Lap& lap) {
    fmt::print(
        "lap {:>3}: {:>3} kills {:>7} accepted {:>7} owed {} lost {:>4} duplicated; at most {:>3} "
        "MiB of memory, {:>3} open files, {:>3} MiB of disk ({} samples)\n",
        lap.number, lap.kills, lap.verdict.accepted, lap.verdict.owed, lap.verdict.lost,
        lap.verdict.duplicated, lap.most.resident_bytes / kMiB, lap.most.descriptors_count,
        lap.most.disk_bytes / kMiB, lap.samples);
    print_violations(lap.verdict);
  };
  const Result<bool> is_good = soak(options);
  if (is_good && *is_good) return 0;
  folder.keep();
  fmt::print("Data: {}\n", folder.path());
  return is_good ? 1 : complain(is_good.error());
}

using Command = int (*)(const Arguments& arguments, load::ScratchFolder& folder);

int run_command(Command command, Arguments arguments) {
  auto folder = load::ScratchFolder::make(arguments.folder);
  if (!folder) return complain(folder.error());
  if (arguments.seed == 0) {
    env::RealEntropy entropy;
    entropy.fill(std::as_writable_bytes(std::span(&arguments.seed, 1)));
    arguments.seed %= 1'000'000'000;
  }
  fmt::print("{}, seed {}\n", arguments.binary, arguments.seed);
  return command(arguments, *folder);
}

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("--seed", arguments.seed,
                     "Of the moments and the receivers' answers; 0: a random one");
  command.add_option("--binary", arguments.binary, "The program")->envname("EILPOST_BINARY");
  command.add_option("--library", arguments.library, "What is preloaded into it");
  command.add_option("--folder", arguments.folder,
                     "For the data; beside this program unless given");
}

}  // namespace
}  // namespace eilpost::crash

int main(int argc, char** argv) {
  using namespace eilpost::crash;  // NOLINT(google-build-using-namespace): it is theirs.
  CLI::App app("Kills the real program under load, lets its disk fail, compares the books.",
               "eilpost_crash");
  app.require_subcommand(1);
  Arguments arguments;
  CLI::App* rounds = app.add_subcommand("rounds", "Kills at random moments.");
  rounds->add_option("--rounds", arguments.rounds, "Kills")->capture_default_str();
  CLI::App* matrix = app.add_subcommand("matrix", "Kills at named points; failing disks; more.");
  matrix->add_flag("--short", arguments.is_short, "Only a selection of rows");
  matrix->add_option("--only", arguments.only, "Only rows with this text in their name");
  matrix->add_option("--report", arguments.report, "Writes the table to this file");
  CLI::App* soak = app.add_subcommand("soak", "A steady load for long, with kills and failures.");
  soak->add_option("MINUTES", arguments.minutes)->capture_default_str();
  soak->add_flag("--calm", arguments.is_calm, "One lap, in which nothing is killed");
  soak->add_option("--rate", arguments.rate, "Events a second")->capture_default_str();
  for (CLI::App* command : {rounds, matrix, soak}) add_common(*command, arguments);
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (rounds->parsed()) return run_command(run_rounds, arguments);
  return run_command(matrix->parsed() ? run_matrix : run_soak, arguments);
}

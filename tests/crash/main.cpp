// eilpost_crash: kills the real program under load and compares the books. Exits 1 if they differ.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "crash/crash_run.h"
#include "env/real/real_entropy.h"
#include "support/load/scratch_folder.h"

namespace eilpost::crash {
namespace {

constexpr std::size_t kViolationsShown = 30;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void print(const Books& books, const Verdict& verdict) {
  Duration margin_max{};
  for (const Kill& kill : books.kills) margin_max = std::max(margin_max, kill.margin);
  std::uint64_t requests = 0;
  for (const auto& [id, delivery] : books.seen) requests += delivery.requests.size();
  fmt::print("\n{:>7} {:>8} {:>9} {:>10} {:>9} {:>6} {:>11} {:>12}\n", "rounds", "sent", "accepted",
             "delivered", "requests", "lost", "duplicated", "unexplained");
  fmt::print("{:>7} {:>8} {:>9} {:>10} {:>9} {:>6} {:>11} {:>12}\n\n", books.kills.size(),
             verdict.sent, verdict.accepted, verdict.delivered, requests, verdict.lost,
             verdict.duplicated, verdict.unexplained);
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

int run_and_compare(RunOptions options) {
  auto folder = load::ScratchFolder::make(options.folder);
  if (!folder) {
    fmt::print(stderr, "{} {}\n", text_of(folder.error().code), folder.error().detail);
    return 2;
  }
  options.folder = folder->path();
  fmt::print("{}: {} rounds, seed {}\n", options.binary, options.rounds, options.seed);
  options.on_killed = [](std::uint64_t round, Duration load, Duration margin) {
    fmt::print("round {:>3}: killed after {:>5.1f} ms; margin {:.1f} ms\n", round + 1,
               milliseconds(load), milliseconds(margin));
  };
  const Result<Books> books = run(options);
  if (!books) {
    folder->keep();
    fmt::print(stderr, "{} {}\nData: {}\n", text_of(books.error().code), books.error().detail,
               options.folder);
    return 1;
  }
  const Verdict verdict = compare(*books);
  print(*books, verdict);
  if (verdict.accepted == 0) fmt::print("Nothing was accepted: this tells nothing.\n");
  if (verdict.violations.empty()) return verdict.accepted == 0 ? 1 : 0;
  folder->keep();
  fmt::print("\n{} violations (data: {}):\n", verdict.violations.size(), options.folder);
  const std::size_t shown = std::min(verdict.violations.size(), kViolationsShown);
  for (std::size_t i = 0; i < shown; ++i) fmt::print("  {}\n", verdict.violations[i]);
  if (shown < verdict.violations.size()) fmt::print("  ...\n");
  return 1;
}

}  // namespace
}  // namespace eilpost::crash

int main(int argc, char** argv) {
  CLI::App app("Kills the real program under load and compares the books.", "eilpost_crash");
  eilpost::crash::RunOptions options{.binary = EILPOST_BINARY_DEFAULT};
  std::uint64_t seed = 0;
  app.add_option("--rounds", options.rounds, "Kills")->capture_default_str();
  app.add_option("--seed", seed, "Of the moments and the receiver's answers; 0: a random one");
  app.add_option("--binary", options.binary, "The program")->envname("EILPOST_BINARY");
  app.add_option("--folder", options.folder, "For the data; beside this program unless given");
  CLI11_PARSE(app, argc, argv);
  if (seed == 0) {
    eilpost::env::RealEntropy entropy;
    entropy.fill(std::as_writable_bytes(std::span(&seed, 1)));
    seed %= 1'000'000'000;
  }
  options.seed = seed;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return eilpost::crash::run_and_compare(std::move(options));
}

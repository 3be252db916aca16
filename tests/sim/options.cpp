#include "options.h"

#include <algorithm>
#include <fmt/format.h>

namespace eilpost::sim {
namespace {

using std::chrono::microseconds;

void draw_faults(WorldOptions& options, Random& random) {
  const auto is_on = [&random] { return random.chance(2, 5); };
  options.power_loss = is_on();
  options.kill = is_on();
  options.stop = is_on();
  options.disk_fails = random.chance(1, 5);
  options.disk_full = random.chance(1, 6);
  options.disk_stays_full = options.disk_full && is_on();
  options.history_breaks = random.chance(1, 30);
  options.bits_flip = random.chance(1, 10);
  options.fails_while_opening = options.disk_fails && is_on();
  options.names_fail = random.chance(1, 4);
  options.addresses_change = random.chance(1, 4);
  options.tls_fails = random.chance(1, 4);
  options.silence = random.chance(1, 5);
  for (std::size_t i = 0; i < kBehavioursCount; ++i) {
    const auto behaviour = static_cast<Behaviour>(i);
    const std::uint64_t one_in = behaviour == Behaviour::gone_410 ? 8 : 3;
    if (random.chance(1, one_in)) options.behaviours.push_back(behaviour);
  }
  constexpr std::uint32_t kPercents[] = {0, 10, 30, 60, 90};
  options.misbehaves_percent = options.behaviours.empty() ? 0 : kPercents[random.below(5)];
  if (options.disk_stays_full) {  // What is written there are failed attempts: let there be many.
    options.behaviours.push_back(Behaviour::error_500);
    options.misbehaves_percent = 90;
  }
}

void draw_limits(WorldOptions& options, Random& random) {
  server::Config& config = options.config;
  constexpr std::uint64_t kSegments[] = {16U << 10U, 32U << 10U, 128U << 10U, 1U << 20U};
  config.segment_bytes = kSegments[random.below(4)];
  if (random.chance(1, 5)) config.deliveries_unsettled_max = 5 + random.below(30);
  if (random.chance(1, 5)) config.request_events_max = 3;
  if (random.chance(1, 5)) config.event_bytes_max = 1000;
  // Ids go to files early; all of a world's still fit.
  if (random.chance(1, 3)) config.repeat_ids_max = 512;
  if (random.chance(1, 5)) config.history_bytes_max = 2ULL << 20U;
  if (random.chance(1, 8)) config.connections_max = 4 + random.below(8);
  config.shutdown_delay_ms = random.chance(1, 2) ? 0 : 1000;
  config.shutdown_grace_ms = 100 + random.below(5000);
  options.concurrency = 1 + static_cast<std::uint32_t>(random.below(random.chance(1, 2) ? 3 : 20));
  if (random.chance(1, 6)) options.backlog_max = 2 + random.below(20);
  constexpr std::uint32_t kFillers[] = {0, 200, 5000, 40'000};
  options.event_filler_max = kFillers[random.below(4)];
  const bool is_tight = (options.disk_full && random.chance(2, 3)) || options.disk_stays_full ||
                        (options.disk_fails && random.chance(1, 2));
  if (is_tight) {  // Soon there is no space left, or much to trim.
    config.segment_bytes = kSegments[0];
    options.event_filler_max = kFillers[2];
  }
  const auto fitting = static_cast<std::uint32_t>(config.segment_bytes / 4);
  options.event_filler_max = std::min(options.event_filler_max, fitting);
}

void draw_delivery(WorldOptions& options, Random& random) {
  constexpr std::uint32_t kScales[] = {50, 1000, 60'000, 3'600'000};
  const std::uint64_t scale = options.disk_stays_full ? 15'000 : kScales[random.below(4)];
  const std::uint64_t count = options.disk_stays_full ? 12 : 1 + random.below(12);
  for (std::uint64_t i = 0; i < count; ++i) {
    options.delays_ms.push_back(static_cast<std::uint32_t>(1 + random.below(scale)));
  }
  options.jitter = static_cast<double>(random.below(5)) / 10.0;
  options.timeout_ms = static_cast<std::uint32_t>(1000 + random.below(5000));
  constexpr std::uint64_t kPauses[] = {10, 300, 20'000, 1'800'000, 21'600'000};
  options.pause_max_ms = kPauses[options.disk_stays_full ? 2 : random.below(5)];
}

}  // namespace

WorldOptions WorldOptions::draw(Random& random) {
  WorldOptions options;
  options.lanes = 1 + random.below(3);
  options.steps = 10 + static_cast<std::uint32_t>(random.below(70));
  options.network_delay = {.min = microseconds(20 + random.below(100)),
                           .max = microseconds(200 + random.below(3000))};
  const bool is_slow_disk = random.chance(1, 6);
  options.worker_latency_max = microseconds(10 + random.below(is_slow_disk ? 50'000 : 3000));
  draw_faults(options, random);
  draw_limits(options, random);
  draw_delivery(options, random);
  options.edits = random.chance(3, 5);
  options.replays = random.chance(1, 2);
  options.reads = random.chance(1, 2);
  if (options.disk_stays_full) {
    options.steps = 80;
    options.edits = false;  // Nobody pauses what is to be tried again and again.
  }
  options.receivers = 1 + static_cast<std::uint32_t>(random.below(3));
  return options;
}

void WorldOptions::draw_more(Random random) {
  if (random.chance(1, 2)) return;
  http_2 = random.chance(1, 2);
  http_2_refuses = http_2 && random.chance(1, 2);
  proxy = random.chance(1, 4);
  constexpr std::uint32_t kPercents[] = {0, 10, 30, 60};
  proxy_trouble_percent = kPercents[random.below(4)];
  oauth = random.chance(1, 2);
  token_trouble_percent = kPercents[random.below(4)];
  answer_rules = random.chance(1, 3);
  if (random.chance(1, 3)) final_statuses = {random.chance(1, 2) ? 302 : 500};
  backfills = random.chance(1, 2);
  calendar_jumps = random.chance(1, 3);
}

// So that it is clear which deliveries of a batch belong together to the end.
void WorldOptions::let_batches_stay() {
  edits = false;
  disk_fails = false;
  disk_full = false;
  disk_stays_full = false;
  fails_while_opening = false;
  kill = true;
  std::erase(behaviours, Behaviour::gone_410);
  if (behaviours.empty()) misbehaves_percent = 0;
}

// For days, so that destinations are disabled.
void WorldOptions::let_receivers_fail() {
  behaviours = {Behaviour::error_500};
  misbehaves_percent = 100;
  pause_max_ms = 43'200'000;
  steps = 80;
  edits = false;
  final_statuses.clear();
}

void WorldOptions::draw_policies(Random random) {
  if (random.chance(1, 2)) return;
  if (random.chance(2, 3)) {
    batch_events_max = 2 + static_cast<std::uint32_t>(random.below(random.chance(1, 2) ? 4 : 60));
    batch_form = static_cast<BatchForm>(random.below(3));
    if (random.chance(1, 3)) batch_bytes_max = 500 + random.below(4000);
    constexpr std::uint32_t kWaits[] = {0, 5, 200, 3000};
    batch_wait_ms = kWaits[random.below(4)];
    names_refused = random.chance(1, 3);
    rest_goes_again = random.chance(1, 2);
    if (random.chance(1, 3)) too_many = 2 + static_cast<std::uint32_t>(random.below(5));
    finds_wrong = random.chance(1, 3);
    if (random.chance(1, 4)) final_statuses.push_back(422);
    if (random.chance(1, 3)) let_batches_stay();
  }
  per_user = random.chance(1, 2);
  if (random.chance(1, 3)) {
    rate_requests = 1 + static_cast<std::uint32_t>(random.below(random.chance(1, 2) ? 3 : 100));
    rate_per_ms = static_cast<std::uint32_t>(50 + random.below(1000));
  }
  notices = random.chance(1, 3);
  if (random.chance(1, 12)) let_receivers_fail();
  if (random.chance(1, 3)) config.fresh_bytes_max = random.below(20'000);
  if (random.chance(1, 3)) config.tail_bytes_max = random.below(20'000);
}

std::string WorldOptions::text() const {
  std::string faults;
  const auto add = [&faults](bool is_on, std::string_view name) {
    if (is_on) faults.append(" ").append(name);
  };
  add(power_loss, "power_loss");
  add(kill, "kill");
  add(stop, "stop");
  add(disk_fails, "disk_fails");
  add(disk_full, "disk_full");
  add(disk_stays_full, "disk_stays_full");
  add(history_breaks, "history_breaks");
  add(bits_flip, "bits_flip");
  add(names_fail, "names_fail");
  add(addresses_change, "addresses_change");
  add(tls_fails, "tls_fails");
  add(silence, "silence");
  add(edits, "edits");
  add(replays, "replays");
  add(http_2, "http_2");
  add(http_2_refuses, "http_2_refuses");
  add(proxy, "proxy");
  add(oauth, "oauth");
  add(answer_rules, "answer_rules");
  add(!final_statuses.empty(), "final_statuses");
  add(backfills, "backfills");
  add(calendar_jumps, "calendar_jumps");
  add(batch_events_max > 1, "batches");
  add(names_refused, "names_refused");
  add(too_many > 0, "too_many");
  add(finds_wrong, "finds_wrong");
  add(per_user, "per_user");
  add(rate_requests > 0, "rate");
  add(notices, "notices");
  return fmt::format(
      "lanes {}, steps {}, disk {} us, segments of {} bytes, concurrency {}, {} retries, timeout "
      "{} ms, "
      "misbehaves {} % in {} ways;{}",
      lanes, steps, std::chrono::floor<microseconds>(worker_latency_max).count(),
      config.segment_bytes, concurrency, delays_ms.size(), timeout_ms, misbehaves_percent,
      behaviours.size(), faults);
}

}  // namespace eilpost::sim

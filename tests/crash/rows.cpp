#include "crash/rows.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace eilpost::crash {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLoadTime = 250ms;
constexpr Duration kPointMax = 20s;
constexpr std::uint64_t kPassagesMax = 5;

// It takes seconds until the program comes by once.
bool is_rare(Point point) {
  return (point >= Point::carry_before_write && point <= Point::checkpoint_after_rename);
}

// Kills the process at the point; starts it again, and lets the power fail at the same point.
Result<void> play_point(Rig& rig, const Row& row) {
  for (const Survives survives : {Survives::written, Survives::synced}) {
    const bool is_first = survives == Survives::written;
    EILPOST_RETURN_IF_ERROR(is_first ? rig.begin(survives) : rig.start(survives));
    rig.pause(kLoadTime);
    const std::uint64_t passages = is_rare(row.point) ? 1 : 1 + rig.random().below(kPassagesMax);
    rig.faults().arm(row.point, passages);
    if (!rig.await_end(kPointMax, /*changes_settings=*/true)) {
      rig.remark("the point was never reached");
      rig.kill();
    } else if (!rig.faults().killed_at()) {
      rig.remark("the program ended by itself");
    }
  }
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_at_random(Rig& rig, Survives survives) {
  constexpr int kKills = 8;
  EILPOST_RETURN_IF_ERROR(rig.begin(survives));
  for (int i = 0; i < kKills; ++i) {
    rig.pause(std::chrono::milliseconds(50 + rig.random().below(400)));
    rig.kill();
    EILPOST_RETURN_IF_ERROR(rig.start(i + 1 < kKills ? survives : Survives::written));
  }
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_random_kills(Rig& rig, const Row& /*row*/) {
  return play_at_random(rig, Survives::written);
}

Result<void> play_random_power_losses(Rig& rig, const Row& /*row*/) {
  return play_at_random(rig, Survives::synced);
}

// Killed as soon as it is ready: before what an earlier end left is in order again.
Result<void> play_kills_at_start(Rig& rig, const Row& /*row*/) {
  constexpr int kKills = 6;
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(1s);
  for (int i = 0; i < kKills; ++i) {
    rig.kill();
    EILPOST_RETURN_IF_ERROR(rig.start(i % 2 == 0 ? Survives::synced : Survives::written));
  }
  rig.pause(kLoadTime);
  return {};
}

// The calendar jumps while the program runs, and back again.
Result<void> play_clock(Rig& rig, Duration offset) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  rig.mark();
  rig.faults().set_clock_offset(offset);
  rig.pause(1s);
  const std::uint64_t reads = rig.faults().clock_reads();
  if (reads == 0) rig.remark("the program never looked at the calendar");
  rig.mark();
  rig.faults().set_clock_offset({});
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_clock_forward(Rig& rig, const Row& /*row*/) {
  return play_clock(rig, 23h);
}

Result<void> play_clock_back(Rig& rig, const Row& /*row*/) {
  return play_clock(rig, -23h);
}

// The calendar has jumped when the program starts again; with it the times of what is due.
Result<void> play_clock_at_start(Rig& rig, Duration offset) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  rig.begin_trouble();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(false));
  rig.pause(500ms);  // Deliveries wait for their next attempt.
  rig.kill();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(true));
  rig.end_trouble();
  rig.faults().set_clock_offset(offset);
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(1s);
  if (rig.faults().clock_reads() == 0) rig.remark("the program never looked at the calendar");
  rig.kill();
  rig.faults().set_clock_offset({});
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_clock_forward_at_start(Rig& rig, const Row& /*row*/) {
  return play_clock_at_start(rig, 23h);
}

Result<void> play_clock_back_at_start(Rig& rig, const Row& /*row*/) {
  return play_clock_at_start(rig, -23h);
}

Result<void> play_receiver_killed(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  rig.begin_trouble();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(false));
  rig.pause(1500ms);
  rig.mark();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(true));
  rig.end_trouble();
  rig.pause(kLoadTime);
  return {};
}

// No answers for longer than the timeout of a request (1 s).
Result<void> play_receiver_hangs(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  EILPOST_RETURN_IF_ERROR(rig.set_hanging(true));
  rig.pause(2500ms);
  rig.mark();
  EILPOST_RETURN_IF_ERROR(rig.set_hanging(false));
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_receiver_and_program_killed(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  rig.begin_trouble();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(false));
  rig.pause(500ms);
  rig.kill();
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(500ms);
  rig.kill();
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(true));
  rig.end_trouble();
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_frozen(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  EILPOST_RETURN_IF_ERROR(rig.freeze(3s));
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_orderly_ends(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  for (int i = 0; i < 3; ++i) {
    rig.pause(kLoadTime);
    EILPOST_RETURN_IF_ERROR(rig.terminate());
    EILPOST_RETURN_IF_ERROR(rig.start());
  }
  rig.pause(kLoadTime);
  return {};
}

bool needs_late(Point point) {
  return point >= Point::carry_before_write && point <= Point::trim_after;
}

std::vector<Row> rows_of_points() {
  constexpr std::array kShort = {Point::journal_after_write, Point::ack_before,
                                 Point::response_after, Point::carry_after_write,
                                 Point::settings_after_write};
  std::vector<Row> rows;
  for (std::size_t i = 1; i < kPointTexts.size(); ++i) {
    const auto point = static_cast<Point>(i);
    rows.push_back({.group = "killed at",
                    .name = std::string(kPointTexts[i]),
                    .play = play_point,
                    .point = point,
                    .has_late = needs_late(point),
                    .is_short = std::ranges::find(kShort, point) != kShort.end()});
  }
  return rows;
}

std::vector<Row> rows_of_the_rest() {
  return {
      {.group = "killed", .name = "at random, 8 times", .play = play_random_kills},
      {.group = "killed",
       .name = "at random, 8 times, the power fails",
       .play = play_random_power_losses,
       .has_late = true},
      {.group = "killed", .name = "6 times as soon as it is ready", .play = play_kills_at_start},
      {.group = "ended", .name = "orderly, 3 times (SIGTERM)", .play = play_orderly_ends},
      {.group = "clock", .name = "23 h ahead while it runs, and back", .play = play_clock_forward},
      {.group = "clock", .name = "23 h back while it runs, and ahead", .play = play_clock_back},
      {.group = "clock",
       .name = "23 h ahead at a start, back at the next",
       .play = play_clock_forward_at_start},
      {.group = "clock",
       .name = "23 h back at a start, ahead at the next",
       .play = play_clock_back_at_start},
      {.group = "receiver",
       .name = "killed, and back after 1.5 s",
       .play = play_receiver_killed,
       .is_short = true},
      {.group = "receiver", .name = "hangs for 2.5 s (timeout 1 s)", .play = play_receiver_hangs},
      {.group = "receiver",
       .name = "killed, and the program twice meanwhile",
       .play = play_receiver_and_program_killed},
      {.group = "frozen",
       .name = "SIGSTOP for 3 s (timeout of a request 1 s)",
       .play = play_frozen},
  };
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows = rows_of_points();
  for (std::vector<Row> more : {rows_of_the_rest(), rows_of_disks(), rows_of_damage()}) {
    std::ranges::move(more, std::back_inserter(rows));
  }
  return rows;
}

}  // namespace eilpost::crash

// Journals with flipped bits: the damage is found and reported with its place, everything before
// and after it is still delivered, nothing is invented.

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crash/journal_damage.h"
#include "crash/rows.h"

namespace eilpost::crash {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLoadTime = 250ms;
constexpr Duration kOutage = 1200ms;
constexpr std::string_view kPrefix = "single";

std::string journal_of(const Rig& rig) {
  return rig.folder() + "/data/journal";
}

// Ends with a journal that owes much to receivers that are gone.
Result<void> play_until_owing(Rig& rig) {
  rig.begin_trouble();
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(false));
  rig.pause(kOutage);
  return {};
}

Result<void> play_from_owing(Rig& rig) {
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(true));
  rig.end_trouble();
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(kLoadTime);
  return {};
}

std::uint64_t number_of(std::string_view id) {
  std::uint64_t number = 0;
  const std::size_t dash = id.rfind('-');
  (void)std::from_chars(id.data() + dash + 1, id.data() + id.size(), number);
  return number;
}

// `count` of the events that are owed and were accepted neither first nor last.
std::vector<std::string> choose_owed(Rig& rig, std::size_t count) {
  std::vector<std::string> owed;
  rig.with_books([&owed](Books& books) {
    std::unordered_map<std::string_view, bool> seen;
    for (const auto& [webhook_id, delivery] : books.seen) seen[delivery.event_id] = true;
    for (const auto& [id, event] : books.events) {
      if (!event.is_acknowledged || !id.starts_with(kPrefix) || seen.contains(id)) continue;
      owed.push_back(id);
    }
  });
  std::ranges::sort(owed, {}, number_of);
  const std::size_t from = owed.size() / 4;
  const std::size_t step = std::max<std::size_t>(1, owed.size() / 2 / count);
  std::vector<std::string> chosen;
  for (std::size_t i = from; i < owed.size() && chosen.size() < count; i += step) {
    chosen.push_back(owed[i]);
  }
  if (chosen.size() < count) rig.remark("too few deliveries were owed");
  return chosen;
}

void note_damaged(Rig& rig, const std::vector<std::string>& ids) {
  rig.with_books([&ids](Books& books) {
    for (const std::string& id : ids) {
      const auto event = books.events.find(id);
      if (event != books.events.end()) event->second.is_damaged = true;
    }
  });
}

// Notes as damaged what lies in the frame of `place`.
Result<void> note_frame(Rig& rig, const Place& place) {
  EILPOST_ASSIGN_OR_RETURN(const FrameText frame, read_frame(place));
  note_damaged(rig, ids_in(frame.bytes, "single"));
  note_damaged(rig, ids_in(frame.bytes, "batch"));
  return {};
}

void expect_report(Rig& rig, std::size_t lines_min) {
  std::size_t with_place = 0;
  for (const std::string& line : rig.log_lines("amage")) {
    if (line.contains("segment ") && line.contains("offset ")) ++with_place;
  }
  rig.note(fmt::format("{} reports with a place", with_place));
  if (with_place >= lines_min) return;
  rig.remark(fmt::format("{} reports of damage with its place, {} are due", with_place, lines_min));
}

// One bit of the record of each of five events: of its document, or of its id.
Result<void> damage_records(Rig& rig, bool is_id) {
  constexpr std::size_t kRecords = 5;
  for (const std::string& id : choose_owed(rig, kRecords)) {
    EILPOST_ASSIGN_OR_RETURN(Place place, find_event(journal_of(rig), id));
    constexpr std::uint64_t kIntoDocument = 200;  // in the padding
    place.offset += is_id ? id.size() - 1 : kIntoDocument;
    EILPOST_RETURN_IF_ERROR(flip_bit(place, 0));
    note_damaged(rig, {id});
  }
  return {};
}

Result<void> play_damaged_records(Rig& rig, bool is_id) {
  EILPOST_RETURN_IF_ERROR(play_until_owing(rig));
  rig.kill();
  EILPOST_RETURN_IF_ERROR(damage_records(rig, is_id));
  EILPOST_RETURN_IF_ERROR(play_from_owing(rig));
  expect_report(rig, 5);
  return {};
}

Result<void> play_damaged_documents(Rig& rig, const Row& /*row*/) {
  return play_damaged_records(rig, /*is_id=*/false);
}

Result<void> play_damaged_ids(Rig& rig, const Row& /*row*/) {
  return play_damaged_records(rig, /*is_id=*/true);
}

Result<void> play_damaged_frame_header(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(play_until_owing(rig));
  rig.kill();
  for (const std::string& id : choose_owed(rig, 3)) {
    EILPOST_ASSIGN_OR_RETURN(const Place place, find_event(journal_of(rig), id));
    EILPOST_RETURN_IF_ERROR(note_frame(rig, place));
    EILPOST_ASSIGN_OR_RETURN(FrameText frame, read_frame(place));
    constexpr std::uint64_t kLengthOffset = 4;
    frame.begin.offset += kLengthOffset;
    EILPOST_RETURN_IF_ERROR(flip_bit(frame.begin, 3));
  }
  EILPOST_RETURN_IF_ERROR(play_from_owing(rig));
  expect_report(rig, 3);
  return {};
}

// Thirty bits anywhere in what is written. What shares a frame with one may be lost.
Result<void> play_random_bits(Rig& rig, const Row& /*row*/) {
  constexpr std::size_t kBits = 30;
  EILPOST_RETURN_IF_ERROR(play_until_owing(rig));
  rig.kill();
  for (const std::string& id : choose_owed(rig, kBits)) {
    EILPOST_ASSIGN_OR_RETURN(Place place, find_event(journal_of(rig), id));
    place.offset += rig.random().below(600);
    EILPOST_RETURN_IF_ERROR(note_frame(rig, place));
    EILPOST_RETURN_IF_ERROR(flip_bit(place, static_cast<unsigned>(rig.random().below(8))));
  }
  EILPOST_RETURN_IF_ERROR(play_from_owing(rig));
  expect_report(rig, 10);
  return {};
}

// The records are read again when the receivers are back: only then is the damage found.
Result<void> play_damaged_while_running(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(play_until_owing(rig));
  rig.kill();
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(500ms);
  EILPOST_RETURN_IF_ERROR(damage_records(rig, /*is_id=*/false));
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(true));
  rig.end_trouble();
  rig.pause(1s);
  expect_report(rig, 1);
  return {};
}

std::vector<std::string> whole_files(const Rig& rig, std::string_view prefix) {
  std::vector<std::string> paths = files_of(journal_of(rig), prefix);
  std::erase_if(paths, [](const std::string& path) { return path.ends_with(".new"); });
  return paths;
}

// One bit near the beginning of each of the newest of these files; the journal's own text must
// make up for it.
Result<void> play_damaged_files(Rig& rig, std::string_view prefix, std::size_t count) {
  constexpr Duration kFilesMax = 30s;
  rig.begin_trouble();
  EILPOST_RETURN_IF_ERROR(rig.begin());
  if (!rig.wait_for(kFilesMax, [&] { return whole_files(rig, prefix).size() >= count; })) {
    rig.remark(fmt::format("there are too few {} files", prefix));
  }
  EILPOST_RETURN_IF_ERROR(rig.set_receivers_up(false));
  rig.pause(kLoadTime);
  rig.kill();
  std::vector<std::string> paths = whole_files(rig, prefix);
  std::ranges::reverse(paths);
  for (std::size_t i = 0; i < std::min(paths.size(), count); ++i) {
    constexpr std::uint64_t kOffset = 14;
    EILPOST_RETURN_IF_ERROR(flip_bit({.path = paths[i], .offset = kOffset}, 2));
  }
  EILPOST_RETURN_IF_ERROR(play_from_owing(rig));
  if (rig.log_lines("amage").empty() && rig.log_lines("cannot be used").empty()) {
    rig.remark("the damage is not reported");
  }
  return {};
}

Result<void> play_damaged_list(Rig& rig, const Row& /*row*/) {
  return play_damaged_files(rig, "MANIFEST", 1);
}

Result<void> play_damaged_checkpoint(Rig& rig, const Row& /*row*/) {
  return play_damaged_files(rig, "checkpoint-", 1);
}

Result<void> play_damaged_checkpoints(Rig& rig, const Row& /*row*/) {
  return play_damaged_files(rig, "checkpoint-", 2);
}

Result<void> play_damaged_repeats(Rig& rig, const Row& /*row*/) {
  return play_damaged_files(rig, "repeats-", 1);
}

}  // namespace

std::vector<Row> rows_of_damage() {
  return {
      {.group = "flipped bits",
       .name = "in the documents of 5 records",
       .play = play_damaged_documents,
       .is_short = true},
      {.group = "flipped bits", .name = "in the ids of 5 records", .play = play_damaged_ids},
      {.group = "flipped bits",
       .name = "in the headers of 3 frames",
       .play = play_damaged_frame_header},
      {.group = "flipped bits", .name = "30, anywhere in records", .play = play_random_bits},
      {.group = "flipped bits",
       .name = "in 5 records while it runs",
       .play = play_damaged_while_running},
      {.group = "flipped bits", .name = "in the list of segments", .play = play_damaged_list},
      {.group = "flipped bits",
       .name = "in the newest checkpoint",
       .play = play_damaged_checkpoint},
      {.group = "flipped bits", .name = "in both checkpoints", .play = play_damaged_checkpoints},
      {.group = "flipped bits", .name = "in the ids of repeats", .play = play_damaged_repeats},
  };
}

}  // namespace eilpost::crash

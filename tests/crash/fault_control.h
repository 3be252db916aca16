#pragma once
// What the crash test and the library that it preloads into the program share: a file that both
// have mapped. All zero: nothing is armed, nothing fails.
//
// Threads: any; each field is atomic.

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace eilpost::crash {

// The places at which the program can be killed. "After a write" is also "before its fsync".
#define EILPOST_CRASH_POINTS(X)                                              \
  X(journal_before_write, "journal: before events are written")              \
  X(journal_amid_write, "journal: half of the frame is written")             \
  X(journal_after_write, "journal: events are written, before the fsync")    \
  X(journal_after_sync, "journal: after the fsync of events")                \
  X(ack_before, "ack: before the 202 is sent")                               \
  X(ack_after, "ack: after the 202 was sent")                                \
  X(send_before, "send: before the request to the receiver")                 \
  X(send_amid, "send: half of the request is sent")                          \
  X(send_after, "send: after the request to the receiver")                   \
  X(response_before, "response: it has come, before it is read")             \
  X(response_after, "response: after it was read")                           \
  X(record_before_write, "record: before the outcome is written")            \
  X(record_after_write, "record: the outcome is written, before the fsync")  \
  X(record_after_sync, "record: after the fsync of the outcome")             \
  X(segment_after_write, "segment: a new one is written, before the fsync")  \
  X(segment_after_sync, "segment: after the fsync of a new one")             \
  X(list_before_rename, "list of segments: written, before the rename")      \
  X(list_after_rename, "list of segments: after the rename")                 \
  X(carry_before_write, "trim: before what is owed is carried to the end")   \
  X(carry_after_write, "trim: what is owed was carried, before the fsync")   \
  X(carry_after_sync, "trim: after the fsync of what was carried")           \
  X(trim_before, "trim: before a segment is given up")                       \
  X(trim_after, "trim: after a segment was given up")                        \
  X(checkpoint_before_write, "checkpoint: before it is written")             \
  X(checkpoint_after_write, "checkpoint: written, before the fsync")         \
  X(checkpoint_after_sync, "checkpoint: after the fsync, before the rename") \
  X(checkpoint_after_rename, "checkpoint: after the rename")                 \
  X(repeats_after_write, "ids of repeats: written, before the fsync")        \
  X(repeats_after_rename, "ids of repeats: after the rename")                \
  X(settings_before_write, "settings: before a change is written")           \
  X(settings_after_write, "settings: a change is written, before the fsync") \
  X(settings_after_sync, "settings: after the fsync of a change")            \
  X(history_before_write, "history: before the log is written")              \
  X(history_after_write, "history: after the log was written")               \
  X(history_after_sync, "history: after the fsync of the log")

enum class Point : std::uint8_t {
  none,
#define EILPOST_CRASH_POINT(name, text) name,
  EILPOST_CRASH_POINTS(EILPOST_CRASH_POINT)
#undef EILPOST_CRASH_POINT
};

inline constexpr std::array kPointTexts =
    std::to_array<std::string_view>({"none",
#define EILPOST_CRASH_POINT(name, text) text,
                                     EILPOST_CRASH_POINTS(EILPOST_CRASH_POINT)
#undef EILPOST_CRASH_POINT
    });

enum class Fault : std::uint8_t {
  none,
  disk_full,    // a write that makes a file larger fails
  read_only,    // whatever changes the disk fails
  write_error,  // a write to `fault_file` fails
  sync_error,   // a sync of `fault_file` fails; of a segment what it should have kept is lost
};

// The files that are told apart.
enum class FileKind : std::uint8_t {
  other,
  segment,
  list,
  checkpoint,
  repeats,
  settings,
  history,
};

struct FaultControl {
  std::atomic<Point> armed;
  std::atomic<std::int64_t> passages_left;  // of `armed`: the process dies when it comes to 0
  std::array<std::atomic<std::uint64_t>, kPointTexts.size()> passages;
  std::atomic<std::uint32_t> dies_now;     // not 0: at the next passage of any point
  std::atomic<std::int64_t> killed_at_ns;  // CLOCK_MONOTONIC; 0: not yet
  std::atomic<Fault> fault;
  std::atomic<FileKind> fault_file;
  std::atomic<std::uint64_t> faults_count;    // operations that were made to fail
  std::atomic<std::int64_t> clock_offset_ns;  // added to CLOCK_REALTIME
  std::atomic<std::uint64_t> clock_reads;     // to which an offset was added
  // Not 0: what was written to the data folder and not synced is lost with the process. Set before
  // the program starts.
  std::atomic<std::uint32_t> loses_unsynced;
  std::atomic<std::uint64_t> lost_bytes;  // so taken back
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace eilpost::crash

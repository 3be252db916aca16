// Disks that are full, read-only, or fail.

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include "crash/rows.h"

namespace eilpost::crash {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLoadTime = 250ms;
constexpr Duration kEndMax = 10s;
constexpr Duration kRecoverMax = 10s;

// The program accepts events again.
void expect_acceptance(Rig& rig, std::string_view when) {
  const std::uint64_t before = rig.acknowledged_count();
  if (rig.wait_for(kRecoverMax, [&] { return rig.acknowledged_count() > before; })) return;
  rig.remark(fmt::format("nothing is accepted {}", when));
}

void expect_refusals(Rig& rig, std::uint64_t before, std::string_view when) {
  if (rig.wait_for(kRecoverMax, [&] { return rig.refused_count() > before; })) return;
  rig.remark(fmt::format("nothing is refused {}", when));
}

void expect_fired(Rig& rig) {
  if (rig.faults().faults_count() == 0) rig.remark("no operation was made to fail");
}

void expect_running(Rig& rig, std::string_view when) {
  if (!rig.process().is_running()) rig.remark(fmt::format("the program ended {}", when));
}

void expect_exit_code(Rig& rig, int expected) {
  const std::optional<int> code = rig.process().exit_code();
  if (code == expected) return;
  rig.remark(code ? fmt::format("it ended with exit code {}, not {}", *code, expected)
                  : "it was ended by a signal");
}

Result<void> play_disk_full(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  const std::uint64_t refused = rig.refused_count();
  rig.faults().set_fault(Fault::disk_full);
  expect_refusals(rig, refused, "by a full disk");
  rig.pause(1s);
  expect_fired(rig);
  expect_running(rig, "when the disk was full");
  rig.mark();
  rig.faults().set_fault(Fault::none);
  expect_acceptance(rig, "after there was space again");
  rig.pause(kLoadTime);
  return {};
}

// It starts on the full disk, says so, takes nothing, and delivers what it owes.
Result<void> start_on_full_disk(Rig& rig) {
  const Result<void> started = rig.start(Survives::written, load::Awaits::answer);
  if (!started) {
    rig.remark("it does not start on the full disk: " + started.error().detail);
    rig.process().kill();
    return {};
  }
  const auto answer = rig.process().call(http::Method::get, "/readyz");
  rig.note(fmt::format("/readyz says {} on the full disk", answer ? answer->status : 0));
  rig.pause(500ms);
  return {};
}

Result<void> play_disk_full_restart(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  const std::uint64_t refused = rig.refused_count();
  rig.faults().set_fault(Fault::disk_full);
  expect_refusals(rig, refused, "by a full disk");
  rig.kill();
  EILPOST_RETURN_IF_ERROR(start_on_full_disk(rig));
  expect_fired(rig);
  rig.mark();
  rig.faults().set_fault(Fault::none);
  if (!rig.process().is_running()) EILPOST_RETURN_IF_ERROR(rig.start());
  expect_acceptance(rig, "after there was space again");
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_read_only(Rig& rig, const Row& /*row*/) {
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  rig.faults().set_fault(Fault::read_only);
  if (!rig.await_end(kEndMax)) {
    rig.remark("it runs on although it cannot write");
    rig.kill();
  } else {
    expect_exit_code(rig, Rig::kExitJournalFailed);
  }
  expect_fired(rig);
  const Result<void> started = rig.start();
  if (started) rig.remark("it starts although it cannot write");
  if (!started && rig.process().is_running()) rig.remark("it hangs when it cannot write");
  rig.kill();
  rig.faults().set_fault(Fault::none);
  EILPOST_RETURN_IF_ERROR(rig.start());
  expect_acceptance(rig, "after the disk was writable again");
  rig.pause(kLoadTime);
  return {};
}

// A failed write or sync of the journal: it ends at once, with its own exit code.
Result<void> play_journal_fault(Rig& rig, Fault fault) {
  EILPOST_RETURN_IF_ERROR(rig.begin(Survives::synced));
  rig.pause(kLoadTime);
  rig.faults().set_fault(fault, FileKind::segment);
  if (!rig.await_end(kEndMax)) {
    rig.remark("it runs on although its journal failed");
    rig.kill();
  } else {
    expect_exit_code(rig, Rig::kExitJournalFailed);
  }
  expect_fired(rig);
  rig.faults().set_fault(Fault::none);
  EILPOST_RETURN_IF_ERROR(rig.start());
  expect_acceptance(rig, "after the start");
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_journal_sync_error(Rig& rig, const Row& /*row*/) {
  return play_journal_fault(rig, Fault::sync_error);
}

Result<void> play_journal_write_error(Rig& rig, const Row& /*row*/) {
  return play_journal_fault(rig, Fault::write_error);
}

// A file whose failure must not end the program, nor keep events from being accepted.
Result<void> play_side_fault(Rig& rig, Fault fault, FileKind file) {
  EILPOST_RETURN_IF_ERROR(rig.begin(Survives::synced));
  rig.pause(kLoadTime);
  rig.faults().set_fault(fault, file);
  if (!rig.wait_for(kRecoverMax, [&] { return rig.faults().faults_count() > 0; })) {
    rig.remark("no operation was made to fail");
  }
  rig.pause(300ms);
  expect_running(rig, "although only a file beside the journal failed");
  expect_acceptance(rig, "while a file beside the journal fails");
  rig.kill();
  rig.faults().set_fault(Fault::none);
  EILPOST_RETURN_IF_ERROR(rig.start());
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_checkpoint_sync_error(Rig& rig, const Row& /*row*/) {
  return play_side_fault(rig, Fault::sync_error, FileKind::checkpoint);
}

Result<void> play_list_sync_error(Rig& rig, const Row& /*row*/) {
  return play_side_fault(rig, Fault::sync_error, FileKind::list);
}

Result<void> play_repeats_write_error(Rig& rig, const Row& /*row*/) {
  return play_side_fault(rig, Fault::write_error, FileKind::repeats);
}

Result<void> play_history_sync_error(Rig& rig, const Row& /*row*/) {
  return play_side_fault(rig, Fault::sync_error, FileKind::history);
}

Result<void> play_history_write_error(Rig& rig, const Row& /*row*/) {
  return play_side_fault(rig, Fault::write_error, FileKind::history);
}

// A change of the settings that cannot be saved is refused; events go on.
Result<void> play_settings_fault(Rig& rig, Fault fault) {
  EILPOST_RETURN_IF_ERROR(rig.begin(Survives::synced));
  rig.pause(kLoadTime);
  if (!rig.change_settings()) rig.remark("a change of the settings is refused");
  rig.faults().set_fault(fault, FileKind::settings);
  if (rig.change_settings()) rig.remark("a change is acknowledged that was not saved");
  expect_fired(rig);
  rig.pause(300ms);
  expect_running(rig, "although only its settings failed");
  expect_acceptance(rig, "while the settings cannot be saved");
  rig.faults().set_fault(Fault::none);
  if (!rig.wait_for(kRecoverMax, [&] { return rig.change_settings(); })) {
    rig.note("no change is saved until the next start");
  }
  rig.kill();
  EILPOST_RETURN_IF_ERROR(rig.start());
  if (!rig.change_settings()) rig.remark("a change of the settings is refused after the start");
  rig.pause(kLoadTime);
  return {};
}

Result<void> play_settings_sync_error(Rig& rig, const Row& /*row*/) {
  return play_settings_fault(rig, Fault::sync_error);
}

Result<void> play_settings_write_error(Rig& rig, const Row& /*row*/) {
  return play_settings_fault(rig, Fault::write_error);
}

// A file system of its own on the data folder, until the end of the row.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {}
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  // Nothing, or why it cannot be.
  std::optional<std::string> mount() {
    std::error_code ignored;
    std::filesystem::create_directories(path_, ignored);
    is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=32m,mode=700") == 0;
    if (is_mounted_) return std::nullopt;
    return fmt::format("a tmpfs cannot be mounted: {}", std::strerror(errno));
  }

 private:
  std::string path_;
  bool is_mounted_ = false;
};

// Writes zeros until nothing more fits.
void fill(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string zeros(4096, '\0');
  while (::write(file, zeros.data(), zeros.size()) > 0) {
  }
  ::close(file);
}

Result<void> play_small_disk(Rig& rig, const Row& /*row*/) {
  const std::string data = rig.folder() + "/data";
  const std::string filler = data + "/filler";
  const auto disk = std::make_shared<SmallDisk>(data);
  if (const auto reason = disk->mount()) {
    rig.skip(*reason);
    return {};
  }
  rig.keep(disk);
  EILPOST_RETURN_IF_ERROR(rig.begin());
  rig.pause(kLoadTime);
  const std::uint64_t refused = rig.refused_count();
  fill(filler);
  expect_refusals(rig, refused, "by a full disk");
  rig.pause(500ms);
  expect_running(rig, "when the disk was full");
  rig.kill();
  EILPOST_RETURN_IF_ERROR(start_on_full_disk(rig));
  rig.mark();
  std::error_code ignored;
  std::filesystem::remove(filler, ignored);
  if (!rig.process().is_running()) EILPOST_RETURN_IF_ERROR(rig.start());
  expect_acceptance(rig, "after there was space again");
  rig.pause(kLoadTime);
  return {};
}

}  // namespace

std::vector<Row> rows_of_disks() {
  return {
      {.group = "disk full",
       .name = "for a second; then there is space",
       .play = play_disk_full,
       .is_short = true,
       .is_log_whole = false},
      {.group = "disk full",
       .name = "killed and started on it; then there is space",
       .play = play_disk_full_restart,
       .is_log_whole = false},
      {.group = "disk full",
       .name = "a real one (tmpfs of 32 MiB), killed and started on it",
       .play = play_small_disk,
       .is_log_whole = false,
       .history_bytes_max = 6ULL << 20U},
      {.group = "read-only",
       .name = "it ends with 74, cannot start, starts when it can write",
       .play = play_read_only},
      {.group = "fsync error",
       .name = "journal: it ends with 74, what was written is lost",
       .play = play_journal_sync_error,
       .is_short = true},
      {.group = "write error",
       .name = "journal: it ends with 74",
       .play = play_journal_write_error},
      {.group = "fsync error", .name = "checkpoint", .play = play_checkpoint_sync_error},
      {.group = "fsync error", .name = "list of segments", .play = play_list_sync_error},
      {.group = "write error", .name = "ids of repeats", .play = play_repeats_write_error},
      {.group = "fsync error", .name = "settings", .play = play_settings_sync_error},
      {.group = "write error", .name = "settings", .play = play_settings_write_error},
      {.group = "fsync error",
       .name = "history",
       .play = play_history_sync_error,
       .is_log_whole = false},
      {.group = "write error",
       .name = "history",
       .play = play_history_write_error,
       .is_log_whole = false},
  };
}

}  // namespace eilpost::crash

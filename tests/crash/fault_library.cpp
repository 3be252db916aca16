// Preloaded into the program that a crash test runs: kills it at a named point, lets its disk fail,
// moves its calendar. What to do stands in the file $FAULT_CONTROL (fault_control.h).
//
// Method: stands before the few calls by which the program writes, syncs, renames, sends and
// receives. Each file is told by its name when it is opened, each socket by how it came to be. The
// kernel is called directly, so nothing depends on the order in which libraries are loaded.
// What it cannot know: what a power loss makes of names, lengths and truncations. Those it keeps.

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash/fault_control.h"

namespace {

using namespace eilpost::crash;  // NOLINT(google-build-using-namespace): the library is theirs.

constexpr int kDescriptorsMax = 65536;
constexpr int kOwnDescriptorsFrom = 512;
constexpr std::size_t kFrameHeaderBytes = 32;
constexpr std::size_t kRecordHeaderBytes = 8;
constexpr char kAcceptedRecord = 1;
constexpr char kCarriedRecord = 4;

enum class SocketKind : std::uint8_t { none, accepted, connected };

// What the last frame written to a segment holds.
struct FrameKinds {
  bool has_events = false;
  bool has_outcomes = false;
  bool has_carried = false;

  [[nodiscard]] bool is_none() const { return !has_events && !has_outcomes && !has_carried; }
};

struct Descriptor {
  std::atomic<FileKind> file;
  std::atomic<SocketKind> socket;
  FrameKinds frame;  // one thread writes a segment
};

FaultControl* control = nullptr;
Descriptor descriptors[kDescriptorsMax];

Descriptor* find(int number) {
  return control == nullptr || number < 0 || number >= kDescriptorsMax ? nullptr
                                                                       : &descriptors[number];
}

FileKind kind_of(int number) {
  const Descriptor* descriptor = find(number);
  return descriptor == nullptr ? FileKind::other : descriptor->file.load();
}

SocketKind socket_kind_of(int number) {
  const Descriptor* descriptor = find(number);
  return descriptor == nullptr ? SocketKind::none : descriptor->socket.load();
}

Fault fault() {
  return control == nullptr ? Fault::none : control->fault.load();
}

int fail_with(int error) {
  control->faults_count.fetch_add(1);
  errno = error;
  return -1;
}

// ---- What was not synced, to be taken back.

struct Unsynced {
  Unsynced* older;
  dev_t device;
  ino_t inode;
  int file;  // of our own: it stays open when the program closes its
  off_t offset;
  off_t size_before;
  std::size_t count;
  std::uint64_t number;
  std::size_t old_bytes;
  char* old;  // behind this struct
};

pthread_mutex_t unsynced_mutex = PTHREAD_MUTEX_INITIALIZER;
Unsynced* newest_unsynced = nullptr;
std::uint64_t unsynced_number = 0;

bool loses_unsynced() {
  return control != nullptr && control->loses_unsynced.load() != 0;
}

int own_descriptor(const struct stat& facts, int number) {
  for (const Unsynced* one = newest_unsynced; one != nullptr; one = one->older) {
    if (one->inode == facts.st_ino && one->device == facts.st_dev) return one->file;
  }
  return fcntl(number, F_DUPFD_CLOEXEC, kOwnDescriptorsFrom);
}

// Before a write. The mutex is held.
void note_write(int number, std::size_t count, off_t offset) {
  struct stat facts{};
  if (fstat(number, &facts) != 0) return;
  std::size_t old_bytes = 0;
  if (offset < facts.st_size) {
    const auto rest = static_cast<std::size_t>(facts.st_size - offset);
    old_bytes = count < rest ? count : rest;
  }
  auto* entry = static_cast<Unsynced*>(calloc(1, sizeof(Unsynced) + old_bytes));
  if (entry == nullptr) abort();
  entry->old = reinterpret_cast<char*>(entry + 1);
  entry->device = facts.st_dev;
  entry->inode = facts.st_ino;
  entry->file = own_descriptor(facts, number);
  if (entry->file < 0) abort();
  entry->offset = offset;
  entry->size_before = facts.st_size;
  entry->count = count;
  entry->number = ++unsynced_number;
  if (old_bytes > 0) {
    const long read = syscall(SYS_pread64, number, entry->old, old_bytes, offset);
    entry->old_bytes = read < 0 ? 0 : static_cast<std::size_t>(read);
  }
  entry->older = newest_unsynced;
  newest_unsynced = entry;
}

// After a sync: what was written to this file up to `number` stays. The mutex is held.
void forget_unsynced(const struct stat& facts, std::uint64_t number) {
  int closing = -1;
  bool is_used = false;
  for (Unsynced** place = &newest_unsynced; *place != nullptr;) {
    Unsynced* entry = *place;
    const bool is_same = entry->inode == facts.st_ino && entry->device == facts.st_dev;
    if (is_same && entry->number > number) is_used = true;
    if (!is_same || entry->number > number) {
      place = &entry->older;
      continue;
    }
    closing = entry->file;
    *place = entry->older;
    free(entry);
  }
  if (closing >= 0 && !is_used) syscall(SYS_close, closing);
}

// Newest first. The mutex is held. `inode` 0: of all files.
void take_back(ino_t inode) {
  for (const Unsynced* one = newest_unsynced; one != nullptr; one = one->older) {
    if (inode != 0 && one->inode != inode) continue;
    if (one->old_bytes > 0) {
      syscall(SYS_pwrite64, one->file, one->old, one->old_bytes, one->offset);
    }
    struct stat facts{};
    if (fstat(one->file, &facts) == 0 && facts.st_size > one->size_before) {
      syscall(SYS_ftruncate, one->file, one->size_before);
    }
    control->lost_bytes.fetch_add(one->count);
  }
}

// ---- Points.

[[noreturn]] void die() {
  if (loses_unsynced()) {
    pthread_mutex_lock(&unsynced_mutex);
    take_back(0);
  }
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  control->killed_at_ns = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

// Whether this passage is the one at which to die.
bool comes_to(Point point) {
  if (control == nullptr) return false;
  control->passages[static_cast<std::size_t>(point)].fetch_add(1);
  if (control->dies_now.load() != 0) return true;
  return control->armed == point && control->passages_left.fetch_sub(1) == 1;
}

void pass(Point point) {
  if (comes_to(point)) die();
}

bool is_armed(Point point) {
  return control != nullptr && control->armed == point;
}

bool begins_with(const char* text, const char* beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

FileKind kind_of_path(const char* path) {
  const char* slash = strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  if (strstr(path, "/journal/") != nullptr) {
    if (begins_with(name, "segment-")) return FileKind::segment;
    if (begins_with(name, "MANIFEST")) return FileKind::list;
    if (begins_with(name, "checkpoint-")) return FileKind::checkpoint;
    if (begins_with(name, "repeats-")) return FileKind::repeats;
  }
  if (begins_with(name, "settings.db")) return FileKind::settings;
  if (strstr(path, "/history/") != nullptr) return FileKind::history;
  return FileKind::other;
}

std::uint32_t u32_at(const char* bytes) {
  std::uint32_t value = 0;
  memcpy(&value, bytes, sizeof value);
  return value;
}

FrameKinds read_frame(const char* bytes, std::size_t count) {
  FrameKinds kinds;
  if (count < kFrameHeaderBytes || memcmp(bytes, "EFRM", 4) != 0) return kinds;
  std::size_t at = kFrameHeaderBytes;
  while (at + kRecordHeaderBytes < count) {
    const char kind = bytes[at + kRecordHeaderBytes];
    bool& known = kind == kAcceptedRecord  ? kinds.has_events
                  : kind == kCarriedRecord ? kinds.has_carried
                                           : kinds.has_outcomes;
    known = true;
    at += kRecordHeaderBytes + u32_at(bytes + at);
  }
  return kinds;
}

void pass_before_write(FileKind kind, const FrameKinds& frame) {
  if (kind == FileKind::checkpoint) pass(Point::checkpoint_before_write);
  if (kind == FileKind::settings) pass(Point::settings_before_write);
  if (kind == FileKind::history) pass(Point::history_before_write);
  if (frame.has_events) pass(Point::journal_before_write);
  if (frame.has_outcomes) pass(Point::record_before_write);
  if (frame.has_carried) pass(Point::carry_before_write);
}

void pass_after_write(FileKind kind, const FrameKinds& frame) {
  if (kind == FileKind::checkpoint) pass(Point::checkpoint_after_write);
  if (kind == FileKind::repeats) pass(Point::repeats_after_write);
  if (kind == FileKind::settings) pass(Point::settings_after_write);
  if (kind == FileKind::history) pass(Point::history_after_write);
  if (frame.has_events) pass(Point::journal_after_write);
  if (frame.has_outcomes) pass(Point::record_after_write);
  if (frame.has_carried) pass(Point::carry_after_write);
  if (kind == FileKind::segment && frame.is_none()) pass(Point::segment_after_write);
}

void pass_after_sync(FileKind kind, const FrameKinds& frame) {
  if (kind == FileKind::checkpoint) pass(Point::checkpoint_after_sync);
  if (kind == FileKind::settings) pass(Point::settings_after_sync);
  if (kind == FileKind::history) pass(Point::history_after_sync);
  if (frame.has_events) pass(Point::journal_after_sync);
  if (frame.has_outcomes) pass(Point::record_after_sync);
  if (frame.has_carried) pass(Point::carry_after_sync);
  if (kind == FileKind::segment && frame.is_none()) pass(Point::segment_after_sync);
}

// ---- Disk faults.

// How much of a write the disk takes; -1: it fails, errno says why.
ssize_t allowed_bytes(int number, FileKind kind, std::size_t count, off_t offset) {
  const auto all = static_cast<ssize_t>(count);
  switch (fault()) {
    case Fault::none:
    case Fault::sync_error:
      return all;
    case Fault::read_only:
      return fail_with(EROFS);
    case Fault::write_error:
      return kind == control->fault_file ? fail_with(EIO) : all;
    case Fault::disk_full: {
      struct stat facts{};
      if (fstat(number, &facts) != 0 || offset + all <= facts.st_size) return all;
      return offset < facts.st_size ? facts.st_size - offset : fail_with(ENOSPC);
    }
  }
  return all;
}

int sync_file(int number, long call) {
  const Descriptor* descriptor = find(number);
  if (descriptor == nullptr) return static_cast<int>(syscall(call, number));
  const FileKind kind = descriptor->file;
  struct stat facts{};
  fstat(number, &facts);
  pthread_mutex_lock(&unsynced_mutex);
  const std::uint64_t until = unsynced_number;
  if (fault() == Fault::sync_error && kind == control->fault_file) {
    if (kind == FileKind::segment) take_back(facts.st_ino);
    pthread_mutex_unlock(&unsynced_mutex);
    return fail_with(EIO);
  }
  pthread_mutex_unlock(&unsynced_mutex);
  const int result = static_cast<int>(syscall(call, number));
  if (result != 0) return result;
  if (loses_unsynced()) {
    pthread_mutex_lock(&unsynced_mutex);
    forget_unsynced(facts, until);
    pthread_mutex_unlock(&unsynced_mutex);
  }
  pass_after_sync(kind, descriptor->frame);
  return result;
}

__attribute__((constructor)) void map_control() {
  const char* path = getenv("FAULT_CONTROL");
  if (path == nullptr) return;
  const auto file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (file < 0) abort();
  void* mapped = mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  control = static_cast<FaultControl*>(mapped);
  syscall(SYS_close, file);
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name):
// libc's names
extern "C" {

int openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  const bool is_writing = (flags & (O_WRONLY | O_RDWR)) != 0;
  if (is_writing && fault() == Fault::read_only) return fail_with(EROFS);
  const int number = static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
  Descriptor* descriptor = find(number);
  if (descriptor == nullptr || !is_writing) return number;
  char link[64];
  char full[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", number);
  const ssize_t size = readlink(link, full, sizeof full - 1);
  full[size < 0 ? 0 : size] = '\0';
  descriptor->frame = {};
  descriptor->file = kind_of_path(full);
  return number;
}

int close(int number) {
  Descriptor* descriptor = find(number);
  if (descriptor != nullptr) {
    descriptor->file = FileKind::other;
    descriptor->socket = SocketKind::none;
  }
  return static_cast<int>(syscall(SYS_close, number));
}

ssize_t pwrite(int number, const void* bytes, size_t wanted, off_t offset) {
  const FileKind kind = kind_of(number);
  const ssize_t allowed = allowed_bytes(number, kind, wanted, offset);
  if (allowed < 0) return allowed;
  const auto count = static_cast<size_t>(allowed);
  FrameKinds frame;
  if (kind == FileKind::segment) {
    frame = read_frame(static_cast<const char*>(bytes), count);
    find(number)->frame = frame;
  }
  pass_before_write(kind, frame);
  const bool is_noted = loses_unsynced();
  if (is_noted) {
    pthread_mutex_lock(&unsynced_mutex);
    note_write(number, count, offset);
  }
  if (frame.has_events && comes_to(Point::journal_amid_write)) {
    if (is_noted) {  // What was written before is lost; half of this survives: a torn frame.
      take_back(0);
      control->loses_unsynced = 0;
    }
    syscall(SYS_pwrite64, number, bytes, count / 2, offset);
    die();
  }
  const long written = syscall(SYS_pwrite64, number, bytes, count, offset);
  if (is_noted) pthread_mutex_unlock(&unsynced_mutex);
  pass_after_write(kind, frame);
  return written;
}

int fdatasync(int number) {
  return sync_file(number, SYS_fdatasync);
}

int fsync(int number) {
  return sync_file(number, SYS_fsync);
}

int ftruncate(int number, off_t size) noexcept {
  if (fault() == Fault::read_only) return fail_with(EROFS);
  if (loses_unsynced()) {
    struct stat facts{};
    fstat(number, &facts);
    pthread_mutex_lock(&unsynced_mutex);
    forget_unsynced(facts, unsynced_number);
    pthread_mutex_unlock(&unsynced_mutex);
  }
  return static_cast<int>(syscall(SYS_ftruncate, number, size));
}

int renameat(int old_folder, const char* old_name, int new_folder, const char* new_name) noexcept {
  if (fault() == Fault::read_only) return fail_with(EROFS);
  const bool is_list = strcmp(new_name, "MANIFEST") == 0;
  const bool is_trim = begins_with(old_name, "segment-");
  if (is_list) pass(Point::list_before_rename);
  if (is_trim) pass(Point::trim_before);
  const long result = syscall(SYS_renameat2, old_folder, old_name, new_folder, new_name, 0);
  if (is_list) pass(Point::list_after_rename);
  if (is_trim) pass(Point::trim_after);
  if (begins_with(new_name, "checkpoint-")) pass(Point::checkpoint_after_rename);
  if (begins_with(new_name, "repeats-")) pass(Point::repeats_after_rename);
  return static_cast<int>(result);
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  if (fault() == Fault::read_only) return fail_with(EROFS);
  const bool is_trim = begins_with(name, "segment-");
  if (is_trim) pass(Point::trim_before);
  const long result = syscall(SYS_unlinkat, folder, name, flags);
  if (is_trim) pass(Point::trim_after);
  return static_cast<int>(result);
}

int accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  const int number = static_cast<int>(syscall(SYS_accept4, listener, address, size, flags));
  if (Descriptor* descriptor = find(number)) descriptor->socket = SocketKind::accepted;
  return number;
}

int connect(int number, const sockaddr* address, socklen_t size) {
  if (Descriptor* descriptor = find(number)) descriptor->socket = SocketKind::connected;
  return static_cast<int>(syscall(SYS_connect, number, address, size));
}

ssize_t send(int number, const void* bytes, size_t count, int flags) {
  const SocketKind kind = socket_kind_of(number);
  const auto begins = [bytes, count](const char* text) {
    return count >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
  };
  const bool is_ack = kind == SocketKind::accepted && begins("HTTP/1.1 202");
  const bool is_request = kind == SocketKind::connected && begins("POST ");
  if (is_ack) pass(Point::ack_before);
  if (is_request) pass(Point::send_before);
  if (is_request && comes_to(Point::send_amid)) {
    syscall(SYS_sendto, number, bytes, count / 2, flags, nullptr, 0);
    die();
  }
  const long sent = syscall(SYS_sendto, number, bytes, count, flags, nullptr, 0);
  if (is_ack) pass(Point::ack_after);
  if (is_request) pass(Point::send_after);
  return sent;
}

ssize_t recv(int number, void* bytes, size_t count, int flags) {
  const bool is_response = socket_kind_of(number) == SocketKind::connected && count > 1;
  if (is_response && is_armed(Point::response_before)) {
    const long waiting =
        syscall(SYS_recvfrom, number, bytes, count, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
    if (waiting > 0) pass(Point::response_before);
  }
  const long received = syscall(SYS_recvfrom, number, bytes, count, flags, nullptr, nullptr);
  if (is_response && received > 0) pass(Point::response_after);
  return received;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using Function = int (*)(clockid_t, timespec*);
  static std::atomic<Function> real{nullptr};  // the quick one, without a system call
  Function function = real.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "clock_gettime"));
    real = function;
  }
  const int result = function(clock, time);
  if (clock != CLOCK_REALTIME || control == nullptr) return result;
  const std::int64_t offset = control->clock_offset_ns.load(std::memory_order_relaxed);
  if (offset == 0) return result;
  control->clock_reads.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t all = time->tv_sec * 1'000'000'000LL + time->tv_nsec + offset;
  time->tv_sec = all / 1'000'000'000LL;
  time->tv_nsec = all % 1'000'000'000LL;
  return result;
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

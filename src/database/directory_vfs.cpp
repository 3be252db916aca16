#include "database/directory_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"

namespace eilpost::database {
namespace {

constexpr int kPathBytesMax = 255;
constexpr int kSectorBytes = 4096;
// Milliseconds between noon of 4714-11-24 BC (where Julian days begin) and 1970-01-01.
constexpr sqlite3_int64 kJulianEpochMs = 210'866'760'000'000;

// What SQLite allocates for an open file; its first member must be SQLite's own.
struct VfsFile {
  sqlite3_file base;
  DirectoryVfs* vfs;
  env::File* file;  // owned; SQLite's memory knows no destructors
};

VfsFile& as_file(sqlite3_file* file) {
  return *reinterpret_cast<VfsFile*>(file);
}

}  // namespace

// The functions that SQLite calls; a struct so that one friend declaration serves all.
struct VfsCalls {
  static DirectoryVfs& self(sqlite3_vfs* vfs) { return *static_cast<DirectoryVfs*>(vfs->pAppData); }

  // ---- of a file

  static int close(sqlite3_file* handle) {
    delete std::exchange(as_file(handle).file, nullptr);
    return SQLITE_OK;
  }

  static int read(sqlite3_file* handle, void* target, int count, sqlite3_int64 offset) {
    VfsFile& file = as_file(handle);
    const std::span<std::byte> bytes(static_cast<std::byte*>(target),
                                     static_cast<std::size_t>(count));
    const Result<std::size_t> got = file.file->read_at(static_cast<std::uint64_t>(offset), bytes);
    if (!got) return file.vfs->remember(got.error(), SQLITE_IOERR_READ);
    if (*got == bytes.size()) return SQLITE_OK;
    std::ranges::fill(bytes.subspan(*got), std::byte{});  // SQLite relies on the zeros.
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* handle, const void* source, int count, sqlite3_int64 offset) {
    VfsFile& file = as_file(handle);
    const ByteView bytes(static_cast<const std::byte*>(source), static_cast<std::size_t>(count));
    const Result<void> written = file.file->write_at(static_cast<std::uint64_t>(offset), bytes);
    if (!written) return file.vfs->remember(written.error(), SQLITE_IOERR_WRITE);
    return SQLITE_OK;
  }

  static int truncate(sqlite3_file* handle, sqlite3_int64 size_bytes) {
    VfsFile& file = as_file(handle);
    const Result<void> done = file.file->truncate(static_cast<std::uint64_t>(size_bytes));
    if (!done) return file.vfs->remember(done.error(), SQLITE_IOERR_TRUNCATE);
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* handle, int /*flags*/) {
    VfsFile& file = as_file(handle);
    const Result<void> done = file.file->sync();
    if (!done) return file.vfs->remember(done.error(), SQLITE_IOERR_FSYNC);
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* handle, sqlite3_int64* size_bytes) {
    VfsFile& file = as_file(handle);
    const Result<std::uint64_t> size = file.file->size();
    if (!size) return file.vfs->remember(size.error(), SQLITE_IOERR_FSTAT);
    *size_bytes = static_cast<sqlite3_int64>(*size);
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* /*handle*/, int /*level*/) { return SQLITE_OK; }
  static int unlock(sqlite3_file* /*handle*/, int /*level*/) { return SQLITE_OK; }
  static int check_reserved_lock(sqlite3_file* /*handle*/, int* is_held) {
    *is_held = 0;
    return SQLITE_OK;
  }
  static int file_control(sqlite3_file* /*handle*/, int /*operation*/, void* /*argument*/) {
    return SQLITE_NOTFOUND;
  }
  static int sector_size(sqlite3_file* /*handle*/) { return kSectorBytes; }
  static int device_characteristics(sqlite3_file* /*handle*/) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  }

  // ---- of the folder

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags,
                  int* flags_out) {
    DirectoryVfs& me = self(vfs);
    VfsFile* file =
        new (handle) VfsFile{.base = {.pMethods = nullptr}, .vfs = &me, .file = nullptr};
    if (name == nullptr) return SQLITE_CANTOPEN;  // Temporary files stay in memory.
    const bool may_create = (flags & SQLITE_OPEN_CREATE) != 0;
    const Result<bool> exists = me.directory_.exists(name);
    if (!exists) return me.remember(exists.error(), SQLITE_IOERR_ACCESS);
    env::OpenMode mode = env::OpenMode::read;
    if ((flags & SQLITE_OPEN_READWRITE) != 0) {
      mode = may_create ? env::OpenMode::create : env::OpenMode::write;
    }
    Result<std::unique_ptr<env::File>> opened = me.directory_.open(name, mode);
    if (!opened) return me.remember(opened.error(), SQLITE_CANTOPEN);
    if (may_create && !*exists) {
      const Result<void> synced = me.directory_.sync();
      if (!synced) return me.remember(synced.error(), SQLITE_CANTOPEN);
    }
    file->file = opened->release();
    file->base.pMethods = &kMethods;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    DirectoryVfs& me = self(vfs);
    const Result<void> removed = me.directory_.remove(name);
    if (!removed) return me.remember(removed.error(), SQLITE_IOERR_DELETE);
    if (sync_directory == 0) return SQLITE_OK;
    const Result<void> synced = me.directory_.sync();
    if (!synced) return me.remember(synced.error(), SQLITE_IOERR_DIR_FSYNC);
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* answer) {
    DirectoryVfs& me = self(vfs);
    const Result<bool> exists = me.directory_.exists(name);
    if (!exists) return me.remember(exists.error(), SQLITE_IOERR_ACCESS);
    *answer = *exists ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_path_name(sqlite3_vfs* /*vfs*/, const char* name, int bytes_max, char* target) {
    const std::size_t size = std::strlen(name);
    if (size + 1 > static_cast<std::size_t>(bytes_max)) return SQLITE_CANTOPEN;
    std::memcpy(target, name, size + 1);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs* vfs, int count, char* target) {
    self(vfs).entropy_.fill(
        {reinterpret_cast<std::byte*>(target), static_cast<std::size_t>(count)});
    return count;
  }

  static int sleep(sqlite3_vfs* /*vfs*/, int /*microseconds*/) { return 0; }

  static int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* now_ms) {
    *now_ms = kJulianEpochMs + self(vfs).clock_.wall_now().time_since_epoch().count();
    return SQLITE_OK;
  }
  static int current_time(sqlite3_vfs* vfs, double* now_days) {
    constexpr double kDayMs = 86'400'000.0;
    sqlite3_int64 now_ms = 0;
    (void)current_time_ms(vfs, &now_ms);
    *now_days = static_cast<double>(now_ms) / kDayMs;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs* /*vfs*/, int /*count*/, char* /*target*/) { return 0; }

  static constexpr sqlite3_io_methods kMethods = {
      .iVersion = 1,
      .xClose = close,
      .xRead = read,
      .xWrite = write,
      .xTruncate = truncate,
      .xSync = sync,
      .xFileSize = file_size,
      .xLock = lock,
      .xUnlock = unlock,
      .xCheckReservedLock = check_reserved_lock,
      .xFileControl = file_control,
      .xSectorSize = sector_size,
      .xDeviceCharacteristics = device_characteristics,
  };
};

DirectoryVfs::DirectoryVfs(env::Directory& directory, env::Entropy& entropy,
                           const env::Clock& clock)
    : directory_(directory),
      entropy_(entropy),
      clock_(clock),
      name_("eilpost-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(VfsFile);
  vfs_.mxPathname = kPathBytesMax;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = VfsCalls::open;
  vfs_.xDelete = VfsCalls::remove;
  vfs_.xAccess = VfsCalls::access;
  vfs_.xFullPathname = VfsCalls::full_path_name;
  vfs_.xRandomness = VfsCalls::randomness;
  vfs_.xSleep = VfsCalls::sleep;
  vfs_.xCurrentTime = VfsCalls::current_time;
  vfs_.xGetLastError = VfsCalls::last_error;
  vfs_.xCurrentTimeInt64 = VfsCalls::current_time_ms;
  EILPOST_ASSERT(sqlite3_vfs_register(&vfs_, /*makeDflt=*/0) == SQLITE_OK);
}

DirectoryVfs::~DirectoryVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

int DirectoryVfs::remember(const Error& error, int code) {
  last_error_ = error;
  // Whatever SQLite was at: a file is not to blame for the disk that it lies on.
  return error.code == ErrorCode::disk_full ? SQLITE_FULL : code;
}

}  // namespace eilpost::database

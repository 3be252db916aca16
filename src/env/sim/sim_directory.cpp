#include "env/sim/sim_directory.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "env/sim/sim_inode.h"

namespace eilpost::env {
namespace {

using Names = std::map<std::string, std::shared_ptr<SimInode>, std::less<>>;

// One change of a folder: a name that goes, a name that comes, or both at once.
struct NameChange {
  std::string removed;
  std::string added;
  std::shared_ptr<SimInode> inode;
};

void apply_change(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.inode;
}

void check_name(std::string_view name) {
  EILPOST_ASSERT(!name.empty() && name != "." && name != "..");
  EILPOST_ASSERT(!name.contains('/') && !name.contains('\0'));
}

}  // namespace

struct SimDirectory::Folder {
  Names seen;
  Names durable;
  std::vector<NameChange> pending;
  std::map<std::string, std::unique_ptr<Folder>, std::less<>> folders;
  bool is_locked = false;

  void change(NameChange change) {
    apply_change(change, seen);
    pending.push_back(std::move(change));
  }

  void sync() {
    for (const NameChange& change : pending) apply_change(change, durable);
    pending.clear();
  }
};

// What all folders share.
class SimDirectory::Disk {
 public:
  explicit Disk(std::uint64_t seed) : random_(seed) {}

  Folder& root() { return root_; }
  [[nodiscard]] const Folder& root() const { return root_; }
  Random& random() { return random_; }

  // Handles of an earlier generation are dead.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] Result<void> check(std::uint64_t generation, std::string_view name) const {
    if (!is_on_ || generation != generation_) return refuse(ErrorCode::disk_failed, name);
    return {};
  }

  // An operation that takes a name away.
  [[nodiscard]] Result<void> operate_name(std::string_view name) {
    const bool is_meant = names_left_ > 0 && name.starts_with(names_prefix_);
    if (is_meant && --names_left_ == 0) failing_since_ = operation_count_ + 1;
    return operate(name);
  }

  // Counts an operation; fails if it is to fail.
  [[nodiscard]] Result<void> operate(std::string_view name) {
    ++operation_count_;
    if (failing_since_ != 0 && operation_count_ >= failing_since_) {
      return refuse(ErrorCode::disk_failed, name);
    }
    if (operation_count_ == failing_once_) return refuse(failing_code_, name);
    return {};
  }

  [[nodiscard]] static std::unexpected<Error> refuse(ErrorCode code, std::string_view name) {
    return fail(code, std::string(name) + ": simulated");
  }

  void new_generation() {
    ++generation_;
    failing_since_ = 0;
    names_left_ = 0;
    failing_once_ = 0;
    for_each([](const std::string&, Folder& folder) { folder.is_locked = false; });
  }

  void crash() {
    std::vector<std::shared_ptr<SimInode>> survivors;
    for_each([&](const std::string&, Folder& folder) {
      const std::uint64_t kept = random_.below(folder.pending.size() + 1);
      for (std::uint64_t i = 0; i < kept; ++i) apply_change(folder.pending[i], folder.durable);
      folder.pending.clear();
      folder.seen = folder.durable;
      for (const auto& [name, inode] : folder.seen) survivors.push_back(inode);
    });
    // The order of names, not of memory, decides which random numbers a file gets.
    std::set<const SimInode*> done;
    for (const auto& inode : survivors) {
      if (done.insert(inode.get()).second) inode->crash(random_);
    }
    new_generation();
  }

  // Calls visit(path, folder) for each folder, parents first; the path ends with a slash or is
  // empty.
  template <class Visit>
  void for_each(Visit visit) {
    std::vector<std::pair<std::string, Folder*>> open = {{"", &root_}};
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto [path, folder] = open[i];
      visit(path, *folder);
      for (const auto& [name, child] : folder->folders) {
        open.emplace_back(path + name + "/", child.get());
      }
    }
  }

  Folder& make_folder(Folder& parent, std::string_view name) {
    std::unique_ptr<Folder>& child = parent.folders[std::string(name)];
    if (!child) child = std::make_unique<Folder>();
    return *child;
  }

  // The folder that a path leads to, made if it is missing, and the name that is left.
  std::pair<Folder*, std::string_view> walk(std::string_view path) {
    Folder* folder = &root_;
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/')) {
      folder = &make_folder(*folder, path.substr(0, slash));
      path.remove_prefix(slash + 1);
    }
    return {folder, path};
  }

  SimInode& inode_at(std::string_view path) {
    const auto [folder, name] = walk(path);
    const auto found = folder->seen.find(name);
    EILPOST_ASSERT(found != folder->seen.end());
    return *found->second;
  }

  void plant(std::string_view path, ByteView bytes) {
    const auto [folder, name] = walk(path);
    check_name(name);
    const auto inode = std::make_shared<SimInode>();
    inode->make_durable(bytes);
    folder->sync();
    folder->seen[std::string(name)] = inode;
    folder->durable[std::string(name)] = inode;
  }

  [[nodiscard]] std::uint64_t used_bytes() {
    std::uint64_t used = 0;
    for_each([&](const std::string&, Folder& folder) {
      for (const auto& [name, inode] : folder.seen) used += inode->seen().size();
    });
    return used;
  }

  [[nodiscard]] std::uint64_t free_bytes() {
    if (!is_limited_) return capacity_bytes_;
    const std::uint64_t used = used_bytes();
    return used < capacity_bytes_ ? capacity_bytes_ - used : 0;
  }

  void set_capacity(std::uint64_t bytes) {
    capacity_bytes_ = bytes;
    is_limited_ = true;
  }

  void set_power(bool is_on) { is_on_ = is_on; }
  void fail_after(std::uint64_t count) {
    failing_since_ = count == 0 ? 0 : operation_count_ + count;
    names_left_ = 0;
  }
  void fail_after_names(std::uint64_t count, std::string_view prefix) {
    names_left_ = count;
    names_prefix_ = prefix;
  }
  void fail_once(std::uint64_t count, ErrorCode code) {
    failing_once_ = count == 0 ? 0 : operation_count_ + count;
    failing_code_ = code;
  }
  [[nodiscard]] std::uint64_t operation_count() const { return operation_count_; }

 private:
  Folder root_;
  Random random_;
  std::uint64_t generation_ = 0;
  bool is_on_ = true;
  std::uint64_t operation_count_ = 0;
  std::uint64_t failing_since_ = 0;
  std::uint64_t names_left_ = 0;  // until one of them fails
  std::string names_prefix_;
  std::uint64_t failing_once_ = 0;
  ErrorCode failing_code_ = ErrorCode::disk_failed;
  std::uint64_t capacity_bytes_ = kCapacityDefault;
  bool is_limited_ = false;
};

class SimDirectory::FileHandle final : public File {
 public:
  FileHandle(Disk& disk, std::string name, std::shared_ptr<SimInode> inode, bool is_writable)
      : disk_(disk),
        generation_(disk.generation()),
        name_(std::move(name)),
        inode_(std::move(inode)),
        is_writable_(is_writable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> target) override {
    EILPOST_RETURN_IF_ERROR(disk_.check(generation_, name_));
    if (inode_->reads_fail) return Disk::refuse(ErrorCode::disk_failed, name_);
    return inode_->seen().read(offset, target);
  }

  Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
    EILPOST_RETURN_IF_ERROR(check_writable());
    Result<void> allowed = disk_.operate(name_);
    const std::uint64_t size = inode_->seen().size();
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > size ? end - size : 0;
    if (allowed && growth > 0 && growth > disk_.free_bytes()) {
      allowed = Disk::refuse(ErrorCode::disk_full, name_);
    }
    if (!allowed) {
      const std::uint64_t within = growth < bytes.size() ? bytes.size() - growth : 0;
      const std::uint64_t room = std::min<std::uint64_t>(bytes.size(), within + disk_.free_bytes());
      bytes = bytes.first(disk_.random().below(room + 1));
    }
    if (!bytes.empty()) inode_->write(offset, bytes);
    return allowed;
  }

  Result<void> sync() override {
    EILPOST_RETURN_IF_ERROR(disk_.check(generation_, name_));
    Result<void> allowed = disk_.operate(name_);
    if (allowed) {
      inode_->sync();
    } else {
      inode_->fail_sync(disk_.random());
    }
    return allowed;
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    EILPOST_RETURN_IF_ERROR(check_writable());
    EILPOST_RETURN_IF_ERROR(disk_.operate(name_));
    inode_->truncate(size_bytes);
    return {};
  }

  Result<std::uint64_t> size() override {
    EILPOST_RETURN_IF_ERROR(disk_.check(generation_, name_));
    return inode_->seen().size();
  }

 private:
  [[nodiscard]] Result<void> check_writable() const {
    EILPOST_RETURN_IF_ERROR(disk_.check(generation_, name_));
    if (!is_writable_) return fail(ErrorCode::disk_failed, name_ + ": opened for reading only");
    return {};
  }

  Disk& disk_;
  std::uint64_t generation_;
  std::string name_;
  std::shared_ptr<SimInode> inode_;
  bool is_writable_;
};

class SimDirectory::FolderHandle final : public Directory {
 public:
  FolderHandle(Disk& disk, Folder& folder, bool is_root)
      : disk_(disk), folder_(folder), is_root_(is_root), generation_(disk.generation()) {}
  FolderHandle(const FolderHandle&) = delete;
  FolderHandle& operator=(const FolderHandle&) = delete;
  ~FolderHandle() override {
    const bool is_dead = generation() != disk_.generation();
    if (holds_lock_ && !is_root_ && !is_dead) folder_.is_locked = false;
  }

  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override {
    check_name(name);
    EILPOST_RETURN_IF_ERROR(check(name));
    auto found = folder_.seen.find(name);
    const bool is_missing = found == folder_.seen.end();
    const bool may_make = mode == OpenMode::create || mode == OpenMode::create_new;
    if (is_missing && !may_make) return fail(ErrorCode::not_found, std::string(name));
    if (is_missing) {
      EILPOST_RETURN_IF_ERROR(disk_.operate(name));
      folder_.change(
          {.removed = {}, .added = std::string(name), .inode = std::make_shared<SimInode>()});
      found = folder_.seen.find(name);
    } else if (mode == OpenMode::create_new && found->second->seen().size() > 0) {
      EILPOST_RETURN_IF_ERROR(disk_.operate(name));
      found->second->truncate(0);
    }
    return std::make_unique<FileHandle>(disk_, std::string(name), found->second,
                                        mode != OpenMode::read);
  }

  Result<bool> exists(std::string_view name) override {
    check_name(name);
    EILPOST_RETURN_IF_ERROR(check(name));
    return folder_.seen.contains(name);
  }

  Result<void> rename(std::string_view from, std::string_view to) override {
    check_name(from);
    check_name(to);
    EILPOST_RETURN_IF_ERROR(check(from));
    const auto found = folder_.seen.find(from);
    if (found == folder_.seen.end()) return fail(ErrorCode::not_found, std::string(from));
    EILPOST_RETURN_IF_ERROR(disk_.operate_name(from));
    if (from == to) return {};
    folder_.change(
        {.removed = std::string(from), .added = std::string(to), .inode = found->second});
    return {};
  }

  Result<void> remove(std::string_view name) override {
    check_name(name);
    EILPOST_RETURN_IF_ERROR(check(name));
    EILPOST_RETURN_IF_ERROR(disk_.operate_name(name));
    if (!folder_.seen.contains(name)) return {};
    folder_.change({.removed = std::string(name), .added = {}, .inode = {}});
    return {};
  }

  Result<std::vector<std::string>> list() override {
    EILPOST_RETURN_IF_ERROR(check("folder"));
    std::vector<std::string> names;
    for (const auto& [name, inode] : folder_.seen) names.push_back(name);
    return names;
  }

  Result<void> sync() override {
    EILPOST_RETURN_IF_ERROR(check("folder"));
    EILPOST_RETURN_IF_ERROR(disk_.operate("folder"));
    folder_.sync();
    return {};
  }

  Result<std::unique_ptr<Directory>> subdirectory(std::string_view name) override {
    check_name(name);
    EILPOST_RETURN_IF_ERROR(check(name));
    return std::make_unique<FolderHandle>(disk_, disk_.make_folder(folder_, name),
                                          /*is_root=*/false);
  }

  Result<std::uint64_t> free_bytes() override {
    EILPOST_RETURN_IF_ERROR(check("folder"));
    return disk_.free_bytes();
  }

  Result<void> lock() override {
    EILPOST_RETURN_IF_ERROR(check("folder"));
    if (folder_.is_locked) return fail(ErrorCode::already_locked);
    folder_.is_locked = true;
    holds_lock_ = true;
    return {};
  }

 private:
  // The root belongs to the world, not to a process: it lives on.
  [[nodiscard]] std::uint64_t generation() const {
    return is_root_ ? disk_.generation() : generation_;
  }
  [[nodiscard]] Result<void> check(std::string_view name) const {
    return disk_.check(generation(), name);
  }

  Disk& disk_;
  Folder& folder_;
  bool is_root_;
  std::uint64_t generation_;
  bool holds_lock_ = false;
};

SimDirectory::SimDirectory(std::uint64_t seed)
    : disk_(std::make_unique<Disk>(seed)),
      root_(std::make_unique<FolderHandle>(*disk_, disk_->root(), /*is_root=*/true)) {}

SimDirectory::SimDirectory(std::uint64_t seed, const SimDiskImage& image) : SimDirectory(seed) {
  for (const auto& [path, bytes] : image) plant(path, bytes);
}

SimDirectory::~SimDirectory() = default;

Result<std::unique_ptr<File>> SimDirectory::open(std::string_view name, OpenMode mode) {
  return root_->open(name, mode);
}
Result<bool> SimDirectory::exists(std::string_view name) {
  return root_->exists(name);
}
Result<void> SimDirectory::rename(std::string_view from, std::string_view to) {
  return root_->rename(from, to);
}
Result<void> SimDirectory::remove(std::string_view name) {
  return root_->remove(name);
}
Result<std::vector<std::string>> SimDirectory::list() {
  return root_->list();
}
Result<void> SimDirectory::sync() {
  return root_->sync();
}
Result<std::unique_ptr<Directory>> SimDirectory::subdirectory(std::string_view name) {
  return root_->subdirectory(name);
}
Result<std::uint64_t> SimDirectory::free_bytes() {
  return root_->free_bytes();
}
Result<void> SimDirectory::lock() {
  return root_->lock();
}

void SimDirectory::crash() {
  disk_->crash();
}
void SimDirectory::kill_process() {
  disk_->new_generation();
}
void SimDirectory::set_power(bool is_on) {
  disk_->set_power(is_on);
}
std::uint64_t SimDirectory::operation_count() const {
  return disk_->operation_count();
}
void SimDirectory::fail_after_names(std::uint64_t count, std::string_view prefix) {
  disk_->fail_after_names(count, prefix);
}
void SimDirectory::fail_after(std::uint64_t count) {
  disk_->fail_after(count);
}
void SimDirectory::fail_once(std::uint64_t count, ErrorCode code) {
  disk_->fail_once(count, code);
}
void SimDirectory::set_capacity_bytes(std::uint64_t capacity_bytes) {
  disk_->set_capacity(capacity_bytes);
}
std::uint64_t SimDirectory::used_bytes() const {
  return disk_->used_bytes();
}
void SimDirectory::fail_reads(std::string_view path, bool fails) {
  disk_->inode_at(path).reads_fail = fails;
}
void SimDirectory::flip_bit(std::string_view path, std::uint64_t offset, unsigned bit) {
  disk_->inode_at(path).flip_bit(offset, bit);
}
void SimDirectory::plant(std::string_view path, ByteView bytes) {
  disk_->plant(path, bytes);
}

SimDiskImage SimDirectory::image() const {
  SimDiskImage image;
  disk_->for_each([&](const std::string& path, Folder& folder) {
    for (const auto& [name, inode] : folder.seen) image[path + name] = inode->seen().all();
  });
  return image;
}

SimDiskImage SimDirectory::durable_image() const {
  SimDiskImage image;
  disk_->for_each([&](const std::string& path, Folder& folder) {
    for (const auto& [name, inode] : folder.durable) image[path + name] = inode->durable().all();
  });
  return image;
}

}  // namespace eilpost::env

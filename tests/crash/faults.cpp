#include "crash/faults.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace eilpost::crash {

Faults::Faults(std::string library, std::string path, FaultControl* control)
    : library_(std::move(library)), path_(std::move(path)), control_(control) {}

Faults::Faults(Faults&& other) noexcept
    : library_(std::move(other.library_)),
      path_(std::move(other.path_)),
      control_(std::exchange(other.control_, nullptr)) {}

Faults::~Faults() {
  if (control_ == nullptr) return;
  ::munmap(control_, sizeof(FaultControl));
  ::unlink(path_.c_str());
}

Result<Faults> Faults::make(const std::string& library, const std::string& path) {
  const auto failed = [&path] {
    return fail(ErrorCode::disk_failed, fmt::format("{}: {}", path, std::strerror(errno)));
  };
  if (::access(library.c_str(), R_OK) != 0) {
    return fail(ErrorCode::not_found, fmt::format("{}: {}", library, std::strerror(errno)));
  }
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed();
  void* mapped = MAP_FAILED;
  if (::ftruncate(file, sizeof(FaultControl)) == 0) {
    mapped = ::mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  const int error_number = errno;
  ::close(file);
  errno = error_number;
  if (mapped == MAP_FAILED) return failed();
  return Faults(library, path, static_cast<FaultControl*>(mapped));
}

std::map<std::string, std::string> Faults::environment() const {
  return {{"LD_PRELOAD", library_}, {"FAULT_CONTROL", path_}};
}

void Faults::prepare_start(bool loses_unsynced) {
  control_->armed = Point::none;
  control_->passages_left = 0;
  control_->dies_now = 0;
  control_->killed_at_ns = 0;
  control_->loses_unsynced = loses_unsynced ? 1 : 0;
}

void Faults::arm(Point point, std::uint64_t passages) {
  control_->passages_left = static_cast<std::int64_t>(passages);
  control_->armed = point;
}

std::optional<Instant> Faults::killed_at() const {
  const std::int64_t at_ns = control_->killed_at_ns;
  if (at_ns == 0) return std::nullopt;
  return Instant(Duration(at_ns));
}

std::uint64_t Faults::passages_of(Point point) const {
  return control_->passages[static_cast<std::size_t>(point)];
}

void Faults::set_fault(Fault fault, FileKind file) {
  control_->fault_file = file;
  control_->fault = fault;
}

}  // namespace eilpost::crash

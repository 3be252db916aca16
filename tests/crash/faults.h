#pragma once
// Steers the library that is preloaded into the program (fault_library.cpp): kills at a named
// point, failing disks, a calendar that jumps.
//
// Ownership: owns the file that both have mapped.
// Threads:   one.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "crash/fault_control.h"

namespace eilpost::crash {

class Faults final {
 public:
  // `library`: the preloaded one. `path`: of the mapped file, which is made.
  [[nodiscard]] static Result<Faults> make(const std::string& library, const std::string& path);

  Faults(Faults&& other) noexcept;
  Faults& operator=(Faults&&) = delete;
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults();

  // What the program's environment needs.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  // The next process begins with nothing armed; failing disk and calendar stay as they are.
  // `loses_unsynced`: its end takes what it did not sync with it.
  void prepare_start(bool loses_unsynced);
  // Kills at the passage number `passages` of `point` from now on.
  void arm(Point point, std::uint64_t passages);
  // Kills at the next passage of any point.
  void arm_any() { control_->dies_now = 1; }
  // When a point killed the process; nothing if none did.
  [[nodiscard]] std::optional<Instant> killed_at() const;
  [[nodiscard]] std::uint64_t passages_of(Point point) const;
  [[nodiscard]] std::uint64_t lost_bytes() const { return control_->lost_bytes; }

  void set_fault(Fault fault, FileKind file = FileKind::segment);
  [[nodiscard]] std::uint64_t faults_count() const { return control_->faults_count; }
  void set_clock_offset(Duration offset) { control_->clock_offset_ns = offset.count(); }
  [[nodiscard]] std::uint64_t clock_reads() const { return control_->clock_reads; }

 private:
  Faults(std::string library, std::string path, FaultControl* control);

  std::string library_;
  std::string path_;
  FaultControl* control_;
};

}  // namespace eilpost::crash

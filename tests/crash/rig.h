#pragma once
// One crash test from its beginning to its books: the real program on a data folder of its own, the
// load, the preloaded library; and what can be done to them.
//
// Ownership: owns all of it; the folder is the caller's.
// Threads:   one; the load runs on a loop of its own.
// Errors:    whatever kept the program from starting or answering; `detail` has the end of its log.
//            What is wrong with what the program did is no error: it is in the books.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crash/books.h"
#include "crash/crash_load.h"
#include "crash/faults.h"
#include "support/load/eilpost_process.h"
#include "support/load/load_loop.h"

namespace eilpost::crash {

struct RigOptions {
  std::string binary;
  std::string library;  // the preloaded one
  std::string folder;   // for data and log
  LoadOptions load;
  std::uint64_t history_bytes_max = 32ULL << 20U;
  unsigned timeout_ms = 1000;  // of a request to a receiver
  Duration drain_max = std::chrono::seconds(60);
  Duration kill_margin{};  // added to that of every kill
};

enum class Survives : std::uint8_t {
  written,  // the process ends; the page cache stays
  synced,   // the power fails: what was not synced is gone
};

class Rig final {
 public:
  static constexpr int kExitJournalFailed = 74;

  // Errors: disk_failed, not_found (the library).
  [[nodiscard]] static Result<std::unique_ptr<Rig>> make(const RigOptions& options);
  Rig(const RigOptions& options, Faults faults);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig();

  // Starts the program, sets it up, starts the load.
  [[nodiscard]] Result<void> begin(Survives survives = Survives::written);
  // After an end: starts it again. Looks whether the settings are those that were acknowledged.
  [[nodiscard]] Result<void> start(Survives survives = Survives::written,
                                   load::Awaits awaits = load::Awaits::ready);
  // Stops the load, waits until nothing is owed, reads the log. The program still runs.
  [[nodiscard]] Result<Books> finish();

  // ---- What can happen.
  void pause(Duration duration) { load::pause_thread(duration); }
  // With SIGKILL; if only what was synced is to survive, at the next point that is passed.
  void kill();
  // Waits for the program's end, by a point or by itself; changes settings meanwhile if
  // `changes_settings`. False: it still runs.
  [[nodiscard]] bool await_end(Duration longest, bool changes_settings = false);
  [[nodiscard]] Result<void> freeze(Duration duration);
  [[nodiscard]] Result<void> terminate();  // SIGTERM; its exit code must be 0
  // Once they are well again, so are their destinations: a pause ends, which would take a minute.
  [[nodiscard]] Result<void> set_receivers_up(bool is_up);
  [[nodiscard]] Result<void> set_hanging(bool is_hanging);
  void open_late();
  // True if the change was acknowledged.
  [[nodiscard]] bool change_settings();
  // What receivers see between the two calls is excused as it is near a kill.
  void begin_trouble();
  void end_trouble();

  // ---- What is to be seen.
  [[nodiscard]] Faults& faults() { return faults_; }
  [[nodiscard]] load::EilpostProcess& process() { return process_; }
  [[nodiscard]] load::LoadLoop& loop() { return loop_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const std::string& folder() const { return options_.folder; }
  [[nodiscard]] std::uint64_t acknowledged_count();
  [[nodiscard]] std::uint64_t refused_count();
  [[nodiscard]] std::uint64_t owed_count();
  // True as soon as `is_so`, false if it is not within `longest`.
  [[nodiscard]] bool wait_for(Duration longest, const std::function<bool()>& is_so);
  // The books so far, on the loop.
  void with_books(const std::function<void(Books&)>& work);

  // Looks out for the next delivery; the time until it comes is in delivery_times().
  void mark();
  [[nodiscard]] const std::vector<Duration>& delivery_times();

  // What is wrong, for the books; what is worth saying, for the report.
  void remark(std::string text);
  void note(std::string text) { notes_.push_back(std::move(text)); }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  // Destroyed with the rig, after the program's end.
  void keep(std::shared_ptr<void> thing) { kept_ = std::move(thing); }
  void skip(std::string reason) { skipped_ = std::move(reason); }
  [[nodiscard]] const std::optional<std::string>& skipped() const { return skipped_; }
  // The lines of its log with `word`, of all its runs.
  [[nodiscard]] std::vector<std::string> log_lines(std::string_view word) const;
  [[nodiscard]] std::uint64_t kills_count() const { return kills_count_; }

 private:
  [[nodiscard]] Result<void> set_up();
  [[nodiscard]] Result<void> create_targets(Receiver receiver, std::string_view name);
  [[nodiscard]] Result<void> resume_destinations();
  [[nodiscard]] Result<void> check_settings();
  void note_kill(Instant begun_at);
  void keep_log();
  void take_mark();
  [[nodiscard]] Result<void> explain(Result<void> done);

  const RigOptions options_;
  std::shared_ptr<void> kept_;
  Faults faults_;
  Random random_;
  load::EilpostProcess process_;
  load::LoadLoop loop_;
  Load load_;
  std::string key_;  // of the source
  std::vector<std::string> destinations_;
  std::string settings_id_;          // of the destination that is renamed again and again
  std::uint64_t settings_sent_ = 0;  // the number in its newest name
  std::uint64_t settings_acknowledged_ = 0;
  std::vector<Kill> kills_;
  std::uint64_t kills_count_ = 0;  // those with a signal
  Survives survives_ = Survives::written;
  std::optional<Kill> trouble_;
  std::optional<Instant> marked_at_;
  std::vector<Duration> delivery_times_;
  std::vector<std::string> remarks_;
  std::vector<std::string> notes_;
  std::optional<std::string> skipped_;
  std::string old_logs_;
};

}  // namespace eilpost::crash

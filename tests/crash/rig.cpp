#include "crash/rig.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "crash/log_pages.h"
#include "support/load/setup.h"

namespace eilpost::crash {
namespace {

using Json = nlohmann::json;

constexpr Duration kLookAgain = std::chrono::milliseconds(100);
constexpr Duration kLookSoon = std::chrono::milliseconds(2);
constexpr Duration kSettingsEvery = std::chrono::milliseconds(10);
constexpr Duration kPowerFailsMax = std::chrono::seconds(2);
constexpr int kQuietLooks = 4;  // as long as nothing new came, it is quiet
constexpr std::string_view kSettingsName = "renamed ";

// The small files make everything happen often.
load::ProcessOptions process_options(const RigOptions& options, const Faults& faults) {
  return {.binary = options.binary,
          .data = options.folder + "/data",
          .log = options.folder + "/eilpost.log",
          .environment = faults.environment(),
          .arguments = {"--segment-bytes", "1048576", "--repeat-ids-max", "32000",
                        "--history-bytes-max", std::to_string(options.history_bytes_max)}};
}

// How often and how soon a delivery is tried again.
std::vector<unsigned> retry_delays_ms(Receiver receiver) {
  constexpr std::size_t kDelaysMax = 32;
  switch (receiver) {
    case Receiver::plain:
    case Receiver::slow: {
      std::vector<unsigned> delays(6, 50);
      delays.resize(12, 200);
      delays.resize(kDelaysMax, 700);
      return delays;
    }
    case Receiver::failing:
      return {50, 50, 50};
    case Receiver::late: {
      std::vector<unsigned> delays(10, 1000);
      delays.resize(kDelaysMax, 5000);
      return delays;
    }
  }
  return {};
}

// Of what was damaged the log may say nothing more.
bool is_settled(const std::vector<LoggedDelivery>& log, std::size_t deliveries_count,
                const std::unordered_set<std::string>& damaged) {
  const auto is_at_end = [&damaged](const LoggedDelivery& one) {
    return one.state == "delivered" || one.state == "failed" || damaged.contains(one.event_id);
  };
  return log.size() >= deliveries_count && std::ranges::all_of(log, is_at_end);
}

std::unordered_set<std::string> damaged_events(const Books& books) {
  std::unordered_set<std::string> ids;
  for (const auto& [id, event] : books.events) {
    if (event.is_damaged) ids.insert(id);
  }
  return ids;
}

}  // namespace

Result<std::unique_ptr<Rig>> Rig::make(const RigOptions& options) {
  EILPOST_ASSIGN_OR_RETURN(Faults faults,
                           Faults::make(options.library, options.folder + "/faults"));
  return std::make_unique<Rig>(options, std::move(faults));
}

Rig::Rig(const RigOptions& options, Faults faults)
    : options_(options),
      faults_(std::move(faults)),
      random_(options.load.seed),
      process_(process_options(options, faults_)),
      loop_("load"),
      load_(loop_.loop(), options.load) {}

Rig::~Rig() {
  process_.kill();
  loop_.stop();
}

Result<void> Rig::explain(Result<void> done) {
  if (!done && !process_.is_running()) {
    done.error().detail += "\nThe program has ended. Its log:\n" + process_.log_tail();
  }
  return done;
}

Result<void> Rig::begin(Survives survives) {
  EILPOST_RETURN_IF_ERROR(loop_.ask([this] { return load_.listen(); }));
  survives_ = survives;
  faults_.prepare_start(survives == Survives::synced);
  EILPOST_RETURN_IF_ERROR(process_.start());
  EILPOST_RETURN_IF_ERROR(explain(set_up()));
  mark();
  loop_.ask([this] { load_.start(process_.endpoint(), key_); });
  return {};
}

Result<void> Rig::set_up() {
  EILPOST_RETURN_IF_ERROR(load::remove_webhooks(process_));
  EILPOST_ASSIGN_OR_RETURN(key_, load::create_source(process_));
  EILPOST_RETURN_IF_ERROR(create_targets(Receiver::plain, "plain"));
  EILPOST_RETURN_IF_ERROR(create_targets(Receiver::slow, "slow"));
  EILPOST_RETURN_IF_ERROR(create_targets(Receiver::failing, "failing"));
  if (options_.load.has_late) EILPOST_RETURN_IF_ERROR(create_targets(Receiver::late, "late"));
  EILPOST_ASSIGN_OR_RETURN(
      settings_id_, load::create_destination(process_, {.name = fmt::format("{}0", kSettingsName),
                                                        .url = "http://127.0.0.1:9/"}));
  return {};
}

Result<void> Rig::create_targets(Receiver receiver, std::string_view name) {
  const env::Endpoint endpoint = loop_.ask([&] { return load_.endpoint_of(receiver); });
  EILPOST_ASSIGN_OR_RETURN(
      const std::string destination,
      load::create_destination(process_, {.name = std::string(name),
                                          .url = fmt::format("http://{}/", to_string(endpoint)),
                                          .retry_delays_ms = retry_delays_ms(receiver),
                                          .concurrency = 64,
                                          .timeout_ms = options_.timeout_ms}));
  destinations_.push_back(destination);
  const int item = receiver == Receiver::plain ? -1 : Load::item_of(receiver);
  EILPOST_RETURN_IF_ERROR(
      load::create_webhook(process_, {.name = std::string(name),
                                      .event_type = std::string(Load::kEventType),
                                      .destination = destination,
                                      .item_id = item}));
  return {};
}

Result<void> Rig::start(Survives survives, load::Awaits awaits) {
  survives_ = survives;
  faults_.prepare_start(survives == Survives::synced);
  mark();
  EILPOST_RETURN_IF_ERROR(process_.start(awaits));
  return explain(check_settings());
}

// Of a change that was under way either state is right.
Result<void> Rig::check_settings() {
  EILPOST_ASSIGN_OR_RETURN(const std::string answer,
                           process_.call_api(http::Method::get, "destinations/" + settings_id_));
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  const std::string name = json.is_object() ? json.value("name", "") : "";
  const std::uint64_t number =
      name.starts_with(kSettingsName) ? std::stoull(name.substr(kSettingsName.size())) : 0;
  if (number < settings_acknowledged_ || number > settings_sent_) {
    remark(fmt::format("the settings are those of change {}; {} was acknowledged, {} sent", number,
                       settings_acknowledged_, settings_sent_));
  }
  settings_acknowledged_ = number;
  return {};
}

bool Rig::change_settings() {
  const std::uint64_t number = ++settings_sent_;
  const Json change = {{"name", fmt::format("{}{}", kSettingsName, number)}};
  const auto answer =
      process_.call_api(http::Method::patch, "destinations/" + settings_id_, change.dump());
  if (answer) settings_acknowledged_ = number;
  return answer.has_value();
}

void Rig::note_kill(Instant begun_at) {
  loop_.settle();
  take_mark();
  const Duration pace =
      loop_.ask([this] { return std::max(load_.take_ack_time(), load_.take_failed_wait()); });
  kills_.push_back(
      {.begun_at = begun_at, .ended_at = loop_.now(), .margin = pace + options_.kill_margin});
  keep_log();
}

void Rig::keep_log() {
  old_logs_ += process_.log();
  std::ofstream(options_.folder + "/all.log", std::ios::app) << process_.log();
}

void Rig::kill() {
  if (survives_ == Survives::synced) {
    faults_.arm_any();
    if (await_end(kPowerFailsMax)) return;
  }
  (void)loop_.ask([this] { return load_.take_failed_wait(); });
  const Instant begun_at = loop_.now();
  process_.kill();
  ++kills_count_;
  note_kill(begun_at);
}

bool Rig::await_end(Duration longest, bool changes_settings) {
  const Instant deadline = loop_.now() + longest;
  Instant seen_at = loop_.now();
  Instant changed_at{};
  while (process_.is_running()) {
    seen_at = loop_.now();
    if (seen_at >= deadline) return false;
    if (changes_settings && seen_at - changed_at >= kSettingsEvery) {
      changed_at = seen_at;
      (void)change_settings();
    }
    pause(kLookSoon);
  }
  const std::optional<Instant> killed_at = faults_.killed_at();
  if (killed_at) ++kills_count_;
  note_kill(killed_at.value_or(seen_at));
  return true;
}

Result<void> Rig::freeze(Duration duration) {
  begin_trouble();
  process_.freeze();
  pause(duration);
  mark();
  process_.thaw();
  end_trouble();
  return resume_destinations();
}

Result<void> Rig::terminate() {
  const Instant begun_at = loop_.now();
  EILPOST_ASSIGN_OR_RETURN(const int exit_code, process_.terminate());
  note_kill(begun_at);
  if (exit_code != 0) remark(fmt::format("the exit code of an orderly end is {}", exit_code));
  return {};
}

Result<void> Rig::set_receivers_up(bool is_up) {
  with_books([](Books& books) { books.has_outage = true; });
  EILPOST_RETURN_IF_ERROR(loop_.ask([this, is_up] { return load_.set_up(is_up); }));
  return is_up ? resume_destinations() : Result<void>();
}

Result<void> Rig::set_hanging(bool is_hanging) {
  loop_.ask([this, is_hanging] { load_.set_hanging(is_hanging); });
  return is_hanging ? Result<void>() : resume_destinations();
}

// A start ends their pauses, too.
Result<void> Rig::resume_destinations() {
  if (!process_.is_running()) return {};
  for (const std::string& id : destinations_) {
    const Result<std::string> answer = process_.call_api(
        http::Method::post, fmt::format("destinations/{}/resume", id), /*body=*/"{}");
    if (!answer) return std::unexpected(answer.error());
  }
  return {};
}

void Rig::open_late() {
  loop_.ask([this] { load_.open_late(); });
}

void Rig::begin_trouble() {
  trouble_ = Kill{.begun_at = loop_.now(), .ended_at = {}, .margin = options_.kill_margin};
}

// What was answered in the trouble may be taken in a moment after it only.
void Rig::end_trouble() {
  loop_.settle();
  trouble_->ended_at = loop_.now() + kSettleDelay + options_.kill_margin;
  kills_.push_back(*std::exchange(trouble_, std::nullopt));
}

std::uint64_t Rig::acknowledged_count() {
  return loop_.ask([this] { return load_.acknowledged_count(); });
}

std::uint64_t Rig::refused_count() {
  return loop_.ask([this] { return load_.refused_count(); });
}

std::uint64_t Rig::owed_count() {
  return loop_.ask([this] { return load_.owed_count(); });
}

bool Rig::wait_for(Duration longest, const std::function<bool()>& is_so) {
  const Instant deadline = loop_.now() + longest;
  while (!is_so()) {
    if (loop_.now() >= deadline) return false;
    pause(kLookSoon);
  }
  return true;
}

void Rig::with_books(const std::function<void(Books&)>& work) {
  loop_.ask([&] { work(load_.books()); });
}

void Rig::mark() {
  take_mark();
  marked_at_ = loop_.now();
  loop_.ask([this] { load_.mark(); });
}

void Rig::take_mark() {
  if (!marked_at_) return;
  const std::optional<Instant> first = loop_.ask([this] { return load_.first_delivery_at(); });
  if (!first) return;
  delivery_times_.push_back(*first - *marked_at_);
  marked_at_.reset();
}

const std::vector<Duration>& Rig::delivery_times() {
  take_mark();
  return delivery_times_;
}

void Rig::remark(std::string text) {
  remarks_.push_back(std::move(text));
}

std::vector<std::string> Rig::log_lines(std::string_view word) const {
  std::istringstream text(old_logs_ + process_.log());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.contains(word)) lines.push_back(line);
  }
  return lines;
}

Result<Books> Rig::finish() {
  std::promise<void> stopped;
  loop_.ask([&] { load_.stop([&stopped] { stopped.set_value(); }); });
  open_late();
  stopped.get_future().wait();
  const Instant deadline = loop_.now() + options_.drain_max;
  std::uint64_t requests_before = 0;
  for (int quiet = 0; quiet < kQuietLooks && loop_.now() < deadline;) {
    pause(kLookAgain);
    const std::uint64_t owed = owed_count();
    const std::uint64_t requests = loop_.ask([this] { return load_.requests_count(); });
    quiet = owed == 0 && requests == requests_before ? quiet + 1 : 0;
    requests_before = requests;
  }
  take_mark();
  const std::size_t deliveries = loop_.ask([this] { return load_.books().seen.size(); });
  const bool is_whole = loop_.ask([this] { return load_.books().is_log_whole; });
  const auto damaged = loop_.ask([this] { return damaged_events(load_.books()); });
  std::vector<LoggedDelivery> log;
  do {
    EILPOST_ASSIGN_OR_RETURN(log, read_log(process_));
    // Of an earlier rig on the same data.
    std::erase_if(log, [this](const LoggedDelivery& one) {
      return !one.event_id.starts_with(options_.load.id_prefix);
    });
    if (is_settled(log, is_whole ? deliveries : 0, damaged)) break;
    pause(kLookAgain);
  } while (loop_.now() < deadline);
  Books books = loop_.ask([this] { return std::move(load_.books()); });
  books.log = std::move(log);
  books.kills = kills_;
  std::ranges::sort(books.kills, {}, &Kill::begun_at);
  books.remarks.insert(books.remarks.end(), remarks_.begin(), remarks_.end());
  EILPOST_RETURN_IF_ERROR(read_attempts(process_, books));
  return books;
}

}  // namespace eilpost::crash

// When attempts come, and how many.

#include <algorithm>
#include <string>

#include "checkers.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class OnSchedule final : public Checker {
 public:
  explicit OnSchedule(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "3 on schedule: no attempt comes too early, and none beyond the policy's count";
  }
  void at_end(const FinalLog& log) override {
    for (const Json& delivery : log.deliveries) {
      const bool may_lack_some = bench_.books.may_be_left_out(text_at(delivery, "event_id"));
      const auto attempts = log.attempts.find(text_at(delivery, "id"));
      if (attempts != log.attempts.end()) check(attempts->first, attempts->second, may_lack_some);
    }
    check_counts(log);
  }

 private:
  void check(const std::string& id, const std::vector<Json>& attempts, bool may_lack_some) {
    const std::vector<std::uint32_t>& delays = bench_.options.delays_ms;
    std::size_t before = 0;        // the number of the attempt before
    std::size_t splits_count = 0;  // among those before
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      const auto number = attempts[i].at("number").get<std::size_t>();
      const bool is_next = number == before + 1;
      if (!is_next && !(may_lack_some && number > before)) {
        bench_.judge.broken(promise(), "attempt {} of delivery {} has the number {}", i + 1, id,
                            number);
        return;
      }
      const bool is_first = i == 0;
      if (!is_first && is_split(bench_.options, attempts[i - 1])) ++splits_count;
      const std::size_t tries_count = number - splits_count;
      if (tries_count > delays.size() + 1 && !lacks_splits(may_lack_some)) {
        bench_.judge.broken(promise(), "delivery {} had {} attempts", id, tries_count);
        return;
      }
      if (is_next && !is_first && !lacks_splits(may_lack_some)) {
        check_wait(id, attempts[i - 1], attempts[i], tries_count);
      }
      before = number;
    }
  }

  // How many of the attempts before counted is not known.
  [[nodiscard]] bool lacks_splits(bool may_lack_some) const {
    return may_lack_some && bench_.options.batch_events_max > 1;
  }

  // `tries_count`: with `after`.
  void check_wait(const std::string& id, const Json& before, const Json& after,
                  std::size_t tries_count) {
    if (is_split(bench_.options, before)) return;  // It goes on at once.
    const std::vector<std::uint32_t>& delays = bench_.options.delays_ms;
    const std::uint32_t delay_ms = delays[tries_count - 2];
    // A batch waits for the one of it that waits longest.
    const bool is_batch = !before.at("batch").is_null();
    const std::uint32_t longest_ms = is_batch ? *std::ranges::max_element(delays) : delay_ms;
    const double jitter = bench_.options.jitter;
    const auto low = milliseconds(static_cast<std::int64_t>(delay_ms * (1 - jitter)));
    const auto high = milliseconds(static_cast<std::int64_t>(longest_ms * (1 + jitter)));
    const WallTime ended =
        time_at(before, "started_at") + milliseconds(before.at("duration_ms").get<std::int64_t>());
    const milliseconds wait = time_at(before, "next_attempt_at") - ended;
    const bool is_asked_to_wait = before.at("status") == 429 || before.at("outcome") == "token";
    if (wait + kRounding < low) {
      bench_.judge.broken(promise(), "delivery {}: {} ms planned, at least {} wanted", id,
                          wait.count(), low.count());
    }
    if (wait > high + kRounding && !is_asked_to_wait) {
      bench_.judge.broken(promise(), "delivery {}: {} ms planned, at most {} wanted", id,
                          wait.count(), high.count());
    }
    // Where the calendar was set back, that much later looks too early.
    const WallTime latest = time_at(after, "started_at") + kRounding + bench_.books.jumped();
    if (latest < time_at(before, "next_attempt_at")) {
      bench_.judge.broken(promise(), "delivery {}: attempt {} began before its time", id,
                          to_text(after.at("number")));
    }
  }

  // What receivers saw: an attempt makes one request, or two if a kept connection had ended, with
  // HTTP/2 perhaps a third; and as many again if the token was refused.
  void check_counts(const FinalLog& log) {
    if (bench_.books.is_log_in_doubt) return;
    const std::size_t connections = bench_.options.http_2 ? 3 : 2;
    const std::size_t each = bench_.options.oauth ? 2 * connections : connections;
    const std::size_t crashes_count = bench_.books.crashes.size();
    std::map<std::string, std::size_t> allowed;
    for (const Json& delivery : log.deliveries) {
      const auto attempts = log.attempts.find(text_at(delivery, "id"));
      std::map<std::string, std::size_t> counts = {{text_at(delivery, "webhook_id"), 0}};
      if (attempts != log.attempts.end()) {
        for (const Json& attempt : attempts->second) ++counts[request_id_of(delivery, attempt)];
      }
      for (const auto& [id, count] : counts) {
        const std::size_t more = each * count + each / 2 * crashes_count;
        // Those of a batch are attempts of each of its deliveries.
        allowed[id] = is_batch_id(id) ? std::max(allowed[id], more) : allowed[id] + more;
      }
    }
    std::map<std::string, std::size_t> seen_count;
    for (const SeenBook& seen : bench_.books.seen) {
      if (!bench_.books.may_be_left_out(seen)) ++seen_count[seen.webhook_id];
    }
    for (const auto& [id, count] : seen_count) {
      // One that was cut off may be on no record.
      if (is_batch_id(id)) allowed[id] = std::max(allowed[id], each * crashes_count);
      if (count > allowed[id]) {
        bench_.judge.broken(promise(), "receivers saw {} {} times, at most {} wanted", id, count,
                            allowed[id]);
      }
    }
  }

  static bool is_batch_id(std::string_view id) { return id.starts_with("bat_"); }

  Bench bench_;
};

}  // namespace

std::unique_ptr<Checker> make_schedule_checker(const Bench& bench) {
  return std::make_unique<OnSchedule>(bench);
}

}  // namespace eilpost::sim

// How deliveries follow each other and come together: order per user, rate limit, batches.

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/iso_time.h"
#include "checkers.h"
#include "model/limits.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class KeepsOrder final : public Checker {
 public:
  explicit KeepsOrder(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "10 order: where a user's events keep their order, the next is sent when the one before "
           "is settled, or has failed for an hour";
  }
  void request_seen(const SeenBook& seen, const RawRequest& /*request*/) override {
    const DestinationBook* const destination =
        bench_.books.destination_by_number(seen.destination_number);
    if (destination == nullptr || !destination->is_per_user) return;
    std::set<std::string> users;
    for (const PartBook& part : seen.parts) {
      const EventBook* const event = bench_.books.event(part.event_id);
      if (event == nullptr || users.insert(event->user).second) continue;
      bench_.judge.broken(promise(), "{} holds two events of {}", seen.webhook_id, event->user);
    }
  }
  void at_end(const FinalLog& log) override {
    // Where the calendar was set, times in the log say nothing about what came first.
    if (bench_.books.is_log_in_doubt || !bench_.books.jumps.empty()) return;
    std::map<std::pair<std::string, std::string>, std::vector<const Json*>> lines;
    for (const Json& delivery : log.deliveries) {
      const auto destination = bench_.books.destinations.find(text_at(delivery, "destination"));
      if (destination == bench_.books.destinations.end()) continue;
      const bool counts = destination->second.is_per_user && !is_replay(delivery) &&
                          !text_at(delivery, "user").empty();
      if (counts) lines[{destination->first, text_at(delivery, "user")}].push_back(&delivery);
    }
    for (const auto& [line, deliveries] : lines) check(deliveries, log);
  }

 private:
  void check(const std::vector<const Json*>& deliveries, const FinalLog& log) {
    for (const Json* const before : deliveries) {
      for (const Json* const after : deliveries) {
        if (must_wait(*before, *after)) check(*before, *after, log);
      }
    }
  }

  // What two connections sent at the same time may come in either order, and a webhook that was
  // disabled for a while holds nobody.
  [[nodiscard]] bool must_wait(const Json& before, const Json& after) const {
    // By their places in the journal: an id that was forgotten may be accepted again.
    if (text_at(before, "id") >= text_at(after, "id")) return false;
    const EventBook* const first = bench_.books.event(text_at(before, "event_id"));
    const EventBook* const second = bench_.books.event(text_at(after, "event_id"));
    if (first == nullptr || second == nullptr || !first->confirmed_at) return false;
    if (bench_.books.may_be_left_out(*first) || bench_.books.may_be_left_out(*second)) return false;
    const auto webhook = bench_.books.webhooks.find(text_at(before, "webhook"));
    if (webhook == bench_.books.webhooks.end() || webhook->second.is_unknown) return false;
    const bool was_on = std::ranges::all_of(webhook->second.states, &WebhookState::enabled);
    return was_on && *first->confirmed_at < second->first_sent;
  }

  void check(const Json& before, const Json& after, const FinalLog& log) {
    const auto tries = log.attempts.find(text_at(before, "id"));
    const auto later_tries = log.attempts.find(text_at(after, "id"));
    if (later_tries == log.attempts.end() || later_tries->second.empty()) return;
    const WallTime begun = time_at(later_tries->second.front(), "started_at");
    if (begun + kRounding >= time_at(before, "settled_at")) return;
    if (tries != log.attempts.end() && !tries->second.empty()) {
      const WallTime held = time_at(tries->second.front(), "started_at") +
                            std::chrono::floor<milliseconds>(limits::kOrderingHoldMax);
      if (begun >= held) return;
    }
    bench_.judge.broken(promise(), "{} was sent at {}, {} was settled at {}, tried at{}",
                        text_at(after, "id"), format_iso_time(begun), text_at(before, "id"),
                        text_at(before, "settled_at"), tries_text(tries, log));
  }

  static std::string tries_text(std::map<std::string, std::vector<Json>>::const_iterator tries,
                                const FinalLog& log) {
    std::string text;
    if (tries == log.attempts.end()) return text;
    for (const Json& attempt : tries->second) text += " " + text_at(attempt, "started_at");
    return text;
  }

  Bench bench_;
};

class KeepsRate final : public Checker {
 public:
  explicit KeepsRate(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "11 rate: never more requests to a destination in any stretch of time than it may get";
  }
  void at_end(const FinalLog& log) override {
    if (bench_.options.rate_requests == 0 || !bench_.books.jumps.empty()) return;
    // One that is made known to the journal first waits for space on the disk.
    if (!bench_.books.full_disks.empty()) return;
    std::map<std::string, std::map<std::string, std::set<WallTime>>> requests;
    for (const Json& delivery : log.deliveries) {
      const auto attempts = log.attempts.find(text_at(delivery, "id"));
      if (attempts == log.attempts.end()) continue;
      for (const Json& attempt : attempts->second) {
        requests[text_at(delivery, "destination")][request_id_of(delivery, attempt)].insert(
            time_at(attempt, "started_at"));
      }
    }
    for (const auto& [destination, by_id] : requests) {
      std::vector<WallTime> starts;
      for (const auto& [id, times] : by_id) starts.insert(starts.end(), times.begin(), times.end());
      std::ranges::sort(starts);
      check(destination, starts);
    }
  }

 private:
  void check(const std::string& destination, const std::vector<WallTime>& starts) {
    const std::size_t count = bench_.options.rate_requests;
    const milliseconds per(bench_.options.rate_per_ms);
    for (std::size_t i = 0; i + count < starts.size(); ++i) {
      const milliseconds stretch = starts[i + count] - starts[i];
      if (stretch + slack() >= per || has_crashed_between(starts[i], starts[i + count])) continue;
      bench_.judge.broken(promise(), "{} got {} requests within {} ms, {} in {} ms wanted",
                          destination, count + 1, stretch.count(), count, per.count());
    }
  }

  // Between the moment in which a request may begin and that in which it does, its event is read
  // and its batch written down.
  [[nodiscard]] milliseconds slack() const {
    return std::chrono::ceil<milliseconds>(limits::kLazyAppendDelay +
                                           12 * bench_.options.worker_latency_max) +
           kRounding;
  }

  // A restart forgets what was sent.
  [[nodiscard]] bool has_crashed_between(WallTime from, WallTime until) const {
    const env::SimClock& clock = bench_.server.env().clock();
    return std::ranges::any_of(bench_.books.crashes, [&](Instant crash) {
      const WallTime wall =
          clock.wall_now() + std::chrono::floor<milliseconds>(crash - clock.now());
      return wall + kRounding >= from && wall <= until + kRounding;
    });
  }

  Bench bench_;
};

class BatchesStay final : public Checker {
 public:
  explicit BatchesStay(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "12 batches: one id stands for the same deliveries on every attempt, a delivery keeps "
           "the id it was sent with until the answer or an end parts it from the others, and a "
           "batch is within its limits";
  }
  void request_seen(const SeenBook& seen, const RawRequest& request) override {
    const auto [known, is_new] = parts_.emplace(seen.webhook_id, seen.parts);
    if (!is_new && known->second != seen.parts) {
      bench_.judge.broken(promise(), "{} came with other events than before", seen.webhook_id);
    }
    const DestinationBook* const destination =
        bench_.books.destination_by_number(seen.destination_number);
    if (destination == nullptr || seen.parts.size() == 1) return;
    if (seen.parts.size() > destination->batch_events_max) {
      bench_.judge.broken(promise(), "{} holds {} events, at most {} wanted", seen.webhook_id,
                          seen.parts.size(), destination->batch_events_max);
    }
    const std::uint64_t bytes_max = bench_.options.batch_bytes_max;
    if (bytes_max > 0 && request.body.size() > bytes_max) {
      bench_.judge.broken(promise(), "{} has {} bytes, at most {} wanted", seen.webhook_id,
                          request.body.size(), bytes_max);
    }
  }

  void at_end(const FinalLog& log) override {
    if (!stays_together()) return;
    std::map<Key, Instant> first;
    std::map<Key, const SeenBook*> last;
    const std::set<Key> unsure = find_unsure(log);
    for (const SeenBook& seen : bench_.books.seen) {
      for (const PartBook& part : seen.parts) first.emplace(key_of(part), seen.arrived);
      const auto is_unsure = [&](const PartBook& part) { return unsure.contains(key_of(part)); };
      if (std::ranges::any_of(seen.parts, is_unsure)) continue;
      for (const PartBook& part : seen.parts) {
        const SeenBook*& before = last[key_of(part)];
        const bool is_other = before != nullptr && before->webhook_id != seen.webhook_id;
        if (is_other && !may_be_out_of_line(*before, seen.arrived, first)) {
          bench_.judge.broken(promise(), "event {} came in {} and then in {}", part.event_id,
                              before->webhook_id, seen.webhook_id);
        }
        before = may_part(seen) ? nullptr : &seen;
      }
    }
  }

 private:
  using Key = std::pair<std::string, std::string>;  // event and webhook

  static Key key_of(const PartBook& part) { return {part.event_id, part.webhook}; }

  // Whether nothing but an answer or an end parts the deliveries of a batch.
  [[nodiscard]] bool stays_together() const {
    const WorldOptions& options = bench_.options;
    const bool may_be_gone =
        bench_.books.has_disabled ||
        std::ranges::find(options.behaviours, Behaviour::gone_410) != options.behaviours.end();
    const bool may_be_unread = options.disk_fails || options.disk_full;
    return options.batch_events_max > 1 && !options.edits && !may_be_gone && !may_be_unread &&
           !bench_.books.is_log_in_doubt && bench_.books.jumps.empty();
  }

  // Those that ended otherwise than delivered, and those that were owed more than once.
  [[nodiscard]] static std::set<Key> find_unsure(const FinalLog& log) {
    std::set<Key> all;
    std::set<Key> unsure;
    for (const Json& delivery : log.deliveries) {
      Key key{text_at(delivery, "event_id"), text_at(delivery, "webhook")};
      const bool is_new = all.insert(key).second;
      if (!is_new || delivery.at("state") != "delivered") unsure.insert(std::move(key));
    }
    return unsure;
  }

  static bool may_part(const SeenBook& seen) {
    return seen.is_partial || seen.status == 413 || seen.status == 422;
  }

  // Its user goes on without one that failed for an hour, and so it must wait for its turn again.
  [[nodiscard]] bool may_be_out_of_line(const SeenBook& before, Instant now,
                                        const std::map<Key, Instant>& first) const {
    const DestinationBook* const destination =
        bench_.books.destination_by_number(before.destination_number);
    if (destination == nullptr || !destination->is_per_user) return false;
    return std::ranges::any_of(before.parts, [&](const PartBook& part) {
      return now - first.at(key_of(part)) >= limits::kOrderingHoldMax;
    });
  }

  Bench bench_;
  std::map<std::string, std::vector<PartBook>> parts_;  // by webhook-id
};

}  // namespace

std::unique_ptr<Checker> make_order_checker(const Bench& bench) {
  return std::make_unique<KeepsOrder>(bench);
}

std::unique_ptr<Checker> make_rate_checker(const Bench& bench) {
  return std::make_unique<KeepsRate>(bench);
}

std::unique_ptr<Checker> make_batch_checker(const Bench& bench) {
  return std::make_unique<BatchesStay>(bench);
}

}  // namespace eilpost::sim

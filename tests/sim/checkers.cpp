#include "checkers.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/iso_time.h"
#include "model/limits.h"
#include "store/store.h"

namespace eilpost::sim {

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

WallTime time_at(const Json& json, const char* key) {
  return parse_iso_time(text_at(json, key)).value_or(WallTime{});
}

std::string request_id_of(const Json& delivery, const Json& attempt) {
  const Json& batch = attempt.at("batch");
  return batch.is_null() ? text_at(delivery, "webhook_id") : text_at(batch, "id");
}

bool is_split(const WorldOptions& options, const Json& attempt) {
  const bool is_one = attempt.at("status") == 413 || attempt.at("status") == 422 ||
                      (attempt.at("status") == 400 && !options.names_refused);
  return is_one && !attempt.at("batch").is_null();
}

bool is_replay(const Json& delivery) {
  return !delivery.at("replay_of").is_null() || !delivery.at("backfill_of").is_null();
}

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Deliveries to one destination that may have ended in the moment before a crash.
constexpr std::uint64_t kRestoredMax = 8;

// By the calendar as it was then.
WallTime wall_of(const Bench& bench, Instant instant) {
  const env::SimClock& clock = bench.server.env().clock();
  WallTime wall = clock.wall_now() + std::chrono::floor<milliseconds>(instant - clock.now());
  for (const Jump& jump : bench.books.jumps) {
    if (jump.at > instant) wall -= jump.step;
  }
  return wall;
}

// By the calendar as it was then, or when what began then ended.
std::vector<WallTime> walls_of(const Bench& bench, Instant instant) {
  std::vector<WallTime> walls = {wall_of(bench, instant)};
  for (const Jump& jump : bench.books.jumps) {
    const bool is_soon = jump.at > instant && jump.at < instant + 2min;
    if (is_soon) walls.push_back(walls.back() + jump.step);
  }
  return walls;
}

bool wants(const WebhookState& state, const EventBook& event) {
  return state.is_there && state.enabled && state.type == event.type && event.nps >= state.nps_min;
}

// Whether the webhook wanted the event however the edits under way went.
bool surely_wants(const WebhookBook& webhook, const EventBook& event) {
  bool is_any = false;
  for (const WebhookState& state : webhook.states) {
    const bool is_before = state.until && *state.until < event.first_sent;
    if (is_before || state.from > *event.confirmed_at) continue;
    is_any = true;
    if (!wants(state, event)) return false;
  }
  // It must have been there all the time.
  return is_any && webhook.states.front().from <= event.first_sent;
}

// What a crash may swallow of the moments before it: the lazy append, its commit, the network.
Duration swallowed(const WorldOptions& options) {
  return limits::kLazyAppendDelay + 4 * options.network_delay.max +
         12 * options.worker_latency_max + 5ms;
}

class ConfirmedIsDurable final : public Checker {
 public:
  explicit ConfirmedIsDurable(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "1 durable: every event answered 202 is there after any crash";
  }
  void restarted(const std::vector<Json>& events) override {
    if (!bench_.books.is_disk_full()) check(events);  // Else the log may be behind.
  }
  void at_end(const FinalLog& log) override { check(log.events); }

 private:
  void check(const std::vector<Json>& events) {
    if (bench_.books.is_log_in_doubt) return;
    std::set<std::string> there;
    for (const Json& event : events) there.insert(text_at(event, "id"));
    for (const EventBook& event : bench_.books.events) {
      if (!event.confirmed_at || there.contains(event.id)) continue;
      if (bench_.books.may_be_left_out(event)) continue;
      const auto is_wanted = [&](const auto& entry) { return surely_wants(entry.second, event); };
      if (std::ranges::none_of(bench_.books.webhooks, is_wanted)) continue;  // Need not be kept.
      bench_.judge.broken(promise(), "event {} was confirmed and is gone", event.id);
    }
  }

  Bench bench_;
};

class AtLeastOnce final : public Checker {
 public:
  explicit AtLeastOnce(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "2 at least once: each confirmed event ends delivered or failed at each webhook that "
           "wanted it";
  }
  void at_end(const FinalLog& log) override {
    if (bench_.books.is_log_in_doubt) return;
    std::map<std::pair<std::string, std::string>, std::vector<const Json*>> found;
    for (const Json& delivery : log.deliveries) {
      check_end(delivery, log);
      if (is_replay(delivery)) continue;
      found[{text_at(delivery, "event_id"), text_at(delivery, "webhook")}].push_back(&delivery);
    }
    for (const EventBook& event : bench_.books.events) {
      if (!event.confirmed_at || bench_.books.may_be_left_out(event)) continue;
      for (const auto& [id, webhook] : bench_.books.webhooks) {
        if (!surely_wants(webhook, event) || found.contains({event.id, id})) continue;
        bench_.judge.broken(promise(), "event {} was never owed to webhook {}", event.id, id);
      }
    }
  }

 private:
  void check_end(const Json& delivery, const FinalLog& log) {
    const std::string id = text_at(delivery, "id");
    const std::string state = text_at(delivery, "state");
    const std::string event_id = text_at(delivery, "event_id");
    const EventBook* const event = bench_.books.event(event_id);
    const bool is_taken = event == nullptr ? is_notice(delivery) : event->may_be_taken;
    if (!is_taken) {
      bench_.judge.broken(promise(), "delivery {} is of event {}, which was never taken", id,
                          event_id);
      return;
    }
    if (state == "delivered") {
      const bool takes_rest = !bench_.options.rest_goes_again;
      const bool is_true = was_answered(delivery, log, [&](const SeenBook& seen, bool is_refused) {
        if (seen.is_partial) return !is_refused && takes_rest;
        return seen.status == 200 && seen.is_success;
      });
      if (is_true) return;
      bench_.judge.broken(promise(), "delivery {} is `delivered`, and no receiver said so", id);
    } else if (state == "failed") {
      check_reason(delivery, log);
    } else {
      bench_.judge.broken(promise(), "delivery {} is left `{}`", id, state);
    }
  }

  static bool is_notice(const Json& delivery) {
    constexpr std::string_view kTypes[] = {"destination.paused", "destination.recovered",
                                           "destination.disabled", "backlog.high"};
    return std::ranges::find(kTypes, text_at(delivery, "event_type")) != std::end(kTypes);
  }

  // Whether an answer to a request with this delivery fits: by itself, or in a batch.
  template <class Fits>
  [[nodiscard]] bool was_answered(const Json& delivery, const FinalLog& log, Fits fits) const {
    std::set<std::string> ids = {text_at(delivery, "webhook_id")};
    if (const auto found = log.attempts.find(text_at(delivery, "id"));
        found != log.attempts.end()) {
      for (const Json& attempt : found->second) ids.insert(request_id_of(delivery, attempt));
    }
    const std::string event_id = text_at(delivery, "event_id");
    return std::ranges::any_of(bench_.books.seen, [&](const SeenBook& seen) {
      return ids.contains(seen.webhook_id) &&
             std::ranges::any_of(seen.parts, [&](const PartBook& part) {
               const bool is_it = part.event_id == event_id || seen.parts.size() == 1;
               return is_it && fits(seen, part.is_refused);
             });
    });
  }

  // A batch is sent in halves instead where a smaller one might be taken.
  [[nodiscard]] bool is_final(const SeenBook& seen) const {
    const std::vector<int>& more = bench_.options.final_statuses;
    const bool is_split = seen.parts.size() > 1 && (seen.status == 413 || seen.status == 422);
    if (is_split) return false;
    return seen.status == 410 || std::ranges::find(more, seen.status) != more.end();
  }

  [[nodiscard]] std::size_t tries_of(const std::vector<Json>& attempts) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        attempts, [&](const Json& attempt) { return !is_split(bench_.options, attempt); }));
  }

  void check_reason(const Json& delivery, const FinalLog& log) {
    const std::string reason = text_at(delivery, "reason");
    const std::string id = text_at(delivery, "id");
    bool is_right = false;
    if (reason == "attempts_used_up") {
      const auto attempts = log.attempts.find(id);
      const std::size_t allowed = bench_.options.delays_ms.size() + 1;
      const std::size_t count = attempts == log.attempts.end() ? 0 : tries_of(attempts->second);
      const bool may_lack_some = bench_.books.may_be_left_out(text_at(delivery, "event_id"));
      is_right = count == allowed || (may_lack_some && count < allowed);
    } else if (reason == "final_status") {
      is_right =
          was_answered(delivery, log, [&](const SeenBook& seen, bool) { return is_final(seen); });
    } else if (reason == "rejected") {
      is_right =
          was_answered(delivery, log, [](const SeenBook&, bool is_refused) { return is_refused; });
    } else if (reason == "webhook_deleted" || reason == "destination_deleted") {
      const auto webhook = bench_.books.webhooks.find(text_at(delivery, "webhook"));
      is_right = webhook == bench_.books.webhooks.end() || webhook->second.was_deleted;
    } else if (reason == "backlog_full") {
      is_right = bench_.options.backlog_max > 0;
    } else if (reason == "expired") {
      is_right = time_at(delivery, "settled_at") - time_at(delivery, "accepted_at") >
                 limits::kDeliveryAgeMax - 24h;
    } else if (reason == "record_lost") {
      is_right = bench_.books.may_be_left_out(text_at(delivery, "event_id"));
    }
    if (is_right) return;
    bench_.judge.broken(promise(), "delivery {} failed, and `{}` is no reason", id, reason);
  }

  Bench bench_;
};

class EveryRequestOnRecord final : public Checker {
 public:
  explicit EveryRequestOnRecord(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "4 on record: every request a receiver saw is an attempt in the log, but those under "
           "way at a crash or ended in the 20 ms before it";
  }
  void at_end(const FinalLog& log) override {
    if (bench_.books.is_log_in_doubt) return;
    std::map<std::string, std::vector<const Json*>> attempts;
    for (const Json& delivery : log.deliveries) {
      const auto found = log.attempts.find(text_at(delivery, "id"));
      if (found == log.attempts.end()) continue;
      for (const Json& each : found->second) {
        attempts[request_id_of(delivery, each)].push_back(&each);
      }
    }
    for (const SeenBook& seen : bench_.books.seen) {
      if (bench_.books.may_be_left_out(seen)) continue;
      const auto& candidates = attempts[seen.webhook_id];
      const auto is_it = [&](const Json* attempt) { return is_of(seen, *attempt); };
      if (std::ranges::any_of(candidates, is_it) || is_excused(seen)) continue;
      bench_.judge.broken(promise(), "{} was seen by {} at {} and is not on record",
                          seen.webhook_id, seen.receiver,
                          format_iso_time(wall_of(bench_, seen.arrived)));
    }
  }

 private:
  bool is_of(const SeenBook& seen, const Json& attempt) const {
    const WallTime started = time_at(attempt, "started_at");
    const auto slack =
        std::chrono::ceil<milliseconds>(4 * bench_.options.network_delay.max) + kRounding;
    const WallTime ended =
        started + milliseconds(attempt.at("duration_ms").get<std::int64_t>()) + slack;
    return std::ranges::any_of(walls_of(bench_, seen.arrived), [&](WallTime arrived) {
      return arrived + kRounding >= started && arrived <= ended;
    });
  }

  bool is_excused(const SeenBook& seen) const {
    return was_cut_off(seen) || is_first_try_of_one_cut_off(seen);
  }

  bool was_cut_off(const SeenBook& seen) const {
    return std::ranges::any_of(bench_.books.crashes, [&](Instant crash) {
      if (seen.arrived > crash + 4 * bench_.options.network_delay.max) return false;
      if (!seen.ended) return true;
      // An answer that got lost is waited for until the timeout.
      const Instant timeout = seen.arrived + milliseconds(bench_.options.timeout_ms);
      Instant ended = seen.is_silenced ? std::max(timeout, *seen.ended) : *seen.ended;
      // It goes on with another connection, if that one had been used before.
      if (seen.status == 0 && may_connect_slowly()) ended = std::max(ended, timeout);
      // The attempt goes on with another token, if there is one.
      if (seen.status == 401)
        ended += limits::kTokenTimeout + milliseconds(bench_.options.timeout_ms);
      if (ended + swallowed(bench_.options) >= crash) return true;
      return was_waiting_for_space(ended, crash);
    });
  }

  [[nodiscard]] bool may_connect_slowly() const {
    const WorldOptions& options = bench_.options;
    return options.proxy || options.names_fail || options.silence;
  }

  // With no space left, records wait in memory; soon after there is some they are written.
  bool was_waiting_for_space(Instant ended, Instant crash) const {
    return std::ranges::any_of(bench_.books.full_disks, [&](const FullDisk& full) {
      return ended >= full.from && (!full.until || *full.until + 2s >= crash);
    });
  }

  // A kept connection that ended without an answer: the same attempt went on at once with a new
  // one, with HTTP/2 perhaps with a third, and was cut off then.
  bool is_first_try_of_one_cut_off(const SeenBook& seen) const {
    const bool is_answered = seen.status != 0 && !seen.may_be_unheard;
    if (is_answered || !seen.ended) return false;
    const Instant latest = *seen.ended + 12 * bench_.options.network_delay.max + 2ms;
    const auto second = std::ranges::find_if(bench_.books.seen, [&](const SeenBook& other) {
      return other.webhook_id == seen.webhook_id && other.arrived > seen.arrived;
    });
    if (second == bench_.books.seen.end() || second->arrived > latest) return false;
    return was_cut_off(*second) || is_first_try_of_one_cut_off(*second);
  }

  Bench bench_;
};

class WithinLimits final : public Checker {
 public:
  explicit WithinLimits(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "5 limits: what is under way to a destination, and what waits for it, stays within its "
           "limits";
  }
  void request_seen(const SeenBook& seen, const RawRequest& /*request*/) override {
    const DestinationBook* destination =
        bench_.books.destination_by_number(seen.destination_number);
    if (destination == nullptr) return;
    // An ending needs a moment to be seen on the other side.
    const Instant settled =
        bench_.server.env().clock().now() - 8 * bench_.options.network_delay.max - 1ms;
    const auto count = std::ranges::count_if(bench_.books.seen, [&](const SeenBook& other) {
      return !other.ended && !other.is_silenced && other.arrived <= settled &&
             other.destination_number == seen.destination_number;
    });
    if (count > destination->concurrency_max) {
      bench_.judge.broken(promise(), "{} requests at once to {}, at most {} wanted", count,
                          destination->id, destination->concurrency_max);
    }
  }
  void destinations_listed(const std::vector<Json>& destinations) override {
    for (const Json& json : destinations) {
      const auto found = bench_.books.destinations.find(text_at(json, "id"));
      if (found == bench_.books.destinations.end()) continue;
      const Json& health = json.at("health");
      const DestinationBook& book = found->second;
      if (health.at("in_flight") > book.concurrency_max * book.batch_events_max) {
        bench_.judge.broken(promise(), "{} in flight to {}", to_text(health.at("in_flight")),
                            found->first);
      }
      std::uint64_t waiting = 0;
      for (const char* what : {"waiting", "retrying", "held", "in_flight"}) {
        waiting += health.at(what).get<std::uint64_t>();
      }
      // What ended for want of room just before a crash may be owed again after it.
      const std::uint64_t allowed =
          bench_.options.backlog_max + kRestoredMax * bench_.books.crashes.size();
      if (bench_.options.backlog_max > 0 && waiting > allowed) {
        bench_.judge.broken(promise(), "{} wait for {}, at most {} wanted", waiting, found->first,
                            allowed);
      }
    }
  }

 private:
  Bench bench_;
};

class OneKeyOneEvent final : public Checker {
 public:
  explicit OneKeyOneEvent(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "6 once: one id of one source and end user is one event";
  }
  void events_answered(const Json& answer, std::size_t sent, std::size_t was_confirmed) override {
    const auto count = [&](const char* key) { return answer.value(key, std::size_t{0}); };
    const std::size_t rejected = answer.contains("rejected") ? answer.at("rejected").size() : 0;
    if (count("accepted") + count("duplicates") + rejected != sent) {
      bench_.judge.broken(promise(), "{} events were sent, the answer is {}", sent,
                          to_text(answer));
    }
    if (count("duplicates") < was_confirmed && !forgets()) {
      bench_.judge.broken(promise(), "{} of the events had been confirmed, the answer is {}",
                          was_confirmed, to_text(answer));
    }
  }
  void at_end(const FinalLog& log) override {
    std::map<std::string, WallTime> newest;  // by id; the log's order is newest first
    for (const Json& event : log.events) {
      const std::string id = text_at(event, "id");
      const WallTime at = time_at(event, "received_at");
      const auto [found, is_new] = newest.emplace(id, at);
      if (is_new || is_replayed(log, event)) continue;
      if (found->second - at < limits::kRepeatWindow && !forgets()) {
        bench_.judge.broken(promise(), "event {} was accepted twice", id);
      }
    }
    std::set<std::pair<std::string, std::string>> owed;
    for (const Json& delivery : log.deliveries) {
      if (is_replay(delivery)) continue;
      const std::string sequence = text_at(delivery, "id").substr(0, 17);
      const auto key = std::pair(sequence, text_at(delivery, "webhook"));
      if (!owed.insert(key).second) {
        bench_.judge.broken(promise(), "{} owes one webhook twice", text_at(delivery, "id"));
      }
    }
    if (!forgets()) check_backfilled(log, std::move(owed));
  }

 private:
  // Ids are remembered, and what a backfill looks at is chosen, by the calendar.
  [[nodiscard]] bool forgets() const { return bench_.books.jumped() > 2h; }

  // Backfill sends a webhook nothing that it was owed already.
  void check_backfilled(const FinalLog& log, std::set<std::pair<std::string, std::string>> owed) {
    for (const Json& delivery : log.deliveries) {
      const std::string original = text_at(delivery, "backfill_of");
      if (original.empty()) continue;
      if (!owed.emplace("dlv_" + original, text_at(delivery, "webhook")).second) {
        bench_.judge.broken(promise(), "{} was backfilled, and owed before",
                            text_at(delivery, "id"));
      }
    }
  }

  // Replays come with events of their own in the log.
  static bool is_replayed(const FinalLog& log, const Json& event) {
    return std::ranges::any_of(log.deliveries, [&](const Json& delivery) {
      return is_replay(delivery) && delivery.at("event_id") == event.at("id");
    });
  }

  Bench bench_;
};

class RebuiltIsTheSame final : public Checker {
 public:
  explicit RebuiltIsTheSame(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "7 rebuilt: opening twice equals opening once, and what the journal alone rebuilds "
           "equals what was saved from memory";
  }
  void at_rest(const env::SimDiskImage& disk, bool /*in_order*/) override {
    const std::string once = owed_of(disk, /*openings=*/1);
    const std::string twice = owed_of(disk, /*openings=*/2);
    if (once != twice) bench_.judge.broken(promise(), "once:\n{}\ntwice:\n{}", once, twice);
    env::SimDiskImage journal_only = disk;
    std::erase_if(journal_only,
                  [](const auto& entry) { return entry.first.starts_with("journal/checkpoint-"); });
    const std::string rebuilt = owed_of(journal_only, /*openings=*/1);
    if (once != rebuilt) {
      bench_.judge.broken(promise(), "saved:\n{}\nrebuilt:\n{}", once, rebuilt);
    }
  }

 private:
  // Everything owed after the last of some openings, a line each.
  [[nodiscard]] std::string owed_of(const env::SimDiskImage& disk, int openings) const {
    env::SimEnv env(1);
    env.clock().jump_wall(bench_.server.env().clock().wall_now() - env.clock().wall_now());
    for (const auto& [path, bytes] : disk) {
      if (path.starts_with("journal/")) env.directory().plant(path, bytes);
    }
    std::string text;
    for (int i = 0; i < openings; ++i) {
      auto store = store::Store::open(env, {.segment_bytes = bench_.options.config.segment_bytes},
                                      [this](std::string_view line) { check_damage(line); });
      if (!store) return "cannot be opened: " + store.error().detail;
      text.clear();
      (*store)->take_unsettled([&text](const store::Unsettled& each) {
        text += fmt::format("{} {} {} {} {} {}\n", to_string(each.delivery),
                            to_string(each.owed.webhook), to_string(each.owed.destination),
                            each.attempts_count, format_iso_time(each.accepted_at),
                            format_iso_time(each.next_attempt_at));
      });
      env.crash(env::Crash::process_killed);
      store->reset();
      env.restart();
    }
    return text;
  }

  // A crash tears the end of what was being written; it never damages what was durable.
  void check_damage(std::string_view line) const {
    if (line.starts_with("A torn tail")) return;
    if (bench_.books.has_flipped && line.starts_with("checkpoint-")) return;
    bench_.judge.broken(promise(), "a crash did damage: {}", line);
  }

  Bench bench_;
};

class Drains final : public Checker {
 public:
  explicit Drains(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "9 liveness: once faults stop, everything owed is settled within a bound of time";
  }
  void calmed_down(bool is_drained, Duration bound) override {
    if (is_drained) return;
    bench_.judge.broken(promise(), "{} deliveries are owed after {} s",
                        bench_.server.metric("eilpost_deliveries_unsettled"),
                        std::chrono::duration_cast<std::chrono::seconds>(bound).count());
  }

 private:
  Bench bench_;
};

}  // namespace

std::vector<std::unique_ptr<Checker>> make_checkers(const Bench& bench) {
  std::vector<std::unique_ptr<Checker>> checkers;
  checkers.push_back(std::make_unique<ConfirmedIsDurable>(bench));
  checkers.push_back(std::make_unique<AtLeastOnce>(bench));
  checkers.push_back(make_schedule_checker(bench));
  checkers.push_back(std::make_unique<EveryRequestOnRecord>(bench));
  checkers.push_back(std::make_unique<WithinLimits>(bench));
  checkers.push_back(std::make_unique<OneKeyOneEvent>(bench));
  checkers.push_back(std::make_unique<RebuiltIsTheSame>(bench));
  checkers.push_back(make_secret_checker(bench));
  checkers.push_back(std::make_unique<Drains>(bench));
  checkers.push_back(make_token_checker(bench));
  checkers.push_back(make_order_checker(bench));
  checkers.push_back(make_rate_checker(bench));
  checkers.push_back(make_batch_checker(bench));
  return checkers;
}

}  // namespace eilpost::sim

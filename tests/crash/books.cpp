#include "crash/books.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/assert.h"

namespace eilpost::crash {
namespace {

// The kill that explains why the outcome of `request` may be forgotten; nothing if there is none.
const Kill* find_kill(const SeenRequest& request, const std::vector<Kill>& kills) {
  for (const Kill& kill : kills) {
    if (request.received_at > kill.ended_at) continue;
    if (!request.answered_at) return &kill;
    if (*request.answered_at + kSettleDelay + kill.margin >= kill.begun_at) return &kill;
    // An earlier answer was durable at this kill, so it was at each later one.
    return nullptr;
  }
  return nullptr;
}

Duration age_at(const SeenRequest& request, const Kill& kill) {
  if (!request.answered_at || *request.answered_at >= kill.begun_at) return {};
  return kill.begun_at - *request.answered_at;
}

// " (answered 61.5 ms before the next kill, its margin is 12.0 ms)"
std::string age_text(const SeenRequest& request, const std::vector<Kill>& kills) {
  const auto next = std::ranges::find_if(
      kills, [&](const Kill& kill) { return kill.ended_at >= request.received_at; });
  if (next == kills.end() || !request.answered_at) return {};
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return fmt::format(" (answered {:.1f} ms before the next kill, its margin is {:.1f} ms)",
                     Milliseconds(next->begun_at - *request.answered_at).count(),
                     Milliseconds(next->margin).count());
}

// An attempt without an answer (0) may be one that the receiver never saw.
std::size_t answers_count(const std::vector<int>& statuses) {
  return statuses.size() - static_cast<std::size_t>(std::ranges::count(statuses, 0));
}

bool is_subsequence(const std::vector<int>& part, const std::vector<SeenRequest>& whole) {
  std::size_t next = 0;
  while (next < part.size() && part[next] == 0) ++next;
  for (const SeenRequest& request : whole) {
    if (next < part.size() && part[next] == request.status) ++next;
    while (next < part.size() && part[next] == 0) ++next;
  }
  return next == part.size();
}

std::string delivery_key(std::string_view event_id, Receiver receiver) {
  return fmt::format("{}>{}", event_id, text_of(receiver));
}

void compare_repeats(const std::string& webhook_id, const SeenDelivery& delivery,
                     const Books& books, Verdict& verdict) {
  for (std::size_t i = 1; i < delivery.requests.size(); ++i) {
    const SeenRequest& earlier = delivery.requests[i - 1];
    if (earlier.status != 200) continue;
    const Kill* kill = find_kill(earlier, books.kills);
    if (kill != nullptr && delivery.requests[i].received_at >= kill->begun_at) {
      ++verdict.duplicated;
      verdict.explained_age_max = std::max(verdict.explained_age_max, age_at(earlier, *kill));
      continue;
    }
    ++verdict.unexplained;
    verdict.violations.push_back(
        fmt::format("{} ({}): request {} came again although no kill explains it{}", webhook_id,
                    delivery.event_id, i, age_text(earlier, books.kills)));
  }
}

void compare_requests(const Books& books, Verdict& verdict) {
  std::unordered_map<std::string, std::string_view> webhook_ids;
  for (const auto& [webhook_id, delivery] : books.seen) {
    const auto sent = books.events.find(delivery.event_id);
    if (sent == books.events.end()) {
      verdict.violations.push_back(
          fmt::format("{}: event `{}` was never sent", webhook_id, delivery.event_id));
    } else if (std::ranges::count(sent->second.owed, delivery.receiver) == 0) {
      verdict.violations.push_back(fmt::format("{}: event {} is nothing for the {} receiver",
                                               webhook_id, delivery.event_id,
                                               text_of(delivery.receiver)));
    }
    const auto [other, is_first] =
        webhook_ids.emplace(delivery_key(delivery.event_id, delivery.receiver), webhook_id);
    if (!is_first) {
      verdict.violations.push_back(fmt::format("event {} came as two deliveries, {} and {}",
                                               delivery.event_id, other->second, webhook_id));
    }
    compare_repeats(webhook_id, delivery, books, verdict);
    if (delivery.receiver != Receiver::failing) continue;
    const auto explained = static_cast<std::uint64_t>(std::ranges::count_if(
        delivery.requests, [&](const SeenRequest& one) { return is_near_kill(one, books.kills); }));
    if (delivery.requests.size() > books.failing_attempts_max + explained) {
      verdict.violations.push_back(fmt::format(
          "{} ({}) was tried {} times, its schedule allows {}, kills explain {}", webhook_id,
          delivery.event_id, delivery.requests.size(), books.failing_attempts_max, explained));
    }
  }
}

// What has come of each delivery, as far as receivers and log can say.
struct Ends {
  std::unordered_map<std::string, bool> delivered;                // by delivery_key; seen at all
  std::unordered_map<std::string_view, std::string_view> states;  // by webhook-id, in the log
  std::unordered_map<std::string, std::string_view> webhook_ids;  // by delivery_key
};

Ends collect_ends(const Books& books) {
  Ends ends;
  for (const auto& [webhook_id, delivery] : books.seen) {
    const std::string key = delivery_key(delivery.event_id, delivery.receiver);
    ends.delivered[key] |= std::ranges::any_of(delivery.requests, [](const SeenRequest& request) {
      return request.status == 200 && request.answered_at;
    });
    ends.webhook_ids[key] = webhook_id;
  }
  for (const LoggedDelivery& logged : books.log) ends.states[logged.webhook_id] = logged.state;
  return ends;
}

// True if the delivery was refused as often as it must, and the log says that it failed.
bool has_ended(const std::string& key, const Books& books, const Ends& ends) {
  const auto webhook_id = ends.webhook_ids.find(key);
  if (webhook_id == ends.webhook_ids.end()) return false;
  const auto state = ends.states.find(webhook_id->second);
  if (state != ends.states.end()) return state->second == "failed";
  const auto seen = books.seen.find(std::string(webhook_id->second));
  return !books.is_log_whole && seen != books.seen.end() &&
         seen->second.requests.size() >= books.failing_attempts_max;
}

void compare_event(const std::string& id, const SentEvent& event, const Books& books,
                   const Ends& ends, Verdict& verdict) {
  for (const Receiver receiver : event.owed) {
    ++verdict.owed;
    const std::string key = delivery_key(id, receiver);
    const auto found = ends.delivered.find(key);
    if (found != ends.delivered.end() && found->second) {
      ++verdict.delivered;
    } else if (receiver == Receiver::failing && has_ended(key, books, ends)) {
      ++verdict.ended;
    } else if (event.is_damaged) {
      ++verdict.damaged;
    } else {
      ++verdict.lost;
      const bool is_seen = found != ends.delivered.end();
      verdict.violations.push_back(
          fmt::format("event {} was acknowledged and {} by the {} receiver", id,
                      is_seen ? "not settled" : "never seen", text_of(receiver)));
    }
  }
}

void compare_events(const Books& books, Verdict& verdict) {
  const Ends ends = collect_ends(books);
  for (const auto& [id, event] : books.events) {
    ++verdict.sent;
    if (!event.is_acknowledged) continue;
    ++verdict.accepted;
    compare_event(id, event, books, ends, verdict);
  }
}

void compare_statuses(const LoggedDelivery& logged, const SeenDelivery& seen, Verdict& verdict) {
  const std::vector<int>& statuses = *logged.statuses;
  if (statuses.size() != logged.attempts_count) {
    verdict.violations.push_back(fmt::format("{}: {} attempts are listed, {} are counted",
                                             logged.id, statuses.size(), logged.attempts_count));
  }
  const int last = seen.receiver == Receiver::failing ? kRefused : 200;
  if (statuses.empty() || statuses.back() != last || !is_subsequence(statuses, seen.requests)) {
    verdict.violations.push_back(
        fmt::format("{}: the answers on record are not those that were given", logged.id));
  }
}

void compare_logged(const LoggedDelivery& logged, const SeenDelivery& seen, const Books& books,
                    Verdict& verdict) {
  const std::uint64_t requests_count = seen.requests.size();
  const std::string_view state = seen.receiver == Receiver::failing ? "failed" : "delivered";
  if (logged.state != state) {
    verdict.violations.push_back(fmt::format("{} ({}, {}) is {} in the log", logged.id,
                                             logged.event_id, text_of(seen.receiver),
                                             logged.state));
  }
  const std::uint64_t answers =
      logged.statuses ? answers_count(*logged.statuses) : logged.attempts_count;
  const bool may_be_unseen = books.has_outage && !logged.statuses;
  if (answers > requests_count && !may_be_unseen) {
    verdict.violations.push_back(fmt::format("{}: {} attempts on record, {} requests were seen",
                                             logged.id, answers, requests_count));
    return;
  }
  const auto explained = static_cast<std::uint64_t>(std::ranges::count_if(
      seen.requests, [&](const SeenRequest& one) { return is_near_kill(one, books.kills); }));
  const std::uint64_t missing = requests_count - std::min(requests_count, logged.attempts_count);
  verdict.unrecorded += missing;
  if (missing > explained) {
    verdict.violations.push_back(
        fmt::format("{}: {} of {} requests have no attempt on record, kills explain {}", logged.id,
                    missing, requests_count, explained));
  }
  if (logged.statuses) compare_statuses(logged, seen, verdict);
}

void compare_log(const Books& books, Verdict& verdict) {
  std::unordered_map<std::string_view, std::uint64_t> rows;
  for (const LoggedDelivery& logged : books.log) {
    if (++rows[logged.webhook_id] > 1) {
      verdict.violations.push_back(fmt::format("{} is in the log twice", logged.id));
    }
    const auto seen = books.seen.find(logged.webhook_id);
    if (seen == books.seen.end()) {
      const auto event = books.events.find(logged.event_id);
      if (event != books.events.end() && event->second.is_damaged) continue;
      verdict.violations.push_back(fmt::format("{} ({}) is in the log; no request of it was seen",
                                               logged.id, logged.event_id));
      continue;
    }
    if (seen->second.event_id != logged.event_id) {
      verdict.violations.push_back(fmt::format("{} is of event {} in the log, of {} as received",
                                               logged.id, logged.event_id, seen->second.event_id));
    }
    compare_logged(logged, seen->second, books, verdict);
  }
  if (!books.is_log_whole) return;
  for (const auto& [webhook_id, delivery] : books.seen) {
    if (!rows.contains(webhook_id)) {
      verdict.violations.push_back(
          fmt::format("{} ({}) was received and is not in the log", webhook_id, delivery.event_id));
    }
  }
}

}  // namespace

std::string_view text_of(Receiver receiver) {
  switch (receiver) {
    case Receiver::plain:
      return "plain";
    case Receiver::slow:
      return "slow";
    case Receiver::failing:
      return "failing";
    case Receiver::late:
      return "late";
  }
  assert_failed("unknown Receiver");
}

bool is_near_kill(const SeenRequest& request, const std::vector<Kill>& kills) {
  return find_kill(request, kills) != nullptr;
}

Verdict compare(const Books& books) {
  Verdict verdict;
  verdict.violations = books.remarks;
  compare_events(books, verdict);
  compare_requests(books, verdict);
  compare_log(books, verdict);
  return verdict;
}

}  // namespace eilpost::crash

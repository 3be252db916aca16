#include "crash/books.h"

#include <algorithm>
#include <fmt/format.h>

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

bool is_subsequence(const std::vector<int>& part, const std::vector<SeenRequest>& whole) {
  std::size_t next = 0;
  for (const SeenRequest& request : whole) {
    if (next < part.size() && part[next] == request.status) ++next;
  }
  return next == part.size();
}

void compare_requests(const Books& books, Verdict& verdict) {
  std::unordered_map<std::string_view, std::string_view> webhook_ids;
  for (const auto& [webhook_id, delivery] : books.seen) {
    if (!books.events.contains(delivery.event_id)) {
      verdict.violations.push_back(
          fmt::format("{}: event `{}` was never sent", webhook_id, delivery.event_id));
    }
    const auto [other, is_first] = webhook_ids.emplace(delivery.event_id, webhook_id);
    if (!is_first) {
      verdict.violations.push_back(fmt::format("event {} came as two deliveries, {} and {}",
                                               delivery.event_id, other->second, webhook_id));
    }
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
}

void compare_events(const Books& books, Verdict& verdict) {
  std::unordered_map<std::string_view, bool> delivered;
  for (const auto& [webhook_id, delivery] : books.seen) {
    delivered[delivery.event_id] |= std::ranges::any_of(
        delivery.requests,
        [](const SeenRequest& request) { return request.status == 200 && request.answered_at; });
  }
  for (const auto& [id, is_acknowledged] : books.events) {
    ++verdict.sent;
    if (!is_acknowledged) continue;
    ++verdict.accepted;
    const auto found = delivered.find(id);
    if (found != delivered.end() && found->second) {
      ++verdict.delivered;
      continue;
    }
    ++verdict.lost;
    verdict.violations.push_back(
        fmt::format("event {} was acknowledged and {}", id,
                    found == delivered.end() ? "never seen" : "never answered with 200"));
  }
}

void compare_logged(const LoggedDelivery& logged, const SeenDelivery& seen, const Books& books,
                    Verdict& verdict) {
  const std::uint64_t requests_count = seen.requests.size();
  if (logged.state != "delivered") {
    verdict.violations.push_back(
        fmt::format("{} ({}) is {} in the log", logged.id, logged.event_id, logged.state));
  }
  if (logged.attempts_count > requests_count) {
    verdict.violations.push_back(fmt::format("{}: {} attempts on record, {} requests were seen",
                                             logged.id, logged.attempts_count, requests_count));
    return;
  }
  const auto explained = static_cast<std::uint64_t>(std::ranges::count_if(
      seen.requests, [&](const SeenRequest& one) { return is_near_kill(one, books.kills); }));
  const std::uint64_t missing = requests_count - logged.attempts_count;
  verdict.unrecorded += missing;
  if (missing > explained) {
    verdict.violations.push_back(
        fmt::format("{}: {} of {} requests have no attempt on record, kills explain {}", logged.id,
                    missing, requests_count, explained));
  }
  if (!logged.statuses) return;
  if (logged.statuses->size() != logged.attempts_count) {
    verdict.violations.push_back(fmt::format("{}: {} attempts are listed, {} are counted",
                                             logged.id, logged.statuses->size(),
                                             logged.attempts_count));
  }
  if (logged.statuses->empty() || logged.statuses->back() != 200 ||
      !is_subsequence(*logged.statuses, seen.requests)) {
    verdict.violations.push_back(
        fmt::format("{}: the answers on record are not those that were given", logged.id));
  }
}

void compare_log(const Books& books, Verdict& verdict) {
  std::unordered_map<std::string_view, std::uint64_t> rows;
  for (const LoggedDelivery& logged : books.log) {
    if (++rows[logged.webhook_id] > 1) {
      verdict.violations.push_back(fmt::format("{} is in the log twice", logged.id));
    }
    const auto seen = books.seen.find(logged.webhook_id);
    if (seen == books.seen.end()) {
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
  for (const auto& [webhook_id, delivery] : books.seen) {
    if (!rows.contains(webhook_id)) {
      verdict.violations.push_back(
          fmt::format("{} ({}) was received and is not in the log", webhook_id, delivery.event_id));
    }
  }
}

}  // namespace

bool is_near_kill(const SeenRequest& request, const std::vector<Kill>& kills) {
  return find_kill(request, kills) != nullptr;
}

Verdict compare(const Books& books) {
  Verdict verdict;
  compare_events(books, verdict);
  compare_requests(books, verdict);
  compare_log(books, verdict);
  return verdict;
}

}  // namespace eilpost::crash

#include "crash/log_pages.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

namespace eilpost::crash {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kAttemptsAskedMax = 400;  // deliveries whose attempts are read one by one
constexpr std::size_t kPageRows = 200;

Result<std::vector<int>> read_statuses(const load::EilpostProcess& process, const std::string& id) {
  EILPOST_ASSIGN_OR_RETURN(
      const std::string answer,
      process.call_api(http::Method::get, fmt::format("deliveries/{}/attempts", id)));
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json["data"].is_array()) {
    return fail(ErrorCode::protocol_violated, answer);
  }
  std::vector<int> statuses;
  for (const Json& attempt : json["data"]) {
    statuses.push_back(attempt["status"].is_number() ? attempt["status"].get<int>() : 0);
  }
  return statuses;
}

}  // namespace

Result<std::vector<LoggedDelivery>> read_log(const load::EilpostProcess& process) {
  std::vector<LoggedDelivery> log;
  std::string cursor;
  do {
    EILPOST_ASSIGN_OR_RETURN(
        const std::string answer,
        process.call_api(http::Method::get, fmt::format("deliveries?limit={}{}{}", kPageRows,
                                                        cursor.empty() ? "" : "&cursor=", cursor)));
    const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json["data"].is_array()) {
      return fail(ErrorCode::protocol_violated, answer);
    }
    for (const Json& row : json["data"]) {
      log.push_back({.id = row.value("id", ""),
                     .webhook_id = row.value("webhook_id", ""),
                     .event_id = row.value("event_id", ""),
                     .state = row.value("state", ""),
                     .attempts_count = row.value("attempts_count", std::uint64_t{0}),
                     .statuses = {}});
    }
    const Json& next = json["next_cursor"];
    cursor = next.is_string() ? next.get<std::string>() : "";
  } while (!cursor.empty());
  return log;
}

Result<void> read_attempts(const load::EilpostProcess& process, Books& books) {
  std::vector<LoggedDelivery*> order;
  order.reserve(books.log.size());
  for (LoggedDelivery& logged : books.log) order.push_back(&logged);
  std::ranges::partition(order, [&books](const LoggedDelivery* logged) {
    const auto seen = books.seen.find(logged->webhook_id);
    return seen != books.seen.end() && seen->second.requests.size() != logged->attempts_count;
  });
  const std::size_t half = std::min(order.size(), kAttemptsAskedMax / 2);
  const std::size_t step = std::max<std::size_t>(1, (order.size() - half) / (half + 1));
  for (std::size_t i = 0, asked = 0; i < order.size() && asked < kAttemptsAskedMax; ++asked) {
    EILPOST_ASSIGN_OR_RETURN(order[i]->statuses, read_statuses(process, order[i]->id));
    i += i < half ? 1 : step;
  }
  return {};
}

}  // namespace eilpost::crash

#include "crash/crash_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "support/load/event_sender.h"
#include "support/load/load_loop.h"
#include "support/load/setup.h"
#include "support/load/webhook_receiver.h"

namespace eilpost::crash {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEventType = "survey.submitted";
constexpr std::uint64_t kLoadMsMin = 200;
constexpr std::uint64_t kLoadMsMax = 600;
constexpr unsigned kRetryDelayMs = 50;
constexpr std::size_t kRetriesMax = 12;
constexpr Duration kDrainMax = std::chrono::seconds(60);
constexpr Duration kLookAgain = std::chrono::milliseconds(100);
constexpr int kQuietLooks = 4;                  // as long as nothing new came, it is quiet
constexpr std::size_t kAttemptsAskedMax = 400;  // deliveries whose attempts are read one by one
constexpr std::size_t kPageRows = 200;

// What lives on the loop: senders, receiver, and the books as far as they write them.
class Load {
 public:
  Load(env::Loop& loop, std::uint64_t seed) : loop_(loop), random_(seed), receiver_(loop, {}) {
    receiver_.on_request = [this](const http::Request& request) { return answer(request); };
  }

  [[nodiscard]] Result<env::Endpoint> listen() { return receiver_.listen(); }

  void start(const env::Endpoint& server, const std::string& source_key) {
    add_sender(
        {.server = server, .source_key = source_key, .connections = 8, .id_prefix = "single"});
    add_sender({.server = server,
                .source_key = source_key,
                .connections = 2,
                .events_per_request = 5,
                .id_prefix = "batch"});
    for (const auto& sender : senders_) sender->start();
  }

  // How long the request has waited for its acknowledgement that waits longest.
  [[nodiscard]] Duration longest_wait() const {
    Duration longest{};
    for (const auto& sender : senders_) {
      const std::optional<Instant> begun = sender->oldest_under_way();
      if (begun) longest = std::max(longest, loop_.clock().now() - *begun);
    }
    return longest;
  }

  // The time that all but one of a hundred acknowledgements since the last call took.
  Duration take_ack_time() {
    std::vector<std::uint32_t> times;
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      const std::vector<std::uint32_t>& all = senders_[i]->figures().ack_microseconds;
      times.insert(times.end(), all.begin() + static_cast<std::ptrdiff_t>(acks_taken_[i]),
                   all.end());
      acks_taken_[i] = all.size();
    }
    if (times.empty()) return {};
    const auto place = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
    std::ranges::nth_element(times, place);
    return std::chrono::microseconds(*place);
  }

  // `done` is called when no request is under way any more.
  void stop(const std::function<void()>& done) {
    auto left = std::make_shared<std::size_t>(senders_.size());
    for (const auto& sender : senders_) {
      sender->stop([left, done] {
        if (--*left == 0) done();
      });
    }
  }

  [[nodiscard]] std::uint64_t requests_count() const { return receiver_.requests_count(); }
  Books take_books() { return std::move(books_); }
  [[nodiscard]] const Books& books() const { return books_; }

  // The events that were acknowledged and not yet answered with 200.
  [[nodiscard]] std::uint64_t owed_count() const {
    std::unordered_map<std::string_view, bool> delivered;
    for (const auto& [id, delivery] : books_.seen) {
      for (const SeenRequest& request : delivery.requests) {
        delivered[delivery.event_id] |= request.status == 200 && request.answered_at.has_value();
      }
    }
    std::uint64_t owed = 0;
    for (const auto& [id, is_acknowledged] : books_.events) {
      const auto found = delivered.find(id);
      if (is_acknowledged && (found == delivered.end() || !found->second)) ++owed;
    }
    return owed;
  }

 private:
  void add_sender(load::SenderOptions options) {
    options.persists = true;
    options.event_type = kEventType;
    const std::string prefix = options.id_prefix;
    senders_.push_back(std::make_unique<load::EventSender>(loop_, std::move(options)));
    acks_taken_.push_back(0);
    senders_.back()->on_begun = [this, prefix](std::uint64_t number) {
      books_.events.emplace(fmt::format("{}-{}", prefix, number), false);
    };
    senders_.back()->on_acknowledged = [this, prefix](std::uint64_t number) {
      books_.events[fmt::format("{}-{}", prefix, number)] = true;
    };
  }

  // One event in ten is refused at first, one in a hundred three times; one answer in four is late.
  load::Reply answer(const http::Request& request) {
    const std::string webhook_id(http::find_header(request.headers, "webhook-id").value_or(""));
    SeenDelivery& delivery = books_.seen[webhook_id];
    const std::string_view event_id = load::event_id_in(request.body);
    if (delivery.requests.empty()) delivery.event_id = event_id;
    // One webhook-id for two events: keeps the one that is wrong, so that it shows.
    if (delivery.event_id != event_id) delivery.event_id = fmt::format("{} as well", event_id);
    const std::uint64_t number = load::event_number_in(request.body).value_or(0);
    const std::size_t place = delivery.requests.size();
    const bool is_refused = (number % 10 == 3 && place < 1) || (number % 100 == 7 && place < 3);
    load::Reply reply{.status = is_refused ? 500 : 200};
    if (random_.chance(1, 4)) reply.after = std::chrono::microseconds(random_.below(8000));
    delivery.requests.push_back({.received_at = loop_.clock().now(), .status = reply.status});
    reply.on_answered = [this, &delivery, place] {
      delivery.requests[place].answered_at = loop_.clock().now();
    };
    return reply;
  }

  env::Loop& loop_;
  Random random_;
  Books books_;  // its nodes stay where they are
  std::vector<std::unique_ptr<load::EventSender>> senders_;
  std::vector<std::size_t> acks_taken_;
  load::WebhookReceiver receiver_;
};

Result<std::string> set_up(const load::EilpostProcess& process, const env::Endpoint& receiver) {
  EILPOST_RETURN_IF_ERROR(load::remove_webhooks(process));
  EILPOST_ASSIGN_OR_RETURN(std::string key, load::create_source(process));
  EILPOST_ASSIGN_OR_RETURN(
      const std::string destination,
      load::create_destination(
          process, {.name = "receiver",
                    .url = fmt::format("http://{}/hook", env::to_string(receiver)),
                    .retry_delays_ms = std::vector<unsigned>(kRetriesMax, kRetryDelayMs)}));
  EILPOST_RETURN_IF_ERROR(load::create_webhook(
      process, {.name = "all", .event_type = std::string(kEventType), .destination = destination}));
  return key;
}

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

// Those with another count of attempts than of requests first; then a sample of the others.
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

bool is_settled(const std::vector<LoggedDelivery>& log, std::size_t deliveries_count) {
  return log.size() >= deliveries_count && std::ranges::all_of(log, [](const LoggedDelivery& one) {
           return one.state == "delivered";
         });
}

// Waits until nothing is owed and nothing comes any more; then until the log says so too.
Result<Books> drain(const load::EilpostProcess& process, load::LoadLoop& loop, Load& load) {
  const Instant deadline = loop.now() + kDrainMax;
  std::uint64_t requests_before = 0;
  for (int quiet = 0; quiet < kQuietLooks && loop.now() < deadline;) {
    load::pause_thread(kLookAgain);
    const auto [owed, requests] =
        loop.ask([&load] { return std::pair(load.owed_count(), load.requests_count()); });
    quiet = owed == 0 && requests == requests_before ? quiet + 1 : 0;
    requests_before = requests;
  }
  const std::size_t deliveries = loop.ask([&load] { return load.books().seen.size(); });
  std::vector<LoggedDelivery> log;
  do {
    EILPOST_ASSIGN_OR_RETURN(log, read_log(process));
    if (is_settled(log, deliveries)) break;
    load::pause_thread(kLookAgain);
  } while (loop.now() < deadline);
  Books books = loop.ask([&load] { return load.take_books(); });
  books.log = std::move(log);
  EILPOST_RETURN_IF_ERROR(read_attempts(process, books));
  return books;
}

// The rounds: load, kill, start again.
Result<std::vector<Kill>> kill_repeatedly(const RunOptions& options, load::EilpostProcess& process,
                                          load::LoadLoop& loop, Load& load) {
  Random random(options.seed);
  std::vector<Kill> kills;
  for (std::uint64_t round = 0; round < options.rounds; ++round) {
    const Duration load_time = std::chrono::microseconds(
        kLoadMsMin * 1000 + random.below((kLoadMsMax - kLoadMsMin) * 1000));
    load::pause_thread(load_time);
    const Duration longest_wait = loop.ask([&load] { return load.longest_wait(); });
    Kill kill{.begun_at = loop.now()};
    process.kill();
    loop.settle();
    kill.ended_at = loop.now();
    const Duration ack_time = loop.ask([&load] { return load.take_ack_time(); });
    kill.margin = std::max(ack_time, longest_wait);
    kills.push_back(kill);
    if (options.on_killed) options.on_killed(round, load_time, kill.margin);
    EILPOST_RETURN_IF_ERROR(process.start());
  }
  return kills;
}

Result<Books> run_load(const RunOptions& options, load::EilpostProcess& process,
                       load::LoadLoop& loop, Load& load) {
  EILPOST_ASSIGN_OR_RETURN(const env::Endpoint receiver,
                           loop.ask([&load] { return load.listen(); }));
  EILPOST_RETURN_IF_ERROR(process.start());
  EILPOST_ASSIGN_OR_RETURN(const std::string key, set_up(process, receiver));
  loop.ask([&] { load.start(process.endpoint(), key); });
  EILPOST_ASSIGN_OR_RETURN(std::vector<Kill> kills, kill_repeatedly(options, process, loop, load));
  load::pause_thread(std::chrono::milliseconds(kLoadMsMin));
  std::promise<void> stopped;
  loop.ask([&] { load.stop([&stopped] { stopped.set_value(); }); });
  stopped.get_future().wait();
  EILPOST_ASSIGN_OR_RETURN(Books books, drain(process, loop, load));
  books.kills = std::move(kills);
  return books;
}

}  // namespace

Result<Books> run(const RunOptions& options) {
  load::EilpostProcess process({.binary = options.binary,
                                .data = options.folder + "/data",
                                .log = options.folder + "/eilpost.log"});
  load::LoadLoop loop("load");
  Load load(loop.loop(), options.seed);
  Result<Books> books = run_load(options, process, loop, load);
  if (!books && !process.is_running()) {
    books.error().detail += "\nThe program has ended. Its log:\n" + process.log_tail();
  }
  process.kill();
  loop.stop();
  return books;
}

}  // namespace eilpost::crash

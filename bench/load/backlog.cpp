#include "load/backlog.h"

#include <chrono>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "support/load/event_sender.h"
#include "support/load/load_loop.h"
#include "support/load/scratch_folder.h"
#include "support/load/setup.h"
#include "support/load/webhook_receiver.h"

namespace eilpost::bench {
namespace {

constexpr std::string_view kEventType = "survey.submitted";
constexpr unsigned kConcurrency = 64;
constexpr Duration kDeliverMax = std::chrono::minutes(10);
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// What the receiver's loop knows.
struct Arrivals {
  std::vector<bool> has_come;
  std::uint64_t count = 0;
  std::uint64_t repeats_count = 0;
  Instant first_at{};
  Instant last_at{};

  load::Reply note(const http::Request& request, Instant now) {
    const auto number = load::event_number_in(request.body);
    if (!number || *number >= has_come.size()) return {.status = 204};
    if (has_come[*number]) {
      ++repeats_count;
      return {.status = 204};
    }
    has_come[*number] = true;
    if (count == 0) first_at = now;
    last_at = now;
    ++count;
    return {.status = 204};
  }
};

// Sends `count` events; the time it took until all were acknowledged.
Duration accept(const env::Endpoint& server, load::LoadLoop& loop, const std::string& key,
                std::uint64_t count) {
  const Instant begun = loop.now();
  std::promise<void> sent;
  auto sender = loop.ask([&] {
    auto made = std::make_unique<load::EventSender>(
        loop.loop(), load::SenderOptions{.server = server,
                                         .source_key = key,
                                         .connections = 16,
                                         .events_per_request = 50,
                                         .events_max = count,
                                         .persists = true,
                                         .event_type = std::string(kEventType)});
    made->on_all_acknowledged = [&sent] { sent.set_value(); };
    made->start();
    return made;
  });
  sent.get_future().wait();
  const Duration took = loop.now() - begun;
  loop.ask([&] { sender.reset(); });
  return took;
}

// Waits until all have come.
Result<void> wait_for(std::uint64_t count, load::LoadLoop& receiving, const Arrivals& arrivals,
                      load::EilpostProcess& process) {
  const Instant deadline = receiving.now() + kDeliverMax;
  while (true) {
    const std::uint64_t come = receiving.ask([&] { return arrivals.count; });
    if (come >= count) return {};
    if (receiving.now() > deadline || !process.is_running()) {
      return fail(ErrorCode::timed_out,
                  fmt::format("{} of {} deliveries made\n{}", come, count, process.log_tail()));
    }
    load::pause_thread(kLookAgain);
  }
}

Result<Row> measure(std::uint64_t count, load::EilpostProcess& process, load::LoadLoop& receiving,
                    load::LoadLoop& sending, Arrivals& arrivals, const std::string& receiver_url) {
  EILPOST_RETURN_IF_ERROR(load::remove_webhooks(process));
  EILPOST_ASSIGN_OR_RETURN(const std::string key, load::create_source(process));
  EILPOST_ASSIGN_OR_RETURN(const std::string destination,
                           load::create_destination(process, {.name = "receiver",
                                                              .url = receiver_url,
                                                              .concurrency = kConcurrency,
                                                              .backlog_max = count}));
  EILPOST_RETURN_IF_ERROR(load::create_webhook(
      process, {.name = "all", .event_type = std::string(kEventType), .destination = destination}));
  const std::string path = "destinations/" + destination;
  EILPOST_RETURN_IF_ERROR(process.call_api(http::Method::post, path + "/disable"));
  const Duration accepting = accept(process.endpoint(), sending, key, count);
  const load::ProcessFigures accepted = process.figures();

  process.kill();
  const Instant restarted = sending.now();
  EILPOST_RETURN_IF_ERROR(process.start());
  const Duration starting = sending.now() - restarted;
  const load::ProcessFigures ready = process.figures();

  const Instant resumed = sending.now();
  EILPOST_RETURN_IF_ERROR(process.call_api(http::Method::post, path + "/resume"));
  EILPOST_RETURN_IF_ERROR(wait_for(count, receiving, arrivals, process));
  const load::ProcessFigures drained = process.figures();
  const Instant first = receiving.ask([&] { return arrivals.first_at; });
  const Instant last = receiving.ask([&] { return arrivals.last_at; });
  const auto number = static_cast<double>(count);
  return Row{
      .scenario = fmt::format("backlog of {}: killed, restarted, drained", count),
      .figures = {{"accepted_per_second", number / seconds(accepting), 0},
                  {"resident_mb_owed", static_cast<double>(accepted.resident_bytes) / 1e6, 1},
                  {"restart_seconds", seconds(starting), 2},
                  {"restart_cpu_seconds", seconds(ready.cpu), 2},
                  {"resident_mb_restarted", static_cast<double>(ready.resident_bytes) / 1e6, 1},
                  {"first_delivery_ms", seconds(first - resumed) * 1000, 1},
                  {"drained_per_second", number / seconds(last - first), 0},
                  {"cpu_us_per_delivery", seconds(drained.cpu - ready.cpu) * 1e6 / number, 1},
                  {"repeats", static_cast<double>(arrivals.repeats_count), 0}}};
}

}  // namespace

Result<Row> run_backlog(std::uint64_t count, const ScenarioOptions& options) {
  EILPOST_ASSIGN_OR_RETURN(const load::ScratchFolder folder,
                           load::ScratchFolder::make(options.folder));
  load::EilpostProcess process({.binary = options.binary,
                                .data = folder.path() + "/data",
                                .log = folder.path() + "/eilpost.log"});
  EILPOST_RETURN_IF_ERROR(process.start());
  load::LoadLoop receiving("receiver");
  load::LoadLoop sending("sender");
  Arrivals arrivals;
  arrivals.has_come.resize(count);
  load::WebhookReceiver receiver(receiving.loop(), {});
  receiver.on_request = [&](const http::Request& request) {
    return arrivals.note(request, receiving.loop().clock().now());
  };
  const auto endpoint = receiving.ask([&] { return receiver.listen(); });
  Result<Row> row = fail(ErrorCode::listen_failed);
  if (endpoint) {
    row = measure(count, process, receiving, sending, arrivals,
                  fmt::format("http://{}/", env::to_string(*endpoint)));
  }
  process.kill();
  sending.stop();
  receiving.stop();
  return row;
}

}  // namespace eilpost::bench

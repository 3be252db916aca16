#include "load/scenario.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <future>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "load/nginx.h"
#include "support/certificates.h"
#include "support/load/bulk_setup.h"
#include "support/load/event_sender.h"
#include "support/load/load_loop.h"
#include "support/load/scratch_folder.h"
#include "support/load/setup.h"
#include "support/load/webhook_receiver.h"

namespace eilpost::bench {
namespace {

constexpr std::string_view kEventType = "survey.submitted";
constexpr std::uint64_t kEventsMax = 4'000'000;
constexpr unsigned kConcurrencyOfOne = 64;
constexpr Duration kDeliverMax = std::chrono::seconds(60);
constexpr std::string_view kOwedEventType = "survey.dismissed";
constexpr std::size_t kIdleItems = 1'000'000;  // items of webhooks that match nothing, from here on
constexpr Duration kRestAfterSetup = std::chrono::milliseconds(500);
constexpr unsigned kRetryDelayMs = 10 * 3600 * 1000;
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

// Both loops write it: the generator when an event is sent, the receiver when it comes.
struct Journey {
  std::atomic<std::int64_t> sent_at{0};  // of the steady clock, in nanoseconds
};

// What the receiver's loop knows.
class Arrivals {
 public:
  Arrivals(const std::vector<Journey>& journeys, const env::Clock& clock, const Scenario& scenario)
      : journeys_(journeys), clock_(clock), scenario_(scenario) {
    come_count_.resize(journeys.size());
  }

  // One event, or those of a batch.
  load::Reply note(const http::Request& request) {
    load::Reply reply{.status = 204};
    std::string_view rest = request.body;
    while (const auto number = load::event_number_in(rest)) {
      if (*number >= journeys_.size()) return reply;
      if (scenario_.first_hangs && *number % scenario_.destinations == 0) {
        reply.hangs = true;
        return reply;
      }
      note_event(*number);
      rest.remove_prefix(static_cast<std::size_t>(load::event_id_in(rest).end() - rest.begin()));
    }
    return reply;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t repeats_count() const { return repeats_count_; }
  [[nodiscard]] Instant last_at() const { return last_at_; }
  [[nodiscard]] Times& times() { return times_; }

 private:
  void note_event(std::uint64_t number) {
    if (come_count_[number] == scenario_.fan_out) {
      ++repeats_count_;
      return;
    }
    ++come_count_[number];
    ++count_;
    last_at_ = clock_.now();
    const std::int64_t sent = journeys_[number].sent_at.load(std::memory_order_relaxed);
    times_.add(static_cast<double>(last_at_.time_since_epoch().count() - sent) / 1000);
  }

  const std::vector<Journey>& journeys_;
  const env::Clock& clock_;
  const Scenario& scenario_;
  std::vector<std::uint8_t> come_count_;  // by event
  std::uint64_t count_ = 0;
  std::uint64_t repeats_count_ = 0;
  Instant last_at_{};
  Times times_;
};

// What the program is given before the load; the source's key.
Result<std::string> set_up(const load::EilpostProcess& process, load::LoadLoop& loop,
                           const std::string& receiver, const Scenario& scenario) {
  EILPOST_RETURN_IF_ERROR(load::remove_webhooks(process));
  EILPOST_ASSIGN_OR_RETURN(std::string key, load::create_source(process));
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < scenario.destinations; ++i) {
    load::DestinationSetup setup{.name = fmt::format("receiver {}", i),
                                 .url = fmt::format("{}/{}", receiver, i),
                                 .batch_events_max = scenario.batch_events_max,
                                 .batch_wait_ms = scenario.batch_wait_ms};
    if (scenario.destinations == 1) setup.concurrency = kConcurrencyOfOne;
    bodies.push_back(load::to_json(setup));
  }
  EILPOST_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                           load::create_many(process, loop, "destinations", bodies));
  bodies.clear();
  for (std::size_t i = 0; i < scenario.destinations * scenario.fan_out; ++i) {
    const std::size_t place = i % scenario.destinations;
    bodies.push_back(
        load::to_json({.name = fmt::format("wanted {}", i),
                       .event_type = std::string(kEventType),
                       .destination = ids[place],
                       .item_id = scenario.destinations == 1 ? -1 : static_cast<int>(place)}));
  }
  for (std::size_t i = 0; i < scenario.idle_webhooks; ++i) {
    bodies.push_back(load::to_json({.name = fmt::format("idle {}", i),
                                    .event_type = std::string(kEventType),
                                    .destination = ids.front(),
                                    .item_id = static_cast<int>(kIdleItems + i)}));
  }
  EILPOST_RETURN_IF_ERROR(load::create_many(process, loop, "webhooks", bodies));
  return key;
}

// Waits until the program has nothing to do.
void wait_for_rest(const load::EilpostProcess& process) {
  constexpr Duration kRestCpuMax = std::chrono::milliseconds(10);
  Duration before{};
  Duration now = process.figures().cpu;
  do {
    load::pause_thread(kRestAfterSetup);
    before = std::exchange(now, process.figures().cpu);
  } while (now - before > kRestCpuMax);
}

// Deliveries that stay owed: to a destination at a port where nobody listens, which was tried once
// and will be again when the measuring is over.
Result<void> owe(const load::EilpostProcess& process, load::LoadLoop& loop, const std::string& key,
                 std::uint64_t count) {
  EILPOST_ASSIGN_OR_RETURN(const std::string id,
                           load::create_destination(process, {.name = "down",
                                                              .url = "http://127.0.0.1:9/",
                                                              .retry_delays_ms = {kRetryDelayMs},
                                                              .backlog_max = count}));
  EILPOST_RETURN_IF_ERROR(load::create_webhook(
      process, {.name = "down", .event_type = std::string(kOwedEventType), .destination = id}));
  std::promise<void> sent;
  auto sender = loop.ask([&] {
    auto made = std::make_unique<load::EventSender>(
        loop.loop(), load::SenderOptions{.server = process.endpoint(),
                                         .source_key = key,
                                         .connections = 16,
                                         .events_per_request = 50,
                                         .id_prefix = "owed",
                                         .events_max = count,
                                         .persists = true,
                                         .event_type = std::string(kOwedEventType)});
    made->on_all_acknowledged = [&sent] { sent.set_value(); };
    made->start();
    return made;
  });
  sent.get_future().wait();
  loop.ask([&] { sender.reset(); });
  wait_for_rest(process);
  return {};
}

// nginx, which ends the TLS and hands on to the receiver; its URL.
Result<std::string> start_front(Nginx& front, const env::Endpoint& receiver,
                                const support::Authority& authority, bool speaks_http2) {
  const support::Identity identity = authority.issue({.names = {"127.0.0.1"}});
  EILPOST_ASSIGN_OR_RETURN(const std::uint16_t port,
                           front.start({.location = "proxy_pass http://receiver;",
                                        .upstream = env::to_string(receiver),
                                        .chain_pem = identity.chain_pem,
                                        .key_pem = identity.key_pem,
                                        .speaks_http2 = speaks_http2}));
  return fmt::format("https://127.0.0.1:{}", port);
}

// The deliveries that the receiver will answer, of those acknowledged.
std::uint64_t expected_count(const Scenario& scenario, std::uint64_t acknowledged) {
  if (!scenario.first_hangs) return acknowledged * scenario.fan_out;
  return acknowledged - (acknowledged + scenario.destinations - 1) / scenario.destinations;
}

struct Measured {
  double seconds = 0;
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;
  Times acks;
  load::ProcessFigures before;
  load::ProcessFigures after;
};

Row to_row(const Scenario& scenario, Measured& measured, Arrivals& arrivals) {
  const auto deliveries = static_cast<double>(measured.delivered);
  const double events = deliveries / static_cast<double>(scenario.fan_out);
  const auto cpu = measured.after.cpu - measured.before.cpu;
  const auto written = measured.after.written_bytes - measured.before.written_bytes;
  return {.scenario = scenario.name,
          .figures = {
              {"events_per_second", events / measured.seconds, 0},
              {"ack_p50_ms", measured.acks.quantile(0.5) / 1000, 2},
              {"ack_p99_ms", measured.acks.quantile(0.99) / 1000, 2},
              {"delivery_p50_ms", arrivals.times().quantile(0.5) / 1000, 2},
              {"delivery_p99_ms", arrivals.times().quantile(0.99) / 1000, 2},
              {"cpu_us_per_event", microseconds(cpu) / events, 1},
              {"cpu_us_per_delivery", microseconds(cpu) / deliveries, 1},
              {"bytes_written_per_event", static_cast<double>(written) / events, 0},
              {"resident_mb", static_cast<double>(measured.after.resident_bytes) / 1e6, 1},
              {"refused", static_cast<double>(measured.refused), 0},
              {"repeats", static_cast<double>(arrivals.repeats_count()), 0},
          }};
}

load::SenderOptions sender_options(const Scenario& scenario, const env::Endpoint& server,
                                   const std::string& key) {
  return {.server = server,
          .source_key = key,
          .connections = scenario.connections,
          .events_per_request = scenario.events_per_request,
          .events_max = kEventsMax,
          .items_count = scenario.destinations,
          .events_per_second = scenario.events_per_second,
          .persists = true,
          .event_type = std::string(kEventType)};
}

// Loads it for the time given, and waits until what was acknowledged has come.
Result<Measured> measure(const Scenario& scenario, const ScenarioOptions& options,
                         load::EilpostProcess& process, load::LoadLoop& receiving,
                         const std::pair<Arrivals*, load::EventSender*>& ends,
                         load::LoadLoop& sending) {
  auto& [arrivals, sender] = ends;
  Measured measured;
  measured.before = process.figures();
  const Instant begun = sending.now();
  sending.ask([&] { sender->start(); });
  load::pause_thread(std::chrono::microseconds(static_cast<std::int64_t>(options.seconds * 1e6)));
  std::promise<void> stopped;
  sending.ask([&] { sender->stop([&stopped] { stopped.set_value(); }); });
  stopped.get_future().wait();
  const load::SenderFigures sent = sending.ask([&] { return sender->figures(); });
  for (const std::uint32_t time : sent.ack_microseconds) measured.acks.add(time);
  measured.refused = sent.requests_refused + sent.requests_failed;
  const std::uint64_t expected = expected_count(scenario, sent.events_acknowledged);
  const Instant deadline = sending.now() + kDeliverMax;
  while ((measured.delivered = receiving.ask([&] { return arrivals->count(); })) < expected) {
    if (sending.now() > deadline || !process.is_running()) {
      return fail(ErrorCode::timed_out,
                  fmt::format("{} of {} deliveries made\n{}", measured.delivered, expected,
                              process.log_tail()));
    }
    load::pause_thread(kLookAgain);
  }
  measured.after = process.figures();
  const Instant last = receiving.ask([&] { return arrivals->last_at(); });
  measured.seconds = microseconds(last - begun) / 1e6;
  return measured;
}

}  // namespace

Result<Row> run(const Scenario& scenario, const ScenarioOptions& options) {
  EILPOST_ASSIGN_OR_RETURN(const load::ScratchFolder folder,
                           load::ScratchFolder::make(options.folder));
  const support::Authority authority = support::make_ca("Benchmark");
  const std::string root = folder.path() + "/root.pem";
  std::ofstream(root) << authority.certificate_pem();
  load::EilpostProcess process({.binary = options.binary,
                                .data = folder.path() + "/data",
                                .log = folder.path() + "/eilpost.log",
                                .environment = {{"SSL_CERT_FILE", root}}});
  EILPOST_RETURN_IF_ERROR(process.start());
  load::LoadLoop receiving("receiver");
  load::LoadLoop sending("sender");
  std::vector<Journey> journeys(kEventsMax);
  Arrivals arrivals(journeys, receiving.loop().clock(), scenario);
  load::WebhookReceiver receiver(receiving.loop(), {});
  receiver.on_request = [&](const http::Request& request) { return arrivals.note(request); };
  Nginx front(folder.path());
  std::unique_ptr<load::EventSender> sender;
  const auto prepare = [&]() -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(const env::Endpoint endpoint,
                             receiving.ask([&] { return receiver.listen(); }));
    std::string url = "http://" + env::to_string(endpoint);
    if (scenario.over_tls) {
      EILPOST_ASSIGN_OR_RETURN(url, start_front(front, endpoint, authority, scenario.over_http2));
    }
    EILPOST_ASSIGN_OR_RETURN(const std::string key, set_up(process, sending, url, scenario));
    if (scenario.pending > 0) {
      EILPOST_RETURN_IF_ERROR(owe(process, sending, key, scenario.pending));
    }
    sender = std::make_unique<load::EventSender>(sending.loop(),
                                                 sender_options(scenario, process.endpoint(), key));
    sender->on_begun = [&](std::uint64_t number) {
      const auto now = sending.loop().clock().now().time_since_epoch().count();
      journeys[number].sent_at.store(now, std::memory_order_relaxed);
    };
    return {};
  };
  Result<Measured> measured = fail(ErrorCode::listen_failed);
  if (const Result<void> ready = prepare()) {
    measured = measure(scenario, options, process, receiving, {&arrivals, sender.get()}, sending);
  } else {
    measured = std::unexpected(ready.error());
  }
  process.kill();
  sending.stop();
  receiving.stop();
  if (!measured) return std::unexpected(measured.error());
  return to_row(scenario, *measured, arrivals);
}

}  // namespace eilpost::bench

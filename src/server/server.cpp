#include "server/server.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

#include "admin/admin.h"
#include "base/assert.h"
#include "crypto/secret_box.h"
#include "env/deadline.h"
#include "env/run_on.h"
#include "history/history.h"
#include "http/server.h"
#include "pipeline/pipeline.h"
#include "render/time_zone.h"
#include "server/disk_watch.h"
#include "server/first_start.h"
#include "server/metrics.h"
#include "server/notices.h"
#include "server/router.h"
#include "server/secret_key.h"
#include "server/token_store.h"
#include "settings/settings.h"
#include "store/store.h"

namespace eilpost::server {
namespace {

// What the router and the HTTP server of one lane need of it.
struct LaneFront {
  std::unique_ptr<Router> router;
  std::unique_ptr<http::Server> http;
};

constexpr Duration kRetentionEvery = std::chrono::hours(1);
constexpr Duration kSaveRetry = std::chrono::seconds(5);

// A destination that gets no more. `version`: that showed itself so; one that was changed since is
// left alone.
struct Disabling {
  DestinationId id{};
  std::uint32_t version = 0;
  std::string reason;     // the API's word
  std::string why;        // in a sentence: "Destination … WHY and was disabled."
  bool is_quiet = false;  // it raises no notice
};

std::size_t body_bytes_max(const Config& config, std::string_view target) {
  // Ingest says itself what is wrong with a body that is too large inflated; this bounds what is
  // read. Settings may hold a template and certificates.
  constexpr std::size_t kOther = 1UL << 20U;
  if (http::path_of(target) == "/v1/events") return config.request_bytes_max;
  return kOther;
}

ingest::Limits event_limits(const Config& config) {
  return {
      .event_bytes_max = config.event_bytes_max,
      .request_bytes_max = config.request_bytes_max,
      .request_events_max = config.request_events_max,
      .event_depth_max = config.event_depth_max,
      .event_properties_max = config.event_properties_max,
      .browser_events_per_second = static_cast<std::uint32_t>(config.browser_events_per_second)};
}

class RealServer final : public Server, public pipeline::Observer {
 public:
  RealServer(env::Env& env, env::Log& log, const Config& config)
      : env_(env), log_(log), config_(config) {}

  Result<void> open();

  [[nodiscard]] std::optional<FirstStart> first_start() const override { return first_start_; }
  [[nodiscard]] Result<env::Endpoint> start() override;
  void stop(std::function<void()> done) override;
  void close() override;

  void destination_gone(DestinationId destination, std::uint32_t version, bool is_quiet) override;
  void destination_paused(DestinationId destination, std::string_view error) override;
  void destination_recovered(DestinationId destination) override;
  void destination_failing(DestinationId destination, std::optional<WallTime> since) override;
  void destination_failed_too_long(DestinationId destination, std::uint32_t version,
                                   bool is_quiet) override;

 private:
  [[nodiscard]] Result<void> open_settings();
  [[nodiscard]] Result<void> open_stores();
  void build_pipeline();
  void build_fronts();
  void publish_settings();
  void apply_retention();
  void look_at_certificates();
  void disable(const Disabling& what, bool is_first_try);
  void disable_later(const Disabling& what);
  void close_fronts();
  void close_front(std::size_t lane, Duration grace);
  void stop_pipeline_if_last();

  env::Env& env_;
  env::Log& log_;
  const Config config_;
  std::unique_ptr<crypto::SecretBox> secrets_;
  render::TimeZones time_zones_{
      [this](std::string_view name) { return env_.read_time_zone(name); }};
  std::unique_ptr<settings::Settings> settings_;
  std::unique_ptr<admin::Admin> admin_;  // Outlives the history, which tells it what was written.
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<DiskWatch> disk_watch_;
  pipeline::Inbox inbox_;
  std::unique_ptr<TokenStore> token_store_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<Metrics> metrics_;
  Readiness readiness_;
  std::vector<LaneFront> fronts_;
  std::optional<FirstStart> first_start_;
  std::unique_ptr<env::Worker> settings_worker_;
  std::map<DestinationId, env::TimerId> gone_timers_;  // lane 0's; what is still to be saved

  // Of stop(), on lane 0.
  std::function<void()> stopped_;
  std::size_t fronts_open_ = 0;
  std::vector<std::unique_ptr<TaskSet>> stopping_;  // one a lane
  bool is_stop_reported_ = false;
  std::optional<env::TimerId> retention_timer_;
  std::optional<env::TimerId> delay_timer_;
  std::optional<env::TimerId> grace_timer_;
};

Result<void> RealServer::open() {
  EILPOST_RETURN_IF_ERROR(env_.directory().lock());
  EILPOST_RETURN_IF_ERROR(open_settings());
  EILPOST_RETURN_IF_ERROR(open_stores());
  build_pipeline();
  build_fronts();
  return {};
}

Result<void> RealServer::open_settings() {
  EILPOST_ASSIGN_OR_RETURN(std::vector<crypto::BoxKey> keys,
                           secret_keys(config_, env_.directory(), env_.entropy()));
  secrets_ = std::make_unique<crypto::SecretBox>(std::move(keys));
  EILPOST_ASSIGN_OR_RETURN(settings_, settings::Settings::open(env_, *secrets_, &time_zones_));
  if (settings_->is_new()) {
    EILPOST_ASSIGN_OR_RETURN(first_start_,
                             make_first_objects(*settings_, !config_.bootstrap_api_key.empty()));
  }
  if (!config_.bootstrap_api_key.empty()) {
    const auto made = settings_->ensure_bootstrap_key(config_.bootstrap_api_key);
    if (!made) return fail(ErrorCode::bad_config, made.error().detail);
  }
  return {};
}

Result<void> RealServer::open_stores() {
  EILPOST_ASSIGN_OR_RETURN(
      store_, store::Store::open(env_,
                                 {.segment_bytes = config_.segment_bytes,
                                  .repeat_ids_max = config_.repeat_ids_max,
                                  .tail_bytes_max = config_.tail_bytes_max},
                                 [this](std::string_view damage) { log_.error(damage); }));
  const auto retention = std::chrono::hours(24 * config_.retention_days);
  std::uint64_t history_bytes_max = config_.history_bytes_max;
  if (config_.disk_bytes_max > 0) {
    history_bytes_max =
        std::min(history_bytes_max, DiskWatch::history_share(config_.disk_bytes_max));
  }
  EILPOST_ASSIGN_OR_RETURN(
      history_, history::History::open(env_, *store_,
                                       {.retention = retention, .bytes_max = history_bytes_max},
                                       [this](std::string_view trouble) { log_.error(trouble); }));
  disk_watch_ =
      std::make_unique<DiskWatch>(env_.lane(0), *store_, *history_, config_.disk_bytes_max);
  return {};
}

void RealServer::build_pipeline() {
  pipeline::Options options{.ingest = event_limits(config_),
                            .address_rules = http::AddressRules(config_.allow_destinations),
                            .proxy = config_.proxy,
                            .deliveries_unsettled_max = config_.deliveries_unsettled_max,
                            .fresh_bytes_max = config_.fresh_bytes_max,
                            .is_disk_used_up = [this] { return disk_watch_->is_reached(); },
                            .seed = env::random_u64(env_.entropy())};
  settings_worker_ = env_.start_worker("settings");
  token_store_ = std::make_unique<TokenStore>(*settings_worker_, *settings_);
  pipeline_ =
      std::make_unique<pipeline::Pipeline>(pipeline::Pipeline::Parts{.env = env_,
                                                                     .store = *store_,
                                                                     .inbox = inbox_,
                                                                     .observer = *this,
                                                                     .token_store = *token_store_},
                                           std::move(options));
  metrics_ = std::make_unique<Metrics>(*pipeline_, *store_, *history_, *disk_watch_);
  for (const Destination& destination : settings_->destinations()) {
    if (destination.platform == "inbox") inbox_.open(destination.inbox_token);
  }
}

void RealServer::build_fronts() {
  admin_ =
      admin::Admin::make({.env = env_,
                          .log = log_,
                          .settings_worker = *settings_worker_,
                          .settings = *settings_,
                          .history = *history_,
                          .pipeline = *pipeline_,
                          .inbox = inbox_,
                          .store = *store_},
                         {.public_url = config_.public_url, .event_limits = event_limits(config_)});
  for (std::size_t lane = 0; lane < env_.lanes_count(); ++lane) {
    env::Loop& loop = env_.lane(lane);
    LaneFront front;
    front.router = std::make_unique<Router>(lane, RouterParts{.loop = loop,
                                                              .pipeline = *pipeline_,
                                                              .inbox = inbox_,
                                                              .admin = *admin_,
                                                              .metrics = *metrics_,
                                                              .readiness = readiness_,
                                                              .store = *store_});
    http::ServerOptions options;
    options.connections_max = config_.connections_max;
    options.body_bytes_max = [this](http::Method, std::string_view target) {
      return body_bytes_max(config_, target);
    };
    front.http = std::make_unique<http::Server>(loop, *front.router, std::move(options));
    pipeline_->on_pressure(lane,
                           [http = front.http.get()](bool paused) { http->pause_reading(paused); });
    fronts_.push_back(std::move(front));
    stopping_.push_back(std::make_unique<TaskSet>());
  }
}

Result<env::Endpoint> RealServer::start() {
  EILPOST_ASSIGN_OR_RETURN(const auto failing, settings_->failing_destinations());
  pipeline_->start(settings_->snapshot(), failing);
  env::Endpoint endpoint = config_.listen;
  for (const LaneFront& front : fronts_) {
    // The first may choose a port; the others share it.
    EILPOST_ASSIGN_OR_RETURN(endpoint, front.http->listen(endpoint));
  }
  apply_retention();
  disk_watch_->start();
  readiness_.set(true);
  return endpoint;
}

void RealServer::destination_gone(DestinationId destination, std::uint32_t version, bool is_quiet) {
  disable({.id = destination,
           .version = version,
           .reason = "answered_410",
           .why = "answered 410",
           .is_quiet = is_quiet},
          /*is_first_try=*/true);
}

void RealServer::destination_failed_too_long(DestinationId destination, std::uint32_t version,
                                             bool is_quiet) {
  disable({.id = destination,
           .version = version,
           .reason = "failing",
           .why = "failed for five days",
           .is_quiet = is_quiet},
          /*is_first_try=*/true);
}

void RealServer::destination_failing(DestinationId destination, std::optional<WallTime> since) {
  settings_worker_->run([this, destination, since] {
    const Result<void> noted = settings_->note_failing(destination, since);
    if (noted) return;
    log_.error(
        fmt::format("Since when destination {} fails could not be saved, and is forgotten "
                    "at a restart: {}",
                    to_string(destination), noted.error().detail));
  });
}

void RealServer::destination_paused(DestinationId destination, std::string_view error) {
  log_.warning(
      fmt::format("Destination {} is paused: {} attempts in a row failed, the last one so: {} It "
                  "is tried again in a minute, then at longer intervals.",
                  to_string(destination), limits::kBreakerFailures, error));
}

void RealServer::destination_recovered(DestinationId destination) {
  log_.info(fmt::format("Destination {} answers again; what waited for it is sent.",
                        to_string(destination)));
}

void RealServer::disable(const Disabling& what, bool is_first_try) {
  settings_worker_->run([this, what, is_first_try] {
    const std::optional<Destination> found = settings_->destination(what.id);
    if (!found || found->version != what.version) return;
    const settings::Author author{.name = "Eilpost"};
    const auto changed =
        settings_->set_destination_state(what.id, DestinationState::disabled, what.reason, author);
    if (changed) {
      log_.warning(
          fmt::format("Destination {} {} and was disabled.", to_string(what.id), what.why));
      publish_settings();
      if (!what.is_quiet) pipeline_->raise(disabled_notice(*changed));
      return;
    }
    if (is_first_try) {
      log_.error(
          fmt::format("Destination {} {}, but that could not be saved: {} It gets no more, "
                      "and saving is tried again.",
                      to_string(what.id), what.why, changed.error().detail));
    }
    env_.lane(0).post([this, what] { disable_later(what); });
  });
}

// Several attempts may have shown it; the last of them is enough.
void RealServer::disable_later(const Disabling& what) {
  env::Loop& first = env_.lane(0);
  if (const auto timer = gone_timers_.find(what.id); timer != gone_timers_.end()) {
    first.timers().cancel(timer->second);
  }
  gone_timers_[what.id] = first.timers().call_at(first.clock().now() + kSaveRetry, [this, what] {
    gone_timers_.erase(what.id);
    disable(what, /*is_first_try=*/false);
  });
}

void RealServer::look_at_certificates() {
  settings_worker_->run([this] {
    for (const Destination& destination : settings_->destinations()) {
      const WallTime now = env_.lane(0).clock().wall_now();
      for (Notice& notice : certificate_notices(destination, now)) {
        pipeline_->raise(std::move(notice));
      }
    }
  });
}

// The log drops what is too old when it writes; a server without events must, too.
void RealServer::apply_retention() {
  history_->apply_retention();
  look_at_certificates();
  env::Loop& first = env_.lane(0);
  retention_timer_ =
      first.timers().call_at(first.clock().now() + kRetentionEvery, [this] { apply_retention(); });
}

void RealServer::publish_settings() {
  pipeline_->publish(settings_->snapshot(), env_.lane(0), [] {});
}

// ---- The end: fronts first, then what they stand on.

Task<void> stop_front(http::Server& server, Duration grace) {
  co_await server.stop(grace);
}

void RealServer::stop(std::function<void()> done) {
  readiness_.set(false);
  env_.lane(0).post([this, done = std::move(done)]() mutable {
    stopped_ = std::move(done);
    // Whoever asks /readyz before he sends has the time to see it.
    const Duration delay = std::chrono::milliseconds(config_.shutdown_delay_ms);
    env::Loop& first = env_.lane(0);
    delay_timer_ = first.timers().call_at(first.clock().now() + delay, [this] { close_fronts(); });
  });
}

void RealServer::close_fronts() {
  admin_->end_streams();
  fronts_open_ = fronts_.size();
  const Duration grace = std::chrono::milliseconds(config_.shutdown_grace_ms);
  env::Loop& first = env_.lane(0);
  // Attempts may hang on their receivers; past the grace they are given up, and tried again after
  // the next start.
  grace_timer_ = first.timers().call_at(first.clock().now() + 2 * grace, [this] {
    if (!std::exchange(is_stop_reported_, true)) stopped_();
  });
  for (std::size_t lane = 0; lane < fronts_.size(); ++lane) {
    env_.lane(lane).post([this, lane, grace] { close_front(lane, grace); });
  }
}

void RealServer::close_front(std::size_t lane, Duration grace) {
  stopping_[lane] =
      std::make_unique<TaskSet>([this] { env_.lane(0).post([this] { stop_pipeline_if_last(); }); });
  stopping_[lane]->spawn(stop_front(*fronts_[lane].http, grace));
}

void RealServer::stop_pipeline_if_last() {
  if (--fronts_open_ > 0) return;
  pipeline_->stop(env_.lane(0), [this] {
    if (!std::exchange(is_stop_reported_, true)) stopped_();
  });
}

void RealServer::close() {
  for (const std::optional<env::TimerId>& timer : {retention_timer_, delay_timer_, grace_timer_}) {
    if (timer) env_.lane(0).timers().cancel(*timer);
  }
  for (const auto& [destination, timer] : gone_timers_) env_.lane(0).timers().cancel(timer);
  disk_watch_.reset();
  settings_worker_.reset();  // Runs what was given to it.
  stopping_.clear();
  fronts_.clear();
  history_->close();
  store_->close();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::open(env::Env& env, env::Log& log, const Config& config) {
  auto server = std::make_unique<RealServer>(env, log, config);
  EILPOST_RETURN_IF_ERROR(server->open());
  return server;
}

}  // namespace eilpost::server

#pragma once
// The routes of the management API and what stands behind them.
//
// Each function answers one route. What touches settings runs on the settings worker, what reads
// the log on the history's thread; the Task goes on on the lane that asked.
//
// Threads: a Task runs on the loop of its Call's lane.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "admin/admin.h"
#include "admin/authorizations.h"
#include "admin/call.h"
#include "base/task.h"
#include "env/callback.h"
#include "env/run_on.h"
#include "render/renderer.h"

namespace eilpost::admin {

enum class Role : std::uint8_t { viewer, editor, admin };

class Api;

enum class ParameterType : std::uint8_t { text, integer, time };  // integer: not below 0

// A parameter of a route's query.
struct QueryParameter {
  std::string_view name;
  ParameterType type = ParameterType::text;
  std::string_view description;
  std::span<const std::string_view> values = {};  // the allowed ones; empty: all of the type
  bool is_required = false;
};

// A field of a route's body. `type` is JSON Schema's; empty: several.
struct BodyField {
  std::string_view name;
  std::string_view type;
  std::string_view description;
  bool is_required = false;
};

// What a route takes beside its path. Anything else is refused (checks.h).
struct Takes {
  std::span<const QueryParameter> query = {};  // without those of pages
  bool is_paged = false;                       // takes `limit` and `cursor`
  bool has_etag = false;                       // answers an ETag, or minds If-Match
  // Every field of the body; nothing: the object is one of the settings, which check it.
  std::optional<std::span<const BodyField>> body = {};
};

struct Route {
  http::Method method;
  std::string_view path;  // below /api/v1/: "webhooks/{id}"
  std::string_view summary;
  Role role;
  Task<http::Response> (Api::*answer)(Call& call);
  Takes takes = {};
};

[[nodiscard]] std::span<const Route> routes();
// All parameters of a query: a route's own, and those of pages if it has them.
[[nodiscard]] std::vector<QueryParameter> query_parameters(const Takes& takes);

// Whether a key's role allows what `role` may do.
[[nodiscard]] bool may(const settings::ApiKey& caller, Role role);

class Api final {
 public:
  Api(const Parts& parts, const Options& options)
      : parts_(parts), event_limits_(options.event_limits), public_url_(options.public_url) {}

  // ---- event types, items, environments (catalog_api.cpp)
  Task<http::Response> list_event_types(Call& call);
  Task<http::Response> show_event_type(Call& call);
  Task<http::Response> create_event_type(Call& call);
  Task<http::Response> change_event_type(Call& call);
  Task<http::Response> delete_event_type(Call& call);
  Task<http::Response> list_seen_properties(Call& call);
  Task<http::Response> list_seen_values(Call& call);
  Task<http::Response> list_items(Call& call);
  Task<http::Response> create_item(Call& call);
  Task<http::Response> list_environments(Call& call);
  Task<http::Response> show_environment(Call& call);
  Task<http::Response> create_environment(Call& call);
  Task<http::Response> delete_environment(Call& call);

  // ---- sources, API keys, audit log (access_api.cpp)
  Task<http::Response> list_sources(Call& call);
  Task<http::Response> show_source(Call& call);
  Task<http::Response> create_source(Call& call);
  Task<http::Response> change_source(Call& call);
  Task<http::Response> delete_source(Call& call);
  Task<http::Response> rotate_source_key(Call& call);
  Task<http::Response> list_api_keys(Call& call);
  Task<http::Response> create_api_key(Call& call);
  Task<http::Response> delete_api_key(Call& call);
  Task<http::Response> list_audit_log(Call& call);
  Task<http::Response> show_stats(Call& call);

  // ---- webhooks (webhooks_api.cpp)
  Task<http::Response> list_webhooks(Call& call);
  Task<http::Response> show_webhook(Call& call);
  Task<http::Response> create_webhook(Call& call);
  Task<http::Response> change_webhook(Call& call);
  Task<http::Response> replace_webhook(Call& call);
  Task<http::Response> delete_webhook(Call& call);
  Task<http::Response> list_webhook_versions(Call& call);

  // ---- preview and test (preview_api.cpp)
  Task<http::Response> preview(Call& call);
  Task<http::Response> test(Call& call);
  Task<http::Response> preview_saved(Call& call);
  Task<http::Response> test_saved(Call& call);

  // ---- destinations (destinations_api.cpp)
  Task<http::Response> list_platforms(Call& call);
  Task<http::Response> list_destinations(Call& call);
  Task<http::Response> show_destination(Call& call);
  Task<http::Response> create_destination(Call& call);
  Task<http::Response> change_destination(Call& call);
  Task<http::Response> delete_destination(Call& call);
  Task<http::Response> list_destination_versions(Call& call);
  Task<http::Response> test_destination(Call& call);
  Task<http::Response> resume_destination(Call& call);
  Task<http::Response> disable_destination(Call& call);
  Task<http::Response> rotate_secret(Call& call);
  Task<http::Response> authorize_destination(Call& call);  // oauth_api.cpp
  Task<http::Response> show_inbox(Call& call);
  Task<http::Response> clear_inbox(Call& call);
  Task<http::Response> set_inbox_answer(Call& call);

  // ---- the log (log_api.cpp)
  Task<http::Response> list_events(Call& call);
  Task<http::Response> show_event(Call& call);
  Task<http::Response> list_deliveries(Call& call);
  Task<http::Response> show_delivery(Call& call);
  Task<http::Response> list_attempts(Call& call);
  Task<http::Response> list_tests(Call& call);

  // ---- replay (replay_api.cpp)
  Task<http::Response> replay_one(Call& call);
  Task<http::Response> replay_many(Call& call);

  // ---- backfill (backfill_api.cpp)
  Task<http::Response> backfill(Call& call);
  // Which events a webhook is to get.
  struct Backfill {
    settings::Settings::Draft draft;
    history::Filter filter;  // types and time
    std::vector<EnvironmentId> environments;
    std::vector<Position> known;  // that it was owed before; sorted
  };

  // What comes back from a provider's page.
  Task<http::Response> finish_authorization(std::size_t lane, std::string_view query);

  // The key of a request's Authorization, or the refusal to send.
  Task<std::expected<settings::ApiKey, http::Response>> authenticate(const http::Request& request,
                                                                     std::size_t lane);

 private:
  template <class Work>
  auto on_settings(const Call& call, Work work) {
    return env::run_on(parts_.settings_worker, loop(call.lane), std::move(work));
  }

  // Runs `query` on the history's thread and comes back with what it returned.
  template <class T, class Query>
  Task<T> on_history(std::size_t lane, Query query) {
    env::Loop& back = loop(lane);
    co_return co_await env::callback<T>([this, &back, &query](auto done) {
      parts_.history.run_query([&back, query = std::move(query),
                                done = std::move(done)](history::Reader& reader) mutable {
        T result = query(reader);
        back.post([done = std::move(done), result = std::move(result)]() mutable {
          done(std::move(result));
        });
      });
    });
  }

  // Runs a change of the settings; if it was saved, every lane works by it when the Task ends, and
  // comes to do so even if the Task is destroyed meanwhile: what is saved must not wait for the
  // next change to be lived by. Publishing is a job of its own behind the change, so that changes
  // that wait for the worker together share a snapshot, which takes time in the number of webhooks.
  template <class T, class Change>
  Task<settings::Saved<T>> save(std::size_t lane, Change change) {
    env::Loop& back = loop(lane);
    co_return co_await env::callback<settings::Saved<T>>(
        [this, &back, change = std::move(change)](auto done) mutable {
          parts_.settings_worker.run(
              [this, &back, change = std::move(change), done = std::move(done)]() mutable {
                publish_if_saved<T>(change(parts_.settings), back, std::move(done));
              });
        });
  }

  // On the settings' worker. `done` gets what was saved, on `back`.
  template <class T, class Done>
  void publish_if_saved(settings::Saved<T> saved, env::Loop& back, Done done) {
    const bool is_saved = saved.has_value();
    auto finish = [saved = std::move(saved), done = std::move(done)]() mutable {
      done(std::move(saved));
    };
    if (!is_saved) {
      back.post(std::move(finish));
      return;
    }
    parts_.settings_worker.run([this, &back, finish = std::move(finish)]() mutable {
      parts_.pipeline.publish(parts_.settings.snapshot(), back, std::move(finish));
    });
  }

  [[nodiscard]] env::Loop& loop(std::size_t lane) { return parts_.env.lane(lane); }
  [[nodiscard]] WallTime wall_now() { return parts_.env.clock().wall_now(); }

  Task<std::expected<std::string, http::Response>> inbox_token(Call& call);
  Task<http::Response> preview_draft(Call& call, Json webhook, Json destination);
  Task<http::Response> test_draft(Call& call, Json webhook, Json destination);
  Task<std::expected<std::string, http::Response>> sample_document(Call& call,
                                                                   const Webhook& webhook);
  Task<bool> is_event_type(Call& call);
  // So that the log knows every attempt that was made until now.
  Task<void> make_attempts_durable(std::size_t lane);
  Json attempt_json(const history::DeliveryRow& delivery, const history::EventRow* event,
                    const Attempt& attempt, render::Scratch& scratch);
  Task<std::shared_ptr<const history::Held>> held_now(std::size_t lane);
  Task<std::expected<history::Filter, http::Response>> replay_filter(Call& call);
  Task<Result<std::uint64_t>> count_replayable(std::size_t lane, history::Filter filter);
  Task<std::expected<std::vector<store::Accept>, http::Response>> accepts_for(
      Call& call, std::vector<history::DeliveryRow> rows, bool as_new);
  struct Replayed {
    store::AcceptStatus status = store::AcceptStatus::durable;  // of the first that was refused
    std::vector<DeliveryId> ids;                                // those before it
  };
  Task<Replayed> accept_all(std::size_t lane, std::vector<store::Accept> batch);
  Task<std::expected<Backfill, http::Response>> backfill_asked(Call& call);
  Task<Result<std::vector<Position>>> known_events(std::size_t lane, WebhookId webhook,
                                                   WallTime from);
  Task<Result<std::vector<Position>>> events_to_backfill(std::size_t lane, const Backfill& wanted);
  Task<Result<std::vector<store::Accept>>> accepts_for(std::size_t lane, const Webhook& webhook,
                                                       std::vector<Position> events);
  Task<std::vector<pipeline::DestinationStatus>> statuses(std::size_t lane,
                                                          std::vector<DestinationId> ids);

  const Parts parts_;
  const ingest::Limits event_limits_;
  const std::string public_url_;
  Authorizations authorizations_;
};

// Of a replay or backfill: how many at most, and how many are taken together.
inline constexpr std::size_t kReplayMax = 100'000;
inline constexpr std::size_t kReplayPage = 1000;
// What it answers when the journal takes no more, after `done` of `count`.
[[nodiscard]] http::Response refuse_full(store::AcceptStatus status, std::uint64_t done,
                                         std::uint64_t count);

[[nodiscard]] std::expected<history::Filter, http::Response> filter_asked(const Call& call);
[[nodiscard]] std::expected<history::Filter, http::Response> filter_from_json(const Json& json);
[[nodiscard]] Json to_json(const history::DeliveryRow& row);
[[nodiscard]] Json to_json(const history::EventRow& row);
[[nodiscard]] Json to_json(const OutboundRequest& request);
[[nodiscard]] Json to_json(const Outcome& outcome);
[[nodiscard]] Json to_json(const Attempt& attempt);
[[nodiscard]] Json to_json(const pipeline::InboxRequest& request);

// An id argument of a route; nothing if it is malformed.
template <class Id>
std::optional<Id> id_argument(const Call& call) {
  return parse_id<Id>(call.arguments.front());
}

}  // namespace eilpost::admin

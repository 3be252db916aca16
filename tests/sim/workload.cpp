// What senders, people and bad luck do in a simulated world.

#include <algorithm>
#include <utility>

#include "base/iso_time.h"
#include "world.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTypes[] = {"survey.submitted", "menu.opened"};
constexpr std::size_t kEventsMax = 150;
constexpr std::size_t kWebhooksMax = 6;

// By which receivers tell webhooks apart.
Json webhook_name() {
  return Json::array({Json{{"name", "wh"}, {"value", "{{webhook.id}}"}}});
}

}  // namespace

void World::step() {
  const std::uint64_t what = random_.below(100);
  if (what < 50) {
    send_events();
  } else if (what < 55) {
    send_invalid();
  } else if (what < 67) {
    if (options_.edits) edit();
  } else if (what < 73) {
    if (options_.replays) replay();
  } else if (what < 80) {
    if (options_.reads) look();
  } else if (what < 90) {
    make_fault();
  } else if (what < 95) {
    if (options_.power_loss || options_.kill) crash();
  } else if (what < 97) {
    if (options_.stop) stop_in_order();
  } else if (what < 99) {
    if (options_.backfills) backfill();
  }
}

// ---- Events

std::size_t World::new_event() {
  EventBook event{.id = fmt::format("e{}", books_.events.size()), .first_sent = now()};
  event.user = fmt::format("u{}", random_.below(4));
  event.type = kTypes[random_.below(2)];
  event.nps = static_cast<int>(random_.below(11));
  const std::uint64_t filler = options_.event_filler_max;
  const std::uint64_t length = filler == 0 ? 0 : random_.below(filler);
  const Json data = {
      {"nps", event.nps}, {"filler", std::string(length, 'x')}, {"wm", {{"euId", event.user}}}};
  event.body = to_text(Json{{"id", event.id}, {"type", event.type}, {"data", data}});
  books_.event_at[event.id] = books_.events.size();
  books_.events.push_back(std::move(event));
  return books_.events.size() - 1;
}

void World::send_events() {
  std::vector<std::size_t> events;
  const std::uint64_t count = random_.chance(1, 3) ? 1 + random_.below(5) : 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool is_repeat =
        !books_.events.empty() && (books_.events.size() >= kEventsMax || random_.chance(1, 4));
    events.push_back(is_repeat ? random_.below(books_.events.size()) : new_event());
  }
  std::string body = events.size() == 1 ? "" : "[";
  for (const std::size_t each : events) {
    if (body.size() > 1) body += ',';
    body += books_.events[each].body;
  }
  if (events.size() > 1) body += ']';
  send(std::move(events), body);
}

void World::send(std::vector<std::size_t> events, const std::string& body) {
  const Instant sent = now();
  std::size_t was_confirmed = 0;
  for (const std::size_t each : events) {
    const EventBook& event = books_.events[each];
    if (event.confirmed_at && sent - event.first_sent < 20h) ++was_confirmed;
    trace_.note("send {} ({} bytes)", event.id, event.body.size());
  }
  pending_.push_back(
      {.exchange = server_.begin_event(body),
       .done = [this, events = std::move(events), was_confirmed](const test::Answer& answer) {
         note_events(events, was_confirmed, answer);
       }});
}

void World::note_events(const std::vector<std::size_t>& events, std::size_t was_confirmed,
                        const test::Answer& answer) {
  constexpr int kKnown[] = {0, 202, 413, 429, 503};
  if (std::ranges::find(kKnown, answer.status) == std::end(kKnown)) {
    judge_.broken("the contract of POST /v1/events", "{} {}", answer.status, answer.body);
  }
  if (answer.status == 0 || answer.status == 202) {
    for (const std::size_t each : events) books_.events[each].may_be_taken = true;
  }
  if (answer.status != 202) return;
  for (const std::size_t each : events) {
    EventBook& event = books_.events[each];
    if (!event.confirmed_at) event.confirmed_at = now();
  }
  for (const auto& checker : checkers_) {
    checker->events_answered(answer.json(), events.size(), was_confirmed);
  }
}

void World::send_invalid() {
  constexpr std::string_view kBodies[] = {
      "{",
      R"({"type":"no.such_type"})",
      R"({"type":"survey.submitted","data":{"nps":"nine"}})",
      R"([{"type":"survey.submitted"},{"type":7}])",
      R"({"type":"survey.submitted","data":{"a":1,"a":2}})",
      "",
  };
  const std::string body(kBodies[random_.below(std::size(kBodies))]);
  pending_.push_back(
      {.exchange = server_.begin_event(body), .done = [this](const test::Answer& answer) {
         if (answer.status == 202 || answer.status == 500) {
           judge_.broken("what is no event is refused", "{}", answer.status);
         }
       }});
}

// ---- Settings

void World::begin_api(http::Method method, const std::string& path, const Json& body,
                      std::function<void(const test::Answer&)> done) {
  http::Headers headers = {{"Authorization", "Bearer " + std::string(test::TestServer::kApiKey)}};
  if (!body.is_null()) headers.push_back({"Content-Type", "application/json"});
  pending_.push_back({.exchange = server_.begin(method, "/api/v1/" + path, std::move(headers),
                                                body.is_null() ? "" : to_text(body)),
                      .done = std::move(done)});
}

Json World::authentication_json(std::uint32_t number) {
  if (!options_.oauth || number % 4 == 0) {
    return {{"type", "bearer"}, {"token", fmt::format("tok_secret_{}", number)}};
  }
  ClientBook client{.number = number};
  client.refreshes = more_random_.chance(1, 2);
  client.secret_in_form = more_random_.chance(1, 2);
  Json json = oauth_json(client);
  books_.secrets.insert(client.secret);
  books_.secrets.insert(client.refresh_tokens.front());
  books_.clients[client.id()] = std::move(client);
  return json;
}

Json World::destination_json(std::uint32_t number, const Receiver& receiver,
                             std::uint32_t concurrency) {
  Json json = {{"name", fmt::format("Destination {}", number)},
               {"platform", "custom"},
               {"request", {{"url", receiver.url(number)}, {"timeout_ms", options_.timeout_ms}}}};
  json["authentication"] = authentication_json(number);
  if (options_.answer_rules) json["success"]["body"] = {{"contains", "ok"}};
  if (!options_.final_statuses.empty()) json["final_statuses"] = options_.final_statuses;
  json["delivery"] = delivery_json(number, concurrency);
  if (options_.batch_events_max > 1) prescribe_batches(json);
  return json;
}

Json World::delivery_json(std::uint32_t number, std::uint32_t concurrency) const {
  Json json = {{"concurrency", concurrency},
               {"retry", {{"delays_ms", options_.delays_ms}, {"jitter", options_.jitter}}}};
  if (options_.backlog_max > 0) json["backlog_max"] = options_.backlog_max;
  if (is_per_user(number)) json["ordering"] = "per_user";
  if (options_.rate_requests > 0) {
    json["rate_limit"] = {{"requests", options_.rate_requests}, {"per_ms", options_.rate_per_ms}};
  }
  if (options_.batch_events_max == 1) return json;
  Json& batch = json["batch"];
  batch = {{"events_max", options_.batch_events_max}, {"wait_ms", options_.batch_wait_ms}};
  if (options_.batch_bytes_max > 0) batch["bytes_max"] = options_.batch_bytes_max;
  if (options_.batch_form == BatchForm::joined) batch["join"] = "/events";
  if (options_.batch_form == BatchForm::in_template) {
    batch["template"] = {{"from", "eilpost"}, {"events", "{{events}}"}};
  }
  return json;
}

bool World::is_per_user(std::uint32_t destination) const {
  return options_.per_user && destination % 2 == 1;
}

void World::prescribe_batches(Json& json) const {
  if (options_.batch_form == BatchForm::joined) {
    const Json event = {{"...", "{{properties}}"}};
    json["body"] = {{"format", "template"},
                    {"template", {{"from", "eilpost"}, {"events", Json::array({event})}}}};
  }
  if (!options_.names_refused) return;
  json["success"]["partial"] = {{"statuses", {"400"}},
                                {"failed", {"/refused/*"}},
                                {"rest", options_.rest_goes_again ? "again" : "delivered"}};
}

void World::add_destination() {
  const std::uint32_t number = ++destinations_made_;
  const Receiver& receiver = *receivers_[(number - 1) % receivers_.size()];
  books_.secrets.insert(fmt::format("tok_secret_{}", number));
  begin_api(http::Method::post, "destinations",
            destination_json(number, receiver, options_.concurrency),
            [this, number](const test::Answer& answer) {
              if (answer.status != 201) return;
              const Json json = answer.json();
              const std::string secret = json.at("signing").at("secret");
              books_.secrets.insert(secret);
              const std::string id = json.at("id");
              books_.destinations[id] = {.id = id,
                                         .receiver = {},
                                         .number = number,
                                         .concurrency_max = options_.concurrency,
                                         .batch_events_max = options_.batch_events_max,
                                         .is_per_user = is_per_user(number),
                                         .secrets = {{.secret = secret, .replaced_at = {}}}};
            });
}

void World::add_webhook(const std::string& destination) {
  WebhookState state{.type = std::string(kTypes[random_.below(2)])};
  state.nps_min = static_cast<int>(random_.below(4));
  const Json condition = {
      {"property", "nps"}, {"operator", "greater_or_equal"}, {"value", state.nps_min}};
  Json json = {{"name", "Webhook"}, {"event", state.type}, {"destination", destination}};
  json["conditions"]["all"] = Json::array({condition});
  json["static_properties"] = webhook_name();
  begin_api(http::Method::post, "webhooks", json,
            [this, state, destination](const test::Answer& answer) mutable {
              if (answer.status != 201) return;
              const std::string id = answer.json().at("id");
              state.from = now();
              books_.webhooks[id] = {.id = id, .destination = destination, .states = {state}};
            });
}

// What happens to the server itself is sent, too.
void World::add_notices(const std::string& destination) {
  const Json json = {{"name", "Notices"},
                     {"event", "operations.*"},
                     {"destination", destination},
                     {"static_properties", webhook_name()}};
  begin_api(http::Method::post, "webhooks", json, [this](const test::Answer& answer) {
    if (answer.status != 201) judge_.broken("notices can be asked for", "{}", answer.body);
  });
}

void World::edit() {
  if (books_.webhooks.empty() || books_.destinations.empty()) return;
  WebhookBook& webhook = any_of(books_.webhooks);
  DestinationBook& destination = any_of(books_.destinations);
  switch (random_.below(8)) {
    case 0:
      if (books_.webhooks.size() < kWebhooksMax) add_webhook(destination.id);
      return;
    case 1:
      if (random_.chance(1, 3)) delete_webhook(webhook);
      return;
    case 2:
      if (destinations_made_ < 4) add_destination();
      return;
    case 3:
      rotate(destination);
      return;
    case 4:
      begin_api(http::Method::post, "destinations/" + destination.id + "/disable", Json::object(),
                [](const test::Answer&) {});
      return;
    case 5:
      begin_api(http::Method::post, "destinations/" + destination.id + "/resume", Json::object(),
                [](const test::Answer&) {});
      return;
    case 6:
      edit_destination(destination);
      return;
    default:
      edit_webhook(webhook);
  }
}

void World::edit_webhook(WebhookBook& webhook) {
  // One edit at a time, so that what is possible stays clear.
  if (webhook.is_unknown || webhook.states.back().until || webhook.was_deleted) return;
  if (webhook.states.size() > 1 && !webhook.states[webhook.states.size() - 2].until) return;
  WebhookState state = webhook.states.back();
  if (!state.is_there) return;
  state.from = now();
  Json patch;
  if (random_.chance(1, 2)) {
    state.enabled = !state.enabled;
    patch["enabled"] = state.enabled;
  } else {
    state.nps_min = static_cast<int>(random_.below(6));
    const Json condition = {
        {"property", "nps"}, {"operator", "greater_or_equal"}, {"value", state.nps_min}};
    patch["conditions"]["all"] = Json::array({condition});
  }
  webhook.states.push_back(state);
  begin_api(http::Method::patch, "webhooks/" + webhook.id, patch,
            [this, &webhook](const test::Answer& answer) {
              if (answer.status == 200) {
                webhook.states[webhook.states.size() - 2].until = now();
              } else {
                webhook.is_unknown = true;
              }
            });
}

void World::delete_webhook(WebhookBook& webhook) {
  if (webhook.is_unknown || webhook.was_deleted || books_.webhooks.size() < 2) return;
  if (webhook.states.size() > 1 && !webhook.states[webhook.states.size() - 2].until) return;
  WebhookState state = webhook.states.back();
  state.is_there = false;
  state.from = now();
  webhook.states.push_back(state);
  webhook.was_deleted = true;
  begin_api(http::Method::delete_, "webhooks/" + webhook.id, nullptr,
            [this, &webhook](const test::Answer& answer) {
              if (answer.status == 204) {
                webhook.states[webhook.states.size() - 2].until = now();
              } else {
                webhook.is_unknown = true;
              }
            });
}

void World::edit_destination(DestinationBook& destination) {
  const auto concurrency = static_cast<std::uint32_t>(1 + random_.below(6));
  destination.concurrency_max = std::max(destination.concurrency_max, concurrency);
  Json delivery = {{"concurrency", concurrency}};
  if (options_.batch_events_max > 1 && policy_random_.chance(1, 3)) {
    const auto events = static_cast<std::uint32_t>(1 + policy_random_.below(20));
    destination.batch_events_max = std::max(destination.batch_events_max, events);
    delivery["batch"]["events_max"] = events;
  }
  // Where it may be on and off the world does not say what must keep which order.
  const bool is_edited = options_.per_user && !destination.is_per_user;
  if (is_edited && policy_random_.chance(1, 2)) {
    delivery["ordering"] = policy_random_.chance(2, 3) ? "per_user" : "none";
  }
  begin_api(http::Method::patch, "destinations/" + destination.id, {{"delivery", delivery}},
            [](const test::Answer&) {});
}

void World::rotate(DestinationBook& destination) {
  ++destination.rotations_unknown;
  if (destination.rotations_unknown == 1) destination.unknown_since = now();
  if (destination.rotations_unknown > 1) ++destination.rotations_unknown;
  begin_api(http::Method::post, "destinations/" + destination.id + "/rotate-secret", Json::object(),
            [this, &destination](const test::Answer& answer) {
              if (answer.status != 200) return;
              const std::string secret = answer.json().at("signing").at("secret");
              books_.secrets.insert(secret);
              for (SecretBook& book : destination.secrets) {
                if (!book.replaced_at) book.replaced_at = now();
              }
              destination.secrets.push_back({.secret = secret, .replaced_at = {}});
              if (destination.rotations_unknown == 1) destination.rotations_unknown = 0;
            });
}

// ---- The log

void World::look() {
  begin_api(http::Method::get, "deliveries?limit=7", nullptr, [this](const test::Answer& answer) {
    if (answer.status != 200) return;
    for (const Json& each : answer.json().at("data")) deliveries_known_.push_back(each.at("id"));
    const Json cursor = answer.json().at("next_cursor");
    if (cursor.is_null()) return;
    begin_api(http::Method::get, "deliveries?limit=7&cursor=" + cursor.get<std::string>(), nullptr,
              [](const test::Answer&) {});
  });
  begin_api(http::Method::get, "destinations", nullptr, [this](const test::Answer& answer) {
    if (answer.status != 200) return;
    const Json json = answer.json();
    const std::vector<Json> all(json.at("data").begin(), json.at("data").end());
    for (const auto& checker : checkers_) checker->destinations_listed(all);
  });
}

void World::replay() {
  if (deliveries_known_.empty()) {
    look();
    return;
  }
  if (random_.chance(3, 4)) {
    const std::string& id = deliveries_known_[random_.below(deliveries_known_.size())];
    begin_api(http::Method::post, "deliveries/" + id + "/replay",
              {{"as_new", random_.chance(1, 2)}}, [](const test::Answer&) {});
    return;
  }
  const Json filter = {{"state", random_.chance(1, 2) ? "failed" : "delivered"},
                       {"event_id", fmt::format("e{}", random_.below(20))}};
  begin_api(http::Method::post, "deliveries/replay", {{"filter", filter}},
            [this, filter](const test::Answer& answer) {
              if (answer.status != 200) return;
              begin_api(http::Method::post, "deliveries/replay",
                        {{"filter", filter}, {"expected_count", answer.json().at("count")}},
                        [](const test::Answer&) {});
            });
}

// Sends a webhook what it did not want, or could not get, before.
void World::backfill() {
  if (books_.webhooks.empty() || is_backfilling_) return;
  is_backfilling_ = true;  // One at a time: what another one is about to send is not in the log.
  for (std::uint64_t i = more_random_.below(3); i > 0; --i) send_events();  // Just before.
  const auto at =
      std::next(books_.webhooks.begin(),
                static_cast<std::ptrdiff_t>(more_random_.below(books_.webhooks.size())));
  const std::string path = "webhooks/" + at->first + "/backfill";
  const auto hours = std::chrono::hours(1 + more_random_.below(48));
  const Json range = {{"from", format_iso_time(server_.env().clock().wall_now() - hours)}};
  begin_api(http::Method::post, path, range, [this, path, range](const test::Answer& answer) {
    is_backfilling_ = answer.status == 200;
    if (!is_backfilling_) return;
    Json confirmed = range;
    confirmed["expected_count"] = answer.json().at("count");
    begin_api(http::Method::post, path, confirmed,
              [this](const test::Answer&) { is_backfilling_ = false; });
  });
}

// ---- Bad luck

void World::make_fault() {
  Receiver& receiver = *receivers_[random_.below(receivers_.size())];
  env::SimDirectory& disk = server_.env().directory();
  const bool is_bad = random_.chance(1, 2);
  const bool is_disk_filled = options_.disk_full && !options_.disk_stays_full;
  const bool allowed[] = {options_.names_fail,    options_.addresses_change,
                          options_.tls_fails,     options_.silence,
                          options_.disk_fails,    is_disk_filled,
                          options_.oauth,         options_.proxy,
                          options_.calendar_jumps};
  std::vector<std::size_t> faults;
  for (std::size_t i = 0; i < std::size(allowed); ++i) {
    if (allowed[i]) faults.push_back(i);
  }
  if (faults.empty()) return;
  switch (faults[random_.below(faults.size())]) {
    case 0:
      receiver.set_name_known(!is_bad);
      return;
    case 1:
      receiver.move();
      return;
    case 2:
      receiver.set_tls_good(!is_bad);
      return;
    case 3:
      trace_.note("{} is {}", receiver.name(), is_bad ? "silent" : "heard again");
      receiver.set_silent(is_bad);
      return;
    case 4:
      if (random_.chance(1, 3)) {
        fail_at_trim();
      } else if (random_.chance(1, 2)) {
        trace_.note("the disk will fail");
        disk.fail_after(1 + random_.below(200));
      } else {
        trace_.note("one operation of the disk will fail");
        disk.fail_once(1 + random_.below(100));
      }
      return;
    case 5:
      set_disk_full(is_bad);
      return;
    case 6:
      make_token_trouble();
      return;
    case 7:
      make_proxy_trouble();
      return;
    default:
      jump_calendar();
  }
}

// Mostly by hours, sometimes by seconds or days; never far from the right one.
void World::jump_calendar() {
  const auto draw = [this](std::uint64_t max) {
    const auto value = static_cast<std::int64_t>(more_random_.below(max));
    return std::chrono::milliseconds(more_random_.chance(1, 2) ? value : -value);
  };
  constexpr std::uint64_t kHourMs = 3'600'000;
  constexpr std::uint64_t kRanges[] = {10'000, kHourMs, 23 * kHourMs, 23 * kHourMs, 50 * kHourMs};
  set_calendar(more_random_.chance(1, 4) ? 0ms : draw(kRanges[more_random_.below(5)]));
}

void World::set_calendar(std::chrono::milliseconds ahead) {
  const std::chrono::milliseconds step = ahead - calendar_ahead_;
  if (step == 0ms) return;
  trace_.note("the calendar is {} s ahead", std::chrono::duration<double>(ahead).count());
  calendar_ahead_ = ahead;
  books_.jumps.push_back({.at = now(), .step = step});
  server_.env().clock().jump_wall(step);
}

void World::make_token_trouble() {
  if (!books_.clients.empty() && more_random_.chance(1, 2)) {
    const auto at =
        std::next(books_.clients.begin(),
                  static_cast<std::ptrdiff_t>(more_random_.below(books_.clients.size())));
    trace_.note("the tokens of {} are revoked", at->first);
    for (TokenBook& token : at->second.tokens) token.is_revoked = true;
    return;
  }
  constexpr env::SimReach kReaches[] = {env::SimReach::normal, env::SimReach::refused,
                                        env::SimReach::silent};
  const std::uint64_t reach = more_random_.below(3);
  trace_.note("id is reached in the way {}", reach);
  token_end_point_->set_reach(kReaches[reach]);
}

void World::make_proxy_trouble() {
  constexpr env::SimReach kReaches[] = {env::SimReach::normal, env::SimReach::refused,
                                        env::SimReach::unreachable, env::SimReach::silent};
  const std::uint64_t reach = more_random_.below(4);
  trace_.note("proxy is reached in the way {}", reach);
  proxy_->set_reach(kReaches[reach]);
  for (const auto& receiver : receivers_) receiver->note_silence();
  if (token_end_point_) token_end_point_->note_silence();
}

// When the ids of many events have become a file, as they do after an hour, many segments are
// given up at once; the disk fails in the middle of it.
void World::fail_at_trim() {
  if (books_.is_disk_full()) return;
  constexpr int kRequests = 20;
  for (int i = 0; i < kRequests; ++i) send_events();
  server_.wait(61min);
  observe();
  trace_.note("the disk will fail when a segment is given up");
  server_.env().directory().fail_after_names(1 + random_.below(5), "segment-");
}

void World::set_disk_full(bool is_full) {
  env::SimDirectory& disk = server_.env().directory();
  std::vector<FullDisk>& times = books_.full_disks;
  const bool was_full = !times.empty() && !times.back().until;
  if (is_full != was_full) {
    trace_.note("the disk is {}", is_full ? "nearly full" : "large again");
    if (is_full) times.push_back({.from = now(), .until = {}});
    if (!is_full) times.back().until = now();
  }
  // Full to the last byte, or nearly.
  const std::uint64_t room =
      random_.chance(1, 3) ? 0 : random_.below(5 * options_.config.segment_bytes);
  disk.set_capacity_bytes(is_full ? disk.used_bytes() + room : env::SimDirectory::kCapacityDefault);
}

}  // namespace eilpost::sim

#include "world.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/parse.h"
#include "base/probe.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRetryAfterMax = 600s;  // that receivers ask for
constexpr int kRequestsAtEndMax = 2000;    // to one destination
constexpr std::uint64_t kPauseFullMaxMs = 60'000;
constexpr std::size_t kShownBytesMax = 100;  // of a request
constexpr int kOpeningsMax = 3;              // with faults; then it must open

WorldOptions draw_options(std::uint64_t seed, Random& random, Random& more_random) {
  WorldOptions options = WorldOptions::draw(random);
  options.draw_more(Random(more_random.next()));
  options.draw_policies(Random(combine_hashes(seed, hash64("policies"))));
  return options;
}

// What it makes of a body: a list, a list within a template, or one event alone.
std::vector<PartBook> parts_of(const Json& body) {
  const bool is_wrapped = body.is_object() && body.contains("events");
  const Json& all = is_wrapped ? body.at("events") : body;
  std::vector<PartBook> parts;
  for (const Json& each : all.is_array() ? all : Json::array({all})) {
    parts.push_back({.event_id = each.value("event.id", ""), .webhook = each.value("wh", "")});
  }
  return parts;
}

test::TestServerOptions server_options(const WorldOptions& options) {
  test::TestServerOptions made{.lanes = options.lanes,
                               .world = {.worker_latency_max = options.worker_latency_max,
                                         .network_delay = options.network_delay},
                               .config = options.config};
  if (options.proxy) made.config.proxy = *http::parse_proxy(Proxy::kUrl);
  return made;
}

}  // namespace

World::World(std::uint64_t seed)
    : random_(seed),
      more_random_(combine_hashes(seed, hash64("more"))),
      policy_random_(combine_hashes(seed, hash64("policy edits"))),
      options_(draw_options(seed, random_, more_random_)),
      server_(seed, server_options(options_)),
      trace_(server_.env().clock()),
      judge_(trace_),
      checkers_(make_checkers(
          {.options = options_, .server = server_, .books = books_, .judge = judge_})) {
  trace_.note("seed {}: {}", seed, options_.text());
  books_.secrets = {std::string(test::TestServer::kApiKey), server_.source_key()};
  if (options_.proxy) books_.secrets.insert(std::string(Proxy::kSecret));
}

void World::run() {
  set_up();
  for (std::uint32_t i = 0; i < options_.steps && !verdict(); ++i) {
    if (options_.disk_stays_full && i == options_.steps / 2) fill_disk();
    step();
    advance();
    observe();
    if (server_.env().death()) crash();
  }
  if (verdict()) return;
  calm_down();
  if (!verdict()) check_end();
}

// For good, when much is owed.
void World::fill_disk() {
  constexpr int kRequests = 25;
  for (int i = 0; i < kRequests; ++i) send_events();
  server_.wait(1s);
  observe();
  set_disk_full(true);
}

void World::on_fault(std::string_view what) {
  judge_.broken("what it sends is as agreed", "{}", what);
}

// What lies between the server and its receivers, and beside them.
void World::set_up_ways() {
  if (options_.oauth) {
    TokenEndPoint::Parts parts{.env = server_.env(),
                               .trace = trace_,
                               .options = options_,
                               .books = books_,
                               .on_ask = [this](const TokenAsk& ask) {
                                 for (const auto& checker : checkers_) checker->token_asked(ask);
                               }};
    token_end_point_ = std::make_unique<TokenEndPoint>(std::move(parts), more_random_.next());
  }
  if (!options_.proxy) return;
  Proxy::Parts parts{
      .env = server_.env(),
      .trace = trace_,
      .options = options_,
      .lead = [this](const std::string& place,
                     std::unique_ptr<env::Stream>& stream) { return lead(place, stream); },
      .on_fault = [this](std::string_view what) { on_fault(what); }};
  proxy_ = std::make_unique<Proxy>(std::move(parts), more_random_.next());
}

bool World::lead(const std::string& place, std::unique_ptr<env::Stream>& stream) {
  if (token_end_point_ && env::to_string(token_end_point_->endpoint()) == place) {
    token_end_point_->adopt(std::move(stream));
    return true;
  }
  for (const auto& receiver : receivers_) {
    if (env::to_string(receiver->endpoint()) != place) continue;
    receiver->adopt(std::move(stream));
    return true;
  }
  return false;
}

void World::set_up() {
  set_up_ways();
  for (std::uint32_t i = 0; i < options_.receivers; ++i) {
    Receiver::Parts parts{
        .env = server_.env(),
        .trace = trace_,
        .options = options_,
        .on_request = [this](const std::string& name, const RawRequest& request) -> SeenBook& {
          return on_request(name, request);
        },
        .on_fault = [this](std::string_view what) { on_fault(what); }};
    const bool is_tls = (options_.tls_fails && i == 0) || options_.http_2;
    Receiver::Identity identity{
        .name = fmt::format("r{}", i), .is_tls = is_tls, .speaks_http_2 = options_.http_2};
    receivers_.push_back(
        std::make_unique<Receiver>(std::move(parts), std::move(identity), random_.next()));
    add_destination();
    observe();
    server_.wait(1s);
    observe();
  }
  for (const auto& [id, book] : books_.destinations) add_webhook(id);
  if (options_.notices && !books_.destinations.empty()) {
    add_notices(books_.destinations.begin()->first);
  }
  server_.wait(1s);
  observe();
}

// Mostly a short while, sometimes a long one; sometimes a number of turns, so that what follows
// comes between two things that happen at the same moment.
void World::advance() {
  if (random_.chance(1, 4)) {
    std::uint64_t turns = random_.below(400);
    (void)server_.env().run_until([&turns] { return turns-- == 0; }, 1s);
    return;
  }
  std::uint64_t pause_ms = random_.below(random_.chance(1, 3) ? options_.pause_max_ms : 20);
  // All that waits for space tries every second, and each try is work.
  if (books_.is_disk_full()) pause_ms = std::min(pause_ms, kPauseFullMaxMs);
  const std::uint64_t pause_us = random_.below(1000);
  server_.wait(std::chrono::milliseconds(pause_ms) + std::chrono::microseconds(pause_us));
}

void World::observe() {
  std::vector<Pending> open;
  std::vector<Pending> done;
  for (Pending& each : pending_) {
    (each.exchange->answer ? done : open).push_back(std::move(each));
  }
  pending_ = std::move(open);
  for (const Pending& each : done) {
    trace_.note("{} {} → {}", http::to_string(each.exchange->method), each.exchange->target,
                each.exchange->answer->status);
    if (const std::string code = each.exchange->answer->code(); !code.empty()) {
      trace_.note("  {}: {}", code, each.exchange->answer->body);
    }
    each.done(*each.exchange->answer);
  }
  books_.is_log_in_doubt = books_.is_log_in_doubt || has_dropped_of_small_log();
  const auto& lines = server_.log().lines();
  for (; log_lines_read_ < lines.size(); ++log_lines_read_) {
    const auto& [level, line] = lines[log_lines_read_];
    trace_.note("log: {}", line);
    books_.has_disabled = books_.has_disabled || line.contains("and was disabled.");
    const bool has_lost = line.contains("was set aside as") || line.contains("was dropped");
    books_.is_log_in_doubt = books_.is_log_in_doubt || has_lost;
    if (line.contains("are not in the history"))
      books_.left_out_until = server_.env().clock().now();
    for (const auto& checker : checkers_) checker->log_line(line);
  }
}

// A log that was made very small drops its oldest files, as it should.
bool World::has_dropped_of_small_log() const {
  if (options_.config.history_bytes_max == server::Config().history_bytes_max) return false;
  bool is_dropped = false;
  for_each_probe([&is_dropped](const Probe& probe) {
    if (std::string_view(probe.name) == "history.file_dropped") is_dropped = probe.is_reached;
  });
  return is_dropped;
}

SeenBook& World::on_request(const std::string& receiver, const RawRequest& request) {
  const Json body = parse_json(request.body).value_or(Json::object());
  const std::size_t slash = request.target.rfind('/') + 1;
  const auto number = parse_integer<std::uint32_t>(request.target.substr(slash));
  books_.seen.push_back({.webhook_id = request.header("webhook-id"),
                         .parts = parts_of(body),
                         .receiver = receiver,
                         .destination_number = number.value_or(0),
                         .arrived = now(),
                         .ended = {}});
  SeenBook& seen = books_.seen.back();
  judge_token(seen, request);
  for (const PartBook& part : seen.parts) {
    trace_.note("{}: {} {} of event {}", receiver, request.target, seen.webhook_id, part.event_id);
  }
  for (const auto& checker : checkers_) checker->request_seen(seen, request);
  return seen;
}

// Whether the receiver takes the token that the request shows; one that it was never given is for
// the checkers.
void World::judge_token(SeenBook& seen, const RawRequest& request) {
  ClientBook* const client = books_.client_of(seen.destination_number);
  if (client == nullptr) return;
  const std::string shown = request.header("authorization");
  TokenBook* const token = client->token(shown.substr(std::min<std::size_t>(shown.size(), 7)));
  if (token == nullptr) return;
  const bool has_ended = token->life && now() >= token->given + *token->life;
  seen.is_token_good = !token->is_revoked && !has_ended;
  client->refresh_min = std::max(client->refresh_min, token->refresh);
}

// ---- Crashes

void World::crash() {
  const bool is_dead = server_.env().death().has_value();
  books_.crashes.push_back(is_dead ? server_.env().death()->at : now());
  const bool loses_power = options_.power_loss && (!options_.kill || random_.chance(1, 2));
  trace_.note("{}{}", loses_power ? "power loss" : "kill -9", is_dead ? " (it had died)" : "");
  server_.crash(loses_power ? env::Crash::power_loss : env::Crash::process_killed);
  for (const auto& checker : checkers_) {
    checker->at_rest(server_.env().directory().image(), /*in_order=*/false);
  }
  flip_bits();
  bring_back();
}

// Of the newest checkpoint any bit may flip: the journal alone says everything. A file of the log
// whose first bytes are wrong is none, and is set aside.
void World::flip_bits() {
  const env::SimDiskImage image = server_.env().directory().image();
  const auto flip = [&](std::string_view prefix, std::string_view suffix, std::size_t bytes_max) {
    std::optional<std::pair<std::string, std::size_t>> newest;
    for (const auto& [path, bytes] : image) {
      const bool is_one = path.starts_with(prefix) && path.ends_with(suffix) && !bytes.empty();
      if (is_one) newest = {path, std::min(bytes.size(), bytes_max)};
    }
    if (!newest) return;
    trace_.note("a bit of {} flips", newest->first);
    server_.env().directory().flip_bit(newest->first, random_.below(newest->second),
                                       static_cast<unsigned>(random_.below(8)));
  };
  if (options_.bits_flip) {
    books_.has_flipped = true;
    flip("journal/checkpoint-", "", SIZE_MAX);
  }
  if (options_.history_breaks) flip("history/log-", ".db", 16);
}

void World::stop_in_order() {
  if (server_.env().death()) return;
  trace_.note("stop");
  server_.env().directory().fail_after(0);
  server_.env().directory().fail_once(0);
  if (!options_.disk_stays_full) set_disk_full(false);
  for (std::uint64_t i = random_.below(3); i > 0; --i) send_events();  // They come in the middle.
  server_.wait(std::chrono::microseconds(random_.below(3000)));
  if (server_.env().death()) return;
  server_.stop();
  books_.crashes.push_back(now());
  for (const auto& checker : checkers_) {
    checker->at_rest(server_.env().directory().image(), /*in_order=*/true);
  }
  bring_back();
}

void World::bring_back() {
  if (options_.calendar_jumps && !is_calm_ && more_random_.chance(1, 2)) jump_calendar();
  server_.wait(std::chrono::milliseconds(random_.below(2000)));
  env::SimDirectory& disk = server_.env().directory();
  for (int i = 0;; ++i) {
    server_.env().restart();
    const bool may_fail = options_.fails_while_opening || options_.disk_stays_full;
    const bool has_faults = i < kOpeningsMax && may_fail && !is_calm_;
    if (has_faults && options_.fails_while_opening) disk.fail_once(1 + random_.below(40));
    if (!has_faults) set_disk_full(false);
    const Result<void> started = server_.try_start();
    disk.fail_once(0);
    if (started) break;
    trace_.note("it does not open: {}", started.error().detail);
    if (!has_faults) {
      judge_.broken("it opens after any crash", "{}", started.error().detail);
      return;
    }
    server_.crash(options_.power_loss ? env::Crash::power_loss : env::Crash::process_killed);
  }
  trace_.note("it runs again");
  for (std::uint64_t i = options_.edits && !is_calm_ ? 3 : 0; i > 0; --i) {
    edit();  // Meets the events that are read back.
    server_.wait(std::chrono::microseconds(random_.below(20'000)));
    observe();
  }
  server_.wait(std::chrono::milliseconds(random_.below(50)));
  observe();
  if (!server_.env().death()) check_restarted();
}

void World::check_restarted() {
  const auto events = list("events");
  if (!events) return;
  for (const auto& checker : checkers_) checker->restarted(*events);
  resolve_webhooks();
}

// ---- The end

void World::calm_down() {
  trace_.note("calm");
  is_calm_ = true;
  env::SimDirectory& disk = server_.env().directory();
  disk.fail_after(0);
  disk.fail_once(0);
  set_disk_full(false);
  if (server_.env().death()) crash();
  if (verdict()) return;
  for (const auto& receiver : receivers_) receiver->calm_down();
  if (token_end_point_) token_end_point_->calm_down();
  if (proxy_) proxy_->calm_down();
  set_calendar(0ms);
  const bool restarts = options_.calendar_jumps && (options_.kill || options_.power_loss);
  if (restarts && more_random_.chance(1, 2)) crash();
  if (verdict()) return;
  server_.wait(60s);
  finish_requests();
  resolve_webhooks();
  release_all();
  send_unconfirmed();

  const std::uint32_t longest = *std::ranges::max_element(options_.delays_ms);
  const Duration wait = std::chrono::milliseconds(longest) * 2;
  const Duration paced = kRequestsAtEndMax * std::chrono::milliseconds(options_.rate_per_ms) /
                         std::max(1U, options_.rate_requests);
  const Duration bound = std::max<Duration>(wait, kRetryAfterMax) + 5min + paced;
  const bool is_drained = server_.drain(bound);
  for (const auto& checker : checkers_) checker->calmed_down(is_drained, bound);
  observe();
  if (!pending_.empty()) {
    const test::Exchange& exchange = *pending_.front().exchange;
    judge_.broken("every request is answered", "{} has no answer: {}", exchange.target,
                  std::string_view(exchange.body).substr(0, kShownBytesMax));
  }
}

// An answer may lead to another request, and what that asks for is owed like all else.
void World::finish_requests() {
  constexpr int kFollowingMax = 3;
  observe();
  for (int i = 0; i < kFollowingMax && !pending_.empty(); ++i) {
    server_.wait(60s);
    observe();
  }
}

void World::resolve_webhooks() {
  const bool is_any = std::ranges::any_of(
      books_.webhooks, [](const auto& entry) { return entry.second.is_unknown; });
  if (!is_any) return;
  const auto found = list("webhooks");
  if (!found) return;
  for (auto& [id, book] : books_.webhooks) {
    if (!book.is_unknown) continue;
    const auto json =
        std::ranges::find_if(*found, [&](const Json& each) { return each["id"] == id; });
    WebhookState state = book.states.back();
    state.is_there = json != found->end();
    if (state.is_there) {
      state.enabled = json->at("enabled");
      state.nps_min = json->at("conditions").at("all").at(0).at("value");
    } else {
      book.was_deleted = true;
    }
    for (WebhookState& old : book.states) {
      if (!old.until) old.until = now();
    }
    state.from = now();
    state.until.reset();
    book.states.push_back(state);
    book.is_unknown = false;
  }
}

// What is held goes on its way. Also what was made by a call whose answer was lost.
void World::release_all() {
  for (const Json& webhook : list("webhooks").value_or(std::vector<Json>{})) {
    if (webhook.at("enabled") == true) continue;
    const std::string id = webhook.at("id");
    (void)server_.patch("webhooks/" + id, {{"enabled", true}});
    const auto book = books_.webhooks.find(id);
    if (book == books_.webhooks.end()) continue;
    WebhookState state = book->second.states.back();
    book->second.states.back().until = now();
    state.enabled = true;
    state.from = now();
    state.until.reset();
    book->second.states.push_back(state);
  }
  for (const Json& destination : list("destinations").value_or(std::vector<Json>{})) {
    if (destination.at("state") == "active") continue;
    (void)server_.post("destinations/" + destination.at("id").get<std::string>() + "/resume");
  }
}

void World::send_unconfirmed() {
  for (std::size_t i = 0; i < books_.events.size(); ++i) {
    EventBook& event = books_.events[i];
    if (event.confirmed_at || event.body.size() > options_.config.event_bytes_max) continue;
    for (int tries = 0; tries < 200 && !event.confirmed_at && !verdict(); ++tries) {
      send({i}, event.body);
      (void)server_.wait_until([this] { return pending_.back().exchange->answer.has_value(); }, 1h);
      observe();
      if (!event.confirmed_at) server_.wait(60s);
    }
    if (!event.confirmed_at) {
      judge_.broken("9 liveness: events are taken again", "event {} is refused", event.id);
    }
  }
}

std::optional<std::vector<Json>> World::list(const std::string& path) {
  std::vector<Json> all;
  std::string cursor;
  do {
    std::string page = path + "?limit=200";
    if (!cursor.empty()) page += "&cursor=" + cursor;
    const test::Answer answer = server_.get(page);
    if (answer.status != 200) {
      trace_.note("GET {} → {}", path, answer.status);
      return std::nullopt;
    }
    const Json json = answer.json();
    for (const Json& each : json.at("data")) all.push_back(each);
    cursor = json.at("next_cursor").is_null() ? "" : json.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  return all;
}

void World::check_end() {
  FinalLog log;
  const auto events = list("events");
  const auto deliveries = list("deliveries");
  if (!events || !deliveries) {
    judge_.broken("the log can be read", "it cannot");
    return;
  }
  log.events = *events;
  log.deliveries = *deliveries;
  for (const Json& delivery : log.deliveries) {
    const std::string id = delivery.at("id");
    const Json json = server_.get("deliveries/" + id + "/attempts").json();
    if (!json.is_object() || !json.contains("data")) continue;
    auto& attempts = log.attempts[id];
    for (const Json& attempt : json.at("data")) attempts.push_back(attempt);
    const auto number = [](const Json& each) { return each.at("number").get<int>(); };
    std::ranges::sort(attempts, {}, number);
  }
  observe();
  for (const auto& checker : checkers_) checker->at_end(log);
  trace_.note("end: {} events, {} deliveries, {} requests seen", log.events.size(),
              log.deliveries.size(), books_.seen.size());
  if (!verdict() && options_.stop) stop_in_order();
}

}  // namespace eilpost::sim

#include "support/test_server.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "env/await.h"
#include "env/timers.h"
#include "http/client.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 8080;
constexpr env::Address kMachine{.bytes = {10, 0, 0, 1}};

server::Config with_defaults(server::Config config) {
  config.listen = {.address = {}, .port = kPort};
  config.bootstrap_api_key = TestServer::kApiKey;
  // Small, so that tests come to the ends of segments.
  if (config.segment_bytes == limits::kSegmentBytes) config.segment_bytes = 1U << 20U;
  return config;
}

env::SimOptions with_lanes(env::SimOptions options, std::size_t lanes) {
  options.lanes = lanes;
  return options;
}

std::string header_of(const http::Headers& headers, std::string_view name) {
  return std::string(http::find_header(headers, name).value_or(""));
}

}  // namespace

// ---- Receiver

std::string SeenRequest::header(std::string_view name) const {
  return header_of(request.headers, name);
}

Json SeenRequest::json() const {
  return parse_json(request.body).value_or(Json());
}

Receiver::Receiver(env::SimEnv& env, std::string name)
    : loop_(env.outside()),
      name_(std::move(name)),
      address_(env.internet().new_address()),
      http_(loop_, *this, {.idle_timeout = 10s}) {
  answers(200);
  env.internet().set_name(name_ + ".example", {address_});
  EILPOST_ASSERT(http_.listen({.address = address_, .port = 80}).has_value());
}

std::string Receiver::url() const {
  return "http://" + name_ + ".example/in";
}

std::map<std::string, std::size_t> Receiver::webhook_ids() const {
  std::map<std::string, std::size_t> ids;
  for (const SeenRequest& seen : seen_) ++ids[seen.header("webhook-id")];
  return ids;
}

Task<void> Receiver::handle(const http::Request& request, const env::Endpoint& /*client*/,
                            http::Responder& responder) {
  const std::size_t index = seen_.size();
  seen_.push_back({.at = loop_.clock().now(), .request = request});
  Reply reply = script_(request, index);
  if (reply.breaks) co_return;
  if (reply.hangs) reply.delay = 24h * 365;
  if (reply.delay > Duration::zero()) {
    co_await env::wait_until(loop_.timers(), loop_.clock().now() + reply.delay);
  }
  http::Response response{
      .status = reply.status, .headers = std::move(reply.headers), .body = std::move(reply.body)};
  (void)co_await responder.respond(std::move(response));
}

// ---- Answer

Json Answer::json() const {
  return parse_json(body).value_or(Json());
}

std::string Answer::header(std::string_view name) const {
  return header_of(headers, name);
}

std::string Answer::code() const {
  const Json problem = json();
  return problem.is_object() ? problem.value("code", "") : "";
}

// ---- TestServer

TestServer::TestServer(std::uint64_t seed, TestServerOptions options)
    : options_(std::move(options)), env_(seed, with_lanes(options_.world, options_.lanes)) {
  options_.config = with_defaults(std::move(options_.config));
  const Result<void> started = try_start();
  EILPOST_ASSERT(started.has_value());
  const Answer source = post("sources", {{"name", "tests"}, {"environment", "production"}});
  EILPOST_ASSERT(source.status == 201);
  source_key_ = source.json().at("key");
  if (options_.keeps_example) return;
  for (const Json& webhook : list("webhooks")) {
    (void)api(http::Method::delete_, "webhooks/" + webhook.at("id").get<std::string>());
  }
}

TestServer::~TestServer() {
  exchanges_.reset();
  if (!server_) return;
  env_.crash(env::Crash::process_killed);
  server_.reset();
}

Result<void> TestServer::try_start() {
  EILPOST_ASSERT(!server_);
  auto opened = server::Server::open(env_, log_, options_.config);
  if (!opened) return std::unexpected(opened.error());
  server_ = std::move(*opened);
  if (const auto first = server_->first_start()) first_ = first;
  const Result<env::Endpoint> endpoint = server_->start();
  if (!endpoint) return std::unexpected(endpoint.error());
  return {};
}

Task<void> TestServer::exchange(std::shared_ptr<Exchange> exchange) {
  env::Network& network = env_.outside().network();
  env::ConnectOptions options{.endpoint = {.address = kMachine, .port = kPort}, .server_name = ""};
  Result<std::unique_ptr<env::Stream>> stream = co_await env::connect(network, std::move(options));
  if (!stream) {
    exchange->answer = Answer{};
    co_return;
  }
  http::ClientConnection connection(std::move(*stream));
  const http::OutboundRequest request{.method = exchange->method,
                                      .authority = "eilpost.example",
                                      .target = exchange->target,
                                      .headers = &exchange->headers,
                                      .body = exchange->body};
  const http::ResponseLimits limits{.body_bytes_kept_max = 16UL << 20U,
                                    .body_bytes_read_max = 16UL << 20U};
  const auto exchanged = co_await connection.exchange(request, limits);
  if (!exchanged) {
    exchange->answer = Answer{};
    co_return;
  }
  const http::ReceivedResponse& response = connection.response();
  exchange->answer =
      Answer{.status = response.status, .headers = response.headers, .body = response.body};
  for (const http::Header& header : response.headers) answers_text_ += header.value + '\n';
  answers_text_ += response.body + '\n';
}

std::shared_ptr<Exchange> TestServer::begin(http::Method method, std::string target,
                                            http::Headers headers, std::string body) {
  auto made = std::make_shared<Exchange>(Exchange{.method = method,
                                                  .target = std::move(target),
                                                  .headers = std::move(headers),
                                                  .body = std::move(body),
                                                  .answer = std::nullopt});
  exchanges_->spawn(exchange(made));
  return made;
}

std::shared_ptr<Exchange> TestServer::begin_event(std::string body) {
  return begin(http::Method::post, "/v1/events",
               {{"Authorization", "Bearer " + source_key_}, {"Content-Type", "application/json"}},
               std::move(body));
}

Answer TestServer::call(http::Method method, std::string target, http::Headers headers,
                        std::string body) {
  const auto made = begin(method, std::move(target), std::move(headers), std::move(body));
  (void)env_.run_until([&] { return made->answer.has_value(); }, 1min);
  return made->answer.value_or(Answer{});
}

Answer TestServer::api(http::Method method, std::string_view path, const Json& body,
                       http::Headers headers) {
  headers.push_back({"Authorization", "Bearer " + std::string(kApiKey)});
  if (!body.is_null()) headers.push_back({"Content-Type", "application/json"});
  return call(method, "/api/v1/" + std::string(path), std::move(headers),
              body.is_null() ? "" : to_text(body));
}

Answer TestServer::post_event(std::string body) {
  const auto made = begin_event(std::move(body));
  (void)env_.run_until([&] { return made->answer.has_value(); }, 1min);
  return made->answer.value_or(Answer{});
}

Receiver& TestServer::receiver(std::string_view name) {
  auto& found = receivers_[std::string(name)];
  if (!found) found = std::make_unique<Receiver>(env_, std::string(name));
  return *found;
}

std::string TestServer::add_destination(std::string_view url, const Json& more) {
  Json json = {{"name", "Destination"}, {"platform", "custom"}, {"request", {{"url", url}}}};
  json.merge_patch(more);
  const Answer made = post("destinations", json);
  EILPOST_ASSERT(made.status == 201);
  return made.json().at("id");
}

std::string TestServer::add_webhook(std::string_view event, std::string_view destination,
                                    const Json& more) {
  Json json = {{"name", "Webhook"}, {"event", event}, {"destination", destination}};
  json.merge_patch(more);
  const Answer made = post("webhooks", json);
  EILPOST_ASSERT(made.status == 201);
  return made.json().at("id");
}

std::vector<Json> TestServer::list(std::string_view path) {
  std::vector<Json> all;
  std::string cursor;
  do {
    std::string page(path);
    page += page.find('?') == std::string::npos ? "?limit=200" : "&limit=200";
    if (!cursor.empty()) page += "&cursor=" + cursor;
    const Answer answer = get(page);
    EILPOST_ASSERT(answer.status == 200);
    const Json json = answer.json();
    for (const Json& each : json.at("data")) all.push_back(each);
    cursor = json.at("next_cursor").is_null() ? "" : json.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  return all;
}

bool TestServer::wait_until(const std::function<bool()>& is_so, Duration time_max) {
  return env_.run_until(is_so, time_max);
}

bool TestServer::drain(Duration time_max) {
  const Instant end = env_.clock().now() + time_max;
  Duration step = 100ms;
  while (metric("eilpost_deliveries_unsettled") > 0) {
    if (env_.clock().now() >= end) return false;
    env_.advance(step);
    step = std::min<Duration>(2 * step, 10min);
  }
  return true;
}

double TestServer::metric(std::string_view name) {
  const std::string text = "\n" + call(http::Method::get, "/metrics").body;
  const std::size_t at = text.find("\n" + std::string(name) + " ");
  EILPOST_ASSERT(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 2));
}

void TestServer::crash(env::Crash kind) {
  env_.crash(kind);
  server_.reset();
}

void TestServer::stop() {
  bool is_stopped = false;
  server_->stop([&is_stopped] { is_stopped = true; });
  EILPOST_ASSERT(env_.run_until([&] { return is_stopped; }, 1h));
  server_->close();
  // What is still posted to its loops is never done: they have ended.
  env_.crash(env::Crash::process_killed);
  server_.reset();
}

void TestServer::restart() {
  env_.restart();
  const Result<void> started = try_start();
  EILPOST_ASSERT(started.has_value());
}

std::string TestServer::everything_said() const {
  std::string text = answers_text_;
  for (const auto& [level, line] : log_.lines()) text += line + '\n';
  return text;
}

}  // namespace eilpost::test

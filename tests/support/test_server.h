#pragma once
// A whole Eilpost in a simulated world, and a short way to talk with it:
//
//   TestServer server(/*seed=*/1);
//   Receiver& billing = server.receiver("billing");
//   server.add_webhook("survey.submitted", server.add_destination(billing.url()));
//   server.post_event(R"({"type":"survey.submitted"})");
//   server.wait(1s);
//   EXPECT_EQ(billing.seen().size(), 1U);
//
// Threads: one; everything happens in virtual time.

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env/sim/sim_env.h"
#include "env/sim/sim_log.h"
#include "http/handler.h"
#include "http/server.h"
#include "model/json.h"
#include "server/server.h"

namespace eilpost::test {

// What a receiver does about one request.
struct Reply {
  int status = 200;
  http::Headers headers = {};
  std::string body = "ok";
  Duration delay = {};
  bool hangs = false;   // no answer, ever
  bool breaks = false;  // ends the connection without an answer
};

struct SeenRequest {
  Instant at;
  http::Request request;

  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] Json json() const;
};

// A web server somewhere outside, http://NAME.example/.
class Receiver final : public http::Handler {
 public:
  // `index` is 0 for the first request.
  using Script = std::function<Reply(const http::Request& request, std::size_t index)>;

  Receiver(env::SimEnv& env, std::string name);
  ~Receiver() override = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  void answers(Script script) { script_ = std::move(script); }
  void answers(int status) {
    script_ = [status](const http::Request&, std::size_t) { return Reply{.status = status}; };
  }

  [[nodiscard]] std::string url() const;
  [[nodiscard]] const env::Address& address() const { return address_; }
  [[nodiscard]] const std::vector<SeenRequest>& seen() const { return seen_; }
  // How often each value of the header webhook-id was seen.
  [[nodiscard]] std::map<std::string, std::size_t> webhook_ids() const;

  [[nodiscard]] Task<void> handle(const http::Request& request, const env::Endpoint& client,
                                  http::Responder& responder) override;

 private:
  env::Loop& loop_;
  std::string name_;
  env::Address address_;
  Script script_;
  std::vector<SeenRequest> seen_;
  http::Server http_;
};

struct Answer {
  int status = 0;  // 0: the connection ended without an answer
  http::Headers headers;
  std::string body;

  [[nodiscard]] Json json() const;  // null if it is none
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] std::string code() const;  // of a problem
};

// A request under way.
struct Exchange {
  http::Method method = http::Method::get;
  std::string target;
  http::Headers headers;
  std::string body;
  std::optional<Answer> answer;
};

struct TestServerOptions {
  std::size_t lanes = 1;
  env::SimOptions world = {};  // but for its lanes
  server::Config config = {};
  bool keeps_example = false;  // the webhook that the first start makes
};

class TestServer final {
 public:
  static constexpr std::string_view kApiKey = "eil_bootstrap_key_of_the_tests";

  explicit TestServer(std::uint64_t seed, TestServerOptions options = {});
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  [[nodiscard]] env::SimEnv& env() { return env_; }
  [[nodiscard]] env::SimLog& log() { return log_; }
  [[nodiscard]] server::Server& server() { return *server_; }
  [[nodiscard]] bool is_running() const { return server_ != nullptr; }
  [[nodiscard]] server::Config& config() { return options_.config; }

  // ---- requests; each waits for its answer, at most a minute
  Answer call(http::Method method, std::string target, http::Headers headers = {},
              std::string body = "");
  // With the bootstrap key; `path` is below /api/v1/.
  Answer api(http::Method method, std::string_view path, const Json& body = nullptr,
             http::Headers headers = {});
  Answer get(std::string_view path) { return api(http::Method::get, path); }
  Answer post(std::string_view path, const Json& body = Json::object()) {
    return api(http::Method::post, path, body);
  }
  Answer patch(std::string_view path, const Json& body) {
    return api(http::Method::patch, path, body);
  }
  // With the key of the source made by the constructor.
  Answer post_event(std::string body);
  // Starts a request; its answer comes as time passes.
  std::shared_ptr<Exchange> begin(http::Method method, std::string target,
                                  http::Headers headers = {}, std::string body = "");
  std::shared_ptr<Exchange> begin_event(std::string body);

  // ---- things
  Receiver& receiver(std::string_view name);
  // `more` is merged into the object. Returns the id.
  std::string add_destination(std::string_view url, const Json& more = Json::object());
  std::string add_webhook(std::string_view event, std::string_view destination,
                          const Json& more = Json::object());
  // All of a list, through its pages.
  std::vector<Json> list(std::string_view path);

  // ---- time and trouble
  void wait(Duration duration) { env_.advance(duration); }
  [[nodiscard]] bool wait_until(const std::function<bool()>& is_so, Duration time_max);
  // Waits until no delivery is owed.
  [[nodiscard]] bool drain(Duration time_max);
  // What /metrics says of a figure.
  [[nodiscard]] double metric(std::string_view name);

  void crash(env::Crash kind);
  void stop();     // in good order, as SIGTERM does
  void restart();  // after crash() or stop()
  // Opens and starts; what stood in the way, if anything.
  Result<void> try_start();

  [[nodiscard]] const std::string& source_key() const { return source_key_; }
  [[nodiscard]] const std::optional<server::FirstStart>& first_start() const { return first_; }
  // Every byte that was answered or logged so far.
  [[nodiscard]] std::string everything_said() const;

 private:
  Task<void> exchange(std::shared_ptr<Exchange> exchange);

  TestServerOptions options_;
  env::SimEnv env_;
  env::SimLog log_;
  std::map<std::string, std::unique_ptr<Receiver>, std::less<>> receivers_;
  std::unique_ptr<TaskSet> exchanges_ = std::make_unique<TaskSet>();
  std::unique_ptr<server::Server> server_;
  std::optional<server::FirstStart> first_;
  std::string source_key_;
  std::string answers_text_;
};

}  // namespace eilpost::test

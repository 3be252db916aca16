#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <thread>
#include <unistd.h>

#include "env/log.h"
#include "env/real/real_env.h"
#include "env/real/signal_watcher.h"
#include "main/commands.h"
#include "main/read_config.h"
#include "server/server.h"

namespace eilpost::main {
namespace {

// Log lines to stderr: time, level, text.
class SpdLog final : public env::Log {
 public:
  explicit SpdLog(const std::string& level)
      : logger_("eilpost", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    logger_.set_level(spdlog::level::from_str(level));
    logger_.flush_on(spdlog::level::info);
  }

  void write(env::LogLevel level, std::string_view line) override {
    logger_.log(to_spdlog(level), "{}", line);
  }

 private:
  static spdlog::level::level_enum to_spdlog(env::LogLevel level) {
    switch (level) {
      case env::LogLevel::debug:
        return spdlog::level::debug;
      case env::LogLevel::info:
        return spdlog::level::info;
      case env::LogLevel::warning:
        return spdlog::level::warn;
      case env::LogLevel::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
  }

  spdlog::logger logger_;
};

std::size_t lanes_count(const server::Config& config) {
  if (config.lanes > 0) return config.lanes;
  const unsigned cores = std::thread::hardware_concurrency();
  return std::max(1U, cores - std::min(cores, 1U));
}

int report(env::Log& log, const Error& error) {
  log.error(fmt::format("{} {}", text_of(error.code), error.detail));
  return kExitFailed;
}

int run_server(const server::Config& config, SpdLog& log) {
  const env::RealEnvOptions options{.lanes_count = lanes_count(config),
                                    .data_directory = config.data};
  auto env = env::RealEnv::open(options);
  if (!env) return report(log, env.error());
  env::RealEnv& world = **env;

  // The server starts threads, which must find the signals blocked; it is opened after the watcher.
  std::unique_ptr<server::Server> server;
  std::promise<void> stopped;
  bool is_stopping = false;
  const int signals[] = {SIGTERM, SIGINT, SIGHUP};
  const env::SignalWatcher watcher(world.real_lane(0).reactor(), signals, [&](int signal) {
    if (signal == SIGHUP) {
      log.info("SIGHUP: settings are live at once; options are read at the start only.");
      return;
    }
    if (std::exchange(is_stopping, true)) return;
    log.info("Stopping: finishing what is under way.");
    server->stop([&stopped] { stopped.set_value(); });
  });

  auto opened = server::Server::open(world, log, config);
  if (!opened) return report(log, opened.error());
  server = std::move(*opened);
  const Result<env::Endpoint> endpoint = server->start();
  if (!endpoint) return report(log, endpoint.error());
  const std::string url = fmt::format("http://{}", env::to_string(*endpoint));
  log.info(fmt::format("Listening on {}", url));
  if (const auto first = server->first_start()) {
    fmt::print("{}", server::welcome(*first, config.public_url.empty() ? url : config.public_url));
    std::fflush(stdout);
  }
  world.start();
  stopped.get_future().wait();
  world.stop();
  server->close();
  log.info("Stopped.");
  return 0;
}

int serve(const ServeArguments& arguments) {
  const Result<server::Config> config = read_config(arguments);
  if (!config) {
    fmt::print(stderr, "{}\n{}\n", text_of(config.error().code), config.error().detail);
    return kExitUsage;
  }
  SpdLog log(config->log_level);
  for (const std::string& warning : config->warnings) log.warning(warning);
  return run_server(*config, log);
}

}  // namespace

void add_serve(CLI::App& app, ServeArguments& arguments, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Run the server.");
  add_options(*command, arguments);
  command->footer(
      "Each option is also a variable EILPOST_NAME and a key of the configuration file; the flag "
      "wins over the variable, the variable over the file.");
  command->callback([&] { exit_code = serve(arguments); });
}

}  // namespace eilpost::main

#include "support/load/eilpost_process.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <utility>

#include "main/http_call.h"

namespace eilpost::load {
namespace {

constexpr int kStartTriesMax = 3000;
constexpr Duration kStartTryDelay = std::chrono::milliseconds(10);
constexpr std::size_t kLogTailBytes = 2000;

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

EilpostProcess::EilpostProcess(ProcessOptions options) : options_(std::move(options)) {}

Result<void> EilpostProcess::start(Awaits awaits) {
  std::vector<std::string> words = {options_.binary, "serve",
                                    "--data",        options_.data,
                                    "--listen",      fmt::format("127.0.0.1:{}", options_.port)};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::map<std::string, std::string> environment = options_.environment;
  environment.try_emplace("EILPOST_BOOTSTRAP_API_KEY", kApiKey);
  environment.try_emplace("EILPOST_SHUTDOWN_DELAY_MS", "0");
  environment.try_emplace("EILPOST_ALLOW_DESTINATIONS", "127.0.0.0/8,::1/128");
  std::filesystem::remove(options_.log);
  EILPOST_RETURN_IF_ERROR(child_.start(std::move(words), environment, options_.log));
  for (int i = 0; i < kStartTriesMax && child_.is_running(); ++i) {
    if (const auto port = find_port()) {
      options_.port = *port;
      const auto answer = call(http::Method::get, "/readyz");
      if (answer && (answer->status == 200 || awaits == Awaits::answer)) return {};
    }
    pause_thread(kStartTryDelay);  // Nothing tells when it is ready.
  }
  return fail(ErrorCode::timed_out, log_tail());
}

Result<std::uint16_t> EilpostProcess::find_port() const {
  constexpr std::string_view kMark = "Listening on http://127.0.0.1:";
  const std::string text = read_text(options_.log);
  const std::size_t at = text.find(kMark);
  if (at == std::string::npos) return fail(ErrorCode::not_found);
  return static_cast<std::uint16_t>(std::strtoul(text.c_str() + at + kMark.size(), nullptr, 10));
}

std::string EilpostProcess::log() const {
  return read_text(options_.log);
}

std::string EilpostProcess::log_tail() const {
  const std::string text = log();
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

env::Endpoint EilpostProcess::endpoint() const {
  return {.address = {.bytes = {127, 0, 0, 1}}, .port = options_.port};
}

Result<http::Response> EilpostProcess::call(http::Method method, std::string_view path,
                                            std::string body) const {
  main::Call call{.method = method,
                  .url = fmt::format("http://127.0.0.1:{}{}", options_.port, path),
                  .headers = {{"Authorization", fmt::format("Bearer {}", kApiKey)}},
                  .body = std::move(body)};
  if (!call.body.empty()) call.headers.push_back({"Content-Type", "application/json"});
  return main::call(call);
}

Result<std::string> EilpostProcess::call_api(http::Method method, std::string_view path,
                                             std::string body) const {
  EILPOST_ASSIGN_OR_RETURN(http::Response answer,
                           call(method, fmt::format("/api/v1/{}", path), std::move(body)));
  if (answer.status / 100 == 2) return std::move(answer.body);
  return fail(ErrorCode::protocol_violated,
              fmt::format("{}: {} {}", path, answer.status, answer.body));
}

}  // namespace eilpost::load

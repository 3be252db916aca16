#include "support/load/eilpost_process.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "main/http_call.h"

namespace eilpost::load {
namespace {

constexpr int kStartTriesMax = 3000;
constexpr int kStartTryMs = 10;
constexpr std::size_t kLogTailBytes = 2000;

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The number behind `label` in a file of /proc.
std::uint64_t number_after(const std::string& text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + label.size(), nullptr, 10);
}

}  // namespace

EilpostProcess::EilpostProcess(ProcessOptions options) : options_(std::move(options)) {}

EilpostProcess::~EilpostProcess() {
  kill();
}

Result<void> EilpostProcess::start() {
  std::vector<std::string> words = {options_.binary, "serve",
                                    "--data",        options_.data,
                                    "--listen",      fmt::format("127.0.0.1:{}", options_.port)};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::map<std::string, std::string> environment = options_.environment;
  environment.try_emplace("EILPOST_BOOTSTRAP_API_KEY", kApiKey);
  environment.try_emplace("EILPOST_ALLOW_DESTINATIONS", "127.0.0.0/8,::1/128");
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    if (!line.starts_with("EILPOST_")) variables.emplace_back(line);
  }
  for (const auto& [name, value] : environment)
    variables.push_back(fmt::format("{}={}", name, value));

  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  };
  std::vector<char*> argv = pointers(words);
  std::vector<char*> envp = pointers(variables);
  std::filesystem::remove(options_.log);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed =
      posix_spawn(&pid_, options_.binary.c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    pid_ = 0;
    return fail(ErrorCode::not_found, options_.binary);
  }
  for (int i = 0; i < kStartTriesMax; ++i) {
    if (!is_running()) break;
    if (const auto port = find_port()) {
      options_.port = *port;
      const auto answer = call(http::Method::get, "/readyz");
      if (answer && answer->status == 200) return {};
    }
    (void)::poll(nullptr, 0, kStartTryMs);  // Looks again: nothing tells when it is ready.
  }
  return fail(ErrorCode::timed_out, log_tail());
}

Result<std::uint16_t> EilpostProcess::find_port() const {
  constexpr std::string_view kMark = "Listening on http://127.0.0.1:";
  const std::string text = read_text(options_.log);
  const std::size_t at = text.find(kMark);
  if (at == std::string::npos) return fail(ErrorCode::not_found);
  return static_cast<std::uint16_t>(number_after(text, kMark));
}

std::string EilpostProcess::log_tail() const {
  const std::string text = read_text(options_.log);
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

bool EilpostProcess::is_running() {
  if (pid_ == 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = 0;
  return false;
}

Result<int> EilpostProcess::terminate() {
  if (pid_ == 0) return fail(ErrorCode::not_found, "not running");
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(std::exchange(pid_, 0), &status, 0);
  if (!WIFEXITED(status)) return fail(ErrorCode::protocol_violated, "ended by a signal");
  return WEXITSTATUS(status);
}

void EilpostProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

void EilpostProcess::freeze() {
  if (pid_ != 0) ::kill(pid_, SIGSTOP);
}

void EilpostProcess::thaw() {
  if (pid_ != 0) ::kill(pid_, SIGCONT);
}

env::Endpoint EilpostProcess::endpoint() const {
  return {.address = {.bytes = {127, 0, 0, 1}}, .port = options_.port};
}

ProcessFigures EilpostProcess::figures() const {
  const std::string folder = fmt::format("/proc/{}/", pid_);
  ProcessFigures figures;
  const std::string stat = read_text(folder + "stat");
  // Behind the name in brackets: field 3 is the state; utime and stime are 14 and 15.
  const std::size_t behind_name = stat.rfind(')');
  if (behind_name != std::string::npos) {
    std::istringstream fields(stat.substr(behind_name + 2));
    std::string word;
    std::uint64_t ticks = 0;
    for (int field = 3; field <= 15 && fields >> word; ++field) {
      if (field >= 14) ticks += std::strtoull(word.c_str(), nullptr, 10);
    }
    figures.cpu = std::chrono::nanoseconds(
        ticks * (1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK))));
  }
  figures.written_bytes = number_after(read_text(folder + "io"), "\nwrite_bytes: ");
  figures.resident_bytes = number_after(read_text(folder + "status"), "VmRSS:") * 1024;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "fd", ignored)) {
    (void)entry;
    ++figures.descriptors_count;
  }
  return figures;
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

}  // namespace eilpost::load

#include "support/load/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
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

namespace eilpost::load {
namespace {

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

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::string find_program(std::string_view name) {
  const char* path = ::getenv("PATH");
  std::istringstream folders(fmt::format("{}:/usr/sbin:/sbin", path == nullptr ? "" : path));
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    std::string file = fmt::format("{}/{}", folder, name);
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

void pause_thread(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  (void)::poll(nullptr, 0, static_cast<int>(milliseconds.count()));
}

ChildProcess::~ChildProcess() {
  kill();
}

Result<void> ChildProcess::start(std::vector<std::string> words,
                                 const std::map<std::string, std::string>& added,
                                 const std::string& log) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const bool is_replaced = added.contains(std::string(variable.substr(0, variable.find('='))));
    if (!is_replaced && !variable.starts_with("EILPOST_")) variables.emplace_back(variable);
  }
  for (const auto& [name, value] : added) variables.push_back(fmt::format("{}={}", name, value));
  std::vector<char*> argv = pointers(words);
  std::vector<char*> envp = pointers(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int error =
      ::posix_spawn(&pid_, words.front().c_str(), &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return {};
  pid_ = 0;
  return fail(ErrorCode::not_found, fmt::format("{}: {}", words.front(), std::strerror(error)));
}

int ChildProcess::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

Result<int> ChildProcess::wait() {
  if (pid_ == 0) return fail(ErrorCode::not_found, "not running");
  const int status = reap();
  if (!WIFEXITED(status)) return fail(ErrorCode::protocol_violated, "ended by a signal");
  return WEXITSTATUS(status);
}

Result<int> ChildProcess::terminate() {
  if (pid_ != 0) ::kill(pid_, SIGTERM);
  return wait();
}

void ChildProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void ChildProcess::freeze() {
  if (pid_ != 0) ::kill(pid_, SIGSTOP);
}

void ChildProcess::thaw() {
  if (pid_ != 0) ::kill(pid_, SIGCONT);
}

bool ChildProcess::is_running() {
  if (pid_ == 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = 0;
  exit_code_.reset();
  if (WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  return false;
}

ProcessFigures ChildProcess::figures() const {
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
  // Not write_bytes: it counts every page of a large folio of which a few bytes were written.
  figures.written_bytes = number_after(read_text(folder + "io"), "\nwchar: ");
  figures.resident_bytes = number_after(read_text(folder + "status"), "VmRSS:") * 1024;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "fd", ignored)) {
    (void)entry;
    ++figures.descriptors_count;
  }
  return figures;
}

}  // namespace eilpost::load

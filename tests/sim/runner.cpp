#include "runner.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/probe.h"
#include "world.h"

namespace eilpost::sim {
namespace {

// A seed takes far less than a second.
constexpr rlim_t kCpuSecondsMax = 120;

// Of the child that runs a seed: what to print if an assertion fails in it.
World* g_world = nullptr;
int g_pipe = -1;

void tell(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(g_pipe, text.data(), text.size());
    if (count < 0 && errno != EINTR) std::_Exit(3);
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string trace_text(World& world) {
  std::string text;
  for (const std::string& line : world.trace().lines()) text += "  " + line + "\n";
  return text;
}

void on_end(int signal) {
  const std::string_view how = signal == SIGXCPU ? "it never ends\n" : "an assertion failed\n";
  if (g_world != nullptr) tell(std::string(how) + trace_text(*g_world));
  std::_Exit(2);
}

// Runs in the child. The first line says the digest; lines with `probe ` name those reached.
int run_child(std::uint64_t seed, bool shows_trace) {
  std::signal(SIGABRT, on_end);
  std::signal(SIGXCPU, on_end);
  const rlimit limit{.rlim_cur = kCpuSecondsMax, .rlim_max = kCpuSecondsMax + 5};
  EILPOST_ASSERT(::setrlimit(RLIMIT_CPU, &limit) == 0);
  World world(seed);
  world.trace().keeps_all = shows_trace;
  g_world = &world;
  world.run();
  g_world = nullptr;
  std::string text;
  for_each_probe([&text](const Probe& probe) {
    const bool is_reached = probe.is_reached.load(std::memory_order_relaxed);
    text += fmt::format("{} {}\n", is_reached ? "probe" : "unreached", probe.name);
  });
  text += fmt::format("digest {:016x}\n", world.digest());
  if (world.verdict()) text += *world.verdict() + "\n";
  if (world.verdict() || shows_trace) text += trace_text(world);
  tell(text);
  return world.verdict() ? 1 : 0;
}

struct Child {
  pid_t pid = -1;
  int pipe = -1;
  std::uint64_t seed = 0;
  bool is_second = false;
  std::string first_digest;
  std::string said;
};

Child start(std::uint64_t seed, bool shows_trace) {
  int ends[2];
  EILPOST_ASSERT(::pipe(ends) == 0);
  std::fflush(stdout);
  const pid_t pid = ::fork();
  EILPOST_ASSERT(pid >= 0);
  if (pid == 0) {
    ::close(ends[0]);
    g_pipe = ends[1];
    ::dup2(g_pipe, STDERR_FILENO);  // What an assertion says.
    std::_Exit(run_child(seed, shows_trace));
  }
  ::close(ends[1]);
  return {.pid = pid, .pipe = ends[0], .seed = seed, .first_digest = {}, .said = {}};
}

class Runner {
 public:
  explicit Runner(const RunOptions& options) : options_(options) {}

  RunResult run() {
    std::size_t next = 0;
    while (next < options_.seeds.size() || !children_.empty()) {
      while (next < options_.seeds.size() && children_.size() < options_.jobs) {
        children_.push_back(start(options_.seeds[next++], options_.shows_trace));
      }
      wait();
    }
    return std::move(result_);
  }

 private:
  void wait() {
    std::vector<pollfd> polled;
    for (const Child& child : children_) {
      polled.push_back({.fd = child.pipe, .events = POLLIN, .revents = 0});
    }
    (void)::poll(polled.data(), polled.size(), -1);
    std::vector<Child> left;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      Child& child = children_[i];
      const bool is_over = polled[i].revents != 0 && !read(child);
      if (is_over) {
        end(child, left);
      } else {
        left.push_back(std::move(child));
      }
    }
    children_ = std::move(left);
  }

  // False at the end of what the child says.
  static bool read(Child& child) {
    char bytes[65536];
    const ssize_t count = ::read(child.pipe, bytes, sizeof bytes);
    if (count > 0) child.said.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  void end(Child& child, std::vector<Child>& left) {
    ::close(child.pipe);
    int status = 0;
    (void)::waitpid(child.pid, &status, 0);
    const std::string digest = take_facts(child.said);
    if (status != 0) {
      fail(child, fmt::format("failed (status {:#x})", status));
      return;
    }
    if (child.is_second && digest != child.first_digest) {
      fail(child, fmt::format("went differently: {}, then {}", child.first_digest, digest));
      return;
    }
    if (options_.twice && !child.is_second) {
      Child again = start(child.seed, options_.shows_trace);
      again.is_second = true;
      again.first_digest = digest;
      left.push_back(std::move(again));
      return;
    }
    if (options_.shows_trace) fmt::print("{}", child.said);
    ++result_.passed;
  }

  void fail(const Child& child, const std::string& how) {
    ++result_.failed;
    fmt::print("seed {} {}\n{}  again: ./dev sim --seed {}\n", child.seed, how, child.said,
               child.seed);
  }

  // Takes the lines about probes and the digest away; gives the digest.
  std::string take_facts(std::string& said) {
    std::string digest;
    while (true) {
      const std::size_t end = said.find('\n');
      const std::size_t space = said.find(' ');
      if (end == std::string::npos || space > end) return digest;
      const std::string key = said.substr(0, space);
      const std::string value = said.substr(space + 1, end - space - 1);
      if (key == "probe") {
        ++result_.probes[value];
      } else if (key == "unreached") {
        result_.probes.try_emplace(value, 0);
      } else if (key == "digest") {
        digest = value;
      } else {
        return digest;
      }
      said.erase(0, end + 1);
    }
  }

  RunOptions options_;
  RunResult result_;
  std::vector<Child> children_;
};

}  // namespace

RunResult run_seeds(const RunOptions& options) {
  return Runner(options).run();
}

}  // namespace eilpost::sim

#include "load/yardstick.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/load/child_process.h"
#include "support/load/scratch_folder.h"

namespace eilpost::bench {
namespace {

constexpr int kSeconds = 3;

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A port that nobody listens on; nginx cannot be asked which one it chose. 0 if there is none.
std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound =
      ::bind(descriptor, general, size) == 0 && ::getsockname(descriptor, general, &size) == 0;
  ::close(descriptor);
  return is_bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

void write_config(const std::string& folder, std::uint16_t port) {
  std::ofstream(folder + "/nginx.conf")
      << "daemon off; master_process off; pid " << folder << "/pid; error_log stderr crit;\n"
      << "events { worker_connections 512; }\n"
      << "http { access_log off; keepalive_requests 100000000;\n"
      << "  client_body_temp_path " << folder << "/b; proxy_temp_path " << folder << "/p;\n"
      << "  fastcgi_temp_path " << folder << "/f; uwsgi_temp_path " << folder << "/u;\n"
      << "  scgi_temp_path " << folder << "/s;\n"
      << "  server { listen 127.0.0.1:" << port << "; location / { return 204; } } }\n";
}

// Of wrk: "  123456 requests in 3.00s".
double requests_in(const std::string& text) {
  const std::size_t at = text.find(" requests in ");
  if (at == std::string::npos) return 0;
  const std::size_t begin = text.find_last_of(" \n", at - 1) + 1;
  return std::strtod(text.c_str() + begin, nullptr);
}

}  // namespace

std::optional<Row> run_yardstick(const std::string& parent) {
  const std::string nginx = load::find_program("nginx");
  const std::string wrk = load::find_program("wrk");
  const std::uint16_t port = free_port();
  const auto folder = load::ScratchFolder::make(parent);
  if (nginx.empty() || wrk.empty() || port == 0 || !folder) return std::nullopt;
  const std::string& path = folder->path();
  write_config(path, port);
  load::ChildProcess server;
  if (!server.start({nginx, "-p", path, "-e", "stderr", "-c", path + "/nginx.conf"}, {},
                    path + "/nginx.log")) {
    return std::nullopt;
  }
  load::pause_thread(std::chrono::milliseconds(300));
  const load::ProcessFigures before = server.figures();
  load::ChildProcess client;
  if (!client.start({wrk, "-t1", "-c64", fmt::format("-d{}s", kSeconds),
                     fmt::format("http://127.0.0.1:{}/", port)},
                    {}, path + "/wrk.log") ||
      !client.wait()) {
    return std::nullopt;
  }
  const Duration cpu = server.figures().cpu - before.cpu;
  const double requests = requests_in(read_text(path + "/wrk.log"));
  if (!server.is_running() || requests == 0) return std::nullopt;
  return Row{.scenario = "nginx return 204, wrk with 64 connections",
             .figures = {{"requests_per_second", requests / kSeconds, 0},
                         {"cpu_us_per_request",
                          std::chrono::duration<double, std::micro>(cpu).count() / requests, 1}}};
}

}  // namespace eilpost::bench

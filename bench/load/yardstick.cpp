#include "load/yardstick.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "load/nginx.h"
#include "support/load/child_process.h"
#include "support/load/scratch_folder.h"

namespace eilpost::bench {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Of wrk: "  123456 requests in 3.00s".
double requests_in(const std::string& text) {
  const std::size_t at = text.find(" requests in ");
  if (at == std::string::npos) return 0;
  const std::size_t begin = text.find_last_of(" \n", at - 1) + 1;
  return std::strtod(text.c_str() + begin, nullptr);
}

}  // namespace

std::optional<Row> run_yardstick(const std::string& parent, unsigned seconds) {
  const std::string wrk = load::find_program("wrk");
  const auto folder = load::ScratchFolder::make(parent);
  if (wrk.empty() || !folder) return std::nullopt;
  Nginx server(folder->path());
  const auto port = server.start({.location = "return 204;"});
  if (!port) return std::nullopt;
  const load::ProcessFigures before = server.figures();
  load::ChildProcess client;
  const std::string log = folder->path() + "/wrk.log";
  if (!client.start({wrk, "-t1", "-c64", fmt::format("-d{}s", seconds),
                     fmt::format("http://127.0.0.1:{}/", *port)},
                    {}, log) ||
      !client.wait()) {
    return std::nullopt;
  }
  const Duration cpu = server.figures().cpu - before.cpu;
  const double requests = requests_in(read_text(log));
  if (!server.is_running() || requests == 0) return std::nullopt;
  return Row{.scenario = "nginx return 204, wrk with 64 connections",
             .figures = {{"requests_per_second", requests / seconds, 0},
                         {"cpu_us_per_request",
                          std::chrono::duration<double, std::micro>(cpu).count() / requests, 1}}};
}

}  // namespace eilpost::bench

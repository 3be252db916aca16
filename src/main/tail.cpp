#include <cstdio>
#include <fmt/format.h>
#include <string>

#include "main/commands.h"
#include "main/http_call.h"
#include "model/json.h"

namespace eilpost::main {
namespace {

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : to_text(*found);
}

// One line a fact: when, what, and what came of it.
void print_line(std::string_view event, const Json& json) {
  if (event == "event") {
    fmt::print("{}  event     {}  {}  user {}  owes {}\n", text_at(json, "received_at"),
               text_at(json, "type"), text_at(json, "id"), text_at(json, "user"),
               text_at(json, "deliveries_count"));
  } else if (event == "attempt") {
    fmt::print("{}  attempt   {}  #{}  {} {}  {} ms  {}\n", text_at(json, "started_at"),
               text_at(json, "delivery"), text_at(json, "number"), text_at(json, "outcome"),
               text_at(json, "status"), text_at(json, "duration_ms"), text_at(json, "state"));
  } else {
    fmt::print("{}\n", to_text(json));
  }
}

// Reads server-sent events (WHATWG HTML, "Server-sent events") from pieces of text.
class EventReader {
 public:
  explicit EventReader(bool as_json) : as_json_(as_json) {}

  void feed(std::string_view bytes) {
    buffer_ += bytes;
    for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
      take_line(std::string_view(buffer_).substr(0, end));
      buffer_.erase(0, end + 1);
    }
    std::fflush(stdout);
  }

 private:
  void take_line(std::string_view line) {
    if (line.starts_with("event: ")) {
      event_ = line.substr(7);
    } else if (line.starts_with("data: ")) {
      data_ = line.substr(6);
    } else if (line.empty() && !data_.empty()) {
      tell();
      event_.clear();
      data_.clear();
    }
  }

  void tell() {
    if (as_json_) {
      fmt::print("{}\n", data_);
      return;
    }
    const Result<Json> json = parse_json(data_);
    if (json) print_line(event_, *json);
  }

  bool as_json_;
  std::string buffer_;
  std::string event_;
  std::string data_;
};

int tail(const TailArguments& arguments) {
  EventReader reader(arguments.as_json);
  const Result<http::Response> answer =
      call({.method = http::Method::get,
            .url = arguments.url + "/api/v1/stream",
            .headers = {{"Authorization", "Bearer " + arguments.api_key},
                        {"Accept", "text/event-stream"}},
            .on_body = [&reader](std::string_view bytes) { reader.feed(bytes); }});
  if (!answer) {
    fmt::print(stderr, "{} {}\n", text_of(answer.error().code), answer.error().detail);
    return kExitFailed;
  }
  if (answer->status == 200) return 0;
  fmt::print(stderr, "{} {}\n", answer->status, answer->body);
  return kExitFailed;
}

}  // namespace

void add_tail(CLI::App& app, TailArguments& arguments, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("tail", "Show events and attempts as they happen, until Ctrl+C.");
  command->add_option("--url", arguments.url, "The server.")
      ->envname("EILPOST_URL")
      ->capture_default_str();
  command->add_option("--api-key", arguments.api_key, "An API key (eil_…).")
      ->envname("EILPOST_API_KEY")
      ->required();
  command->add_flag("--json", arguments.as_json, "One JSON object a line.");
  command->callback([&] { exit_code = tail(arguments); });
}

}  // namespace eilpost::main

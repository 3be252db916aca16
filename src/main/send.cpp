#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <iterator>

#include "main/commands.h"
#include "main/http_call.h"
#include "model/json.h"

namespace eilpost::main {
namespace {

int complain(std::string_view text, int exit_code) {
  fmt::print(stderr, "{}\n", text);
  return exit_code;
}

// The body to send: a file's lines as they are, or one event made of the arguments.
Result<std::string> body_of(const SendArguments& arguments) {
  if (arguments.file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!arguments.file.empty()) {
    std::ifstream stream(arguments.file, std::ios::binary);
    if (!stream) return fail(ErrorCode::bad_input, arguments.file + " cannot be read.");
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }
  if (arguments.type.empty()) {
    return fail(ErrorCode::bad_input, "Give --type (and --data), or --file with events.");
  }
  Json event = {{"type", arguments.type}};
  if (!arguments.id.empty()) event["id"] = arguments.id;
  if (!arguments.user.empty()) event["subject"] = arguments.user;
  if (!arguments.data.empty()) {
    EILPOST_ASSIGN_OR_RETURN(event["data"], parse_json(arguments.data));
  }
  return to_text(event);
}

int send(const SendArguments& arguments) {
  const Result<std::string> body = body_of(arguments);
  if (!body) return complain(body.error().detail, kExitUsage);
  const bool is_one = arguments.file.empty();
  const Result<http::Response> answer =
      call({.method = http::Method::post,
            .url = arguments.url + "/v1/events",
            .headers = {{"Authorization", "Bearer " + arguments.key},
                        {"Content-Type", is_one ? "application/json" : "application/x-ndjson"}},
            .body = *body});
  if (!answer) {
    return complain(fmt::format("{} {}", text_of(answer.error().code), answer.error().detail),
                    kExitFailed);
  }
  fmt::print(answer->status == 202 ? stdout : stderr, "{} {}\n", answer->status, answer->body);
  return answer->status == 202 ? 0 : kExitFailed;
}

}  // namespace

void add_send(CLI::App& app, SendArguments& arguments, int& exit_code) {
  CLI::App* command = app.add_subcommand("send", "Send events to a server.");
  command->add_option("--url", arguments.url, "The server.")
      ->envname("EILPOST_URL")
      ->capture_default_str();
  command->add_option("--key", arguments.key, "Key of a source (src_…).")
      ->envname("EILPOST_SOURCE_KEY")
      ->required();
  command->add_option("--type", arguments.type, "Event type, such as survey.submitted.");
  command->add_option("--data", arguments.data, "The event's data, a JSON object.");
  command->add_option("--id", arguments.id, "The event's id; made by the server if left out.");
  command->add_option("--user", arguments.user, "The end user.");
  command->add_option("--file", arguments.file, "Events, one a line (NDJSON); - reads stdin.");
  command->callback([&] { exit_code = send(arguments); });
}

}  // namespace eilpost::main

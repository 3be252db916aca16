// `eilpost rotate-key`: a new key for the kept secrets.

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

#include "env/real/real_directory.h"
#include "env/real/real_env.h"
#include "main/commands.h"
#include "main/read_config.h"
#include "server/secret_key.h"

namespace eilpost::main {
namespace {

int complain(const Error& error) {
  fmt::print(stderr, "{} {}\n", text_of(error.code), error.detail);
  return kExitFailed;
}

// A key that only its giver can replace: says how, with a new one.
int print_next_key(const server::Config& config) {
  const auto keys = server::parse_secret_keys(config.secret_key);
  if (!keys) return complain(keys.error());
  env::RealEntropy entropy;
  const auto line = server::make_secret_key_line(*keys, entropy);
  if (!line) return complain(line.error());
  fmt::print(stderr,
             "The key is given from outside (EILPOST_SECRET_KEY or a credential). Put the line "
             "below before the old one, start Eilpost once, which seals all secrets again, and "
             "then remove the old one.\n");
  fmt::print("{}", *line);
  return 0;
}

int rotate(const server::Config& config) {
  const bool has_path = has_own_key_path(config);
  if (!config.secret_key.empty() && !has_path) return print_next_key(config);
  const std::filesystem::path file =
      has_path ? std::filesystem::path(config.secret_key_file)
               : std::filesystem::path(config.data) / config.secret_key_file;
  if (!std::filesystem::exists(file)) {
    return complain({.code = ErrorCode::not_found,
                     .detail = fmt::format("There is no key in {} yet.", file.string())});
  }
  const auto env = env::RealEnv::open({.data_directory = config.data});
  if (!env) return complain(env.error());
  const auto folder = env::RealDirectory::open_path(std::filesystem::absolute(file).parent_path());
  if (!folder) return complain(folder.error());
  const Result<void> rotated = server::rotate_secret_key(**env, **folder, file.filename().string());
  if (!rotated) {
    if (rotated.error().code != ErrorCode::already_locked) return complain(rotated.error());
    return complain({.code = ErrorCode::already_locked,
                     .detail = "Stop the server first: it has the old key in its memory."});
  }
  fmt::print("A new key is in {}, and all kept secrets are sealed with it.\n", file.string());
  return 0;
}

int rotate_key(const ServeArguments& arguments) {
  const Result<server::Config> config = read_config(arguments);
  if (config) return rotate(*config);
  (void)complain(config.error());
  return kExitUsage;
}

}  // namespace

void add_rotate_key(CLI::App& app, ServeArguments& arguments, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "rotate-key", "Seal all kept secrets with a new key. The server must not run.");
  add_options(*command, arguments);
  command->callback([&] { exit_code = rotate_key(arguments); });
}

}  // namespace eilpost::main

#include "main/read_config.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "server/secret_key.h"

namespace eilpost::main {
namespace {

// In the folder that systemd names (LoadCredential=eilpost.secret-key:…).
constexpr std::string_view kCredential = "eilpost.secret-key";

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (!line.starts_with("EILPOST_") || equals == std::string_view::npos) continue;
    variables.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

Result<std::string> read_text(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(ErrorCode::bad_config, fmt::format("{} cannot be read.", file));
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// systemd itself keeps credentials from others.
std::optional<std::string> credential_file() {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return std::nullopt;
  std::string file = fmt::format("{}/{}", folder, kCredential);
  return access(file.c_str(), F_OK) == 0 ? std::optional(std::move(file)) : std::nullopt;
}

Result<void> check_mode(const std::string& file) {
  struct stat facts{};
  if (stat(file.c_str(), &facts) != 0 || (facts.st_mode & 077U) == 0) return {};
  return fail(ErrorCode::bad_config,
              fmt::format("The secret key in {} may be read or changed by others: `chmod 600 {}`.",
                          file, file));
}

Result<void> read_secret_key(server::Config& config) {
  const bool has_path = has_own_key_path(config);
  EILPOST_RETURN_IF_ERROR(
      check_mode(has_path ? config.secret_key_file : config.data + "/" + config.secret_key_file));
  if (!config.secret_key.empty()) return {};
  if (const auto credential = credential_file()) {
    EILPOST_ASSIGN_OR_RETURN(config.secret_key, read_text(*credential));
  } else if (has_path) {
    EILPOST_ASSIGN_OR_RETURN(config.secret_key, read_text(config.secret_key_file));
  } else {
    return {};
  }
  // An empty text would mean: in the file.
  const auto keys = server::parse_secret_keys(config.secret_key);
  if (!keys) return std::unexpected(keys.error());
  return {};
}

Result<server::Config> read_options(const ServeArguments& arguments) {
  server::ConfigSources sources{.flags = arguments.flags, .environment = environment()};
  std::string file = arguments.config_file;
  if (file.empty() && sources.environment.contains("EILPOST_CONFIG")) {
    file = sources.environment.at("EILPOST_CONFIG");
  }
  if (!file.empty()) {
    EILPOST_ASSIGN_OR_RETURN(sources.toml, read_text(file));
    sources.toml_name = file;
  }
  return server::parse_config(sources);
}

}  // namespace

void add_options(CLI::App& command, ServeArguments& arguments) {
  command.add_option("--config", arguments.config_file,
                     "Configuration file, TOML (also EILPOST_CONFIG).");
  for (const server::OptionHelp& option : server::option_help()) {
    const std::string description =
        fmt::format("{} Default: {}.", option.description, option.default_text);
    command
        .add_option_function<std::string>(
            "--" + option.name,
            [&arguments, name = option.name](const std::string& text) {
              arguments.flags[name] = text;
            },
            description)
        ->type_name(option.placeholder);
  }
}

bool has_own_key_path(const server::Config& config) {
  return config.secret_key_file.contains('/');
}

Result<server::Config> read_config(const ServeArguments& arguments) {
  EILPOST_ASSIGN_OR_RETURN(server::Config config, read_options(arguments));
  EILPOST_RETURN_IF_ERROR(read_secret_key(config));
  return config;
}

}  // namespace eilpost::main

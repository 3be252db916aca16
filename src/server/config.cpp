#include "server/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>
// Some of its assertions fail on bad files, for which it has a good error just behind them.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>
#include <utility>

#include "base/ascii.h"
#include "base/parse.h"
#include "server/toml_letters.h"

namespace eilpost::server {
namespace {

// Takes an option's text; gives what is wrong with it, or nothing.
using Setter = std::optional<std::string> (*)(Config& config, std::string_view text);

struct Option {
  std::string_view name;
  std::string_view placeholder;
  std::string_view description;
  std::string_view default_text;
  Setter set;
};

template <std::string Config::* Member>
std::optional<std::string> set_text(Config& config, std::string_view text) {
  config.*Member = text;
  return std::nullopt;
}

// A whole number of at least `Min`.
template <auto Member, std::uint64_t Min, std::uint64_t Max>
std::optional<std::string> set_number(Config& config, std::string_view text) {
  const auto number = parse_integer<std::uint64_t>(text);
  if (!number || *number < Min || *number > Max) {
    return fmt::format("must be a whole number from {} to {}", Min, Max);
  }
  config.*Member = *number;
  return std::nullopt;
}

std::optional<std::string> set_listen(Config& config, std::string_view text) {
  const Result<env::Endpoint> endpoint = env::parse_endpoint(text);
  if (!endpoint) return "must be ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:8080";
  config.listen = *endpoint;
  return std::nullopt;
}

std::optional<std::string> set_allow_destinations(Config& config, std::string_view text) {
  Result<std::vector<http::Cidr>> cidrs = http::parse_cidr_list(text);
  if (!cidrs) return "must be CIDRs separated by commas: " + cidrs.error().detail;
  config.allow_destinations = std::move(*cidrs);
  return std::nullopt;
}

std::optional<std::string> set_proxy(Config& config, std::string_view text) {
  if (text.empty()) {
    config.proxy.reset();
    return std::nullopt;
  }
  Result<http::Proxy> proxy = http::parse_proxy(text);
  if (!proxy) return "is not a proxy: " + proxy.error().detail;
  config.proxy = std::move(*proxy);
  return std::nullopt;
}

std::optional<std::string> set_log_level(Config& config, std::string_view text) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  if (std::ranges::find(kLevels, text) == kLevels.end()) {
    return fmt::format("must be one of {}", fmt::join(kLevels, ", "));
  }
  config.log_level = text;
  return std::nullopt;
}

std::optional<std::string> set_bootstrap_api_key(Config& config, std::string_view text) {
  constexpr std::size_t kBytesMin = 20;
  if (!text.starts_with("eil_") || text.size() < kBytesMin) {
    return fmt::format("must begin with eil_ and have at least {} characters", kBytesMin);
  }
  config.bootstrap_api_key = text;
  return std::nullopt;
}

constexpr std::uint64_t kMany = 1ULL << 50U;
// The journal alone has up to six segments when it is empty: one in use, the others ready or spare.
constexpr std::uint64_t kDiskSegmentsMin = 12;

constexpr std::array kOptions = std::to_array<Option>({
    {"data", "FOLDER", "Where everything is kept.", "eilpost-data", set_text<&Config::data>},
    {"listen", "ADDRESS:PORT", "Where to listen; port 0 chooses a free one.", "127.0.0.1:8080",
     set_listen},
    {"lanes", "N", "Event loops, each on a thread; 0: the cores less one.", "0",
     set_number<&Config::lanes, 0, 256>},
    {"allow-destinations", "CIDR,…",
     "Addresses that destinations may have although they are private, loopback or reserved.",
     "none", set_allow_destinations},
    {"proxy", "http://[USER:PASSWORD@]HOST:PORT",
     "The HTTP proxy through which destinations are reached (CONNECT). With a password better "
     "given "
     "as a variable.",
     "none", set_proxy},
    {"bootstrap-api-key", "eil_…",
     "An administrator's API key, made on the start. Better given as a variable.", "none",
     set_bootstrap_api_key},
    {"secret-key", "ID:BASE64",
     "The key that seals kept secrets, and older ones behind commas. Better given as a variable, "
     "or "
     "as the systemd credential eilpost.secret-key.",
     "in the file", set_text<&Config::secret_key>},
    {"secret-key-file", "FILE",
     "The file with the key that seals kept secrets: a name inside the data folder, where it is "
     "made, or a path.",
     "secret.key", set_text<&Config::secret_key_file>},
    {"public-url", "URL",
     "How browsers reach this server: for links, and to come back from an OAuth provider.",
     "http://LISTEN", set_text<&Config::public_url>},
    {"log-level", "LEVEL", "debug, info, warning or error.", "info", set_log_level},
    {"event-bytes-max", "BYTES", "Of one event.", "65536",
     set_number<&Config::event_bytes_max, 256, 1U << 20U>},
    {"request-bytes-max", "BYTES", "Of one request of events, inflated.", "1048576",
     set_number<&Config::request_bytes_max, 256, 3U << 20U>},
    {"request-events-max", "N", "Events of one request.", "1000",
     set_number<&Config::request_events_max, 1, 10'000>},
    // More is more than a request that goes out may hold, or than readers of JSON take.
    {"event-depth-max", "N", "Objects and arrays inside one another in an event's data.", "8",
     set_number<&Config::event_depth_max, 1, 32>},
    {"event-properties-max", "N", "Properties of one event.", "256",
     set_number<&Config::event_properties_max, 1, 4096>},
    {"browser-events-per-second", "N", "Of one browser address.", "100",
     set_number<&Config::browser_events_per_second, 1, 1'000'000>},
    {"repeat-ids-max", "N", "Event ids remembered, to recognise repeats.", "16000000",
     set_number<&Config::repeat_ids_max, 1000, kMany>},
    {"deliveries-unsettled-max", "N", "Deliveries owed at once; beyond, ingest answers 429.",
     "5000000", set_number<&Config::deliveries_unsettled_max, 1, kMany>},
    {"segment-bytes", "BYTES", "Of one file of the journal.", "67108864",
     set_number<&Config::segment_bytes, 1U << 20U, 1U << 30U>},
    {"fresh-bytes-max", "BYTES",
     "Of memory for events that wait to be sent, a lane; others are read back from the disk.",
     "33554432", set_number<&Config::fresh_bytes_max, 0, kMany>},
    {"tail-bytes-max", "BYTES", "Of memory for what was just written, until the log has read it.",
     "8388608", set_number<&Config::tail_bytes_max, 0, kMany>},
    {"retention-days", "DAYS", "How long the delivery log is kept.", "30",
     set_number<&Config::retention_days, 1, 3650>},
    {"history-bytes-max", "BYTES", "Of the delivery log; its oldest part gives way.", "10737418240",
     set_number<&Config::history_bytes_max, 1U << 20U, kMany>},
    {"disk-bytes-max", "BYTES",
     "Of the journal and the delivery log together, about; there, ingest answers 429. 0: no bound.",
     "0", set_number<&Config::disk_bytes_max, 0, kMany>},
    {"connections-max", "N", "Connections served at once, a lane.", "10000",
     set_number<&Config::connections_max, 1, 1'000'000>},
    {"shutdown-delay-ms", "MS",
     "On SIGTERM, how long /readyz says 503 while all else goes on, so that balancers look away.",
     "1000", set_number<&Config::shutdown_delay_ms, 0, 600'000>},
    {"shutdown-grace-ms", "MS", "How long requests and attempts under way may take on SIGTERM.",
     "10000", set_number<&Config::shutdown_grace_ms, 0, 600'000>},
});

const Option* find_option(std::string_view name) {
  const auto found = std::ranges::find(kOptions, name, &Option::name);
  return found == kOptions.end() ? nullptr : &*found;
}

std::string with_dashes(std::string_view name) {
  std::string out = to_ascii_lower(name);
  std::ranges::replace(out, '_', '-');
  return out;
}

std::string known_names() {
  std::vector<std::string_view> names;
  names.reserve(std::size(kOptions));
  for (const Option& option : kOptions) names.push_back(option.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Variables that `eilpost` reads elsewhere.
constexpr std::array<std::string_view, 5> kOtherVariables = {
    "EILPOST_CONFIG", "EILPOST_URL", "EILPOST_API_KEY", "EILPOST_SOURCE_KEY",
    "EILPOST_PKCS12_PASSWORD"};

class Parser {
 public:
  void take(std::string_view place, std::string_view name, std::string_view text) {
    const Option* option = find_option(name);
    if (option == nullptr) {
      wrong(place, fmt::format("is not an option; there are {}", known_names()));
      return;
    }
    if (const auto problem = option->set(config_, text)) wrong(place, *problem);
  }

  void take_variable(const std::string& variable, std::string_view text) {
    constexpr std::string_view kPrefix = "EILPOST_";
    if (!variable.starts_with(kPrefix)) return;
    if (std::ranges::find(kOtherVariables, variable) != kOtherVariables.end()) return;
    const std::string name = with_dashes(std::string_view(variable).substr(kPrefix.size()));
    if (find_option(name) == nullptr) {
      config_.warnings.push_back(fmt::format("{} is no option and was ignored.", variable));
      return;
    }
    take(variable, name, text);
  }

  void wrong(std::string_view place, std::string_view problem) {
    if (!problems_.empty()) problems_ += '\n';
    problems_ += fmt::format("{} {}.", place, problem);
  }

  void take_toml(std::string_view text, const std::string& name) {
    // TOML has none of these, and its library, checking with assert(), ends the program over them.
    const auto is_control = [](char c) {
      return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r';
    };
    if (const auto found = std::ranges::find_if(text, is_control); found != text.end()) {
      const auto line = std::count(text.begin(), found, '\n') + 1;
      wrong(fmt::format("{}:{}", name, line), "a control character cannot stand in TOML");
      return;
    }
    const std::expected<std::string, TomlProblem> ascii = to_ascii_toml(text);
    if (!ascii) {
      const TomlProblem& problem = ascii.error();
      wrong(fmt::format("{}:{}:{}", name, problem.line, problem.column), problem.text);
      return;
    }
    const toml::parse_result parsed = toml::parse(*ascii, name);
    if (!parsed) {
      const toml::source_position& at = parsed.error().source().begin;
      // Columns are of the file only where nothing was written otherwise.
      const std::string place = *ascii == text ? fmt::format("{}:{}:{}", name, at.line, at.column)
                                               : fmt::format("{}:{}", name, at.line);
      wrong(place, parsed.error().description());
      return;
    }
    for (const auto& [key, node] : parsed.table()) {
      const std::string place = fmt::format("{}:{}: {}", name, node.source().begin.line, key.str());
      if (const auto* integer = node.as_integer()) {
        take(place, with_dashes(key.str()), std::to_string(integer->get()));
      } else if (const auto* string = node.as_string()) {
        take(place, with_dashes(key.str()), string->get());
      } else if (const auto* list = node.as_array()) {
        take_list(place, with_dashes(key.str()), *list);
      } else {
        wrong(place, "must be text, a whole number or a list of texts");
      }
    }
  }

  // What must hold between options.
  void check() {
    const std::uint64_t bytes_min = kDiskSegmentsMin * config_.segment_bytes;
    if (config_.disk_bytes_max > 0 && config_.disk_bytes_max < bytes_min) {
      wrong("disk-bytes-max", fmt::format("must be 0, or at least {} times segment-bytes: {}",
                                          kDiskSegmentsMin, bytes_min));
    }
  }

  Result<Config> result() {
    if (!problems_.empty()) return fail(ErrorCode::bad_config, problems_);
    return config_;
  }

 private:
  void take_list(std::string_view place, const std::string& name, const toml::array& list) {
    std::string joined;
    for (const toml::node& node : list) {
      const auto* string = node.as_string();
      if (string == nullptr) {
        wrong(place, "must be a list of texts");
        return;
      }
      if (!joined.empty()) joined += ',';
      joined += string->get();
    }
    take(place, name, joined);
  }

  Config config_;
  std::string problems_;
};

}  // namespace

std::vector<OptionHelp> option_help() {
  std::vector<OptionHelp> help;
  help.reserve(std::size(kOptions));
  for (const Option& option : kOptions) {
    help.push_back({.name = std::string(option.name),
                    .placeholder = std::string(option.placeholder),
                    .description = std::string(option.description),
                    .default_text = std::string(option.default_text)});
  }
  return help;
}

Result<Config> parse_config(const ConfigSources& sources) {
  Parser parser;
  if (!sources.toml.empty()) parser.take_toml(sources.toml, sources.toml_name);
  for (const auto& [variable, text] : sources.environment) parser.take_variable(variable, text);
  for (const auto& [name, text] : sources.flags) parser.take("--" + name, name, text);
  parser.check();
  return parser.result();
}

}  // namespace eilpost::server

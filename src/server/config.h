#pragma once
// The options of `eilpost serve`, and where they come from.
//
// Each option NAME is a flag --NAME, an environment variable EILPOST_NAME (upper case, dashes as
// underscores) and a key of the TOML configuration file (dashes as underscores); the flag wins over
// the variable, the variable over the file.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/network.h"
#include "http/address_rules.h"
#include "http/proxy.h"
#include "model/limits.h"

namespace eilpost::server {

struct Config {
  std::string data = "eilpost-data";  // the data folder
  env::Endpoint listen{.address = {.bytes = {127, 0, 0, 1}}, .port = 8080};
  std::size_t lanes = 0;  // 0: the cores less one, at least 1
  std::vector<http::Cidr> allow_destinations;
  std::optional<http::Proxy> proxy;            // secret: it may hold a password
  std::string bootstrap_api_key;               // secret
  std::string secret_key;                      // secret; empty: in the file
  std::string secret_key_file = "secret.key";  // in the data folder; made there on the first start
  std::string public_url;                      // empty: http://LISTEN
  std::string log_level = "info";
  std::uint64_t event_bytes_max = limits::kEventBytesMax;
  std::uint64_t request_bytes_max = limits::kRequestBytesMax;
  std::uint64_t request_events_max = limits::kRequestEventsMax;
  std::uint64_t event_depth_max = limits::kEventDepthMax;
  std::uint64_t event_properties_max = limits::kEventPropertiesMax;
  std::uint64_t browser_events_per_second = limits::kBrowserEventsPerSecond;
  std::uint64_t repeat_ids_max = limits::kRepeatIdsMax;
  std::uint64_t deliveries_unsettled_max = limits::kDeliveriesUnsettledMax;
  std::uint64_t segment_bytes = limits::kSegmentBytes;
  std::uint64_t fresh_bytes_max = limits::kFreshBytesMax;
  std::uint64_t tail_bytes_max = limits::kTailBytesMax;
  std::uint64_t retention_days = 30;
  std::uint64_t history_bytes_max = 10ULL << 30U;
  std::uint64_t disk_bytes_max = 0;  // 0: no bound
  std::uint64_t connections_max = 10'000;
  std::uint64_t shutdown_delay_ms = 1000;
  std::uint64_t shutdown_grace_ms = 10'000;
  std::vector<std::string> warnings;  // for the log: variables that look like options but are none
};

// An option as help shows it.
struct OptionHelp {
  std::string name;         // listen
  std::string placeholder;  // ADDRESS:PORT
  std::string description;
  std::string default_text;
};

[[nodiscard]] std::vector<OptionHelp> option_help();

// Option name → text, of each place.
struct ConfigSources {
  std::map<std::string, std::string> flags;        // by option name
  std::map<std::string, std::string> environment;  // by variable name, all that begin with EILPOST_
  std::string toml;                                // text of the configuration file, or empty
  std::string toml_name;                           // its name, for messages
};

// Errors: bad_config; `detail` names every option that is wrong, where it was given, and what would
// be right, a line each. An unknown key of the file or flag is an error. An unknown variable is a
// warning: container platforms make some by the service's name (EILPOST_PORT).
[[nodiscard]] Result<Config> parse_config(const ConfigSources& sources);

}  // namespace eilpost::server

// Any text as configuration: lines "--name=text" and "NAME=text" up to an empty line, TOML after
// it. What is accepted lies within its limits; what is refused is explained.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "server/config.h"
#include "server/secret_key.h"

namespace server = eilpost::server;

namespace {

void take_line(server::ConfigSources& sources, std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const std::string name(line.substr(0, equals));
  const std::string text(line.substr(equals + 1));
  if (name.starts_with("--")) {
    sources.flags[name.substr(2)] = text;
  } else {
    sources.environment[name] = text;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = server::parse_secret_keys(text);
  EILPOST_ASSERT(keys ? !keys->empty() : !keys.error().detail.empty());

  server::ConfigSources sources{.toml_name = "fuzz.toml"};
  while (!text.empty() && !text.starts_with('\n')) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take_line(sources, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  sources.toml = text;
  const eilpost::Result<server::Config> config = server::parse_config(sources);
  if (!config) {
    EILPOST_ASSERT(config.error().code == eilpost::ErrorCode::bad_config);
    EILPOST_ASSERT(!config.error().detail.empty());
    return 0;
  }
  EILPOST_ASSERT(config->lanes <= 256);
  EILPOST_ASSERT(config->event_bytes_max >= 256 && config->event_bytes_max <= 1U << 20U);
  EILPOST_ASSERT(config->retention_days >= 1);
  EILPOST_ASSERT(config->bootstrap_api_key.empty() ||
                 config->bootstrap_api_key.starts_with("eil_"));
  return 0;
}

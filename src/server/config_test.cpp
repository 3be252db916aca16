#include "server/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eilpost::server {
namespace {

using testing::HasSubstr;

std::string problem_of(const ConfigSources& sources) {
  const Result<Config> config = parse_config(sources);
  if (config) return "";
  EXPECT_EQ(config.error().code, ErrorCode::bad_config);
  return config.error().detail;
}

TEST(Config, DefaultsStandWhereNothingIsGiven) {
  const Result<Config> config = parse_config({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data, "eilpost-data");
  EXPECT_EQ(env::to_string(config->listen), "127.0.0.1:8080");
  EXPECT_TRUE(config->allow_destinations.empty());
  EXPECT_TRUE(config->bootstrap_api_key.empty());
  EXPECT_EQ(config->event_bytes_max, limits::kEventBytesMax);
  EXPECT_TRUE(config->warnings.empty());
}

TEST(Config, HelpTellsTheDefaultsThatStand) {
  ConfigSources sources;
  for (const OptionHelp& option : option_help()) {
    EXPECT_FALSE(option.description.empty()) << option.name;
    const bool is_value = option.default_text != "none" && option.name != "public-url";
    if (is_value) sources.flags[option.name] = option.default_text;
  }
  const Result<Config> given = parse_config(sources);
  const Result<Config> standing = parse_config({});
  ASSERT_TRUE(given && standing);
  EXPECT_EQ(given->data, standing->data);
  EXPECT_EQ(given->listen, standing->listen);
  EXPECT_EQ(given->lanes, standing->lanes);
  EXPECT_EQ(given->secret_key_file, standing->secret_key_file);
  EXPECT_EQ(given->log_level, standing->log_level);
  EXPECT_EQ(given->event_bytes_max, standing->event_bytes_max);
  EXPECT_EQ(given->request_bytes_max, standing->request_bytes_max);
  EXPECT_EQ(given->request_events_max, standing->request_events_max);
  EXPECT_EQ(given->event_depth_max, standing->event_depth_max);
  EXPECT_EQ(given->event_properties_max, standing->event_properties_max);
  EXPECT_EQ(given->browser_events_per_second, standing->browser_events_per_second);
  EXPECT_EQ(given->repeat_ids_max, standing->repeat_ids_max);
  EXPECT_EQ(given->deliveries_unsettled_max, standing->deliveries_unsettled_max);
  EXPECT_EQ(given->segment_bytes, standing->segment_bytes);
  EXPECT_EQ(given->fresh_bytes_max, standing->fresh_bytes_max);
  EXPECT_EQ(given->tail_bytes_max, standing->tail_bytes_max);
  EXPECT_EQ(given->retention_days, standing->retention_days);
  EXPECT_EQ(given->history_bytes_max, standing->history_bytes_max);
  EXPECT_EQ(given->disk_bytes_max, standing->disk_bytes_max);
  EXPECT_EQ(given->connections_max, standing->connections_max);
  EXPECT_EQ(given->shutdown_grace_ms, standing->shutdown_grace_ms);
}

TEST(Config, AProxyIsReadAndItsPasswordNeverShown) {
  const Result<Config> config =
      parse_config({.environment = {{"EILPOST_PROXY", "http://ann:hunter2@proxy.example:3128"}}});
  ASSERT_TRUE(config);
  ASSERT_TRUE(config->proxy);
  EXPECT_EQ(config->proxy->to_string(), "http://proxy.example:3128");
  EXPECT_FALSE(config->proxy->authorization.empty());

  const Result<Config> refused = parse_config({.flags = {{"proxy", "ftp://ann:hunter2@proxy"}}});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.contains("--proxy is not a proxy: it must be http://"));
  EXPECT_FALSE(refused.error().detail.contains("hunter2"));
}

TEST(Config, TheFlagWinsOverTheVariableAndTheVariableOverTheFile) {
  ConfigSources sources{.toml = "data = \"file\"\nlanes = 2\nlog_level = \"debug\"\n",
                        .toml_name = "eilpost.toml"};
  Result<Config> config = parse_config(sources);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data, "file");
  EXPECT_EQ(config->lanes, 2U);
  EXPECT_EQ(config->log_level, "debug");

  sources.environment = {{"EILPOST_DATA", "variable"}, {"EILPOST_LANES", "3"}};
  config = parse_config(sources);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data, "variable");
  EXPECT_EQ(config->lanes, 3U);
  EXPECT_EQ(config->log_level, "debug");

  sources.flags = {{"data", "flag"}};
  config = parse_config(sources);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data, "flag");
  EXPECT_EQ(config->lanes, 3U);
}

TEST(Config, EachWrongValueIsNamedWithItsPlaceAndWhatWouldBeRight) {
  const struct {
    std::string_view name;
    std::string_view value;
    std::string_view right;
  } kCases[] = {
      {"listen", "8080", "must be ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:8080"},
      {"listen", "localhost:80", "must be ADDRESS:PORT"},
      {"listen", "127.0.0.1:99999", "must be ADDRESS:PORT"},
      {"lanes", "-1", "must be a whole number from 0 to 256"},
      {"lanes", "257", "must be a whole number from 0 to 256"},
      {"lanes", "two", "must be a whole number"},
      {"lanes", "", "must be a whole number"},
      {"allow-destinations", "10.0.0.0/33", "must be CIDRs separated by commas: "},
      {"bootstrap-api-key", "secret", "must begin with eil_ and have at least 20 characters"},
      {"bootstrap-api-key", "eil_short", "must begin with eil_"},
      {"log-level", "loud", "must be one of debug, info, warning, error"},
      {"event-bytes-max", "255", "must be a whole number from 256 to 1048576"},
      {"request-bytes-max", "1MB", "must be a whole number"},
      {"segment-bytes", "1000", "must be a whole number from 1048576 to 1073741824"},
      {"shutdown-grace-ms", "600001", "must be a whole number from 0 to 600000"},
  };
  for (const auto& one : kCases) {
    const std::string name(one.name);
    const std::string value(one.value);
    const std::string flag = problem_of({.flags = {{name, value}}});
    EXPECT_THAT(flag, testing::StartsWith("--" + name + " must"));
    EXPECT_THAT(flag, HasSubstr(std::string(one.right)));
    std::string variable = "EILPOST_" + name;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    EXPECT_THAT(problem_of({.environment = {{variable, value}}}),
                testing::StartsWith(variable + " must"));
    std::string key = name;
    std::ranges::replace(key, '-', '_');
    EXPECT_THAT(problem_of({.toml = fmt::format("\n{} = \"{}\"", key, value), .toml_name = "c"}),
                testing::StartsWith("c:2: " + key + " must"));
  }
}

TEST(Config, TheBoundOnTheDiskHasRoomForTheJournal) {
  const auto parse = [](const std::string& disk, const std::string& segment) {
    return parse_config({.flags = {{"disk-bytes-max", disk}, {"segment-bytes", segment}}});
  };
  EXPECT_TRUE(parse("0", "67108864"));
  EXPECT_EQ(parse("12582912", "1048576")->disk_bytes_max, 12'582'912U);
  const auto config = parse("12582911", "1048576");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().detail, HasSubstr("disk-bytes-max must be 0, or at least 12"));
  EXPECT_FALSE(parse_config({.environment = {{"EILPOST_DISK_BYTES_MAX", "12582912"}}}));
  EXPECT_EQ(parse_config({.toml = "disk_bytes_max = 1073741824\n", .toml_name = "e.toml"})
                ->disk_bytes_max,
            1U << 30U);
}

TEST(Config, AWrongSecretIsNotRepeated) {
  const std::string problem = problem_of({.flags = {{"bootstrap-api-key", "hunter2"}}});
  EXPECT_EQ(problem.find("hunter2"), std::string::npos);
}

TEST(Config, AllProblemsAreTold) {
  const std::string problem = problem_of({.flags = {{"lanes", "x"}, {"listen", "y"}},
                                          .environment = {{"EILPOST_LOG_LEVEL", "z"}},
                                          .toml = "retention_days = 0",
                                          .toml_name = "c"});
  EXPECT_EQ(std::ranges::count(problem, '\n'), 3);
  for (const char* part : {"--lanes", "--listen", "EILPOST_LOG_LEVEL", "c:1: retention_days"}) {
    EXPECT_THAT(problem, HasSubstr(part));
  }
}

TEST(Config, AnUnknownFlagOrKeyIsAnErrorThatNamesWhatThereIs) {
  EXPECT_THAT(problem_of({.flags = {{"lisen", "x"}}}), HasSubstr("--lisen is not an option"));
  EXPECT_THAT(problem_of({.flags = {{"lisen", "x"}}}), HasSubstr("listen, lanes"));
  EXPECT_THAT(problem_of({.toml = "lisen = 1", .toml_name = "c"}),
              HasSubstr("c:1: lisen is not an option"));
}

TEST(Config, AnUnknownVariableIsAWarning) {
  const Result<Config> config = parse_config(
      {.environment = {{"EILPOST_PORT", "tcp://10.0.0.1:80"}, {"EILPOST_API_KEY", "eil_x"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->warnings,
            std::vector<std::string>{"EILPOST_PORT is no option and was ignored."});
}

TEST(Config, AKeyThatBeginsWithADotIsATomlError) {
  EXPECT_THAT(problem_of({.toml = "\n[[.es]\n", .toml_name = "c"}), HasSubstr("c:2:"));
}

TEST(Config, ATomlErrorIsToldWithItsPlace) {
  const std::string problem =
      problem_of({.toml = "lanes = 1\nlisten = \"127.0.0.1:80\n", .toml_name = "eilpost.toml"});
  EXPECT_THAT(problem, testing::StartsWith("eilpost.toml:2:"));
}

TEST(Config, ATomlValueMayBeTextNumberOrAListOfTexts) {
  const Result<Config> config =
      parse_config({.toml = "allow_destinations = [\"10.0.0.0/8\", \"::1/128\"]\n"
                            "lanes = \"4\"\nretention_days = 7\n",
                    .toml_name = "c"});
  ASSERT_TRUE(config);
  ASSERT_EQ(config->allow_destinations.size(), 2U);
  EXPECT_EQ(http::to_string(config->allow_destinations[1]), "::1/128");
  EXPECT_EQ(config->lanes, 4U);
  EXPECT_EQ(config->retention_days, 7U);
  for (const char* toml : {"lanes = 1.5", "lanes = true", "[lanes]\nx = 1", "lanes = 2026-11-24",
                           "allow_destinations = [1]", "allow_destinations = [[\"::1\"]]"}) {
    EXPECT_THAT(problem_of({.toml = toml, .toml_name = "c"}), HasSubstr("must be")) << toml;
  }
}

TEST(Config, AListMayStandInAVariable) {
  const Result<Config> config =
      parse_config({.environment = {{"EILPOST_ALLOW_DESTINATIONS", "127.0.0.0/8, ::1/128"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->allow_destinations.size(), 2U);
}

}  // namespace
}  // namespace eilpost::server

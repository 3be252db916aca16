#include "server/secret_key.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "env/sim/sim_env.h"
#include "settings/settings.h"

namespace eilpost::server {
namespace {

std::string line(int id, char fill) {
  crypto::BoxKey key;
  key.key.fill(static_cast<std::byte>(fill));
  return std::to_string(id) + ":" + encode_base64(key.key);
}

std::string problem_of(std::string_view text) {
  const auto keys = parse_secret_keys(text);
  if (keys) return "";
  EXPECT_EQ(keys.error().code, ErrorCode::bad_config);
  return keys.error().detail;
}

TEST(SecretKey, TheFileIsMadeOnceAndReadAgain) {
  env::SimDirectory directory(1);
  env::SimEntropy entropy(1);
  const auto made = load_or_make_secret_keys(directory, kSecretKeyFile, entropy);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->size(), 1U);
  directory.crash();  // What it seals may be durable already: so is the key.
  const auto read = load_or_make_secret_keys(directory, kSecretKeyFile, entropy);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().id, made->front().id);
  EXPECT_EQ(read->front().key, made->front().key);

  env::SimDirectory other(2);
  const auto another = load_or_make_secret_keys(other, kSecretKeyFile, entropy);
  ASSERT_TRUE(another);
  EXPECT_NE(another->front().key, made->front().key);
}

TEST(SecretKey, AFileThatCannotBeReadIsNotReplaced) {
  env::SimDirectory directory(1);
  env::SimEntropy entropy(1);
  directory.plant(kSecretKeyFile, as_bytes("damaged"));
  const auto read = load_or_make_secret_keys(directory, kSecretKeyFile, entropy);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::bad_config);
  directory.fail_reads(kSecretKeyFile);
  EXPECT_FALSE(load_or_make_secret_keys(directory, kSecretKeyFile, entropy));
  directory.fail_reads(kSecretKeyFile, false);
  const auto bytes = env::read_file(directory, kSecretKeyFile, 100);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(as_text(*bytes), "damaged");
}

TEST(SecretKey, TheFirstLineSealsAndAnyOpens) {
  const auto keys = parse_secret_keys("\n" + line(7, 'a') + "\r\n  " + line(255, 'b') + "  \n\n");
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].id, 7);
  EXPECT_EQ((*keys)[1].id, 255);
  EXPECT_EQ((*keys)[1].key[0], std::byte{'b'});
}

TEST(SecretKey, AWrongLineIsNamedButNeverShown) {
  const std::string good = line(1, 'a');
  const std::string secret = line(2, 's').substr(2);
  const std::string wrongs[] = {secret,       "256:" + secret,       "-1:" + secret,
                                ":" + secret, "x:" + secret,         "2:" + secret.substr(4),
                                "2:",         "2:" + secret + "AAAA"};
  for (const std::string& wrong : wrongs) {
    const std::string problem = problem_of(good + "\n" + wrong);
    EXPECT_THAT(problem, testing::HasSubstr("Line 2 ")) << wrong;
    EXPECT_EQ(problem.find(secret.substr(4, 10)), std::string::npos) << problem;
  }
}

TEST(SecretKey, AnIdStandsOnceAndOneKeyIsNeeded) {
  EXPECT_THAT(problem_of(line(1, 'a') + "\n" + line(1, 'b')),
              testing::HasSubstr("repeats the ID 1"));
  EXPECT_THAT(problem_of(""), testing::HasSubstr("no key"));
  EXPECT_THAT(problem_of("\n \n"), testing::HasSubstr("no key"));
}

TEST(SecretKey, AGivenKeySealsAndTheFilesStillOpen) {
  env::SimDirectory directory(1);
  env::SimEntropy entropy(1);
  Config config{.secret_key = line(2, 'b') + "," + line(3, 'c')};
  const auto ids = [&] {
    std::string text;
    const auto keys = secret_keys(config, directory, entropy);
    if (!keys) return keys.error().detail;
    for (const crypto::BoxKey& key : *keys) text += std::to_string(key.id) + " ";
    return text;
  };
  EXPECT_EQ(ids(), "2 3 ");
  EXPECT_FALSE(*directory.exists(kSecretKeyFile));
  directory.plant(kSecretKeyFile, as_bytes(line(1, 'a') + "\n" + line(2, 'b')));
  EXPECT_EQ(ids(), "2 3 1 ");
  directory.plant(kSecretKeyFile, as_bytes(line(2, 'x')));
  EXPECT_THAT(ids(), testing::HasSubstr("the ID 2 for two different keys"));
}

// A machine with a destination whose secrets are sealed with the key of the file.
struct Sealed {
  explicit Sealed(std::uint64_t seed) : env(seed) {
    EXPECT_TRUE(load_or_make_secret_keys(env.directory(), kSecretKeyFile, env.entropy()));
    const Json input = {
        {"name", "A"}, {"platform", "custom"}, {"request", {{"url", "https://example.com"}}}};
    use([&](settings::Settings& settings) {
      secret = settings.create_destination(input, {.name = "tester"})->signing.secret;
    });
  }

  // False if the keys in the file do not open what is kept.
  template <class Use>
  bool use(Use use_settings) {
    auto keys = load_or_make_secret_keys(env.directory(), kSecretKeyFile, env.entropy());
    if (!keys) return false;
    crypto::SecretBox box(std::move(*keys));
    const auto settings = settings::Settings::open(env, box);
    if (settings) use_settings(**settings);
    return settings.has_value();
  }
  std::string kept_secret() {
    std::string found;
    use([&](settings::Settings& settings) {
      found = settings.destinations().front().signing.secret;
    });
    return found;
  }
  std::string key_file() {
    const auto bytes = env::read_file(env.directory(), kSecretKeyFile, 10'000);
    return bytes ? std::string(as_text(*bytes)) : "";
  }

  env::SimEnv env;
  std::string secret;
};

TEST(RotateSecretKey, SealsEverythingAgainAndForgetsTheOldKey) {
  Sealed sealed(1);
  const std::string before = sealed.key_file();
  // Whatever the key 1 has sealed begins with the bytes 1, 1, in base64.
  const auto is_old_on_disk = [&] {
    for (const std::string& name : *sealed.env.directory().list()) {
      const auto bytes = env::read_file(sealed.env.directory(), name, 1U << 30U);
      for (const char* start : {"AQE", "AQF", "AQG", "AQH"}) {
        if (as_text(*bytes).contains(std::string(R"({"sealed":")") + start)) return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(is_old_on_disk());
  ASSERT_TRUE(rotate_secret_key(sealed.env, sealed.env.directory(), kSecretKeyFile));
  EXPECT_FALSE(is_old_on_disk());
  EXPECT_TRUE(sealed.key_file().starts_with("2:"));
  EXPECT_FALSE(sealed.key_file().contains(before));
  EXPECT_EQ(sealed.kept_secret(), sealed.secret);
}

TEST(RotateSecretKey, ACrashAnywhereLosesNoSecret) {
  for (std::uint64_t count = 1;; ++count) {
    Sealed sealed(count);
    sealed.env.directory().fail_after(count);
    const bool is_done =
        rotate_secret_key(sealed.env, sealed.env.directory(), kSecretKeyFile).has_value();
    sealed.env.crash(env::Crash::power_loss);
    sealed.env.restart();
    EXPECT_EQ(sealed.kept_secret(), sealed.secret) << "operation " << count;
    if (is_done) break;
    ASSERT_TRUE(rotate_secret_key(sealed.env, sealed.env.directory(), kSecretKeyFile));
    EXPECT_EQ(sealed.kept_secret(), sealed.secret) << "operation " << count;
    const std::string keys = sealed.key_file();
    EXPECT_EQ(std::ranges::count(keys, '\n'), 1) << "operation " << count;
    ASSERT_LT(count, 1000U);
  }
}

}  // namespace
}  // namespace eilpost::server

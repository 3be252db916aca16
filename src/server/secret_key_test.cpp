#include "server/secret_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"

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

}  // namespace
}  // namespace eilpost::server

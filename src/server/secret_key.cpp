#include "server/secret_key.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/parse.h"
#include "crypto/digest.h"
#include "settings/settings.h"

namespace eilpost::server {
namespace {

constexpr std::uint64_t kFileBytesMax = 64UL * 1024;

Result<crypto::BoxKey> parse_line(std::string_view line, std::size_t number) {
  const auto wrong = [number] {
    return fail(ErrorCode::bad_config,
                fmt::format("Line {} of the secret key must read ID:BASE64, with an ID from 0 "
                            "to 255 and 32 bytes of key.",
                            number));
  };
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return wrong();
  const auto id = parse_integer<std::uint8_t>(line.substr(0, colon));
  const auto bytes = decode_base64(line.substr(colon + 1));
  crypto::BoxKey key;
  if (!id || !bytes || bytes->size() != key.key.size()) return wrong();
  key.id = *id;
  std::ranges::copy(*bytes, key.key.begin());
  return key;
}

}  // namespace

Result<std::vector<crypto::BoxKey>> parse_secret_keys(std::string_view text) {
  std::vector<crypto::BoxKey> keys;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n,"), text.size());
    const std::string_view line = trim_ascii(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    EILPOST_ASSIGN_OR_RETURN(const crypto::BoxKey key, parse_line(line, number));
    const auto is_same = [&key](const crypto::BoxKey& other) { return other.id == key.id; };
    if (std::ranges::any_of(keys, is_same)) {
      return fail(ErrorCode::bad_config,
                  fmt::format("Line {} of the secret key repeats the ID {}.", number, key.id));
    }
    keys.push_back(key);
  }
  if (keys.empty()) return fail(ErrorCode::bad_config, "The secret key is empty: it holds no key.");
  return keys;
}

Result<std::vector<crypto::BoxKey>> load_or_make_secret_keys(env::Directory& directory,
                                                             std::string_view name,
                                                             env::Entropy& entropy) {
  const Result<Bytes> content = env::read_file(directory, name, kFileBytesMax);
  if (content) return parse_secret_keys(as_text(*content));
  if (content.error().code != ErrorCode::not_found) return std::unexpected(content.error());

  EILPOST_ASSIGN_OR_RETURN(const std::string line, make_secret_key_line({}, entropy));
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory, name, as_bytes(line)));
  return parse_secret_keys(line);
}

Result<std::vector<crypto::BoxKey>> secret_keys(const Config& config, env::Directory& directory,
                                                env::Entropy& entropy) {
  if (config.secret_key.empty()) {
    return load_or_make_secret_keys(directory, config.secret_key_file, entropy);
  }
  EILPOST_ASSIGN_OR_RETURN(std::vector<crypto::BoxKey> keys, parse_secret_keys(config.secret_key));
  // One with a path is where the given key was read.
  const bool has_path = config.secret_key_file.contains('/');
  const std::string file = has_path ? std::string(kSecretKeyFile) : config.secret_key_file;
  const Result<Bytes> content = env::read_file(directory, file, kFileBytesMax);
  if (!content) {
    if (content.error().code == ErrorCode::not_found) return keys;
    return std::unexpected(content.error());
  }
  EILPOST_ASSIGN_OR_RETURN(const std::vector<crypto::BoxKey> others,
                           parse_secret_keys(as_text(*content)));
  for (const crypto::BoxKey& other : others) {
    const auto same = std::ranges::find(keys, other.id, &crypto::BoxKey::id);
    if (same == keys.end()) {
      keys.push_back(other);
    } else if (same->key != other.key) {
      return fail(ErrorCode::bad_config,
                  fmt::format("The secret key that was given and the file {} in the data folder "
                              "have the ID {} for two different keys: give the new one another ID.",
                              file, other.id));
    }
  }
  return keys;
}

Result<std::string> make_secret_key_line(const std::vector<crypto::BoxKey>& others,
                                         env::Entropy& entropy) {
  crypto::BoxKey key{.id = 1};
  while (std::ranges::find(others, key.id, &crypto::BoxKey::id) != others.end()) {
    if (key.id == UINT8_MAX) {
      return fail(ErrorCode::bad_config, "There are 255 secret keys: remove old ones first.");
    }
    ++key.id;
  }
  entropy.fill(key.key);
  std::string line = fmt::format("{}:{}\n", key.id, encode_base64(key.key));
  crypto::wipe(key.key);
  return line;
}

namespace {

// Reads every secret with these keys and seals again what another than the first has sealed.
Result<void> seal_with(env::Env& env, std::string_view lines) {
  EILPOST_ASSIGN_OR_RETURN(std::vector<crypto::BoxKey> keys, parse_secret_keys(lines));
  crypto::SecretBox box(std::move(keys));
  EILPOST_ASSIGN_OR_RETURN(const auto settings, settings::Settings::open(env, box));
  return {};
}

}  // namespace

Result<void> rotate_secret_key(env::Env& env, env::Directory& keys, std::string_view name) {
  EILPOST_RETURN_IF_ERROR(env.directory().lock());
  EILPOST_ASSIGN_OR_RETURN(const Bytes content, env::read_file(keys, name, kFileBytesMax));
  const std::string old_lines(as_text(content));
  EILPOST_ASSIGN_OR_RETURN(const std::vector<crypto::BoxKey> old_keys,
                           parse_secret_keys(old_lines));
  EILPOST_ASSIGN_OR_RETURN(const std::string line, make_secret_key_line(old_keys, env.entropy()));
  const std::string both = line + old_lines;
  EILPOST_RETURN_IF_ERROR(env::replace_file(keys, name, as_bytes(both)));
  EILPOST_RETURN_IF_ERROR(seal_with(env, both));
  // The old keys go only after the new one has opened everything.
  EILPOST_RETURN_IF_ERROR(seal_with(env, line));
  return env::replace_file(keys, name, as_bytes(line));
}

}  // namespace eilpost::server

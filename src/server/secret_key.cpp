#include "server/secret_key.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/parse.h"

namespace eilpost::server {
namespace {

constexpr std::uint64_t kFileBytesMax = 64UL * 1024;

Result<crypto::BoxKey> parse_line(std::string_view line, std::size_t number) {
  const auto wrong = [number] {
    return fail(ErrorCode::bad_config,
                fmt::format("Line {} of the secret key file must read ID:BASE64, with an ID from 0 "
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
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim_ascii(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    EILPOST_ASSIGN_OR_RETURN(const crypto::BoxKey key, parse_line(line, number));
    const auto is_same = [&key](const crypto::BoxKey& other) { return other.id == key.id; };
    if (std::ranges::any_of(keys, is_same)) {
      return fail(ErrorCode::bad_config,
                  fmt::format("Line {} of the secret key file repeats the ID {}.", number, key.id));
    }
    keys.push_back(key);
  }
  if (keys.empty()) return fail(ErrorCode::bad_config, "The secret key file holds no key.");
  return keys;
}

Result<std::vector<crypto::BoxKey>> load_or_make_secret_keys(env::Directory& directory,
                                                             std::string_view name,
                                                             env::Entropy& entropy) {
  const Result<Bytes> content = env::read_file(directory, name, kFileBytesMax);
  if (content) return parse_secret_keys(as_text(*content));
  if (content.error().code != ErrorCode::not_found) return std::unexpected(content.error());

  crypto::BoxKey key{.id = 1};
  entropy.fill(key.key);
  const std::string line = fmt::format("{}:{}\n", key.id, encode_base64(key.key));
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory, name, as_bytes(line)));
  return std::vector{key};
}

}  // namespace eilpost::server

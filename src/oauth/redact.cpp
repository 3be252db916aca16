#include "oauth/redact.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/utf8.h"
#include "oauth/form.h"

namespace eilpost::oauth {
namespace {

constexpr std::string_view kMask = "••••";

void replace_all(std::string& text, std::string_view from) {
  if (from.empty()) return;
  std::size_t at = text.find(from);
  while (at != std::string::npos) {
    text.replace(at, from.size(), kMask);
    at = text.find(from, at + kMask.size());
  }
}

std::string to_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string ascii(text);
  std::ranges::replace_if(ascii, [](char c) { return static_cast<unsigned char>(c) > 0x7E; }, '?');
  return ascii;
}

}  // namespace

std::string redact(std::string_view text, const std::vector<std::string>& secrets,
                   std::size_t bytes_max) {
  std::string shown(text);
  for (const std::string& secret : secrets) {
    replace_all(shown, secret);
    replace_all(shown, encode_form_value(secret));
    replace_all(shown, encode_base64(as_bytes(secret)));
  }
  shown = to_utf8(shown);
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  if (shown.size() <= bytes_max) return shown;
  std::string cut(truncate_to_bytes(shown, bytes_max));
  return cut + "…";
}

}  // namespace eilpost::oauth

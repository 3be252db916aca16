#pragma once
// What a token end point answered, read strictly enough that rubbish never becomes a token.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace eilpost::oauth {

struct Tokens {
  std::string access_token;
  std::string refresh_token;     // empty: none was given
  std::optional<Duration> life;  // of the access token; nothing: not said
};

// `detail` is for people: says what was answered, never a secret.
struct TokenFailure {
  std::string detail;
  std::string error;  // such as invalid_grant, to compare with; empty: none was named
};

struct TokenAnswer {
  int status = 200;
  std::string_view content_type;
  std::string_view body;
};

// `secrets`: what the answer may echo and nobody may read.
//
// A token must be of type Bearer, and its life a positive number of seconds (or text of digits, as
// some old end points have it) or not said.
[[nodiscard]] std::expected<Tokens, TokenFailure> read_token_answer(
    const TokenAnswer& answer, const std::vector<std::string>& secrets);

}  // namespace eilpost::oauth

#pragma once
// Where events come from, and the environments they belong to.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace eilpost {

struct Environment {
  EnvironmentId id{};
  std::string name;  // one word, at most 100 characters
  bool is_built_in = false;
  WallTime created_at;
};

struct Source {
  SourceId id{};
  std::string name;
  std::string key_hash;  // crypto/: hash_token of the "src_…" key
  std::string key_hint;  // its last 4 characters
  EnvironmentId environment{};
  std::string environment_name;
  // Nothing: any browser origin. Empty: no browser.
  std::optional<std::vector<std::string>> allowed_origins;
  bool enabled = true;
  std::uint32_t version = 1;
  WallTime created_at;
  WallTime updated_at;
};

}  // namespace eilpost

// The sources by key.

#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "crypto/token.h"
#include "ingest/ingest.h"

namespace eilpost::ingest {

// A header counts before the query.
std::optional<std::string> key_of(const http::Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  if (const auto header = http::find_header(request.headers, "authorization")) {
    const std::string_view value = trim_ascii(*header);
    if (!iequals(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    return std::string(trim_ascii(value.substr(kScheme.size())));
  }
  return http::find_query_parameter(http::query_of(request.target), "key");
}

Sources::Sources(std::vector<Source> sources) : sources_(std::move(sources)) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    origins_.emplace_back(sources_[i].allowed_origins);
    if (sources_[i].enabled) by_key_hash_.emplace(sources_[i].key_hash, i);
  }
}

const Source* Sources::find(const http::Request& request) const {
  const std::optional<std::string> key = key_of(request);
  return key && !key->empty() ? find_by_key_hash(crypto::hash_token(*key)) : nullptr;
}

const Source* Sources::find_by_key_hash(std::string_view key_hash) const {
  const auto at = by_key_hash_.find(key_hash);
  return at == by_key_hash_.end() ? nullptr : &sources_[at->second];
}

bool Sources::allows_origin(const Source& source, std::string_view origin) const {
  const auto index = static_cast<std::size_t>(&source - sources_.data());
  EILPOST_ASSERT(index < origins_.size());
  return origins_[index].allows(origin);
}

bool Sources::allows_origin(const http::Request& request, std::string_view origin) const {
  if (const Source* const source = find(request)) return allows_origin(*source, origin);
  return std::ranges::any_of(sources_, [&](const Source& source) {
    return source.enabled && allows_origin(source, origin);
  });
}

}  // namespace eilpost::ingest

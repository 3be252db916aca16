#include "ingest/origin_rules.h"

#include <algorithm>

#include "base/ascii.h"

namespace eilpost::ingest {
namespace {

// Lower case, without a final slash and without the scheme's own port, as browsers write origins.
std::string normalize(std::string_view origin) {
  std::string result = to_ascii_lower(trim_ascii(origin));
  if (result.ends_with('/')) result.pop_back();
  const auto drop = [&](std::string_view scheme, std::string_view port) {
    if (!result.starts_with(scheme) || !result.ends_with(port)) return;
    result.resize(result.size() - port.size());
  };
  drop("https://", ":443");
  drop("http://", ":80");
  return result;
}

}  // namespace

OriginRules::OriginRules(const std::optional<std::vector<std::string>>& allowed) : any_(!allowed) {
  if (!allowed) return;
  for (const std::string& text : *allowed) {
    std::string origin = normalize(text);
    if (origin == "*") any_ = true;
    const std::size_t star = origin.find("://*.");
    if (star == std::string::npos) {
      rules_.push_back({.exact = std::move(origin), .scheme = {}, .suffix = {}});
    } else {
      rules_.push_back(
          {.exact = {}, .scheme = origin.substr(0, star + 3), .suffix = origin.substr(star + 4)});
    }
  }
}

bool OriginRules::allows(std::string_view origin) const {
  if (any_) return true;
  const std::string wanted = normalize(origin);
  if (wanted.empty()) return false;
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    if (!rule.exact.empty()) return rule.exact == wanted;
    return wanted.size() > rule.scheme.size() + rule.suffix.size() &&
           wanted.starts_with(rule.scheme) && wanted.ends_with(rule.suffix);
  });
}

}  // namespace eilpost::ingest

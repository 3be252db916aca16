#pragma once
// Which pages' browsers may send to a source (SPEC: `allowed_origins`).
//
// Format: a list of origins, scheme://host[:port]; "https://*.example.com" stands for every host
//         below example.com, "*" for every origin. No list allows every origin, an empty one none.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eilpost::ingest {

class OriginRules {
 public:
  explicit OriginRules(const std::optional<std::vector<std::string>>& allowed);

  // `origin` as a browser's Origin header has it.
  [[nodiscard]] bool allows(std::string_view origin) const;

 private:
  struct Rule {
    std::string exact;   // or:
    std::string scheme;  // "https://", with
    std::string suffix;  // ".example.com:8443"
  };

  bool any_ = false;
  std::vector<Rule> rules_;
};

}  // namespace eilpost::ingest

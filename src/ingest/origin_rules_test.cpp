#include "ingest/origin_rules.h"

#include <gtest/gtest.h>

namespace eilpost::ingest {
namespace {

using List = std::vector<std::string>;

struct OriginCase {
  std::optional<List> allowed;
  std::string_view origin;
  bool is_allowed;
};

TEST(OriginRules, Table) {
  const OriginCase cases[] = {
      {std::nullopt, "https://a.example", true},
      {std::nullopt, "null", true},
      {List{}, "https://a.example", false},
      {List{}, "null", false},
      {List{"*"}, "https://a.example", true},
      {List{"https://a.example"}, "https://a.example", true},
      {List{"https://a.example"}, "http://a.example", false},
      {List{"https://a.example"}, "https://a.example:8443", false},
      {List{"https://a.example:8443"}, "https://a.example:8443", true},
      {List{"https://a.example:443"}, "https://a.example", true},
      {List{"http://a.example"}, "http://a.example:80", true},
      {List{"https://A.Example/"}, "https://a.example", true},
      {List{"https://a.example"}, "https://a.example.evil.example", false},
      {List{"https://a.example"}, "https://b.a.example", false},
      {List{"https://b.example", "https://a.example"}, "https://a.example", true},
      {List{"https://*.example.com"}, "https://app.example.com", true},
      {List{"https://*.example.com"}, "https://a.b.example.com", true},
      {List{"https://*.example.com"}, "https://example.com", false},
      {List{"https://*.example.com"}, "https://.example.com", false},
      {List{"https://*.example.com"}, "https://evilexample.com", false},
      {List{"https://*.example.com"}, "http://app.example.com", false},
      {List{"https://*.example.com"}, "https://app.example.com:81", false},
      {List{"https://*.example.com:81"}, "https://app.example.com:81", true},
      {List{"null"}, "null", true},
      {List{"https://a.example"}, "null", false},
      {List{"https://a.example"}, "", false},
      {List{""}, "", false},
  };
  for (const OriginCase& c : cases) {
    EXPECT_EQ(OriginRules(c.allowed).allows(c.origin), c.is_allowed)
        << (c.allowed && !c.allowed->empty() ? c.allowed->front() : "-") << " " << c.origin;
  }
}

}  // namespace
}  // namespace eilpost::ingest

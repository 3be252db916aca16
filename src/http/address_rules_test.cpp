// Goal:   no destination reaches an address that is not public, in whatever form it is written.
// Method: the first and last address of each range and their neighbours, from the IANA registries.

#include "http/address_rules.h"

#include <gtest/gtest.h>

namespace eilpost::http {
namespace {

env::Address address(std::string_view text) {
  const Result<env::Address> parsed = env::parse_address(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(env::Address{});
}

AddressRules rules_of(std::string_view list) {
  const Result<std::vector<Cidr>> cidrs = parse_cidr_list(list);
  EXPECT_TRUE(cidrs) << list;
  return AddressRules(cidrs.value_or(std::vector<Cidr>{}));
}

TEST(AddressRules, RefusesTheEndsOfEveryRange) {
  const AddressRules rules;
  for (const std::string_view text : {"0.0.0.0",
                                      "0.255.255.255",
                                      "10.0.0.0",
                                      "10.255.255.255",
                                      "100.64.0.0",
                                      "100.127.255.255",
                                      "127.0.0.0",
                                      "127.0.0.1",
                                      "127.255.255.255",
                                      "169.254.0.0",
                                      "169.254.169.254",
                                      "169.254.255.255",
                                      "172.16.0.0",
                                      "172.31.255.255",
                                      "192.0.0.0",
                                      "192.0.0.255",
                                      "192.0.2.0",
                                      "192.0.2.255",
                                      "192.88.99.0",
                                      "192.88.99.255",
                                      "192.168.0.0",
                                      "192.168.255.255",
                                      "198.18.0.0",
                                      "198.19.255.255",
                                      "198.51.100.0",
                                      "198.51.100.255",
                                      "203.0.113.0",
                                      "203.0.113.255",
                                      "224.0.0.0",
                                      "239.255.255.255",
                                      "240.0.0.0",
                                      "255.255.255.254",
                                      "255.255.255.255",
                                      "168.63.129.16",
                                      "100.100.100.200",
                                      "::",
                                      "::1",
                                      "::2",
                                      "::ffff:127.0.0.1",
                                      "::ffff:8.8.8.8",
                                      "::8.8.8.8",
                                      "::7f00:1",
                                      "64:ff9b::8.8.8.8",
                                      "64:ff9b::10.0.0.1",
                                      "64:ff9b:1::",
                                      "64:ff9b:1:ffff::",
                                      "100::",
                                      "100::ffff:ffff:ffff:ffff",
                                      "100:0:0:1::1",
                                      "2001::",
                                      "2001:0:ffff::",
                                      "2001:2::1",
                                      "2001:10::",
                                      "2001:2f:ffff::",
                                      "2001:1ff:ffff::",
                                      "2001:db8::",
                                      "2001:db8:ffff::",
                                      "2002::",
                                      "2002:808:808::",
                                      "2002:ffff:ffff::",
                                      "3fff::",
                                      "3fff:fff::",
                                      "5f00::1",
                                      "fc00::",
                                      "fdff:ffff::",
                                      "fd00:ec2::254",
                                      "fe80::",
                                      "febf:ffff::",
                                      "fec0::",
                                      "feff::",
                                      "ff00::",
                                      "ff02::1",
                                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                      "1::",
                                      "1fff:ffff::",
                                      "4000::",
                                      "::ffff:0:808:808",
                                      "200::1",
                                      "fe00::1"}) {
    EXPECT_TRUE(rules.check(address(text))) << text;
  }
}

TEST(AddressRules, AdmitsTheNeighboursOfEveryRange) {
  const AddressRules rules;
  for (const std::string_view text : {"1.0.0.0",
                                      "8.8.8.8",
                                      "9.255.255.255",
                                      "11.0.0.0",
                                      "100.63.255.255",
                                      "100.128.0.0",
                                      "126.255.255.255",
                                      "128.0.0.0",
                                      "169.253.255.255",
                                      "169.255.0.0",
                                      "172.15.255.255",
                                      "172.32.0.0",
                                      "191.255.255.255",
                                      "192.0.1.0",
                                      "192.0.3.0",
                                      "192.88.98.255",
                                      "192.88.100.0",
                                      "192.167.255.255",
                                      "192.169.0.0",
                                      "198.17.255.255",
                                      "198.20.0.0",
                                      "198.51.99.255",
                                      "198.51.101.0",
                                      "203.0.112.255",
                                      "203.0.114.0",
                                      "223.255.255.255",
                                      "168.63.129.15",
                                      "168.63.129.17",
                                      "2000::",
                                      "2001:200::",
                                      "2001:db7:ffff::",
                                      "2001:db9::",
                                      "2001:ffff::",
                                      "2003::",
                                      "2606:4700:4700::1111",
                                      "3ffe:ffff::",
                                      "3fff:1000::"}) {
    EXPECT_EQ(rules.check(address(text)), std::nullopt) << text;
  }
}

// Every row of the two registries as of 2025-10 (iana-ipv4-special-registry,
// iana-ipv6-special-registry): refused unless "globally reachable" is true there. The anycast
// services within 192.0.0.0/24 and 2001::/23 are refused with the blocks around them.
TEST(AddressRules, AgreesWithTheRegistriesOfIana) {
  const AddressRules rules;
  for (const std::string_view block :
       {"0.0.0.0/8",          "0.0.0.0/32",      "10.0.0.0/8",     "100.64.0.0/10",
        "127.0.0.0/8",        "169.254.0.0/16",  "172.16.0.0/12",  "192.0.0.0/24",
        "192.0.0.0/29",       "192.0.0.8/32",    "192.0.0.170/32", "192.0.0.171/32",
        "192.0.2.0/24",       "192.88.99.0/24",  "192.88.99.2/32", "192.168.0.0/16",
        "198.18.0.0/15",      "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
        "255.255.255.255/32", "::1/128",         "::/128",         "::ffff:0:0/96",
        "64:ff9b:1::/48",     "100::/64",        "100:0:0:1::/64", "2001::/23",
        "2001::/32",          "2001:2::/48",     "2001:10::/28",   "2001:db8::/32",
        "2002::/16",          "3fff::/20",       "5f00::/16",      "fc00::/7",
        "fe80::/10"}) {
    EXPECT_TRUE(rules.check(parse_cidr(block)->address)) << block;
  }
  for (const std::string_view block :
       {"192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2620:4f:8000::/48"}) {
    EXPECT_FALSE(rules.check(parse_cidr(block)->address)) << block;
  }
}

TEST(AddressRules, WhatAnAddressCarriesIsFoundWhereverItStands) {
  const auto leads_to = [](std::string_view text) {
    const auto reason = rules_of("64:ff9b:1::/48,2001::/32,2002::/16").check(address(text));
    return reason.value_or("admitted");
  };
  EXPECT_EQ(leads_to("64:ff9b:1:a00:0:100::"),
            "64:ff9b:1:a00:0:100:: leads to 10.0.0.1, a private address");
  EXPECT_EQ(leads_to("64:ff9b:1:808:8:800::"), "admitted");
  EXPECT_EQ(leads_to("2001:0:4136:e378:8000:63bf:f5ff:fffe"),
            "2001:0:4136:e378:8000:63bf:f5ff:fffe leads to 10.0.0.1, a private address");
  EXPECT_EQ(leads_to("2001:0:4136:e378:8000:63bf:3fff:fdd2"),
            "2001:0:4136:e378:8000:63bf:3fff:fdd2 leads to 192.0.2.45, a documentation address");
  EXPECT_EQ(leads_to("2001:0:4136:e378:8000:63bf:f7f7:f7f7"), "admitted");
  EXPECT_EQ(leads_to("2002:7f00:1::"), "2002:7f00:1:: leads to 127.0.0.1, a loopback address");
}

TEST(AddressRules, ReasonNamesAddressAndKind) {
  const AddressRules rules;
  const struct {
    std::string_view text, reason;
  } kCases[] = {
      {"127.0.0.1", "127.0.0.1 is a loopback address"},
      {"169.254.169.254", "169.254.169.254 is a cloud metadata address"},
      {"fd00:ec2::254", "fd00:ec2::254 is a cloud metadata address"},
      {"10.1.2.3", "10.1.2.3 is a private address"},
      {"::ffff:10.1.2.3", "::ffff:10.1.2.3 leads to 10.1.2.3, a private address"},
      {"2002:a01:203::", "2002:a01:203:: leads to 10.1.2.3, a private address"},
      {"64:ff9b::7f00:1", "64:ff9b::7f00:1 leads to 127.0.0.1, a loopback address"},
      {"2002:808:808::", "2002:808:808:: is a 6to4 address"},
      {"2001::f7f7:f7f7", "2001::f7f7:f7f7 is a Teredo address"},
      {"4000::", "4000:: is a reserved address"},
  };
  for (const auto& one : kCases) EXPECT_EQ(rules.check(address(one.text)), one.reason);
}

TEST(AddressRules, AllowListAdmitsWhatItContainsAndNothingElse) {
  const AddressRules rules = rules_of("127.0.0.0/8, 10.1.0.0/16,::1/128,fd12::/16");
  for (const std::string_view text :
       {"127.0.0.1", "127.255.255.255", "10.1.255.255", "::1", "fd12::1", "::ffff:127.0.0.1",
        "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::1"}) {
    EXPECT_EQ(rules.check(address(text)), std::nullopt) << text;
  }
  for (const std::string_view text : {"10.0.255.255", "10.2.0.0", "::2", "fd13::1",
                                      "::ffff:10.2.0.1", "169.254.169.254", "192.168.0.1"}) {
    EXPECT_TRUE(rules.check(address(text))) << text;
  }
}

TEST(AddressRules, AdmittingAKindOfAddressDoesNotAdmitWhatItLeadsTo) {
  // An operator behind NAT64 wants the public addresses only.
  const AddressRules nat64 = rules_of("64:ff9b::/96");
  EXPECT_EQ(nat64.check(address("64:ff9b::8.8.8.8")), std::nullopt);
  EXPECT_TRUE(nat64.check(address("64:ff9b::10.0.0.1")));
  EXPECT_TRUE(nat64.check(address("64:ff9b::169.254.169.254")));
  EXPECT_TRUE(nat64.check(address("10.0.0.1")));
  const AddressRules precise = rules_of("::ffff:10.0.0.0/104");
  EXPECT_EQ(precise.check(address("::ffff:10.0.0.1")), std::nullopt);
  EXPECT_TRUE(precise.check(address("::ffff:11.0.0.1")));
  EXPECT_TRUE(precise.check(address("10.0.0.1")));
  const AddressRules all = rules_of("0.0.0.0/0,::/0");
  for (const std::string_view text : {"127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "::"}) {
    EXPECT_EQ(all.check(address(text)), std::nullopt) << text;
  }
}

TEST(Cidr, IsReadBack) {
  for (const std::string_view text : {"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "127.128.0.0/9",
                                      "::/0", "::1/128", "fe80::/10", "2001:db8::/33"}) {
    const Result<Cidr> cidr = parse_cidr(text);
    ASSERT_TRUE(cidr) << text;
    EXPECT_EQ(to_string(*cidr), text);
  }
  EXPECT_EQ(to_string(parse_cidr("10.1.2.3").value()), "10.1.2.3/32");
  EXPECT_EQ(to_string(parse_cidr("::1").value()), "::1/128");
}

TEST(Cidr, MistakesAreExplained) {
  const struct {
    std::string_view text, part;
  } kCases[] = {{"", "not an IP address"},
                {"10/8", "not an IP address"},
                {"example.com/8", "not an IP"},
                {"10.0.0.0/33", "0 to 32"},
                {"::/129", "0 to 128"},
                {"10.0.0.0/", "0 to 32"},
                {"10.0.0.0/-1", "0 to 32"},
                {"10.0.0.0/08", "0 to 32"},
                {"10.0.0.0/8/8", "0 to 32"},
                {"10.1.0.0/8", "write 10.0.0.0/8"},
                {"fe80::1/10", "write fe80::/10"},
                {" 10.0.0.0/8", "not an IP"},
                {"10.0.0.0 /8", "not an IP"},
                {"010.0.0.0/8", "not an IP"}};
  for (const auto& one : kCases) {
    const Result<Cidr> cidr = parse_cidr(one.text);
    ASSERT_FALSE(cidr) << one.text;
    EXPECT_EQ(cidr.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(cidr.error().detail.contains(one.part)) << cidr.error().detail;
  }
}

TEST(Cidr, ListsAreSeparatedByCommas) {
  EXPECT_EQ(parse_cidr_list("").value().size(), 0U);
  EXPECT_EQ(parse_cidr_list("  ").value().size(), 0U);
  EXPECT_EQ(parse_cidr_list(" 10.0.0.0/8 ,\t::1 ").value().size(), 2U);
  for (const std::string_view bad : {",", "10.0.0.0/8,", ",::1", "10.0.0.0/8 ::1", "a"}) {
    EXPECT_FALSE(parse_cidr_list(bad)) << bad;
  }
}

TEST(Cidr, ContainsItsAddressesOnly) {
  const Cidr cidr = parse_cidr("10.32.0.0/11").value();
  EXPECT_TRUE(cidr.contains(address("10.32.0.0")));
  EXPECT_TRUE(cidr.contains(address("10.63.255.255")));
  EXPECT_FALSE(cidr.contains(address("10.31.255.255")));
  EXPECT_FALSE(cidr.contains(address("10.64.0.0")));
  EXPECT_FALSE(cidr.contains(address("::ffff:10.32.0.0")));
  EXPECT_FALSE(parse_cidr("::/0").value().contains(address("1.2.3.4")));
}

}  // namespace
}  // namespace eilpost::http

#include <gtest/gtest.h>

#include "env/network.h"

namespace eilpost::env {
namespace {

TEST(Address, TextOfValidAddressesIsCanonical) {
  const struct {
    std::string_view text;
    std::string_view canonical;
  } rows[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"127.0.0.1", "127.0.0.1"},
      {"255.255.255.255", "255.255.255.255"},
      {"10.20.30.40", "10.20.30.40"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8::0001", "2001:db8::1"},
      {"fe80::1:2:3:4", "fe80::1:2:3:4"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
      {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const Result<Address> address = parse_address(row.text);
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(to_string(*address), row.canonical);
    EXPECT_EQ(address->is_v6, row.text.contains(':'));
    EXPECT_EQ(parse_address(to_string(*address)).value(), *address);
  }
}

TEST(Address, BytesAreInNetworkOrder) {
  const Result<Address> v4 = parse_address("1.2.3.4");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->bytes[0], 1);
  EXPECT_EQ(v4->bytes[3], 4);
  EXPECT_EQ(v4->bytes[4], 0);
  const Result<Address> v6 = parse_address("1234::56");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->bytes[0], 0x12);
  EXPECT_EQ(v6->bytes[1], 0x34);
  EXPECT_EQ(v6->bytes[15], 0x56);
}

TEST(Address, LooseFormsAreRefused) {
  constexpr std::string_view rows[] = {
      "",
      " ",
      "1",
      "127.1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.",
      ".1.2.3",
      "1..2.3",
      "01.2.3.4",
      "1.2.3.04",
      "1.2.3.256",
      "1.2.3.-1",
      "1.2.3.+1",
      "0x7f.0.0.1",
      "0177.0.0.1",
      "2130706433",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4\n",
      "a.b.c.d",
      ":",
      ":::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      "12345::",
      "g::",
      "::1%lo",
      "fe80::1%eth0",
      "[::1]",
      "::1.2.3",
      "::01.2.3.4",
      "::1.2.3.256",
      "1.2.3.4::",
      "localhost",
      "1111:2222:3333:4444:5555:6666:123.123.123.1234",
  };
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    const Result<Address> address = parse_address(text);
    ASSERT_FALSE(address.has_value());
    EXPECT_EQ(address.error().code, ErrorCode::bad_input);
  }
  EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)).has_value());
  EXPECT_FALSE(parse_address(std::string_view("::1\0", 4)).has_value());
}

TEST(Endpoint, TextIsReadAndWritten) {
  constexpr std::string_view rows[] = {"127.0.0.1:80", "[::1]:443", "0.0.0.0:0", "[::]:65535"};
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    const Result<Endpoint> endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.has_value());
    EXPECT_EQ(to_string(*endpoint), text);
  }
}

TEST(Endpoint, LooseFormsAreRefused) {
  constexpr std::string_view rows[] = {
      "",          "127.0.0.1", "127.0.0.1:",      "127.0.0.1:-1", "127.0.0.1:65536",
      ":80",       "::1:80",    "[127.0.0.1]:80",  "[::1]",        "[::1:80",
      "::1]:80",   "[]:80",     "127.0.0.1:080",   "127.0.0.1:8x", "127.0.0.1: 80",
      "[::1]:+80", "host:80",   "127.0.0.1:000080"};
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    const Result<Endpoint> endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint.has_value());
    EXPECT_EQ(endpoint.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace eilpost::env

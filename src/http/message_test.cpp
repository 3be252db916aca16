#include "http/message.h"

#include <gtest/gtest.h>

#include "http/percent.h"

namespace eilpost::http {
namespace {

TEST(Message, MethodsAreReadBack) {
  for (const Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                              Method::delete_, Method::options}) {
    EXPECT_EQ(parse_method(to_string(method)), method);
  }
  EXPECT_EQ(parse_method("get"), std::nullopt);
  EXPECT_EQ(parse_method(""), std::nullopt);
}

TEST(Message, HeadersAreFoundWithoutRegardToCase) {
  const Headers headers = {{"Accept", "a"}, {"X-One", "1, Two ,three"}, {"x-one", "four"}};
  EXPECT_EQ(find_header(headers, "accept"), "a");
  EXPECT_EQ(find_header(headers, "x-ONE"), "1, Two ,three");
  EXPECT_EQ(find_header(headers, "x"), std::nullopt);
  for (const std::string_view token : {"1", "two", "THREE", "four"}) {
    EXPECT_TRUE(header_has_token(headers, "X-one", token)) << token;
  }
  EXPECT_FALSE(header_has_token(headers, "X-one", "tw"));
  EXPECT_FALSE(header_has_token(headers, "accept", "1"));
}

TEST(Message, TargetIsCutIntoPathAndQuery) {
  EXPECT_EQ(path_of("/a/b?c?d"), "/a/b");
  EXPECT_EQ(query_of("/a/b?c?d"), "c?d");
  EXPECT_EQ(path_of("/a"), "/a");
  EXPECT_EQ(query_of("/a"), "");
}

TEST(Message, QueryParametersAreDecoded) {
  const std::string_view query = "a=1&b=x+y%2B&a=2&c&%64=%C3%A4&=e&bad=%zz";
  EXPECT_EQ(find_query_parameter(query, "a"), "1");
  EXPECT_EQ(find_query_parameter(query, "b"), "x y+");
  EXPECT_EQ(find_query_parameter(query, "c"), "");
  EXPECT_EQ(find_query_parameter(query, "d"), "ä");
  EXPECT_EQ(find_query_parameter(query, ""), "e");
  EXPECT_EQ(find_query_parameter(query, "bad"), std::nullopt);
  EXPECT_EQ(find_query_parameter(query, "z"), std::nullopt);
}

TEST(Message, ReasonsAreKnownForRegisteredStatusesOnly) {
  EXPECT_EQ(reason_of(202), "Accepted");
  EXPECT_EQ(reason_of(505), "HTTP Version Not Supported");
  for (const int status : {-1, 0, 299, 599, 600, 999}) EXPECT_EQ(reason_of(status), "") << status;
}

TEST(Message, TokensAndValues) {
  EXPECT_TRUE(is_token("X-a_1!"));
  for (const std::string_view bad : {"", "a b", "a:", "ä", "a\n", "(a)"})
    EXPECT_FALSE(is_token(bad));
  EXPECT_TRUE(is_header_value(""));
  EXPECT_TRUE(is_header_value("a\tb ä"));
  for (const std::string_view bad : {" a", "a ", "\ta", "a\n", "a\r", "\x7F", "\x01"}) {
    EXPECT_FALSE(is_header_value(bad)) << bad;
  }
}

TEST(Message, EveryByteOfAValueIsLookedAt) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t i = 0; i < size; ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string value(size, 'x');
        value[i] = static_cast<char>(byte);
        const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
        const bool is_blank_end = (byte == ' ' || byte == '\t') && (i == 0 || i + 1 == size);
        EXPECT_EQ(is_header_value(value), !is_control && !is_blank_end) << byte << " at " << i;
      }
    }
  }
}

TEST(Percent, EverythingButUnreservedIsEncoded) {
  EXPECT_EQ(encode_path_segment("a/b c~-._?#%ä"), "a%2Fb%20c~-._%3F%23%25%C3%A4");
  EXPECT_EQ(encode_query_value("a&b=c+d"), "a%26b%3Dc%2Bd");
}

TEST(Percent, AnyBytesAreReadBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(decode_percent(encode_path_segment(all)), all);
  EXPECT_EQ(decode_form(encode_query_value(all)), all);
}

TEST(Percent, BrokenEscapesAreRefused) {
  for (const std::string_view bad : {"%", "%1", "a%", "%g0", "%0g", "%%41", "% 1", "%+1"}) {
    EXPECT_EQ(decode_percent(bad), std::nullopt) << bad;
    EXPECT_EQ(decode_form(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(decode_percent("a+b%2f%2F"), "a+b//");
  EXPECT_EQ(decode_form("a+b%2f%2F"), "a b//");
}

}  // namespace
}  // namespace eilpost::http

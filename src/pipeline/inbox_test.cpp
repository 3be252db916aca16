#include "pipeline/inbox.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "model/limits.h"

namespace eilpost::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1h};

TEST(Inbox, KeepsTheNewestRequestsNewestFirst) {
  Inbox inbox;
  inbox.open("a");
  for (std::size_t i = 0; i < limits::kInboxRequestsKept + 5; ++i) {
    (void)inbox.put("a", {.body = std::to_string(i)});
  }
  const std::vector<InboxRequest> kept = inbox.list("a");
  ASSERT_EQ(kept.size(), limits::kInboxRequestsKept);
  EXPECT_EQ(kept.front().body, "104");
  EXPECT_EQ(kept.front().number, 105U);
  EXPECT_EQ(kept.back().body, "5");
}

TEST(Inbox, OneTokenKnowsNothingOfAnother) {
  Inbox inbox;
  inbox.open("a");
  inbox.open("b");
  (void)inbox.put("a", {.body = "x"});
  EXPECT_TRUE(inbox.list("b").empty());
  inbox.set_answer("a", {.status = 500, .body = "no"});
  EXPECT_EQ(inbox.put("b", {}).status, 200);
  EXPECT_EQ(inbox.put("a", {}).status, 500);
  EXPECT_EQ(inbox.answer("a").body, "no");
  inbox.clear("a");
  EXPECT_TRUE(inbox.list("a").empty());
  EXPECT_EQ(inbox.list("b").size(), 1U);
  EXPECT_EQ(inbox.answer("a").status, 500);
}

TEST(Inbox, NumbersGoOnAfterItWasEmptied) {
  Inbox inbox;
  inbox.open("a");
  (void)inbox.put("a", {});
  inbox.clear("a");
  (void)inbox.put("a", {});
  EXPECT_EQ(inbox.list("a").front().number, 2U);
}

TEST(Inbox, OpeningAgainKeepsWhatIsThere) {
  Inbox inbox;
  EXPECT_FALSE(inbox.is_open("a"));
  inbox.open("a");
  (void)inbox.put("a", {});
  inbox.open("a");
  EXPECT_TRUE(inbox.is_open("a"));
  EXPECT_EQ(inbox.list("a").size(), 1U);
}

TEST(Inbox, ALongBodyIsCutBetweenCharacters) {
  Inbox inbox;
  inbox.open("a");
  std::string body(limits::kInboxBodyBytesMax - 1, 'x');
  body += "ä";
  (void)inbox.put("a", {.body = body});
  const std::string kept = inbox.list("a").front().body;
  EXPECT_EQ(kept, std::string(limits::kInboxBodyBytesMax - 1, 'x'));
}

TEST(Inbox, AdmitsSoManyRequestsASecondAndOnlyToOpenTokens) {
  Inbox inbox;
  EXPECT_FALSE(inbox.admit("a", kNow));
  inbox.open("a");
  for (std::uint32_t i = 0; i < limits::kInboxRequestsPerSecond; ++i) {
    EXPECT_TRUE(inbox.admit("a", kNow + Duration(i)));
  }
  EXPECT_FALSE(inbox.admit("a", kNow + 999ms));
  EXPECT_TRUE(inbox.admit("a", kNow + 1s));
}

}  // namespace
}  // namespace eilpost::pipeline

// Goal: every list comes in pages that together are the whole, and takes no cursor but its own.
// Method: a server on which each list has some entries; each is walked by pages of 1, 2 and all.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/api.h"
#include "base/bytes.h"
#include "base/encoding.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using http::Method;

class PagesTest : public testing::Test {
 protected:
  PagesTest() {
    Receiver& receiver = server_.receiver("crm");
    receiver.answers([](const http::Request&, std::size_t index) {
      return Reply{.status = index < 3 ? 500 : 200};
    });
    destination_ = server_.add_destination(receiver.url());
    webhook_ = server_.add_webhook("survey.submitted", destination_);
    inbox_ =
        server_.post("destinations", {{"name", "Inbox"}, {"platform", "inbox"}}).json().at("id");
    const std::string to_inbox = server_.add_webhook("survey.submitted", inbox_);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(server_.patch("webhooks/" + webhook_, {{"name", fmt::format("w{}", i)}}).status,
                200);
      EXPECT_EQ(
          server_.patch("destinations/" + destination_, {{"name", fmt::format("d{}", i)}}).status,
          200);
      EXPECT_EQ(server_.post("environments", {{"name", fmt::format("stage{}", i)}}).status, 201);
      EXPECT_EQ(server_.post("event-types", type(i)).status, 201);
      EXPECT_EQ(server_.post("items", item(i)).status, 201);
      EXPECT_EQ(server_.post("webhooks/" + webhook_ + "/test").status, 200);
      EXPECT_EQ(server_.post("api-keys", {{"name", "k"}, {"role", "viewer"}}).status, 201);
      EXPECT_EQ(server_.post("sources", {{"name", "s"}}).status, 201);
      const Json event = {{"type", "survey.submitted"}, {"data", {{"nps", i}, {"oId", i}}}};
      EXPECT_EQ(server_.post_event(to_text(event)).status, 202);
      server_.wait(1s);
    }
    EXPECT_TRUE(server_.drain(24h));
    server_.wait(1s);
    for (const Json& each : server_.list("deliveries?webhook=" + webhook_)) {
      if (each.at("attempts_count") > 1) delivery_ = each.at("id");
    }
    EXPECT_FALSE(delivery_.empty());
    EXPECT_FALSE(to_inbox.empty());
  }

  static Json type(int i) {
    return {{"code", fmt::format("custom.type{}", i)},
            {"label", {{"en", "Type"}, {"de", "Typ"}}},
            {"properties", Json::array()}};
  }
  static Json item(int i) { return {{"type", "survey"}, {"id", 100 + i}, {"name", "Survey"}}; }

  // The lists, each with its own path.
  std::vector<std::string> lists() const {
    std::vector<std::string> paths;
    for (const admin::Route& route : admin::routes()) {
      if (!route.takes.is_paged) continue;
      std::string path(route.path);
      const std::size_t brace = path.find('{');
      if (brace != std::string::npos) {
        std::string value = delivery_;
        if (path.starts_with("webhooks")) value = webhook_;
        if (path.starts_with("destinations")) value = destination_;
        if (path.ends_with("/inbox")) value = inbox_;
        if (path.starts_with("event-types")) value = "survey.submitted";
        path.replace(brace, path.find('}') - brace + 1, value);
      }
      path += path.ends_with("/values") ? "?property=nps" : "?";
      paths.push_back(std::move(path));
    }
    return paths;
  }
  // All entries, by pages of `limit`.
  std::vector<Json> walk(const std::string& path, std::size_t limit) {
    std::vector<Json> all;
    std::string cursor;
    do {
      const Answer answer = server_.get(fmt::format("{}&limit={}&cursor={}", path, limit, cursor));
      EXPECT_EQ(answer.status, 200) << path << answer.body;
      if (answer.status != 200) return all;
      const Json page = answer.json();
      EXPECT_LE(page.at("data").size(), limit) << path;
      EXPECT_FALSE(page.at("data").empty()) << path;
      for (const Json& each : page.at("data")) all.push_back(each);
      const Json next = page.at("next_cursor");
      cursor = next.is_null() ? "" : next.get<std::string>();
      if (!cursor.empty()) EXPECT_EQ(page.at("data").size(), limit) << path;
    } while (!cursor.empty() && all.size() < 500);
    return all;
  }

  TestServer server_{/*seed=*/1};
  std::string destination_;
  std::string webhook_;
  std::string inbox_;
  std::string delivery_;
};

TEST_F(PagesTest, OfEveryListAreTogetherTheWhole) {
  for (const std::string& path : lists()) {
    const std::vector<Json> all = walk(path, 200);
    EXPECT_GE(all.size(), 2U) << path;
    EXPECT_EQ(walk(path, 1), all) << path;
    EXPECT_EQ(walk(path, 2), all) << path;
  }
}

TEST_F(PagesTest, OfEveryListHaveALimit) {
  for (const std::string& path : lists()) {
    for (const char* limit : {"0", "201", "x", "-1", "1.5", "99999999999999999999"}) {
      const Answer refused = server_.get(path + "&limit=" + limit);
      EXPECT_EQ(refused.status, 400) << path << limit;
      EXPECT_EQ(refused.json().value("parameter", ""), "limit") << path << limit;
    }
  }
}

TEST_F(PagesTest, OfEveryListTakeOnlyItsOwnCursor) {
  const std::vector<std::string> paths = lists();
  std::vector<std::string> cursors = {"nonsense", "!", "AAAA", webhook_};
  for (const std::string& path : paths) {
    cursors.push_back(server_.get(path + "&limit=1").json().at("next_cursor"));
    const std::string list = "/api/v1/" + path.substr(0, path.find('?'));
    EXPECT_EQ(server_.get(path + "&cursor=" + encode_base64url(as_bytes(list + ":"))).status, 400)
        << path;
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t k = 0; k < cursors.size(); ++k) {
      const Answer answer = server_.get(paths[i] + "&cursor=" + cursors[k]);
      EXPECT_EQ(answer.status, k == i + 4 ? 200 : 400) << paths[i] << " " << cursors[k];
      if (k != i + 4) EXPECT_EQ(answer.json().value("parameter", ""), "cursor") << paths[i];
    }
  }
  for (const char* path : {"audit-log", "deliveries", "events"}) {
    const std::string forged = fmt::format("/api/v1/{}:x", path);
    EXPECT_EQ(
        server_.get(fmt::format("{}?cursor={}", path, encode_base64url(as_bytes(forged)))).status,
        400);
  }
}

TEST_F(PagesTest, GoOnThoughTheEntryOfTheCursorIsDeleted) {
  const Json first = server_.get("event-types?limit=38").json();
  ASSERT_EQ(first.at("data").back().at("code"), "custom.type0");
  ASSERT_EQ(server_.api(Method::delete_, "event-types/custom.type0").status, 204);
  const Json next =
      server_.get("event-types?cursor=" + first.at("next_cursor").get<std::string>()).json();
  ASSERT_EQ(next.at("data").size(), 2U);
  EXPECT_EQ(next.at("data").front().at("code"), "custom.type1");
}

TEST_F(PagesTest, AnItemThatWasNeverSeenHasNoTimeAtWhichItWasSeen) {
  const Answer made = server_.post("items", {{"type", "survey"}, {"id", "new"}, {"name", "New"}});
  EXPECT_TRUE(made.json().at("last_seen_at").is_null()) << made.body;
  std::size_t seen = 0;
  for (const Json& each : server_.list("items?type=survey")) {
    const bool is_declared = each.at("id") == "new" || each.at("id") >= 100;
    EXPECT_EQ(each.at("last_seen_at").is_null(), is_declared) << to_text(each);
    ++seen;
  }
  EXPECT_EQ(seen, 7U);
}

TEST_F(PagesTest, AnUnknownEventTypeHasNoneOfItsProperties) {
  EXPECT_EQ(server_.get("event-types/nosuch/properties").status, 404);
  EXPECT_EQ(server_.get("event-types/nosuch/values?property=nps").status, 404);
  EXPECT_EQ(server_.get("event-types/menu.opened/properties").status, 200);
}

TEST_F(PagesTest, OfItemsGoOnBehindTheLastOneWhateverWasSeenAtOnce) {
  // Declared ones were never seen: type and id alone tell them apart.
  for (const char* type : {"a", "b"}) {
    for (int i = 0; i < 3; ++i) {
      const Json item = {{"type", type}, {"id", fmt::format("{}'", i)}, {"name", "N"}};
      EXPECT_EQ(server_.post("items", item).status, 201);
    }
  }
  for (const char* path : {"items?", "items?type=b", "items?search=N"}) {
    EXPECT_EQ(walk(path, 2), walk(path, 200)) << path;
  }
  EXPECT_EQ(walk("items?type=b", 1).size(), 3U);
  for (const char* key :
       {"7", "00000000000000000007", "0000000000000000000x\n", "\n", "00000000000000000007a"}) {
    const std::string cursor = encode_base64url(as_bytes(fmt::format("/api/v1/items:{}", key)));
    EXPECT_EQ(server_.get("items?cursor=" + cursor).code(), "bad_parameter") << key;
  }
  for (const char* list : {"events", "deliveries", "audit-log"}) {
    const std::string cursor =
        encode_base64url(as_bytes(fmt::format("/api/v1/{}:18446744073709551616", list)));
    EXPECT_EQ(server_.get(fmt::format("{}?cursor={}", list, cursor)).code(), "bad_parameter")
        << list;
  }
}

}  // namespace
}  // namespace eilpost::test

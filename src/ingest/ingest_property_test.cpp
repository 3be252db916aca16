// Goal: whatever JSON a sender puts into data comes out equal, with the stamps and nothing else.
// Method: random data from a seed, compared as values with what the document holds.

#include <gtest/gtest.h>

#include "base/random.h"
#include "ingest/ingest_support_for_test.h"
#include "model/event_document.h"

namespace eilpost::ingest {
namespace {

std::string random_text(Random& random) {
  constexpr std::array<std::string_view, 12> kPieces = {
      "a", "wm",         ".",    "/~",          "\"", "\\", "\n", std::string_view("\0", 1),
      "ä", "\U0001F600", "\x7F", " plain text "};
  std::string text;
  const std::uint64_t count = random.below(8);
  for (std::uint64_t i = 0; i < count; ++i) text += kPieces[random.below(kPieces.size())];
  return text;
}

Json random_scalar(Random& random) {
  switch (random.below(7)) {
    case 0:
      return nullptr;
    case 1:
      return random.chance(1, 2);
    case 2:
      return random.next();
    case 3:
      return static_cast<std::int64_t>(random.next());
    case 4:
      return static_cast<double>(random.next()) / static_cast<double>(1 + random.below(1'000'000));
    case 5:
      return static_cast<std::int64_t>(random.below(100));
    default:
      return random_text(random);
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by `depth`.
Json random_value(Random& random, std::size_t depth) {
  const std::uint64_t kind = depth == 0 ? 0 : random.below(4);
  if (kind < 2) return random_scalar(random);
  Json value = kind == 2 ? Json::array() : Json::object();
  const std::uint64_t count = random.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (kind == 2) {
      value.push_back(random_value(random, depth - 1));
    } else {
      const std::string key = random_text(random);
      value[key] = random_value(random, depth - 1);
    }
  }
  return value;
}

// Escapes more than is needed, as another sender might.
std::string write_oddly(const Json& value, Random& random) {
  return random.chance(1, 2) ? value.dump(-1, ' ', /*ensure_ascii=*/true) : value.dump(1);
}

TEST(IngestProperty, DataComesOutAsItWentIn) {
  TestWorld world;
  simdjson::dom::parser parser;
  std::size_t taken_count = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    Json data = Json::object();
    const std::uint64_t count = random.below(10);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string key = "x" + random_text(random);
      data[key] = random_value(random, 8);
    }
    Json wm = Json::object();
    if (random.chance(1, 2)) {
      wm["x" + random_text(random)] = random_value(random, 7);
      data["wm"] = wm;
    }
    Json event = Json::object();
    event["type"] = "menu.opened";
    event["data"] = data;
    const auto taken = world.take(write_oddly(event, random));
    ASSERT_TRUE(taken) << "seed " << seed << ": " << taken.error().detail << event.dump();
    ++taken_count;

    wm["env"] = 3;
    wm["envName"] = "test";
    data["wm"] = wm;
    const std::string& document = taken->events.at(0).document;
    ASSERT_TRUE(EventDocument::parse(parser, document)) << "seed " << seed << ": " << document;
    const Json back = parse_json(document).value();
    ASSERT_EQ(back["data"], data) << "seed " << seed;
    ASSERT_EQ(back.size(), 3U);
    // The order of keys too.
    auto expected = data.begin();
    for (const auto& [key, value] : back["data"].items()) ASSERT_EQ(key, (expected++).key());
  }
  EXPECT_EQ(taken_count, 2000U);
}

// What is taken once is canonical: its data, sent again, gives the same document.
TEST(IngestProperty, CanonicalDataIsAFixedPoint) {
  TestWorld world;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    Json data = Json::object();
    for (int i = 0; i < 5; ++i) {
      const std::string key = "x" + random_text(random);
      data[key] = random_value(random, 5);
    }
    const std::string head = R"({"type":"menu.opened","id":"e","data":)";
    const auto first = world.take(head + data.dump() + "}");
    ASSERT_TRUE(first);
    const std::string& document = first->events.at(0).document;
    const std::size_t begin = document.find(R"("data":)") + 7;
    const auto second = world.take(head + document.substr(begin));
    ASSERT_TRUE(second) << second.error().detail;
    ASSERT_EQ(second->events.at(0).document, document) << "seed " << seed;
  }
}

// Random bytes changed in a good request never crash, and are either taken or refused with reasons.
TEST(IngestProperty, DamagedRequestsAreRefusedWithAReason) {
  TestWorld world;
  const std::string sample = world.catalog.find("survey.submitted")->sample;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::string body = "[" + sample + "," + sample + "]";
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      const std::size_t at = random.below(body.size());
      body[at] = static_cast<char>(random.below(256));
    }
    const auto taken = world.take(body);
    if (taken) continue;
    const Refusal& refusal = taken.error();
    EXPECT_TRUE(refusal.status == 400 || refusal.status == 422) << refusal.status;
    EXPECT_FALSE(refusal.detail.empty());
    EXPECT_FALSE(refusal.errors.empty());
    EXPECT_TRUE(parse_json(refusal_response(refusal).body)) << refusal_response(refusal).body;
  }
}

}  // namespace
}  // namespace eilpost::ingest

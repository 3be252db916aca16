#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

#include "base/random.h"
#include "model/event_document.h"

namespace eilpost {
namespace {

// A document with this data, and one trie of these paths, walked.
class Read {
 public:
  Read(const std::string& data, const std::vector<std::string>& paths)
      : Read(R"({"id":"e1","type":"survey.submitted","time":"2026-11-24T09:00:00.123Z"})", data,
             paths) {}

  Read(const std::string& event, const std::string& data, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) slots_.push_back(trie_.add(*PropertyPath::parse(path)));
    const auto document = EventDocument::parse(
        parser_,
        fmt::format(R"({{"event":{},"created_at":1764000000123,"data":{}}})", event, data));
    EXPECT_TRUE(document.has_value()) << data;
    trie_.walk(*document, values_);
  }

  // As JSON text; "missing" or "null" if there is none.
  [[nodiscard]] std::string value(std::size_t i = 0) const {
    const auto found = values_.value(slots_[i]);
    if (found) return simdjson::minify(*found);
    return values_.is_null(slots_[i]) ? "null" : "missing";
  }

  // Such as "0=9 1=10"; several stars are joined by '/'.
  [[nodiscard]] std::string matches(std::size_t i = 0) const {
    std::string text;
    for (const WildcardMatch& match : values_.matches(slots_[i])) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", fmt::join(match.stars, "/"),
                          simdjson::minify(match.value));
    }
    return text;
  }

 private:
  simdjson::dom::parser parser_;
  PropertyTrie trie_;
  PropertyValues values_;
  std::vector<std::size_t> slots_;
};

std::string value_of(const std::string& data, const std::string& path) {
  return Read(data, {path}).value();
}

std::string matches_of(const std::string& data, const std::string& path) {
  return Read(data, {path}).matches();
}

TEST(PropertyTrie, EqualPathsShareASlot) {
  PropertyTrie trie;
  const std::size_t first = trie.add(*PropertyPath::parse("a.b"));
  EXPECT_NE(trie.add(*PropertyPath::parse("a")), first);
  EXPECT_NE(trie.add(*PropertyPath::parse("a.*")), first);
  EXPECT_EQ(trie.add(*PropertyPath::parse("a.b")), first);
  EXPECT_EQ(trie.slots_count(), 3U);
}

TEST(PropertyTrie, NestedMembersAreRead) {
  EXPECT_EQ(value_of(R"({"wm":{"euId":"u1"}})", "wm.euId"), R"("u1")");
  EXPECT_EQ(value_of(R"({"wm":{"euId":"u1"}})", "wm"), R"({"euId":"u1"})");
  EXPECT_EQ(value_of(R"({"wm":{"euId":"u1"}})", "wm.other"), "missing");
  EXPECT_EQ(value_of(R"({"wm":"text"})", "wm.euId"), "missing");
  EXPECT_EQ(value_of(R"({"wm":{"euId":{"x":1}}})", "euId"), "missing");
}

TEST(PropertyTrie, EventAndCreatedAtShadowDatasOwn) {
  const std::string data =
      R"({"event":{"id":"fake","foo":1},"event.id":"fake","event.bar":2,"created_at":5,
          "created_at.x":6,"nps":9})";
  const Read read(data, {"event.id", "event.foo", "event.bar", "created_at", "created_at.x", "nps",
                         "event", "*", "event.*"});
  EXPECT_EQ(read.value(0), R"("e1")");
  EXPECT_EQ(read.value(1), "missing");
  EXPECT_EQ(read.value(2), "missing");
  EXPECT_EQ(read.value(3), "1764000000123");
  EXPECT_EQ(read.value(4), "missing");
  EXPECT_EQ(read.value(5), "9");
  EXPECT_TRUE(read.value(6).starts_with(R"({"id":"e1")"));
  EXPECT_EQ(read.matches(7), "nps=9");
  EXPECT_EQ(read.matches(8), R"(id="e1" type="survey.submitted" time="2026-11-24T09:00:00.123Z")");
}

TEST(PropertyTrie, DataIsNoPartOfThePath) {
  EXPECT_EQ(value_of(R"({"nps":9})", "data.nps"), "missing");
}

TEST(PropertyTrie, LiterallyDottedKeyIsReadBeforeANestedOneWhicheverComesFirst) {
  EXPECT_EQ(value_of(R"({"wm.euId":"dotted","wm":{"euId":"nested"}})", "wm.euId"), R"("dotted")");
  EXPECT_EQ(value_of(R"({"wm":{"euId":"nested"},"wm.euId":"dotted"})", "wm.euId"), R"("dotted")");
}

TEST(PropertyTrie, LongestDottedKeyIsReadFirstAtEachLevel) {
  const std::string all =
      R"({"a":{"b":{"c":{"d":1}},"b.c.d":2,"b.c":{"d":3}},"a.b":{"c":{"d":4},"c.d":5},
          "a.b.c":{"d":6}})";
  EXPECT_EQ(value_of(all, "a.b.c.d"), "6");
  EXPECT_EQ(value_of(R"({"a":{"b.c.d":2,"b.c":{"d":3}},"a.b":{"c":{"d":4},"c.d":5}})", "a.b.c.d"),
            "5");
  EXPECT_EQ(value_of(R"({"a":{"b":{"c":{"d":1}},"b.c":{"d":3}}})", "a.b.c.d"), "3");
}

TEST(PropertyTrie, DottedKeyThatLacksTheRestLeavesTheNestedOne) {
  EXPECT_EQ(value_of(R"({"a.b":{"x":1},"a":{"b":{"c":2}}})", "a.b.c"), "2");
}

TEST(PropertyTrie, NullIsMissingAndIsTold) {
  EXPECT_EQ(value_of(R"({"nps":null})", "nps"), "null");
  EXPECT_EQ(value_of(R"({"wm":null})", "wm.euId"), "missing");
  EXPECT_EQ(value_of(R"({"wm.euId":null,"wm":{"euId":"nested"}})", "wm.euId"), R"("nested")");
  EXPECT_EQ(value_of(R"({"wm":{"euId":"nested"},"wm.euId":null})", "wm.euId"), R"("nested")");
}

TEST(PropertyTrie, DigitsIndexArraysAndNameMembers) {
  EXPECT_EQ(value_of(R"({"answers":[{"value":9},{"value":7}]})", "answers.1.value"), "7");
  EXPECT_EQ(value_of(R"({"answers":[{"value":9}]})", "answers.1.value"), "missing");
  EXPECT_EQ(value_of(R"({"answers":[4,5]})", "answers.01"), "missing");
  EXPECT_EQ(value_of(R"({"answers":[4,5]})", "answers.-1"), "missing");
  EXPECT_EQ(value_of(R"({"answers":{"01":4}})", "answers.01"), "4");
  EXPECT_EQ(value_of(R"({"answers":{"1":4}})", "answers.1"), "4");
  EXPECT_EQ(value_of(R"({"answers.1":4,"answers":[1,2]})", "answers.1"), "4");
  EXPECT_EQ(value_of(R"({"a":[[1,2],[3,4]]})", "a.1.0"), "3");
  EXPECT_EQ(value_of(R"({"a":[1]})", "a.4294967296"), "missing");
}

TEST(PropertyTrie, StarMeetsElementsAndMembersInDocumentOrder) {
  EXPECT_EQ(matches_of(R"({"answers":[{"value":9},{"x":1},{"value":"a"}]})", "answers.*.value"),
            R"(0=9 2="a")");
  EXPECT_EQ(matches_of(R"({"wm":{"userVars":{"plan":"pro","seats":5}}})", "wm.userVars.*"),
            R"(plan="pro" seats=5)");
  EXPECT_EQ(matches_of(R"({"a":[[1,2],[3]]})", "a.*.*"), "0/0=1 0/1=2 1/0=3");
  EXPECT_EQ(matches_of(R"({"a":5})", "a.*"), "");
}

TEST(PropertyTrie, StarPassesOverNull) {
  EXPECT_EQ(matches_of(R"({"a":[1,null,3]})", "a.*"), "0=1 2=3");
}

TEST(PropertyTrie, StarAndIndexAreReadSideBySide) {
  const Read read(R"({"a":[7,8,9]})", {"a.*", "a.1", "a.7"});
  EXPECT_EQ(read.matches(0), "0=7 1=8 2=9");
  EXPECT_EQ(read.value(1), "8");
  EXPECT_EQ(read.value(2), "missing");
}

TEST(PropertyTrie, StarMeetsDottedKeysToo) {
  EXPECT_EQ(matches_of(R"({"wm.userVars.plan":"pro"})", "wm.userVars.*"), R"(plan="pro")");
  EXPECT_EQ(matches_of(R"({"wm":{"userVars":{"a.b":1}}})", "wm.userVars.*"), "a.b=1");
  EXPECT_EQ(matches_of(R"({"answers.0.value":1,"answers.1":{"value":2}})", "answers.*.value"),
            "0=1 1=2");
}

TEST(PropertyTrie, StarReadsADottedKeyInsteadOfTheNestedOne) {
  EXPECT_EQ(matches_of(R"({"v":{"plan":"nested","seats":5},"v.plan":"dotted"})", "v.*"),
            R"(seats=5 plan="dotted")");
  EXPECT_EQ(matches_of(R"({"v.plan":"dotted","v":{"plan":"nested","seats":5}})", "v.*"),
            R"(plan="dotted" seats=5)");
  EXPECT_EQ(matches_of(R"({"v.plan":null,"v":{"plan":"nested"}})", "v.*"), R"(plan="nested")");
}

TEST(PropertyTrie, ManyChildrenAreFoundAsFewAre) {
  std::string data = "{";
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) {
    data += fmt::format(R"({}"p{}":{{"x":{}}})", i == 0 ? "" : ",", i, i);
    paths.push_back(fmt::format("p{}.x", i));
  }
  const Read read(data + "}", paths);
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(read.value(i), fmt::to_string(i));
}

TEST(PropertyTrie, ValuesOfAnEarlierWalkAreForgotten) {
  PropertyTrie trie;
  const std::size_t plain = trie.add(*PropertyPath::parse("a"));
  const std::size_t wild = trie.add(*PropertyPath::parse("b.*"));
  PropertyValues values;
  simdjson::dom::parser parser;
  trie.walk(*EventDocument::parse(
                parser, R"({"event":{},"created_at":1,"data":{"a":1,"b":[1,2],"b.0":3}})"),
            values);
  ASSERT_TRUE(values.value(plain).has_value());
  ASSERT_EQ(values.matches(wild).size(), 2U);
  trie.walk(*EventDocument::parse(parser, R"({"event":{},"created_at":1,"data":{}})"), values);
  EXPECT_FALSE(values.value(plain).has_value());
  EXPECT_TRUE(values.matches(wild).empty());
  trie.walk(*EventDocument::parse(parser, R"({"event":{},"created_at":1,"data":{"b":[5]}})"),
            values);
  EXPECT_EQ(values.matches(wild).size(), 1U);
}

TEST(PropertyTrie, StarsStayValidWhenTheValuesAreMoved) {
  simdjson::dom::parser parser;
  PropertyTrie trie;
  const std::size_t slot = trie.add(*PropertyPath::parse("a.*"));
  PropertyValues values;
  trie.walk(*EventDocument::parse(parser, R"({"event":{},"created_at":1,"data":{"a":[1,2]}})"),
            values);
  const PropertyValues moved = std::move(values);
  EXPECT_EQ(moved.matches(slot)[1].stars, std::vector<std::string_view>{"1"});
}

// Goal:   the walk reads what the rules say, whatever document and paths.
// Method: a slow reader that tries every reading of a path, against the trie.
struct Reading {
  std::vector<std::string> stars;
  std::vector<std::size_t> pieces;  // segments that each key on the way stood for
  simdjson::dom::element value;
};

class SlowReader {
 public:
  explicit SlowReader(const PropertyPath& path) : segments_(path.segments) {}

  std::vector<Reading> read(simdjson::dom::object data) {
    from_object(data, 0);
    return std::move(found_);
  }

 private:
  void from(simdjson::dom::element value, std::size_t done) {
    if (done == segments_.size()) {
      found_.push_back({.stars = stars_, .pieces = pieces_, .value = value});
    } else if (value.is_object()) {
      from_object(value.get_object().value(), done);
    } else if (value.is_array()) {
      std::size_t index = 0;
      for (const auto element : value.get_array().value()) {
        take({fmt::to_string(index++)}, element, done);
      }
    }
  }

  void from_object(simdjson::dom::object object, std::size_t done) {
    for (const auto member : object) {
      if (done == 0 && is_shadowed(member.key)) continue;
      std::vector<std::string> parts;
      std::string rest(member.key);
      for (;;) {
        std::vector<std::string> whole = parts;
        whole.push_back(rest);
        take(whole, member.value, done);
        const std::size_t dot = rest.find('.');
        if (dot == std::string::npos) break;
        parts.push_back(rest.substr(0, dot));
        rest = rest.substr(dot + 1);
      }
    }
  }

  static bool is_shadowed(std::string_view key) {
    const std::string first(key.substr(0, key.find('.')));
    return first == "event" || first == "created_at";
  }

  void take(const std::vector<std::string>& parts, simdjson::dom::element value, std::size_t done) {
    if (done + parts.size() > segments_.size()) return;
    const std::size_t stars_before = stars_.size();
    bool fits = true;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string& segment = segments_[done + i];
      if (segment == "*") {
        stars_.push_back(parts[i]);
      } else {
        fits = fits && segment == parts[i];
      }
    }
    if (fits) {
      pieces_.push_back(parts.size());
      from(value, done + parts.size());
      pieces_.pop_back();
    }
    stars_.resize(stars_before);
  }

  std::vector<std::string> segments_;
  std::vector<std::string> stars_;
  std::vector<std::size_t> pieces_;
  std::vector<Reading> found_;
};

std::string slow_value(const PropertyPath& path, simdjson::dom::object data) {
  std::vector<Reading> readings = SlowReader(path).read(data);
  std::ranges::sort(readings, std::ranges::greater{}, &Reading::pieces);
  for (const Reading& reading : readings) {
    if (!reading.value.is_null()) return simdjson::minify(reading.value);
  }
  return readings.empty() ? "missing" : "null";
}

std::string slow_matches(const PropertyPath& path, simdjson::dom::object data) {
  std::vector<Reading> readings = SlowReader(path).read(data);
  std::erase_if(readings, [](const Reading& reading) { return reading.value.is_null(); });
  std::string text;
  for (const Reading& reading : readings) {
    const bool is_best = std::ranges::none_of(readings, [&](const Reading& other) {
      return other.stars == reading.stars && other.pieces > reading.pieces;
    });
    if (!is_best) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", fmt::join(reading.stars, "/"),
                        simdjson::minify(reading.value));
  }
  return text;
}

std::string random_value(Random& random, int depth);

std::string random_object(Random& random, int depth) {
  std::map<std::string, std::string> members;
  for (std::uint64_t i = random.below(5); i > 0; --i) {
    std::string key;
    const std::uint64_t parts = random.chance(1, 3) ? 1 + random.below(3) : 1;
    for (std::uint64_t part = 0; part < parts; ++part) {
      if (part > 0) key += '.';
      key += std::string_view("ab01e").substr(random.below(5), 1);
    }
    if (key == "e") key = "event";
    members[key] = random_value(random, depth + 1);
  }
  std::string text;
  for (const auto& [key, value] : members) {
    text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", key, value);
  }
  return "{" + text + "}";
}

std::string random_value(Random& random, int depth) {
  const std::uint64_t kind = random.below(depth > 4 ? 2 : 6);
  if (kind == 0) return "null";
  if (kind == 1) return fmt::to_string(random.below(1000));
  if (kind < 5) return random_object(random, depth);
  std::string text;
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    text += random_value(random, depth + 1);
    if (i > 1) text += ",";
  }
  return "[" + text + "]";
}

std::string random_path(Random& random) {
  std::string text;
  for (std::uint64_t i = 1 + random.below(4); i > 0; --i) {
    text += std::string_view("ab01*").substr(random.below(5), 1);
    if (i > 1) text += ".";
  }
  return text;
}

TEST(PropertyTrieProperty, WalkReadsWhatASlowReaderReads) {
  std::size_t met_count = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const std::string data = random_object(random, 0);
    std::vector<std::string> paths;
    for (int i = 0; i < 12; ++i) paths.push_back(random_path(random));
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, data));
    const Read read(data, paths);
    simdjson::dom::parser parser;
    const simdjson::dom::object object = parser.parse(data).get_object().value();
    for (std::size_t i = 0; i < paths.size(); ++i) {
      const PropertyPath path = *PropertyPath::parse(paths[i]);
      if (path.has_wildcard()) {
        const std::string expected = slow_matches(path, object);
        met_count += expected.empty() ? 0 : 1;
        ASSERT_EQ(read.matches(i), expected) << paths[i];
      } else {
        const std::string expected = slow_value(path, object);
        met_count += expected == "missing" ? 0 : 1;
        ASSERT_EQ(read.value(i), expected) << paths[i];
      }
    }
  }
  EXPECT_GT(met_count, 2000U);
}

}  // namespace
}  // namespace eilpost

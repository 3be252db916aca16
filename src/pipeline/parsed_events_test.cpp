#include "pipeline/parsed_events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

namespace eilpost::pipeline {
namespace {

std::string document(std::size_t number, std::string_view filling = "") {
  return fmt::format(R"({{"event":{{"id":"e{}"}},"created_at":1,"data":{{"n":{},"t":"{}"}}}})",
                     number, number, filling);
}

std::uint64_t number_in(const EventDocument& document) {
  return document.data().at_key("n").get_uint64().value_unsafe();
}

TEST(ParsedEvents, KeepsADocumentForAsLongAsSomebodyHasIt) {
  ParsedEvents events;
  std::vector<std::shared_ptr<const EventDocument>> kept;
  for (std::size_t i = 0; i < ParsedEvents::kSlots; ++i) {
    const ParsedEvents::Parsed parsed = events.parse(document(i));
    EXPECT_EQ(number_in(parsed.document), i);
    ASSERT_NE(parsed.kept, nullptr);
    kept.push_back(parsed.kept);
  }
  // No place is left: it is parsed, but not kept, and touches none of those that are.
  const ParsedEvents::Parsed more = events.parse(document(1000));
  EXPECT_EQ(number_in(more.document), 1000U);
  EXPECT_EQ(more.kept, nullptr);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(number_in(*kept[i]), i);
}

TEST(ParsedEvents, UsesAPlaceAgainOnceItWasDropped) {
  ParsedEvents events;
  for (std::size_t i = 0; i < 3 * ParsedEvents::kSlots; ++i) {
    EXPECT_NE(events.parse(document(i)).kept, nullptr);
  }
}

TEST(ParsedEvents, PlaceThatIsFreeAgainComesBeforeOnesNeverUsed) {
  ParsedEvents events;
  const std::shared_ptr<const EventDocument> first = events.parse(document(1)).kept;
  const EventDocument* const place = events.parse(document(2)).kept.get();
  EXPECT_EQ(events.parse(document(3)).kept.get(), place);
  EXPECT_EQ(number_in(*first), 1U);
}

TEST(ParsedEvents, KeepsNoLargeOne) {
  ParsedEvents events;
  const std::string filling(ParsedEvents::kBytesMax, 'x');
  const ParsedEvents::Parsed parsed = events.parse(document(1, filling));
  EXPECT_EQ(number_in(parsed.document), 1U);
  EXPECT_EQ(parsed.kept, nullptr);
}

TEST(ParsedEvents, WhatIsKeptOutlivesIt) {
  std::optional<ParsedEvents> events(std::in_place);
  const std::shared_ptr<const EventDocument> kept = events->parse(document(7)).kept;
  events.reset();
  EXPECT_EQ(number_in(*kept), 7U);
}

}  // namespace
}  // namespace eilpost::pipeline

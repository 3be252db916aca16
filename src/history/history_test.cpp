#include "history/history.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "history/history_fixture_for_test.h"
#include "store/records.h"

namespace eilpost::history {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(History, DeliveryIsShownWithItsEventAndAttempts) {
  HistoryFixture log;
  const Event event = log.event(7);
  const Position sequence = log.accept(event, 2);
  const DeliveryId id{.sequence = sequence, .ordinal = 1};

  std::optional<DeliveryRow> row = log.delivery(id);
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->id, id);
  EXPECT_EQ(row->event_id, event.id);
  EXPECT_EQ(row->event_type, event.type);
  EXPECT_EQ(row->user, event.user);
  EXPECT_EQ(row->webhook, store::make_owed(1).webhook);
  EXPECT_EQ(row->destination, store::make_owed(1).destination);
  EXPECT_EQ(row->webhook_version, store::make_owed(1).webhook_version);
  EXPECT_EQ(row->state, DeliveryState::pending);
  EXPECT_EQ(row->accepted_at, event.received_at);
  EXPECT_EQ(row->webhook_id, to_string(id));
  EXPECT_FALSE(row->next_attempt_at || row->settled_at || row->last_outcome || row->replay_of);

  Attempt first = store::make_attempt(id, DeliveryState::retrying);
  first.outcome.retry_after = seconds(30);
  first.outcome.detail = "it said no";
  first.outcome.answer = std::string("\xFF\0x", 3);
  first.outcome.answer_content_type = "text/plain";
  log.store().record(first);
  ASSERT_TRUE(log.flush());
  row = log.delivery(id);
  EXPECT_EQ(row->state, DeliveryState::retrying);
  EXPECT_EQ(row->attempts_count, 1);
  EXPECT_EQ(row->next_attempt_at, first.next.retry_at);
  EXPECT_EQ(row->last_status, 503);
  EXPECT_EQ(row->webhook_version, first.webhook_version);

  const Attempt second = log.attempt(id, DeliveryState::delivered, 2);
  ASSERT_TRUE(log.flush());
  row = log.delivery(id);
  EXPECT_EQ(row->state, DeliveryState::delivered);
  EXPECT_EQ(row->attempts_count, 2);
  EXPECT_EQ(row->settled_at, second.started_at + second.duration);
  EXPECT_FALSE(row->next_attempt_at.has_value());
  EXPECT_EQ(row->last_outcome, OutcomeKind::answered);

  const auto attempts = log.ask([&](Reader& reader) { return reader.attempts(id); });
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[0].delivery, id);
  EXPECT_EQ(attempts[0].number, 1);
  EXPECT_EQ(attempts[0].started_at, first.started_at);
  EXPECT_EQ(attempts[0].duration, first.duration);
  EXPECT_EQ(attempts[0].webhook_version, first.webhook_version);
  EXPECT_EQ(attempts[0].destination_version, first.destination_version);
  EXPECT_EQ(attempts[0].body_hash, first.body_hash);
  EXPECT_EQ(attempts[0].outcome.retry_after, first.outcome.retry_after);
  EXPECT_EQ(attempts[0].outcome.detail, first.outcome.detail);
  EXPECT_EQ(attempts[0].outcome.answer, first.outcome.answer);
  EXPECT_EQ(attempts[0].outcome.answer_content_type, "text/plain");
  EXPECT_TRUE(attempts[0].outcome.request_sent);
  EXPECT_FALSE(attempts[0].outcome.success);
  EXPECT_EQ(attempts[0].next.state, DeliveryState::retrying);
  EXPECT_EQ(attempts[0].next.retry_at, first.next.retry_at);
  EXPECT_EQ(attempts[1].number, 2);
  EXPECT_TRUE(attempts[1].outcome.success);

  const auto shown = log.ask([&](Reader& reader) { return reader.event_of(id); });
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(shown->document, event.document);
  EXPECT_EQ(shown->deliveries_count, 2);
  EXPECT_EQ(shown->source, event.source);
  EXPECT_EQ(shown->time, event.time);

  const DeliveryId beyond{.sequence = sequence, .ordinal = 2};
  EXPECT_FALSE(log.delivery(beyond).has_value());
  EXPECT_TRUE(log.ask([&](Reader& reader) { return reader.attempts(beyond); }).empty());
  EXPECT_FALSE(log.ask([&](Reader& reader) { return reader.event_of(beyond); }).has_value());
}

TEST(History, SettledWithoutAnAttemptIsFailedWithItsReason) {
  HistoryFixture log;
  const DeliveryId id{.sequence = log.accept(1)};
  const WallTime at = log.env().clock().wall_now();
  log.store().record(
      store::Settled{.delivery = id, .reason = FailReason::webhook_deleted, .at = at});
  ASSERT_TRUE(log.flush());
  const auto row = log.delivery(id);
  EXPECT_EQ(row->state, DeliveryState::failed);
  EXPECT_EQ(row->reason, FailReason::webhook_deleted);
  EXPECT_EQ(row->settled_at, at);
  EXPECT_EQ(row->attempts_count, 0);
}

TEST(History, ReplaySaysWhatItRepeats) {
  HistoryFixture log;
  const DeliveryId original{.sequence = log.accept(1, 3), .ordinal = 2};
  std::vector<store::Accept> batch;
  Event again = log.event(1);
  again.webhook_id = to_string(original);
  batch.push_back(store::make_accept(std::move(again)));
  batch.back().replay_of = store::ReplayOf{.original = original};
  const std::vector<Position> sequences = log.accept(std::move(batch));
  const auto row = log.delivery({.sequence = sequences.at(0)});
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->replay_of, original);
  EXPECT_EQ(row->webhook_id, to_string(original));
}

// Deliveries in several files, indexed and not, with a model of what a filter finds.
class Searched {
 public:
  explicit Searched(std::uint64_t seed) : log(seed, {.file_rows_max = 25}), random_(seed) {
    for (std::uint64_t i = 0; i < 60; ++i) add(i);
    EXPECT_TRUE(log.flush());
  }

  [[nodiscard]] std::vector<DeliveryId> expected(const Filter& filter) const {
    std::vector<DeliveryId> found;
    for (auto it = rows_.rbegin(); it != rows_.rend(); ++it) {
      if (fits(filter, *it)) found.push_back(it->id);
    }
    return found;
  }
  [[nodiscard]] Filter random_filter() {
    const DeliveryRow& row = rows_[random_.below(rows_.size())];
    Filter filter;
    if (random_.chance(1, 3)) filter.webhook = row.webhook;
    if (random_.chance(1, 5)) filter.destination = row.destination;
    if (random_.chance(1, 4)) filter.event_types = {row.event_type};
    if (random_.chance(1, 6)) filter.event_types = {"tour.started", "survey.submitted"};
    if (random_.chance(1, 6)) filter.event_id = row.event_id;
    if (random_.chance(1, 4)) filter.user = row.user;
    if (random_.chance(1, 4)) filter.states = {row.state};
    if (random_.chance(1, 6)) filter.states = {DeliveryState::failed, row.state};
    if (random_.chance(1, 6)) filter.environment = row.environment;
    if (random_.chance(1, 5)) filter.from = row.accepted_at;
    if (random_.chance(1, 5)) filter.until = row.accepted_at + seconds(2);
    return filter;
  }

  HistoryFixture log;

 private:
  void add(std::uint64_t number) {
    log.env().advance(milliseconds(100 + random_.below(900)));
    Event event = log.event(number);
    const std::uint64_t type = random_.below(3);
    event.type = type == 0 ? "tour.started" : type == 1 ? "survey.submitted" : "page.viewed";
    event.user = fmt::format("user-{}", random_.below(5));
    event.environment = random_.chance(1, 4) ? EnvironmentId::test : EnvironmentId::production;
    const std::uint64_t owed_count = 1 + random_.below(3);
    const Position sequence = log.accept(event, owed_count);
    for (std::uint16_t i = 0; i < owed_count; ++i) {
      DeliveryRow row;
      row.id = {.sequence = sequence, .ordinal = i};
      row.event_id = event.id;
      row.event_type = event.type;
      row.user = event.user;
      row.environment = event.environment;
      row.webhook = store::make_owed(i).webhook;
      row.destination = store::make_owed(i).destination;
      row.accepted_at = event.received_at;
      const std::uint64_t what = random_.below(4);
      if (what > 0) {
        row.state = what == 1   ? DeliveryState::retrying
                    : what == 2 ? DeliveryState::delivered
                                : DeliveryState::failed;
        log.attempt(row.id, row.state);
      }
      rows_.push_back(std::move(row));
    }
  }

  static bool fits(const Filter& filter, const DeliveryRow& row) {
    const auto is_one_of = [](const auto& all, const auto& one) {
      return all.empty() || std::ranges::find(all, one) != all.end();
    };
    return (!filter.webhook || filter.webhook == row.webhook) &&
           (!filter.destination || filter.destination == row.destination) &&
           is_one_of(filter.event_types, row.event_type) &&
           (!filter.event_id || filter.event_id == row.event_id) &&
           (!filter.user || filter.user == row.user) && is_one_of(filter.states, row.state) &&
           (!filter.environment || filter.environment == row.environment) &&
           (!filter.from || row.accepted_at >= *filter.from) &&
           (!filter.until || row.accepted_at < *filter.until);
  }

  Random random_;
  std::vector<DeliveryRow> rows_;
};

TEST(HistoryProperty, SearchFindsWhatFitsNewestFirstInPages) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Searched searched(seed);
    if (seed % 2 == 0) searched.log.reopen();
    EXPECT_GE(searched.log.files().size(), 3U);
    for (int i = 0; i < 30; ++i) {
      const Filter filter = searched.random_filter();
      const std::vector<DeliveryId> expected = searched.expected(filter);
      std::vector<DeliveryId> found;
      std::string cursor;
      std::size_t pages_count = 0;
      do {
        const auto page = searched.log.ask([&](Reader& reader) {
          return reader.deliveries(filter, {.cursor = cursor, .count = 7});
        });
        EXPECT_LE(page.rows.size(), 7U);
        for (const DeliveryRow& row : page.rows) found.push_back(row.id);
        cursor = page.next_cursor;
        ASSERT_LE(++pages_count, 30U);
      } while (!cursor.empty());
      ASSERT_EQ(found, expected) << "seed " << seed << " filter " << i;
      ASSERT_EQ(pages_count, std::max<std::size_t>(1, (expected.size() + 6) / 7));
      ASSERT_EQ(searched.log.ask([&](Reader& reader) { return reader.count_deliveries(filter); }),
                expected.size());
    }
    EXPECT_TRUE(searched.log.troubles().empty());
  }
}

TEST(History, CursorThatIsNoneIsRefused) {
  HistoryFixture log;
  for (const std::string cursor : {"x", "AAAA", "_____________w", "%"}) {
    std::optional<ErrorCode> code;
    log.history().run_query([&](Reader& reader) {
      const auto answer = reader.deliveries({}, {.cursor = cursor});
      code = answer ? ErrorCode::not_found : answer.error().code;
    });
    ASSERT_TRUE(log.env().run_until([&] { return code.has_value(); }, seconds(5)));
    EXPECT_EQ(code, ErrorCode::bad_input) << cursor;
  }
}

TEST(History, EventsListsWantedAndUnwantedOnes) {
  HistoryFixture log(1, {.file_rows_max = 3});
  std::vector<std::string> expected;
  for (std::uint64_t i = 0; i < 12; ++i) {
    log.env().advance(seconds(1));
    log.accept(i, i % 3);
    expected.insert(expected.begin(), log.event(i).id);
  }
  std::vector<std::string> found;
  std::string cursor;
  do {
    const auto page =
        log.ask([&](Reader& reader) { return reader.events({}, {.cursor = cursor, .count = 5}); });
    for (const EventRow& row : page.rows) {
      found.push_back(row.id);
      EXPECT_TRUE(row.document.empty());
    }
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(found, expected);

  const auto one = log.ask([&](Reader& reader) {
    return reader.events({.event_id = log.event(3).id}, {});  // unwanted
  });
  ASSERT_EQ(one.rows.size(), 1U);
  EXPECT_EQ(one.rows[0].deliveries_count, 0);
  const auto whole = log.ask([&](Reader& reader) { return reader.event(one.rows[0].sequence); });
  ASSERT_TRUE(whole.has_value());
  EXPECT_TRUE(whole->document.contains(log.event(3).id));
}

TEST(History, CountsAreByTypeAndHour) {
  HistoryFixture log;
  const WallTime start = log.env().clock().wall_now();
  log.accept(1, 1);
  log.accept(2, 0);
  Event other = log.event(3);
  other.type = "tour.started";
  log.accept(other, 0);
  log.env().advance(hours(2));
  log.accept(4, 1);
  const auto counts = [&](WallTime from, WallTime until) {
    std::vector<std::string> texts;
    for (const Counts& c : log.ask([&](Reader& reader) { return reader.counts(from, until); })) {
      texts.push_back(fmt::format("{} {} {}", c.event_type, c.events, c.unwanted));
    }
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(counts(start, start + hours(3)), (Texts{"survey.submitted 3 1", "tour.started 1 1"}));
  EXPECT_EQ(counts(start, start + hours(1)), (Texts{"survey.submitted 2 1", "tour.started 1 1"}));
  EXPECT_EQ(counts(start + hours(1), start + hours(3)), (Texts{"survey.submitted 1 0"}));
  EXPECT_EQ(counts(start + hours(3), start + hours(4)), Texts{});
}

TEST(History, RecentEventsAreTheLastHundredOfAType) {
  HistoryFixture log;
  for (std::uint64_t i = 0; i < 130; ++i) log.accept(i, i % 2);
  const auto recent =
      log.ask([](Reader& reader) { return reader.recent_events("survey.submitted", 1000); });
  ASSERT_EQ(recent.size(), limits::kUnwantedKeptPerType);
  EXPECT_EQ(recent.front().id, log.event(129).id);
  EXPECT_EQ(recent.back().id, log.event(30).id);
  EXPECT_TRUE(recent.front().document.starts_with("{\"event\":"));
  EXPECT_EQ(
      log.ask([](Reader& reader) { return reader.recent_events("survey.submitted", 3); }).size(),
      3U);
  EXPECT_TRUE(log.ask([](Reader& reader) { return reader.recent_events("other", 3); }).empty());
}

TEST(History, ItemsPropertiesAndValuesAreSeen) {
  HistoryFixture log;
  log.accept(1, 1);
  log.accept(2, 0);
  log.history().add_item({.type = "survey",
                          .id = "\"abc\"",
                          .name = "Declared 100%",
                          .parent = "152605",
                          .last_seen_at = log.env().clock().wall_now()});
  auto items = log.ask([](Reader& reader) { return reader.items("survey", "", {}, 10); });
  ASSERT_EQ(items.size(), 2U);
  const ItemPlace first{items[0].last_seen_at, items[0].type, items[0].id};
  items = log.ask([&](Reader& reader) { return reader.items("survey", "", first, 10); });
  ASSERT_EQ(items.size(), 1U);
  EXPECT_NE(items[0].id, first.id);
  const ItemPlace second{items[0].last_seen_at, items[0].type, items[0].id};
  items = log.ask([&](Reader& reader) { return reader.items("survey", "", second, 10); });
  EXPECT_EQ(items.size(), 0U);
  items = log.ask([](Reader& reader) { return reader.items("", "nps", {}, 10); });
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].type, "survey");
  EXPECT_EQ(items[0].id, "152605");
  EXPECT_EQ(items[0].name, "NPS Q4");
  items = log.ask([](Reader& reader) { return reader.items("survey", "0%", {}, 10); });
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].parent, "152605");

  std::vector<std::string> paths;
  for (const PropertyRow& row :
       log.ask([](Reader& reader) { return reader.properties("survey.submitted"); })) {
    paths.push_back(fmt::format("{} {} {}", row.path, row.type, row.count));
  }
  for (const std::string expected :
       {"answers array 2", "answers.*.value integer 2", "oId integer 2",
        "wm.userVars.plan string 2", "wm.euId string 2"}) {
    EXPECT_TRUE(std::ranges::find(paths, expected) != paths.end()) << expected;
  }

  const auto values = [&](std::string_view path) {
    std::vector<std::string> texts;
    for (const ValueRow& row :
         log.ask([&](Reader& reader) { return reader.values("survey.submitted", path, 10); })) {
      texts.push_back(fmt::format("{} {}", row.value, row.count));
    }
    return texts;
  };
  EXPECT_EQ(values("wm.userVars.plan"), std::vector<std::string>{"\"pro\" 2"});
  EXPECT_EQ(values("answers.*.value"), std::vector<std::string>{"9 2"});
  EXPECT_TRUE(values("wm.euId").empty());
  EXPECT_TRUE(values("sId").empty());
}

TEST(History, TestsAreKeptApartFromDeliveries) {
  HistoryFixture log;
  TestRecord record;
  record.delivery.event_id = "e1";
  record.delivery.webhook = WebhookId{17};
  record.delivery.state = DeliveryState::delivered;
  record.delivery.accepted_at = log.env().clock().wall_now();
  record.attempt = store::make_attempt({});
  record.document = "{}";
  for (std::uint64_t i = 0; i < 210; ++i) {
    record.delivery.destination = DestinationId{i};
    log.history().add_test(record);
  }
  const auto tests = log.ask([](Reader& reader) { return reader.tests(1000); });
  ASSERT_EQ(tests.size(), 200U);
  EXPECT_EQ(tests[0].delivery.destination, DestinationId{209});
  EXPECT_EQ(tests[0].delivery.webhook, WebhookId{17});
  EXPECT_TRUE(tests[0].delivery.is_test);
  EXPECT_EQ(tests[0].attempt.body_hash, record.attempt.body_hash);
  EXPECT_EQ(tests[0].document, "{}");
  EXPECT_TRUE(log.deliveries().empty());
}

TEST(History, OnWrittenTellsEveryEntryOnceInOrder) {
  HistoryFixture log;
  std::vector<std::size_t> kinds;
  log.history().on_written([&](const store::Followed& followed) {
    for (const store::Entry& entry : store::to_entries(followed)) kinds.push_back(entry.index());
  });
  const DeliveryId id{.sequence = log.accept(1)};
  log.attempt(id, DeliveryState::delivered);
  ASSERT_TRUE(log.flush());
  log.accept(2);
  (void)log.deliveries();
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 0}));
  (void)log.deliveries();
  EXPECT_EQ(kinds.size(), 3U);
}

TEST(History, UsageSaysHowFarItIs) {
  HistoryFixture log;
  const Position sequence = log.accept(1);
  (void)log.deliveries();
  EXPECT_GT(log.history().usage().written_until, sequence);
  EXPECT_EQ(log.history().usage().files_count, 1U);
  log.env().advance(seconds(31));
  log.accept(2);
  log.env().advance(seconds(1));
  EXPECT_GT(log.history().usage().bytes, 4096U);
}

}  // namespace
}  // namespace eilpost::history

// Goal: whatever is asked of the log, it answers as a plain list of all deliveries would, however
// its blocks were cut, merged, written late, or written again after a crash.
//
// Method: a real Store and History on the simulated disk; stretches of one to some hundred events,
// attempts in the same stretch and in later ones, crashes and restarts between them.

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "history/history_fixture_for_test.h"

namespace eilpost::history {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : random_(seed), log_(seed, {.file_rows_max = 700}, /*trims=*/true) {}

  // Accepts a stretch of events, tries some deliveries, and lets the log write it.
  void step() {
    accept();
    const std::uint64_t attempts = random_.below(2 * rows_.size() + 1);
    for (std::uint64_t i = 0; i < attempts; ++i) attempt();
    ASSERT_TRUE(log_.flush());
    log_.env().advance(milliseconds(random_.below(400)));
    if (random_.chance(1, 3)) (void)log_.deliveries({.event_id = "none"});
    if (random_.chance(1, 6)) log_.env().advance(seconds(40));  // It is saved.
    if (random_.chance(1, 6)) log_.crash();
    if (random_.chance(1, 10)) log_.reopen();
  }

  void check() {
    for (int i = 0; i < 12; ++i) {
      const Filter filter = random_filter();
      std::vector<DeliveryRow> expected;
      for (auto it = rows_.rbegin(); it != rows_.rend(); ++it) {
        if (fits(filter, it->second)) expected.push_back(seen(filter, it->second));
      }
      ASSERT_NO_FATAL_FAILURE(check_pages(filter, expected));
      ASSERT_NO_FATAL_FAILURE(check_counts(filter, expected));
      if (!expected.empty()) {
        ASSERT_NO_FATAL_FAILURE(check_one(expected[random_.below(expected.size())].id));
      }
    }
    for (const std::string& trouble : log_.troubles()) ADD_FAILURE() << trouble;
  }

 private:
  void accept() {
    std::vector<store::Accept> batch;
    std::vector<Event> events;
    const std::uint64_t count = 1 + random_.below(random_.chance(1, 3) ? 80 : 8);
    for (std::uint64_t i = 0; i < count; ++i) {
      Event event = log_.event(++last_number_);
      event.type = fmt::format("type-{}", random_.below(3));
      event.user = fmt::format("user-{}", random_.below(40));
      event.environment = random_.chance(1, 4) ? EnvironmentId::test : EnvironmentId::production;
      events.push_back(event);
      batch.push_back(store::make_accept(std::move(event), random_.below(3)));
    }
    const std::vector<store::Accept> accepted = batch;
    const std::vector<Position> sequences = log_.accept(std::move(batch));
    ASSERT_EQ(sequences.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::uint16_t ordinal = 0; ordinal < accepted[i].owed.size(); ++ordinal) {
        DeliveryRow row;
        row.id = {.sequence = sequences[i], .ordinal = ordinal};
        row.event_id = events[i].id;
        row.event_type = events[i].type;
        row.user = events[i].user;
        row.environment = events[i].environment;
        row.webhook = accepted[i].owed[ordinal].webhook;
        row.destination = accepted[i].owed[ordinal].destination;
        row.accepted_at = events[i].received_at;
        documents_[row.id] = events[i].document;
        if (random_.chance(1, 10)) row.reason = FailReason::expired;  // It is left alone.
        rows_.emplace(row.id, row);
      }
    }
  }
  void attempt() {
    auto it = std::next(rows_.begin(), static_cast<std::ptrdiff_t>(random_.below(rows_.size())));
    DeliveryRow& row = it->second;
    const bool is_over =
        row.state == DeliveryState::delivered || row.state == DeliveryState::failed;
    if (is_over || row.reason == FailReason::expired) return;
    constexpr DeliveryState kStates[] = {DeliveryState::retrying, DeliveryState::delivered,
                                         DeliveryState::delivered, DeliveryState::failed};
    row.state = kStates[random_.below(std::size(kStates))];
    (void)log_.attempt(row.id, row.state, ++row.attempts_count);
  }

  Filter random_filter() {
    Filter filter;
    if (rows_.empty()) return filter;
    const auto it =
        std::next(rows_.begin(), static_cast<std::ptrdiff_t>(random_.below(rows_.size())));
    const DeliveryRow& row = it->second;
    if (random_.chance(1, 4)) filter.webhook = row.webhook;
    if (random_.chance(1, 5)) filter.destination = row.destination;
    if (random_.chance(1, 4)) filter.event_types = {row.event_type, "type-0"};
    if (random_.chance(1, 6)) filter.event_id = row.event_id;
    if (random_.chance(1, 4)) filter.user = row.user;
    if (random_.chance(1, 3)) filter.states = {row.state};
    if (random_.chance(1, 6)) filter.states = {DeliveryState::held, DeliveryState::failed};
    if (random_.chance(1, 6)) filter.environment = row.environment;
    if (random_.chance(1, 5)) filter.from = row.accepted_at;
    if (random_.chance(1, 5)) filter.until = row.accepted_at + seconds(2);
    if (random_.chance(1, 2)) {
      filter.held = std::make_shared<const Held>(
          Held{.webhooks = {store::make_owed(1).webhook}, .destinations = {row.destination}});
    }
    return filter;
  }
  static DeliveryRow seen(const Filter& filter, DeliveryRow row) {
    if (filter.held) row.state = seen_state(*filter.held, row);
    return row;
  }
  static bool fits(const Filter& filter, const DeliveryRow& row) {
    const auto is_one_of = [](const auto& all, const auto& one) {
      return all.empty() || std::ranges::find(all, one) != all.end();
    };
    return (!filter.webhook || filter.webhook == row.webhook) &&
           (!filter.destination || filter.destination == row.destination) &&
           is_one_of(filter.event_types, row.event_type) &&
           (!filter.event_id || filter.event_id == row.event_id) &&
           (!filter.user || filter.user == row.user) &&
           is_one_of(filter.states, seen(filter, row).state) &&
           (!filter.environment || filter.environment == row.environment) &&
           (!filter.from || row.accepted_at >= *filter.from) &&
           (!filter.until || row.accepted_at < *filter.until);
  }

  void check_pages(const Filter& filter, const std::vector<DeliveryRow>& expected) {
    const std::size_t count = 1 + expected.size() / (1 + random_.below(4));
    std::size_t at = 0;
    std::string cursor;
    do {
      const auto page = log_.ask([&](Reader& reader) {
        return reader.deliveries(filter, {.cursor = cursor, .count = count});
      });
      for (const DeliveryRow& row : page.rows) {
        ASSERT_LT(at, expected.size());
        ASSERT_EQ(row.id, expected[at].id);
        ASSERT_EQ(row.state, expected[at].state);
        ASSERT_EQ(row.attempts_count, expected[at].attempts_count);
        ASSERT_EQ(row.user, expected[at].user);
        ++at;
      }
      cursor = page.next_cursor;
    } while (!cursor.empty());
    ASSERT_EQ(at, expected.size());
  }
  void check_counts(const Filter& filter, const std::vector<DeliveryRow>& expected) {
    std::map<WebhookId, std::uint64_t> counts;
    for (const DeliveryRow& row : expected) ++counts[row.webhook];
    ASSERT_EQ(log_.ask([&](Reader& reader) { return reader.count_by_webhook(filter); }), counts);
  }
  void check_one(DeliveryId id) {
    const auto event = log_.ask([&](Reader& reader) { return reader.event_of(id); });
    ASSERT_TRUE(event.has_value());
    ASSERT_EQ(event->document, documents_.at(id));
    const auto attempts = log_.ask([&](Reader& reader) { return reader.attempts(id); });
    ASSERT_EQ(attempts.size(), rows_.at(id).attempts_count);
    for (std::size_t i = 0; i < attempts.size(); ++i) ASSERT_EQ(attempts[i].number, i + 1);
  }

  Random random_;
  HistoryFixture log_;
  std::map<DeliveryId, DeliveryRow> rows_;
  std::map<DeliveryId, std::string> documents_;
  std::uint64_t last_number_ = 0;
};

TEST(HistoryProperty, AnswersAsAListOfAllDeliveriesWould) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int i = 0; i < 24; ++i) {
      ASSERT_NO_FATAL_FAILURE(model.step());
      if (i % 6 == 5) ASSERT_NO_FATAL_FAILURE(model.check());
    }
  }
}

}  // namespace
}  // namespace eilpost::history

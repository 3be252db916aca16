#include "history/filter_sql.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "history/rows.h"

namespace eilpost::history {
namespace {

constexpr Source kByDelivery = {
    .from = " FROM deliveries d CROSS JOIN events e ON e.sequence=d.sequence",
    .order = " ORDER BY d.key DESC"};
constexpr Source kByEvent = {.from =
                                 " FROM events e CROSS JOIN deliveries d ON d.key>=e.first_key AND "
                                 "d.key<e.first_key+e.deliveries_count",
                             .order = " ORDER BY e.sequence DESC, d.key DESC"};

std::string marks(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ",?";
  return text;
}

template <class Id>
std::string json_list(const std::vector<Id>& ids) {
  std::string text = "[";
  for (const Id id : ids) {
    if (text.size() > 1) text += ',';
    text += std::to_string(to_column(static_cast<std::uint64_t>(id)));
  }
  return text + ']';
}

}  // namespace

DeliveryState seen_state(const Held& held, const DeliveryRow& row) {
  if (row.state != DeliveryState::pending && row.state != DeliveryState::retrying) return row.state;
  const bool is_held = std::ranges::binary_search(held.webhooks, row.webhook) ||
                       std::ranges::binary_search(held.destinations, row.destination);
  return is_held ? DeliveryState::held : row.state;
}

void Conditions::add(std::string_view condition, std::vector<Value> values) {
  text_ += text_.empty() ? " WHERE " : " AND ";
  text_ += condition;
  std::ranges::move(values, std::back_inserter(values_));
}

void Conditions::add_any(std::string_view column, std::vector<Value> values) {
  EILPOST_ASSERT(!values.empty());
  std::string condition(column);
  if (values.size() == 1) {
    condition += "=?";
  } else {
    condition += " IN (" + marks(values.size()) + ')';
  }
  add(condition, std::move(values));
}

void Conditions::add_event_filter(const Filter& filter) {
  if (filter.event_id) add("e.id=?", {*filter.event_id});
  if (filter.user) add("e.user=?", {*filter.user});
  if (!filter.event_types.empty()) {
    add_any("e.type", {filter.event_types.begin(), filter.event_types.end()});
  }
  if (filter.environment) {
    add("e.environment=?", {std::int64_t{static_cast<std::uint32_t>(*filter.environment)}});
  }
  if (filter.from) add("e.received_at>=?", {to_column(*filter.from)});
  if (filter.until) add("e.received_at<?", {to_column(*filter.until)});
}

void Conditions::add_delivery_filter(const Filter& filter) {
  if (filter.webhook) {
    add("d.webhook=?", {to_column(static_cast<std::uint64_t>(*filter.webhook))});
  }
  if (filter.destination) {
    add("d.destination=?", {to_column(static_cast<std::uint64_t>(*filter.destination))});
  }
  if (!filter.states.empty()) add_states(filter);
}

void Conditions::add_states(const Filter& filter) {
  const auto is_asked = [&](DeliveryState state) {
    return std::ranges::find(filter.states, state) != filter.states.end();
  };
  const bool is_any_held =
      filter.held && !(filter.held->webhooks.empty() && filter.held->destinations.empty());
  std::vector<Value> states;
  bool asks_owed = false;
  for (const DeliveryState state : filter.states) {
    states.emplace_back(std::int64_t{static_cast<std::uint8_t>(state)});
    asks_owed = asks_owed || state == DeliveryState::pending || state == DeliveryState::retrying;
  }
  if (!is_any_held || (!asks_owed && !is_asked(DeliveryState::held))) {
    // Most deliveries are delivered: the index would find too many. `+` keeps it out.
    add_any(is_asked(DeliveryState::delivered) ? "+d.state" : "d.state", std::move(states));
    return;
  }
  // Of what is owed the held ones have a state of their own. The lists may be long: each is one
  // value, a JSON array.
  constexpr std::string_view kIsHeld =
      "(d.webhook IN (SELECT value FROM json_each(?)) OR d.destination IN (SELECT value FROM "
      "json_each(?)))";
  const Value webhooks = json_list(filter.held->webhooks);
  const Value destinations = json_list(filter.held->destinations);
  std::string condition =
      "(d.state IN (" + marks(states.size()) + ") AND NOT (d.state IN (0,1) AND ";
  condition += kIsHeld;
  condition += ')';
  states.push_back(webhooks);
  states.push_back(destinations);
  if (is_asked(DeliveryState::held)) {
    condition += " OR d.state IN (0,1) AND ";
    condition += kIsHeld;
    states.push_back(webhooks);
    states.push_back(destinations);
  }
  add(condition + ')', std::move(states));
}

std::string Conditions::where() const {
  return text_;
}

void Conditions::bind(database::Statement& statement) const {
  int place = 0;
  for (const Value& value : values_) {
    ++place;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      statement.bind(place, *number);
    } else {
      statement.bind(place, std::get<std::string>(value));
    }
  }
}

Source source_for(const Filter& filter, bool is_indexed) {
  if (!is_indexed) return kByDelivery;
  if (filter.event_id || filter.user) return kByEvent;
  const bool is_by_type = filter.event_types.size() == 1 && !filter.webhook &&
                          !filter.destination && filter.states.empty();
  return is_by_type ? kByEvent : kByDelivery;
}

}  // namespace eilpost::history

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

}  // namespace

void Conditions::add(std::string_view condition, Value value) {
  text_ += text_.empty() ? " WHERE " : " AND ";
  text_ += condition;
  values_.push_back(std::move(value));
}

void Conditions::add_any(std::string_view column, std::vector<Value> values) {
  EILPOST_ASSERT(!values.empty());
  std::string condition(column);
  if (values.size() == 1) {
    condition += "=?";
  } else {
    condition += " IN (";
    for (std::size_t i = 0; i < values.size(); ++i) condition += i == 0 ? "?" : ",?";
    condition += ')';
  }
  text_ += text_.empty() ? " WHERE " : " AND ";
  text_ += condition;
  std::ranges::move(values, std::back_inserter(values_));
}

void Conditions::add_event_filter(const Filter& filter) {
  if (filter.event_id) add("e.id=?", *filter.event_id);
  if (filter.user) add("e.user=?", *filter.user);
  if (!filter.event_types.empty()) {
    add_any("e.type", {filter.event_types.begin(), filter.event_types.end()});
  }
  if (filter.environment) {
    add("e.environment=?", std::int64_t{static_cast<std::uint32_t>(*filter.environment)});
  }
  if (filter.from) add("e.received_at>=?", to_column(*filter.from));
  if (filter.until) add("e.received_at<?", to_column(*filter.until));
}

void Conditions::add_delivery_filter(const Filter& filter) {
  if (filter.webhook) {
    add("d.webhook=?", to_column(static_cast<std::uint64_t>(*filter.webhook)));
  }
  if (filter.destination) {
    add("d.destination=?", to_column(static_cast<std::uint64_t>(*filter.destination)));
  }
  if (filter.states.empty()) return;
  std::vector<Value> states;
  states.reserve(filter.states.size());
  for (const DeliveryState state : filter.states) {
    states.emplace_back(std::int64_t{static_cast<std::uint8_t>(state)});
  }
  // Most deliveries are delivered: the index would find too many. `+` keeps it out.
  const bool is_common =
      std::ranges::find(filter.states, DeliveryState::delivered) != filter.states.end();
  add_any(is_common ? "+d.state" : "d.state", std::move(states));
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

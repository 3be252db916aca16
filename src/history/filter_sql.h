#pragma once
// A Filter as the conditions of a SELECT.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "database/database.h"
#include "history/history.h"

namespace eilpost::history {

// Conditions on the events `e` and the deliveries `d`, with what is to be bound.
class Conditions final {
 public:
  using Value = std::variant<std::int64_t, std::string>;

  // `condition` with its `?`s.
  void add(std::string_view condition, std::vector<Value> values);
  // `column` is one of `values`. REQUIRES: there are some.
  void add_any(std::string_view column, std::vector<Value> values);
  void add_event_filter(const Filter& filter);
  void add_delivery_filter(const Filter& filter);

  [[nodiscard]] std::string where() const;  // " WHERE …", or empty
  void bind(database::Statement& statement) const;

 private:
  void add_states(const Filter& filter);

  std::string text_;
  std::vector<Value> values_;
};

// " FROM …" for deliveries and their events, in the order that serves the filter best, and what
// ORDER BY makes of "newest first" in that order.
struct Source {
  std::string_view from;
  std::string_view order;
};
[[nodiscard]] Source source_for(const Filter& filter, bool is_indexed);

}  // namespace eilpost::history

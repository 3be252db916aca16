#pragma once
// What a benchmark measured, and how it is shown: an aligned table, or JSON.
//
// Threads: any.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace eilpost::bench {

// Times in the order in which they came; sorted by the first question.
class Times {
 public:
  void add(double microseconds) {
    values_.push_back(microseconds);
    is_sorted_ = false;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  // `share` of the times are at most that: 0.99. 0 if there are none.
  [[nodiscard]] double quantile(double share);

 private:
  std::vector<double> values_;
  bool is_sorted_ = true;
};

// One scenario's figures by name, in the order of the table.
struct Figure {
  std::string name;  // events_per_second
  double value = 0;
  int digits = 0;  // behind the point, in the table
};

struct Row {
  std::string scenario;
  std::vector<Figure> figures;
};

// 0 if the row has no such figure.
[[nodiscard]] double value_of(const Row& row, std::string_view name);

// The run of the middle by the first figure. REQUIRES: there are rows.
[[nodiscard]] Row median_of(std::vector<Row> runs);

// Rows with the same figures share one heading.
[[nodiscard]] std::string table(const std::vector<Row>& rows);
// The same as Markdown, a table for each heading.
[[nodiscard]] std::string markdown(const std::vector<Row>& rows);
[[nodiscard]] std::string json(const std::vector<Row>& rows,
                               const std::map<std::string, std::string>& notes);

}  // namespace eilpost::bench

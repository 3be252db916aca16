#include "load/figures.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace eilpost::bench {
namespace {

std::string heading_of(const Row& row, std::size_t scenario_width) {
  std::string line = fmt::format("\n{:<{}}", "", scenario_width);
  for (const Figure& figure : row.figures) {
    line += fmt::format("  {:>{}}", figure.name, figure.name.size());
  }
  return line + "\n";
}

// events_per_second: events per second
std::string words_of(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

bool has_same_heading(const Row& a, const Row& b) {
  return std::ranges::equal(a.figures, b.figures, {}, &Figure::name, &Figure::name);
}

}  // namespace

double Times::quantile(double share) {
  if (values_.empty()) return 0;
  if (!is_sorted_) std::ranges::sort(values_);
  is_sorted_ = true;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values_.size()));
  return values_[std::min(place, values_.size() - 1)];
}

double value_of(const Row& row, std::string_view name) {
  const auto found = std::ranges::find(row.figures, name, &Figure::name);
  return found == row.figures.end() ? 0 : found->value;
}

Row median_of(std::vector<Row> runs) {
  std::ranges::sort(runs, {}, [](const Row& row) { return row.figures.front().value; });
  return std::move(runs[(runs.size() - 1) / 2]);
}

std::string table(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.scenario.size());
  std::string text;
  const Row* before = nullptr;
  for (const Row& row : rows) {
    if (before == nullptr || !has_same_heading(*before, row)) text += heading_of(row, width);
    before = &row;
    text += fmt::format("{:<{}}", row.scenario, width);
    for (const Figure& figure : row.figures) {
      text += fmt::format("  {:>{}.{}f}", figure.value, figure.name.size(), figure.digits);
    }
    text += "\n";
  }
  return text;
}

std::string markdown(const std::vector<Row>& rows) {
  std::string text;
  const Row* before = nullptr;
  for (const Row& row : rows) {
    if (before == nullptr || !has_same_heading(*before, row)) {
      std::string names = before == nullptr ? "| |" : "\n| |";
      std::string rule = "|---|";
      for (const Figure& figure : row.figures) {
        names += " " + words_of(figure.name) + " |";
        rule += "---:|";
      }
      text += names + "\n" + rule + "\n";
    }
    before = &row;
    text += "| " + row.scenario + " |";
    for (const Figure& figure : row.figures) {
      text += fmt::format(" {:.{}f} |", figure.value, figure.digits);
    }
    text += "\n";
  }
  return text;
}

std::string json(const std::vector<Row>& rows, const std::map<std::string, std::string>& notes) {
  nlohmann::ordered_json document;
  for (const auto& [name, text] : notes) document[name] = text;
  document["scenarios"] = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json object = {{"scenario", row.scenario}};
    for (const Figure& figure : row.figures) object[figure.name] = figure.value;
    document["scenarios"].push_back(std::move(object));
  }
  return document.dump(2) + "\n";
}

}  // namespace eilpost::bench

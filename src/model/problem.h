#pragma once
// What is wrong with an input, in a form that people and programs read (RFC 9457).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace eilpost {

// One thing that is wrong. `code` is stable snake_case; `detail` says what is wrong and what would
// be right; `pointer` is the JSON Pointer (RFC 6901) of the place.
struct Problem {
  std::string code;
  std::string detail;
  std::string pointer;
  std::optional<std::size_t> index{};  // of the event in a request
};

// Everything that is wrong with one input. Warnings do not stop it from being saved.
struct Problems {
  std::vector<Problem> errors;
  std::vector<Problem> warnings;

  [[nodiscard]] bool ok() const { return errors.empty(); }
  void error(std::string code, std::string detail, std::string pointer) {
    errors.push_back({std::move(code), std::move(detail), std::move(pointer)});
  }
  void warn(std::string code, std::string detail, std::string pointer) {
    warnings.push_back({std::move(code), std::move(detail), std::move(pointer)});
  }
};

}  // namespace eilpost

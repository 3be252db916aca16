#pragma once
// Finds what the library that reads TOML must not see: letters that are not ASCII where TOML has
// none. It runs into undefined behaviour over many of them (toml++ 3.3: those of U+00A1 to U+0499
// and of U+FEA4 to U+FEFE).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace eilpost::server {

struct TomlProblem {
  std::size_t line = 1;
  std::size_t column = 1;  // in code points; in bytes, if the line is not UTF-8
  std::string text;        // what stands there, and what would be right
};

// The first letter that is not ASCII and stands outside of texts and comments, or follows the
// backslash that ends a line of a text; or the first bytes that are not UTF-8. A byte order mark
// may begin the file. What else is wrong with `toml` is the reader's business.
[[nodiscard]] std::optional<TomlProblem> find_toml_problem(std::string_view toml);

}  // namespace eilpost::server

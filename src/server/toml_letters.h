#pragma once
// Makes a TOML document one of ASCII alone that says the same, before the library reads it. The
// library (toml++ 3.3) runs into undefined behaviour over many letters that are not ASCII and
// stand where it expects none: those of U+00A1 to U+0499 and of U+FEA4 to U+FEFE.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace eilpost::server {

struct TomlProblem {
  std::size_t line = 1;
  std::size_t column = 1;  // in code points; in bytes, if the line is not UTF-8
  std::string text;        // what stands there, and what would be right
};

// Letters of texts become escapes, those of comments `?`; lines stay where they are. A byte order
// mark may begin the file. Errors: the first letter that is not ASCII and stands outside of texts
// and comments, or right behind a backslash; or the first bytes that are not UTF-8. What else is
// wrong with `toml` is the reader's business.
[[nodiscard]] std::expected<std::string, TomlProblem> to_ascii_toml(std::string_view toml);

}  // namespace eilpost::server

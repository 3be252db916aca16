#include "server/toml_letters.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

#include "base/utf8.h"

namespace eilpost::server {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kLetterBytesMax = 4;

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// The code point that `text` begins with; nothing if that is no UTF-8.
std::string_view first_letter(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= std::min(kLetterBytesMax, text.size()); ++bytes) {
    if (is_valid_utf8(text.substr(0, bytes))) return text.substr(0, bytes);
  }
  return {};
}

// Of a letter of at least two bytes: each behind the first has six bits.
std::uint32_t code_point_of(std::string_view letter) {
  std::uint32_t value = static_cast<unsigned char>(letter.front()) & (0xFFU >> (letter.size() + 1));
  for (const char c : letter.substr(1)) {
    value = (value << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return value;
}

// Goes over a document as far as is needed to tell texts and comments from what is between them.
class Scanner {
 public:
  explicit Scanner(std::string_view toml) : toml_(toml) {
    if (toml_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  std::optional<TomlProblem> find() {
    while (at_ < toml_.size()) {
      const char c = toml_[at_];
      if (c == '#') {
        at_ = std::min(toml_.find('\n', at_), toml_.size());
      } else if ((c == '"' || c == '\'') && may_begin_text()) {
        if (skip_text(c)) continue;
        return problem(
            "cannot follow a backslash that ends a line, or is no escape: write it as \\uXXXX, or "
            "put something else before it");
      } else if (!is_ascii(c)) {
        return problem(
            "cannot stand outside of texts and comments: put quotes around the key or text");
      } else {
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  // A quote right behind a number or a word is a part of that for the reader, which then refuses
  // it. Behind a dot it may be either; nothing here has such a key.
  [[nodiscard]] bool may_begin_text() const {
    return at_ == 0 || std::string_view(" \t\r\n=[{,\xBF").contains(toml_[at_ - 1]);
  }

  // Goes behind the text that begins here. False: it stopped at a letter that cannot be there.
  bool skip_text(char quote) {
    const std::string triple(3, quote);
    const bool is_long = toml_.substr(at_).starts_with(triple);
    at_ += is_long ? triple.size() : 1;
    while (at_ < toml_.size()) {
      const char c = toml_[at_];
      if (is_long ? toml_.substr(at_).starts_with(triple) : c == quote) {
        skip_end(quote, is_long);
        return true;
      }
      if (!is_long && c == '\n') return true;  // It has no end, which the reader tells.
      ++at_;
      if (quote == '"' && c == '\\' && !skip_escape(is_long)) return false;
    }
    return true;
  }

  // A long text may end with two quotes of its own before the three.
  void skip_end(char quote, bool is_long) {
    const std::size_t count_max = is_long ? 5 : 1;
    for (std::size_t count = 0; count < count_max && toml_.substr(at_).starts_with(quote);
         ++count) {
      ++at_;
    }
  }

  // Behind a backslash: one letter, or the end of the line with all blanks behind it.
  bool skip_escape(bool is_long) {
    if (!is_long) {
      if (at_ < toml_.size() && toml_[at_] != '\n') ++at_;
      return true;
    }
    const std::size_t end = toml_.find_first_not_of(" \t\r\n", at_);
    const bool has_blanks = end != at_;
    at_ = std::min(end, toml_.size());
    if (at_ == toml_.size()) return true;
    if (!is_ascii(toml_[at_])) return false;
    if (!has_blanks) ++at_;
    return true;
  }

  [[nodiscard]] TomlProblem problem(std::string_view why) const {
    const std::string_view before = toml_.substr(0, at_);
    const std::size_t line_at = before.rfind('\n') + 1;  // npos + 1: the first line
    std::string_view line = before.substr(line_at);
    if (line_at == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    const std::string_view letter = first_letter(toml_.substr(at_));
    return {.line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
            .column = count_code_points(line) + 1,
            .text = fmt::format("the letter {} (U+{:04X}) {}", letter, code_point_of(letter), why)};
  }

  std::string_view toml_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<TomlProblem> find_toml_problem(std::string_view toml) {
  for (std::size_t at = 0; at < toml.size();) {
    const std::string_view letter = first_letter(toml.substr(at));
    if (letter.empty()) {
      const std::string_view before = toml.substr(0, at);
      return TomlProblem{
          .line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
          .column = at - (before.rfind('\n') + 1) + 1,
          .text = fmt::format("the byte {:#04x} is not UTF-8: save the file as UTF-8",
                              static_cast<unsigned char>(toml[at]))};
    }
    at += letter.size();
  }
  return Scanner(toml).find();
}

}  // namespace eilpost::server

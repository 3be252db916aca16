#include "server/toml_letters.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <optional>

#include "base/utf8.h"

namespace eilpost::server {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kLetterBytesMax = 4;
constexpr std::uint32_t kShortEscapeMax = 0xFFFF;

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

void append_escaped(std::string_view letter, std::string& target) {
  const std::uint32_t value = code_point_of(letter);
  if (value <= kShortEscapeMax) {
    fmt::format_to(std::back_inserter(target), "\\u{:04x}", value);
  } else {
    fmt::format_to(std::back_inserter(target), "\\U{:08x}", value);
  }
}

// REQUIRES: the document is UTF-8.
class Translator {
 public:
  explicit Translator(std::string_view toml) : toml_(toml) {
    if (toml_.starts_with(kByteOrderMark)) toml_.remove_prefix(kByteOrderMark.size());
  }

  std::expected<std::string, TomlProblem> translate() {
    while (at_ < toml_.size() && !problem_) {
      const char c = toml_[at_];
      if (c == '#') {
        take_comment();
      } else if (c == '"' || c == '\'') {
        const bool is_long = toml_.substr(at_).starts_with(std::string(3, c));
        if (c == '"') {
          take_text(is_long);
        } else {
          take_literal(is_long);
        }
      } else if (is_ascii(c)) {
        take();
      } else {
        refuse("cannot stand outside of texts and comments: put quotes around the key or text");
      }
    }
    if (problem_) return std::unexpected(*problem_);
    return std::move(ascii_);
  }

 private:
  void take(std::size_t count = 1) {
    ascii_ += toml_.substr(at_, count);
    at_ += std::min(count, toml_.size() - at_);
  }
  [[nodiscard]] std::string_view letter() const { return first_letter(toml_.substr(at_)); }

  void take_comment() {
    while (at_ < toml_.size() && toml_[at_] != '\n') {
      ascii_ += is_ascii(toml_[at_]) ? toml_[at_] : '?';
      at_ += letter().size();
    }
  }

  // A text that has no end on its line is for the reader to refuse.
  void take_text(bool is_long) {
    const std::string_view end = is_long ? R"(""")" : R"(")";
    take(end.size());
    while (at_ < toml_.size() && !problem_) {
      if (toml_.substr(at_).starts_with(end)) return take_end(is_long);
      if (!is_long && toml_[at_] == '\n') return;
      if (toml_[at_] == '\\') {
        take();
        if (at_ == toml_.size() || toml_[at_] == '\n') continue;
        if (!is_ascii(toml_[at_])) return refuse("is no escape: write two backslashes for one");
        take();
      } else if (is_ascii(toml_[at_])) {
        take();
      } else {
        append_escaped(letter(), ascii_);
        at_ += letter().size();
      }
    }
  }

  // One that has letters becomes the other kind of text: it knows no escapes.
  void take_literal(bool is_long) {
    const std::string_view quotes = is_long ? "'''" : "'";
    const std::size_t begin = at_ + quotes.size();
    const std::size_t end = is_long ? toml_.find(quotes, begin) : toml_.find_first_of("'\n", begin);
    const std::string_view text = toml_.substr(begin, end - begin);
    const bool is_whole = end < toml_.size() && toml_[end] == '\'';
    const bool has_letters = !std::ranges::all_of(text, is_ascii);
    take_quotes(quotes, has_letters);
    if (has_letters) {
      take_escaped(text.size());
    } else {
      take(text.size());
    }
    if (!is_whole) return;
    // A long text may end with two quotes of its own before the three.
    for (int i = 0; i < 2 && is_long; ++i) {
      if (toml_.substr(at_ + quotes.size()).starts_with('\'')) take();
    }
    take_quotes(quotes, has_letters);
  }
  void take_quotes(std::string_view quotes, bool as_other_kind) {
    ascii_ += as_other_kind ? std::string(quotes.size(), '"') : std::string(quotes);
    at_ += quotes.size();
  }
  void take_escaped(std::size_t count) {
    for (const std::size_t end = at_ + count; at_ < end; at_ += letter().size()) {
      const char c = toml_[at_];
      if (c == '\\' || c == '"') ascii_ += '\\';
      if (is_ascii(c)) {
        ascii_ += c;
      } else {
        append_escaped(letter(), ascii_);
      }
    }
  }

  // A long text may end with two quotes of its own before the three.
  void take_end(bool is_long) {
    const std::size_t count_max = is_long ? 5 : 1;
    for (std::size_t i = 0; i < count_max && toml_.substr(at_).starts_with('"'); ++i) take();
  }

  void refuse(std::string_view why) {
    const std::string_view before = toml_.substr(0, at_);
    const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1: the first
    problem_ = {
        .line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
        .column = count_code_points(line) + 1,
        .text = fmt::format("the letter {} (U+{:04X}) {}", letter(), code_point_of(letter()), why)};
  }

  std::string_view toml_;
  std::size_t at_ = 0;
  std::string ascii_;
  std::optional<TomlProblem> problem_;
};

std::optional<TomlProblem> find_bad_byte(std::string_view toml) {
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
  return std::nullopt;
}

}  // namespace

std::expected<std::string, TomlProblem> to_ascii_toml(std::string_view toml) {
  if (auto problem = find_bad_byte(toml)) return std::unexpected(std::move(*problem));
  return Translator(toml).translate();
}

}  // namespace eilpost::server

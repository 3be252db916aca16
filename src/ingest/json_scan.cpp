#include "ingest/json_scan.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "base/ascii.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "model/json_text.h"

namespace eilpost::ingest {
namespace {

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Where `text` stops being UTF-8. REQUIRES: it does.
std::size_t find_bad_utf8(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    // A character cut in two is not bad yet: up to three bytes more may complete it.
    bool valid = false;
    for (std::size_t end = middle; end <= std::min(middle + 3, text.size()); ++end) {
      valid = valid || is_valid_utf8(text.substr(0, end));
    }
    (valid ? good : bad) = middle;
  }
  return good;
}

// Whether a number as JSON writes it fits: integers into 64 bits, others into a double.
bool is_in_range(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) {
    return number.starts_with('-') ? parse_integer<std::int64_t>(number).has_value()
                                   : parse_integer<std::uint64_t>(number).has_value();
  }
  if (parse_double(number)) return true;
  // What is too small for a double is zero; only what is too large cannot be kept.
  const std::size_t exponent = number.find_first_of("eE");
  if (exponent == std::string_view::npos)
    return number.substr(number.find_first_of("0123456789")).starts_with("0.");
  return number.substr(exponent + 1).starts_with('-');
}

// A pushdown automaton over the text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Scan run() {
    Scan scan;
    if (!is_valid_utf8(text_)) {
      at_ = find_bad_utf8(text_);
      refuse("These bytes are not UTF-8.");
    } else {
      scan_document();
    }
    if (fault_) {
      scan.fault = std::move(fault_);
    } else {
      scan.events = std::move(events_);
    }
    return scan;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;  // of the element under way
    std::string_view key;   // of the member under way, as it is written
  };

  void refuse(std::string detail) {
    if (fault_) return;
    SyntaxFault fault{.offset = at_, .detail = std::move(detail)};
    const std::string_view before = text_.substr(0, at_);
    fault.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    fault.column = 1 + count_code_points(before.substr(line_begin));
    fault_ = std::move(fault);
  }

  [[nodiscard]] std::string found() const {
    if (at_ >= text_.size()) return "the text ends";
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x20 || byte == 0x7F)
      return fmt::format("the control character U+{:04X} stands", byte);
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
    return fmt::format("{} stands", text_.substr(at_, end - at_));
  }

  void expected(std::string_view what) {
    refuse(fmt::format("Here {} where {} must be.", found(), what));
  }

  void skip_space() {
    while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void scan_document() {
    skip_space();
    const bool is_batch = peek() == '[';
    if (!is_batch) begin_event();
    scan_value();
    while (!fault_ && !levels_.empty()) scan_next();
    if (fault_) return;
    if (!is_batch) end_event();
    skip_space();
    if (at_ < text_.size()) expected("the end");
  }

  void begin_event() { events_.push_back({.text = text_.substr(at_), .fault = {}}); }
  void end_event() {
    std::string_view& text = events_.back().text;
    text = text.substr(0, static_cast<std::size_t>(text_.data() + at_ - text.data()));
  }

  // Whether the innermost level is the batch itself.
  [[nodiscard]] bool in_batch() const {
    return levels_.size() == 1 && levels_.front().is_array && is_batch_;
  }

  // Goes on inside the innermost array or object.
  void scan_next() {
    Level& level = levels_.back();
    skip_space();
    const bool is_first = std::exchange(at_first_, false);
    if (take(level.is_array ? ']' : '}')) {
      close();
      return;
    }
    if (!is_first) {
      if (!take(',')) {
        expected(level.is_array ? "a comma or ]" : "a comma or }");
        return;
      }
      ++level.index;
      skip_space();
    }
    if (!level.is_array && !scan_key(level)) return;
    if (in_batch()) begin_event();
    scan_value();
  }

  bool scan_key(Level& level) {
    if (peek() != '"') {
      expected("a key in double quotes");
      return false;
    }
    const std::size_t begin = at_ + 1;
    if (!scan_string()) return false;
    level.key = text_.substr(begin, at_ - begin - 1);
    skip_space();
    if (take(':')) {
      skip_space();
      return true;
    }
    expected("a colon");
    return false;
  }

  void open(bool is_array) {
    if (levels_.empty()) is_batch_ = is_array;
    ++at_;
    levels_.push_back({.is_array = is_array});
    at_first_ = true;
  }

  void close() {
    levels_.pop_back();
    if (in_batch()) end_event();
  }

  void scan_value() {
    switch (peek()) {
      case '{':
        return open(/*is_array=*/false);
      case '[':
        return open(/*is_array=*/true);
      case '"':
        scan_string();
        break;
      case 't':
        scan_word("true");
        break;
      case 'f':
        scan_word("false");
        break;
      case 'n':
        scan_word("null");
        break;
      default:
        scan_number();
    }
    if (!fault_ && in_batch()) end_event();
  }

  void scan_word(std::string_view word) {
    if (text_.substr(at_).starts_with(word)) {
      at_ += word.size();
    } else {
      expected("a value");
    }
  }

  void take_digits() {
    while (is_ascii_digit(peek())) ++at_;
  }

  void scan_number() {
    const std::size_t begin = at_;
    const bool is_negative = take('-');
    if (!is_ascii_digit(peek())) return expected(is_negative ? "a digit" : "a value");
    if (!take('0')) take_digits();
    if (is_ascii_digit(peek())) return refuse("A number does not begin with a zero.");
    if (take('.')) {
      if (!is_ascii_digit(peek())) return expected("a digit");
      take_digits();
    }
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!is_ascii_digit(peek())) return expected("a digit");
      take_digits();
    }
    const std::string_view number = text_.substr(begin, at_ - begin);
    if (is_in_range(number)) return;
    report("number_out_of_range",
           fmt::format("{} is out of range: integers reach from -2^63 to 2^64 - 1, other numbers "
                       "as far as a double; send longer ones as text.",
                       truncate_to_bytes(number, 60)));
  }

  bool scan_string() {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ') {
        expected("an escape such as \\n");
        return false;
      }
      if (c == '\\') {
        if (!scan_escape()) return false;
      } else {
        ++at_;
      }
    }
    refuse("The text ends inside a string.");
    return false;
  }

  bool scan_escape() {
    constexpr std::string_view kShort = "\"\\/bfnrt";
    const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (kind != '\0' && kShort.contains(kind)) {
      at_ += 2;
      return true;
    }
    const std::optional<unsigned> unit = hex_unit(at_);
    if (!unit) {
      refuse("A backslash in a string begins an escape that JSON does not know.");
      return false;
    }
    at_ += 6;
    if (*unit < 0xD800 || *unit > 0xDFFF) return true;
    const std::optional<unsigned> second = hex_unit(at_);
    if (*unit < 0xDC00 && second && *second >= 0xDC00 && *second <= 0xDFFF) {
      at_ += 6;
      return true;
    }
    report("invalid_unicode",
           fmt::format("\\u{:04x} is half a character; its other half is missing.", *unit));
    return true;
  }

  // The number of \uXXXX at `offset`.
  [[nodiscard]] std::optional<unsigned> hex_unit(std::size_t offset) const {
    const std::string_view escape = text_.substr(std::min(offset, text_.size())).substr(0, 6);
    if (escape.size() < 6 || !escape.starts_with("\\u")) return std::nullopt;
    unsigned unit = 0;
    const char* const end = escape.data() + escape.size();
    const auto result = std::from_chars(escape.data() + 2, end, unit, 16);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return unit;
  }

  void report(std::string code, std::string detail) {
    if (events_.empty() || events_.back().fault) return;
    events_.back().fault =
        ValueFault{.code = std::move(code), .detail = std::move(detail), .pointer = pointer()};
  }

  [[nodiscard]] std::string pointer() const {
    std::string result;
    for (std::size_t i = is_batch_ ? 1 : 0; i < levels_.size(); ++i) {
      const Level& level = levels_[i];
      if (level.is_array) {
        append_pointer_token(result, std::to_string(level.index));
      } else {
        append_pointer_token(result, level.key);
      }
    }
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Level> levels_;
  bool is_batch_ = false;
  bool at_first_ = false;  // right behind an opening bracket
  std::optional<SyntaxFault> fault_;
  std::vector<ScannedEvent> events_;
};

}  // namespace

Scan scan_json(std::string_view text) {
  return Scanner(text).run();
}

}  // namespace eilpost::ingest

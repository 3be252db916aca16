#include "http/head_scanner.h"

#include <algorithm>

namespace eilpost::http {

void HeadScanner::begin(std::size_t bytes_max, bool has_first_line) {
  bytes_left_ = bytes_max;
  line_bytes_ = 0;
  previous_is_cr_ = false;
  is_line_start_ = true;
  needs_first_line_ = has_first_line;
  fold_is_possible_ = !has_first_line;
}

HeadScanner::Verdict HeadScanner::scan(std::string_view bytes, std::size_t& count) {
  const std::string_view text = bytes.substr(0, bytes_left_);
  std::size_t at = 0;
  const auto stop = [&](Verdict verdict) {
    count = at;
    bytes_left_ -= at;
    return verdict;
  };

  while (at < text.size()) {
    if (previous_is_cr_) {
      if (text[at] != '\n') return stop(Verdict::bare_cr);
      ++at;
      previous_is_cr_ = false;
      is_line_start_ = true;
      const bool is_empty = line_bytes_ == 0;
      if (is_empty && !needs_first_line_) return stop(Verdict::end);
      line_bytes_ = 0;
      if (!is_empty) {
        needs_first_line_ = false;
        fold_is_possible_ = true;
      }
      continue;
    }
    if (is_line_start_ && fold_is_possible_ && (text[at] == ' ' || text[at] == '\t')) {
      return stop(Verdict::folded);
    }
    is_line_start_ = false;
    const std::size_t line_feed = std::min(text.find('\n', at), text.size());
    const std::size_t cr = text.substr(0, line_feed).find('\r', at);
    if (cr != std::string_view::npos) {
      line_bytes_ += cr - at;
      at = cr + 1;
      previous_is_cr_ = true;
      continue;
    }
    line_bytes_ += line_feed - at;
    at = line_feed;
    if (at < text.size()) return stop(Verdict::bare_lf);
  }
  return stop(at < bytes.size() ? Verdict::too_large : Verdict::more);
}

}  // namespace eilpost::http

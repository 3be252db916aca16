#pragma once
// Finds the end of a message's head (or trailer) and refuses lines that others could cut elsewhere:
// a bare CR or LF, a folded line. llhttp lets a folded line pass; a bare CR or LF passes or not by
// its version and the place (CVE-2023-30589).

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace eilpost::http {

class HeadScanner {
 public:
  enum class Verdict : std::uint8_t { more, end, bare_cr, bare_lf, folded, too_large };

  // Begins a head. With `has_first_line` empty lines before the first line are skipped, as RFC 9112
  // asks of a server; without it (a trailer) an empty line ends at once.
  void begin(std::size_t bytes_max, bool has_first_line);

  // Looks at bytes of the head up to its end or to the first offence, and says in `count` how many
  // are good.
  Verdict scan(std::string_view bytes, std::size_t& count);

 private:
  std::size_t bytes_left_ = 0;
  std::size_t line_bytes_ = 0;  // of the current line, CR included
  bool previous_is_cr_ = false;
  bool is_line_start_ = true;
  bool needs_first_line_ = true;
  bool fold_is_possible_ = false;
};

}  // namespace eilpost::http

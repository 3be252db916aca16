#pragma once
// Text without regard to case: Unicode simple case folding.
//
// Covers every script that has cases (Latin with all diacritics, Greek, Cyrillic, Armenian, …) as
// Unicode 14 has it: each character folds to one character, so Ä is ä, Σ and ς are σ, ẞ is ß, but ß
// is not ss. İ (U+0130) stays as it is. Independent of the locale.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace eilpost::match {

// The characters from `first` to `last`, by steps, fold to the character `delta` further.
struct FoldRange {
  char32_t first;
  char32_t last;
  std::int32_t step;
  std::int32_t delta;
};

// All above ASCII, in order.
[[nodiscard]] std::span<const FoldRange> fold_ranges();

[[nodiscard]] char32_t fold_case(char32_t character);

// Replaces `folded` by the folded text. Bytes that are not UTF-8 stay as they are.
void fold_case(std::string_view text, std::string& folded);
[[nodiscard]] std::string fold_case(std::string_view text);

}  // namespace eilpost::match

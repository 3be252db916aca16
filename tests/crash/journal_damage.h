#pragma once
// Changes single bits of a journal's files, and knows what they hit. It finds its way by the texts
// that lie in the files alone, without the code that is tested.
//
// Format:  docs/JOURNAL.md.
// Threads: one. Nobody may write the files meanwhile.
// Errors:  disk_failed; not_found (what was searched is not there).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace eilpost::crash {

struct Place {
  std::string path;
  std::uint64_t offset = 0;
};

// A frame, as far as its neighbours show where it begins and ends.
struct FrameText {
  Place begin;
  std::string bytes;
};

// The files of the folder whose names begin so, sorted by name.
[[nodiscard]] std::vector<std::string> files_of(const std::string& folder, std::string_view prefix);

// Where the record of the event lies that was accepted under this id: where the id stands in it.
[[nodiscard]] Result<Place> find_event(const std::string& journal, std::string_view id);
// The frame in which the place lies.
[[nodiscard]] Result<FrameText> read_frame(const Place& place);
// The ids in these bytes: words of `prefix`, a dash and a number.
[[nodiscard]] std::vector<std::string> ids_in(std::string_view bytes, std::string_view prefix);

[[nodiscard]] Result<void> flip_bit(const Place& place, unsigned bit);

}  // namespace eilpost::crash

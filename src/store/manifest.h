#pragma once
// The list of a journal's segments, oldest first: which files belong to it, and their facts.
//
// Format: docs/JOURNAL.md, "MANIFEST".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "store/segment.h"

namespace eilpost::store {

inline constexpr std::string_view kManifestName = "MANIFEST";
inline constexpr std::uint64_t kManifestBytesMax = 64ULL * 1024 * 1024;

[[nodiscard]] Bytes encode_manifest(const std::vector<SegmentFacts>& segments);
// Nothing if the bytes are not whole, or the numbers do not rise.
[[nodiscard]] std::optional<std::vector<SegmentFacts>> decode_manifest(ByteView bytes);

[[nodiscard]] std::string segment_name(std::uint64_t number);  // segment-000001f3a2b4c5d6
[[nodiscard]] std::optional<std::uint64_t> parse_segment_name(std::string_view name);

}  // namespace eilpost::store

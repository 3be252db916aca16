#pragma once
// A sorted file of fingerprints that no longer fit into memory, with a Bloom filter that stays
// there: 10 bits a fingerprint, one cache line a question. Format: docs/JOURNAL.md.
//
// Threads: any, once it is made.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "env/directory.h"
#include "model/ids.h"

namespace eilpost::store {

// What a file covers.
struct RepeatFileFacts {
  std::uint64_t count = 0;
  Position until;              // it holds what was accepted before; files before it the older
  WallTime newest;             // nothing in it was accepted later
  std::uint64_t key_mark = 0;  // tells one key from another
};

class RepeatFile {
 public:
  // Writes a file and opens it. REQUIRES: `sorted` is in the order of RepeatTable::sorted().
  [[nodiscard]] static Result<std::unique_ptr<RepeatFile>> save(env::Directory& directory,
                                                                RepeatFileFacts facts,
                                                                const std::vector<Hash128>& sorted);

  // Errors: journal_corrupt, disk_failed.
  [[nodiscard]] static Result<std::unique_ptr<RepeatFile>> open(env::Directory& directory,
                                                                std::string_view name);

  [[nodiscard]] static std::string name_of(Position until);
  [[nodiscard]] static bool is_name(std::string_view name);

  [[nodiscard]] const RepeatFileFacts& facts() const { return facts_; }
  [[nodiscard]] std::string name() const { return name_of(facts_.until); }
  [[nodiscard]] std::uint64_t bytes() const;  // on disk

  // Whether it may be there: false is certain.
  [[nodiscard]] bool may_contain(Hash128 fingerprint) const;
  // Reads one page. A page that is damaged holds nothing.
  [[nodiscard]] bool contains(Hash128 fingerprint) const;
  // All, in the order of RepeatTable::sorted(), but for those of damaged pages. Errors:
  // disk_failed.
  [[nodiscard]] Result<std::vector<Hash128>> sorted() const;

 private:
  struct alignas(64) Block {
    std::array<std::uint64_t, 8> words{};
  };

  RepeatFile(std::unique_ptr<env::File> file, const RepeatFileFacts& facts);
  [[nodiscard]] Block& block_of(Hash128 fingerprint);
  [[nodiscard]] Result<void> load_index();
  // Appends what a page holds: nothing, if it is damaged.
  [[nodiscard]] Result<void> read_page(std::uint64_t index, std::vector<Hash128>& entries) const;

  std::unique_ptr<env::File> file_;
  RepeatFileFacts facts_;
  std::vector<Block> blocks_;
  std::vector<std::uint64_t> fences_;  // `high` of the first fingerprint of each page
};

}  // namespace eilpost::store

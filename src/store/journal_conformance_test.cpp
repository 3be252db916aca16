#include "store/journal_conformance.h"

#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "store/file_journal.h"
#include "store/sim_journal.h"

namespace eilpost::store {
namespace {

class FileWorld final : public JournalWorld {
 public:
  std::unique_ptr<Journal> open() override {
    folder_.reset();
    folder_ = directory_.subdirectory("journal").value();
    return FileJournal::open(*folder_, entropy_, {.segment_bytes = 16UL * 1024},
                             [](std::string_view what) { ADD_FAILURE() << what; })
        .value();
  }

 private:
  env::SimDirectory directory_{1};
  env::SimEntropy entropy_{1};
  std::unique_ptr<env::Directory> folder_;
};

class SimWorld final : public JournalWorld {
 public:
  std::unique_ptr<Journal> open() override { return std::make_unique<SimJournal>(content_); }

 private:
  std::shared_ptr<SimJournalContent> content_ = std::make_shared<SimJournalContent>();
};

INSTANTIATE_TEST_SUITE_P(FileJournal, JournalConformance,
                         testing::Values([] { return std::make_unique<FileWorld>(); }));
INSTANTIATE_TEST_SUITE_P(SimJournal, JournalConformance,
                         testing::Values([] { return std::make_unique<SimWorld>(); }));

}  // namespace
}  // namespace eilpost::store

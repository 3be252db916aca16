// Any bytes in the files of a journal must be opened without a crash; what comes back was written;
// a second opening finds the same; and the journal goes on working.
//
// Format of the input: the first byte says what the rest is: a record, a checkpoint's content, a
// list of segments, or a list of changes (offset: u16, length: u8, bytes) to the segment of a good
// journal; a change at an offset beyond its end appends.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/codec.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "store/file_journal.h"
#include "store/ledger.h"
#include "store/manifest.h"
#include "store/records.h"

namespace {

using namespace eilpost;
using namespace eilpost::store;

constexpr std::uint64_t kFuzzSegmentBytes = 8192;

using Texts = std::vector<std::string>;

void check_record(ByteView bytes) {
  Record record;
  if (!decode_record(bytes, record)) return;
  Ledger ledger;
  ledger.apply(record, to_position(9, 64), bytes.size());
  Bytes again;
  switch (record.kind) {
    case RecordKind::accepted:
      (void)to_event(record.event.event);
      return;
    case RecordKind::carried:
      encode_carried(record.event, again);
      EILPOST_ASSERT(std::ranges::equal(again, bytes));
      EILPOST_ASSERT(ledger.unsettled_count() <= record.event.deliveries.size());
      return;
    case RecordKind::attempt:
      encode_attempt(record.attempt, again);
      break;
    case RecordKind::settled:
      encode_settled(record.settled, again);
      break;
    case RecordKind::batch:
      encode_batch(record.batch, again);
      break;
  }
  Record second;
  EILPOST_ASSERT(decode_record(again, second));
}

void check_checkpoint(ByteView bytes) {
  const auto ledger = Ledger::decode(bytes);
  if (ledger == nullptr) return;
  std::uint64_t count = 0;
  ledger->for_each_from({}, [&](const Unsettled&) {
    ++count;
    return true;
  });
  EILPOST_ASSERT(count == ledger->unsettled_count());
}

class JournalOnDisk {
 public:
  JournalOnDisk() : directory_(1), entropy_(1) {}

  Texts open() {
    journal_.reset();
    folder_.reset();
    folder_ = directory_.subdirectory("journal").value();
    journal_ = FileJournal::open(*folder_, entropy_, {.segment_bytes = kFuzzSegmentBytes},
                                 [](std::string_view) {})
                   .value();
    Texts found;
    const Result<void> recovered = journal_->recover(
        {}, [&](Position, ByteView bytes) { found.emplace_back(as_text(bytes)); });
    EILPOST_ASSERT(recovered.has_value());
    return found;
  }
  void append(const Texts& texts) {
    std::vector<ByteView> records;
    for (const std::string& text : texts) records.push_back(as_bytes(text));
    std::vector<Position> positions;
    EILPOST_ASSERT(journal_->prepare_space().has_value());
    const AppendOutcome outcome = journal_->append(records, Space::common, positions);
    EILPOST_ASSERT(outcome == AppendOutcome::durable);
  }
  void change(ByteView script) {
    const std::string path = "journal/" + segment_name(segment_of(journal_->begin()));
    journal_.reset();
    folder_.reset();
    Bytes content = directory_.image().at(path);
    ByteReader reader(script);
    while (!reader.rest().empty() && !reader.failed()) {
      const std::size_t offset = reader.u16() % kFuzzSegmentBytes;
      const ByteView bytes = reader.raw(std::min<std::size_t>(reader.u8(), reader.rest().size()));
      if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
      std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    directory_.plant(path, content);
  }

 private:
  env::SimDirectory directory_;
  env::SimEntropy entropy_;
  std::unique_ptr<env::Directory> folder_;
  std::unique_ptr<FileJournal> journal_;
};

void check_journal(ByteView script) {
  JournalOnDisk disk;
  (void)disk.open();
  const std::vector<Texts> frames{
      {"one"}, {"two", "three", std::string(300, 'x')}, {"four", "five"}, {"six"}};
  std::set<std::string> written{"after"};
  for (const Texts& frame : frames) {
    disk.append(frame);
    written.insert(frame.begin(), frame.end());
  }
  disk.change(script);
  const Texts found = disk.open();
  for (const std::string& text : found) EILPOST_ASSERT(written.contains(text));
  EILPOST_ASSERT(disk.open() == found);
  disk.append({"after"});
  Texts expected = found;
  expected.emplace_back("after");
  EILPOST_ASSERT(disk.open() == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 4) {
    case 0:
      check_record(rest);
      break;
    case 1:
      check_checkpoint(rest);
      break;
    case 2:
      (void)decode_manifest(rest);
      break;
    default:
      check_journal(rest);
      break;
  }
  return 0;
}

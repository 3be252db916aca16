#pragma once
// What is newest and what was seen: the last events of every type, items, properties, values, test
// requests. A database of its own beside the files of the log; what is lost with it comes again.
//
// Threads: one.
// Errors:  those of Database. If the file is corrupt it is set aside and a new one begun.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "database/database.h"
#include "env/env.h"
#include "history/history.h"
#include "history/seen.h"
#include "store/store.h"

namespace eilpost::history {

inline constexpr std::size_t kTestsKept = 200;
inline constexpr Duration kGatherTime = std::chrono::seconds(5);

// An event as a record of the journal says it; the views live as long as that.
struct AcceptedRecord {
  store::FollowedRecord record;
  std::string_view type;
  std::size_t owed_count = 0;
};

class Recent final {
 public:
  // Ownership: everything given must outlive the Recent.
  Recent(env::Env& env, env::Directory& directory,
         std::function<void(std::string_view)> on_trouble);
  Recent(const Recent&) = delete;
  Recent& operator=(const Recent&) = delete;
  ~Recent() = default;

  [[nodiscard]] Result<void> open();

  // Takes the newest events of every type of a batch, and what is seen in them. They are gathered
  // in memory and written every kGatherTime, before they are read, and by checkpoint().
  [[nodiscard]] Result<void> add(const std::vector<AcceptedRecord>& events);
  [[nodiscard]] Result<void> add_test(const TestRecord& record);
  [[nodiscard]] Result<void> add_item(const ItemRow& item);
  // Keeps everything within its limits and makes it durable.
  [[nodiscard]] Result<void> checkpoint();

  [[nodiscard]] Result<std::vector<EventRow>> events(std::string_view type, std::size_t count);
  [[nodiscard]] Result<std::optional<EventRow>> event(Position sequence);
  // Newest first, those that no webhook wanted, before `before`, without documents.
  [[nodiscard]] Result<std::vector<EventRow>> unwanted(Position before);
  [[nodiscard]] Result<std::vector<ItemRow>> items(std::string_view type, std::string_view search,
                                                   const std::optional<ItemPlace>& after,
                                                   std::size_t count);
  [[nodiscard]] Result<std::vector<PropertyRow>> properties(std::string_view event_type);
  [[nodiscard]] Result<std::vector<ValueRow>> values(std::string_view event_type,
                                                     std::string_view path, std::size_t count);
  [[nodiscard]] Result<std::vector<TestRecord>> tests(std::size_t count);

 private:
  struct Gathered {
    Position sequence;
    std::size_t owed_count = 0;
    Event event;
  };

  [[nodiscard]] Result<void> in_transaction(const std::function<Result<void>()>& work);
  [[nodiscard]] Result<void> ready();
  [[nodiscard]] Result<void> write_gathered();
  void note_failure(const Error& error);
  void set_aside(const Error& error);
  void gather(const std::vector<AcceptedRecord>& events);
  [[nodiscard]] Result<void> write_events();
  [[nodiscard]] Result<void> write_seen();
  [[nodiscard]] Result<database::Statement> prepare(std::string_view sql);

  env::Env& env_;
  env::Directory& directory_;
  const std::function<void(std::string_view)> on_trouble_;
  std::unique_ptr<database::Database> database_;
  Seen seen_;
  // By type, oldest first, at most kUnwantedKeptPerType each.
  std::unordered_map<std::string, std::deque<Gathered>> gathered_;
  Instant written_at_{};
  bool is_dirty_ = false;
};

}  // namespace eilpost::history

#pragma once
// Answers queries from the files of the log, newest first, and from what is recent.
//
// Threads: one.

#include <functional>
#include <string>
#include <string_view>

#include "history/history.h"
#include "history/log_files.h"
#include "history/recent.h"

namespace eilpost::history {

class LogReader final : public Reader {
 public:
  // Ownership: everything given must outlive the LogReader.
  LogReader(LogFiles& files, Recent& recent) : files_(files), recent_(recent) {}

  [[nodiscard]] Result<Rows<DeliveryRow>> deliveries(const Filter& filter,
                                                     const Page& page) override;
  [[nodiscard]] Result<std::uint64_t> count_deliveries(const Filter& filter) override;
  [[nodiscard]] Result<std::map<WebhookId, std::uint64_t>> count_by_webhook(
      const Filter& filter) override;
  [[nodiscard]] Result<std::optional<DeliveryRow>> delivery(DeliveryId id) override;
  [[nodiscard]] Result<std::vector<Attempt>> attempts(DeliveryId id) override;
  [[nodiscard]] Result<std::optional<EventRow>> event_of(DeliveryId id) override;
  [[nodiscard]] Result<std::optional<EventRow>> event(Position sequence) override;
  [[nodiscard]] Result<Rows<EventRow>> events(const Filter& filter, const Page& page) override;
  [[nodiscard]] Result<std::vector<EventRow>> recent_events(std::string_view type,
                                                            std::size_t count) override;
  [[nodiscard]] Result<std::vector<ItemRow>> items(std::string_view type, std::string_view search,
                                                   const std::optional<ItemPlace>& after,
                                                   std::size_t count) override;
  [[nodiscard]] Result<std::vector<PropertyRow>> properties(std::string_view event_type) override;
  [[nodiscard]] Result<std::vector<ValueRow>> values(std::string_view event_type,
                                                     std::string_view path,
                                                     std::size_t count) override;
  [[nodiscard]] Result<std::vector<Counts>> counts(WallTime from, WallTime until) override;
  [[nodiscard]] Result<std::vector<TestRecord>> tests(std::size_t count) override;

 private:
  // Runs `work` on every file that may hold something of `filter`, at or before `before`, newest
  // first, until it returns false. A file that turns out corrupt is set aside and left out.
  using Work = std::function<Result<bool>(LogFile&)>;
  [[nodiscard]] Result<void> for_each_file(const Filter& filter, Position before, const Work& work);
  // Runs `work` on the file in which `sequence` lies, if there is one.
  [[nodiscard]] Result<void> on_file(Position sequence,
                                     const std::function<Result<void>(LogFile&)>& work);
  void note(LogFiles::Entry& entry, const Error& error);

  LogFiles& files_;
  Recent& recent_;
};

}  // namespace eilpost::history

#pragma once
// The history: the log of events, deliveries and attempts that people search, and what was seen in
// events (items, values). Written by its own thread from the journal; never in the way of delivery.
//
// Format:    docs/HISTORY.md: files by accept time, dropped whole; events in compressed blocks.
// Ownership: Env and Store must outlive the History.
// Threads:   run_query() and the other functions may be called from any thread; queries run on the
//            history's thread between batches of writing.
// Errors:    a failing disk never stops delivery: the history drops its oldest file, or goes on
//            without a file that it sets aside. On a full disk on which ingest stands still it also
//            drops the newest file, and leaves out what it cannot write, once nothing of it is
//            owed: the journal waits for it, and could never be trimmed. All is reported to
//            `on_trouble`.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/limits.h"
#include "store/store.h"

namespace eilpost::history {

struct Options {
  Duration retention = limits::kRetentionDefault;
  std::uint64_t bytes_max = 10ULL << 30U;  // dropped from the oldest file on
  std::uint64_t file_rows_max = 1'000'000;
  Duration file_age_max = std::chrono::hours(24);
};

// A delivery as the log shows it.
struct DeliveryRow {
  DeliveryId id;
  std::string event_id;
  std::string event_type;
  std::string user;
  EnvironmentId environment{};
  WebhookId webhook{};
  std::uint32_t webhook_version = 0;  // that matched, or of the last attempt
  DestinationId destination{};
  DeliveryState state = DeliveryState::pending;
  FailReason reason = FailReason::none;
  std::uint16_t attempts_count = 0;
  std::optional<WallTime> next_attempt_at;
  std::optional<OutcomeKind> last_outcome;
  std::uint16_t last_status = 0;
  WallTime accepted_at;
  std::optional<WallTime> settled_at;
  std::optional<DeliveryId> replay_of;
  std::string webhook_id;  // that is sent
  bool is_test = false;
};

// An event as the log shows it. Those that no webhook wanted have no deliveries.
struct EventRow {
  Position sequence;
  std::string id;
  std::string type;
  std::string user;
  EnvironmentId environment{};
  SourceId source{};
  WallTime time;
  WallTime received_at;
  std::uint16_t deliveries_count = 0;
  std::string document;  // empty in lists
};

// Whose deliveries are held while they are owed: those of disabled webhooks and destinations. The
// journal does not know it. Both are sorted.
struct Held {
  std::vector<WebhookId> webhooks;
  std::vector<DestinationId> destinations;
};

// The state that people see: held, if the delivery is owed and `held` names its webhook or
// destination.
[[nodiscard]] DeliveryState seen_state(const Held& held, const DeliveryRow& row);

// What is searched for. Everything that is set must hold.
struct Filter {
  std::optional<WebhookId> webhook;
  std::optional<DestinationId> destination;
  std::vector<std::string> event_types;  // any of them
  std::optional<std::string> event_id;
  std::optional<std::string> user;
  std::vector<DeliveryState> states;  // any of them, as seen_state() says with `held`
  std::shared_ptr<const Held> held;   // absent: nothing is held
  std::optional<EnvironmentId> environment;
  std::optional<WallTime> from;   // accepted at or after
  std::optional<WallTime> until;  // accepted before
};

struct Page {
  std::string cursor;  // empty: from the newest
  std::size_t count = limits::kPageDefault;
};

template <class Row>
struct Rows {
  std::vector<Row> rows;    // newest first
  std::string next_cursor;  // empty: that was all
};

// A guidance item seen in events.
struct ItemRow {
  std::string type;  // group of the event type, such as survey
  std::string id;    // as JSON: "abc" or 7
  std::string name;
  std::string parent;  // id of the item it belongs to, or empty
  WallTime last_seen_at;
};

// The place of an item in the list of them.
struct ItemPlace {
  WallTime last_seen_at;
  std::string type;
  std::string id;
};

// A value seen for a property of an event type: what the console suggests.
struct ValueRow {
  std::string value;  // as JSON
  std::uint64_t count = 0;
  WallTime last_seen_at;
};

struct PropertyRow {
  std::string path;
  std::string type;  // a name of model/catalog.h's PropertyType
  std::uint64_t count = 0;
};

struct Counts {
  std::string event_type;
  std::uint64_t events = 0;
  std::uint64_t unwanted = 0;  // of them, those that no webhook wanted
};

// A test request, for the log.
struct TestRecord {
  DeliveryRow delivery;
  Attempt attempt;
  std::string document;
};

// What queries may ask. Lives on the history's thread.
class Reader {
 public:
  virtual ~Reader() = default;
  // Errors of all: database_failed; bad_input for a cursor that is none.
  [[nodiscard]] virtual Result<Rows<DeliveryRow>> deliveries(const Filter& filter,
                                                             const Page& page) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> count_deliveries(const Filter& filter) = 0;
  // The same for each webhook that has some.
  [[nodiscard]] virtual Result<std::map<WebhookId, std::uint64_t>> count_by_webhook(
      const Filter& filter) = 0;
  [[nodiscard]] virtual Result<std::optional<DeliveryRow>> delivery(DeliveryId id) = 0;
  [[nodiscard]] virtual Result<std::vector<Attempt>> attempts(DeliveryId id) = 0;
  // With the document.
  [[nodiscard]] virtual Result<std::optional<EventRow>> event_of(DeliveryId id) = 0;
  [[nodiscard]] virtual Result<std::optional<EventRow>> event(Position sequence) = 0;
  // Of the filter, what concerns events: types, event id, user, environment, time.
  [[nodiscard]] virtual Result<Rows<EventRow>> events(const Filter& filter, const Page& page) = 0;
  // The newest events of a type, with documents: for previews. Wanted or not.
  [[nodiscard]] virtual Result<std::vector<EventRow>> recent_events(std::string_view type,
                                                                    std::size_t count) = 0;
  // Those behind `after`: seen last first, then by type and id.
  [[nodiscard]] virtual Result<std::vector<ItemRow>> items(std::string_view type,
                                                           std::string_view search,
                                                           const std::optional<ItemPlace>& after,
                                                           std::size_t count) = 0;
  [[nodiscard]] virtual Result<std::vector<PropertyRow>> properties(
      std::string_view event_type) = 0;
  [[nodiscard]] virtual Result<std::vector<ValueRow>> values(std::string_view event_type,
                                                             std::string_view path,
                                                             std::size_t count) = 0;
  // By event type, in whole hours that touch the time asked for.
  [[nodiscard]] virtual Result<std::vector<Counts>> counts(WallTime from, WallTime until) = 0;
  // The newest test requests; they are no deliveries, and are not among those.
  [[nodiscard]] virtual Result<std::vector<TestRecord>> tests(std::size_t count) = 0;
};

class History {
 public:
  // Blocks.
  [[nodiscard]] static Result<std::unique_ptr<History>> open(
      env::Env& env, store::Store& store, const Options& options,
      std::function<void(std::string_view)> on_trouble);

  virtual ~History() = default;

  // Runs `query` on the history's thread after everything that was durable in the journal when
  // run_query() was called has been written, so that a reader sees its own writes.
  virtual void run_query(std::move_only_function<void(Reader&)> query) = 0;

  virtual void add_test(TestRecord record) = 0;
  // Declares an item (the API's POST items); seen ones need not be.
  virtual void add_item(ItemRow item) = 0;

  // Called on the history's thread with what was just written, in order: the live tail.
  virtual void on_written(std::function<void(const store::Followed&)> tell) = 0;

  // Drops what is older than the retention allows. Runs by itself too.
  virtual void apply_retention() = 0;
  // Frees space: makes durable what keeps the journal long and, when asked again within
  // kRoomAskedAgain, drops the oldest file in which nothing is owed.
  virtual void make_room() = 0;
  static constexpr Duration kRoomAskedAgain = std::chrono::seconds(10);

  struct Usage {
    std::uint64_t bytes = 0;
    std::uint64_t files_count = 0;
    std::uint64_t disk_bytes = 0;  // of everything in its folder, some seconds ago
    Position written_until;
  };
  [[nodiscard]] virtual Usage usage() = 0;  // Any thread.
  // Of usage(), cheap: one atomic load.
  [[nodiscard]] virtual std::uint64_t disk_bytes() const = 0;

  virtual void close() = 0;  // Writes what is durable, ends the thread.
};

}  // namespace eilpost::history

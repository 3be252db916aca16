#pragma once
// The load of a crash test, and the books as far as it writes them: senders at a steady rate, and
// four receivers (books.h), which can be taken away or made to hang.
//
// Threads: everything on the loop's thread, but the constructor.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crash/books.h"
#include "env/loop.h"
#include "support/load/event_sender.h"
#include "support/load/webhook_receiver.h"

namespace eilpost::crash {

struct LoadOptions {
  std::uint64_t seed = 0;
  std::uint64_t events_per_second = 3000;  // 0: as fast as the answers come
  bool has_late = false;                   // some events are owed to the late receiver too
  std::string id_prefix;                   // of all events
};

class Load final {
 public:
  static constexpr std::string_view kEventType = "survey.submitted";
  static constexpr std::uint64_t kItemsCount = 50;
  // The item whose events are owed to `receiver` beside the plain one.
  [[nodiscard]] static int item_of(Receiver receiver);

  Load(env::Loop& loop, LoadOptions options);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load();

  [[nodiscard]] Result<void> listen();
  [[nodiscard]] env::Endpoint endpoint_of(Receiver receiver) const;

  void start(const env::Endpoint& server, const std::string& source_key);
  // `done` is called when no request is under way any more.
  void stop(const std::function<void()>& done);

  // Takes the plain and the slow receiver away, with their connections, or brings them back.
  [[nodiscard]] Result<void> set_up(bool is_up);
  // The plain receiver does not answer any more, or does again.
  void set_hanging(bool is_hanging) { is_hanging_ = is_hanging; }
  void open_late() { is_late_open_ = true; }

  // How long the request waited in vain that did so longest since the last call.
  [[nodiscard]] Duration take_failed_wait();
  // The time that all but one of a hundred acknowledgements since the last call took.
  [[nodiscard]] Duration take_ack_time();
  [[nodiscard]] std::uint64_t acknowledged_count() const { return acknowledged_count_; }
  [[nodiscard]] std::uint64_t refused_count() const;  // requests answered other than 202
  [[nodiscard]] std::uint64_t requests_count() const { return requests_count_; }

  // Looks out for the next event that is delivered.
  void mark() { first_delivery_at_.reset(); }
  [[nodiscard]] std::optional<Instant> first_delivery_at() const { return first_delivery_at_; }

  // The deliveries of acknowledged events that were not answered as they must be in the end.
  [[nodiscard]] std::uint64_t owed_count() const;
  [[nodiscard]] Books& books() { return books_; }

 private:
  void add_sender(load::SenderOptions options);
  void note_begun(const std::string& id, std::uint64_t number);
  [[nodiscard]] std::unique_ptr<load::WebhookReceiver> make_receiver(Receiver receiver,
                                                                     std::uint16_t port);
  [[nodiscard]] load::Reply answer(Receiver receiver, const http::Request& request);
  [[nodiscard]] load::Reply choose_reply(Receiver receiver, std::uint64_t number,
                                         std::size_t place);

  env::Loop& loop_;
  const LoadOptions options_;
  const std::string padding_;
  Random random_;
  Books books_;  // its nodes stay where they are
  std::vector<std::unique_ptr<load::EventSender>> senders_;
  std::vector<std::size_t> acks_taken_;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t requests_count_ = 0;
  bool is_hanging_ = false;
  bool is_late_open_ = false;
  std::optional<Instant> first_delivery_at_;
  std::array<env::Endpoint, kReceiversCount> endpoints_;
  std::array<std::unique_ptr<load::WebhookReceiver>, kReceiversCount> receivers_;
};

}  // namespace eilpost::crash

#include "crash/crash_load.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace eilpost::crash {
namespace {

constexpr std::size_t kPaddingBytes = 400;
constexpr std::array kReceivers = {Receiver::plain, Receiver::slow, Receiver::failing,
                                   Receiver::late};
constexpr std::uint64_t kSlowMsMin = 50;
constexpr std::uint64_t kSlowMsMax = 250;

std::size_t index_of(Receiver receiver) {
  return static_cast<std::size_t>(receiver);
}

}  // namespace

int Load::item_of(Receiver receiver) {
  constexpr int kFirstItem = 3;  // every other one from there
  return kFirstItem + (2 * static_cast<int>(receiver));
}

Load::Load(env::Loop& loop, LoadOptions options)
    : loop_(loop),
      options_(std::move(options)),
      padding_(kPaddingBytes, 'x'),
      random_(options_.seed) {}

Load::~Load() = default;

Result<void> Load::listen() {
  for (const Receiver receiver : kReceivers) {
    receivers_[index_of(receiver)] = make_receiver(receiver, 0);
    EILPOST_ASSIGN_OR_RETURN(endpoints_[index_of(receiver)],
                             receivers_[index_of(receiver)]->listen());
  }
  return {};
}

env::Endpoint Load::endpoint_of(Receiver receiver) const {
  return endpoints_[index_of(receiver)];
}

std::unique_ptr<load::WebhookReceiver> Load::make_receiver(Receiver receiver, std::uint16_t port) {
  load::ReceiverOptions options;
  options.listen.port = port;
  auto made = std::make_unique<load::WebhookReceiver>(loop_, options);
  made->on_request = [this, receiver](const http::Request& request) {
    return answer(receiver, request);
  };
  return made;
}

Result<void> Load::set_up(bool is_up) {
  for (const Receiver receiver : {Receiver::plain, Receiver::slow}) {
    auto& place = receivers_[index_of(receiver)];
    place.reset();
    if (!is_up) continue;
    place = make_receiver(receiver, endpoint_of(receiver).port);
    EILPOST_RETURN_IF_ERROR(place->listen());
  }
  return {};
}

void Load::start(const env::Endpoint& server, const std::string& source_key) {
  const std::uint64_t rate = options_.events_per_second;
  add_sender({.server = server,
              .source_key = source_key,
              .connections = 8,
              .id_prefix = options_.id_prefix + "single",
              .events_per_second = rate * 2 / 3});
  add_sender({.server = server,
              .source_key = source_key,
              .connections = 2,
              .events_per_request = 5,
              .id_prefix = options_.id_prefix + "batch",
              .events_per_second = rate / 3});
  for (const auto& sender : senders_) sender->start();
}

void Load::add_sender(load::SenderOptions options) {
  options.persists = true;
  options.event_type = kEventType;
  options.data_bytes = kPaddingBytes;
  options.items_count = kItemsCount;
  const std::string prefix = options.id_prefix;
  senders_.push_back(std::make_unique<load::EventSender>(loop_, std::move(options)));
  acks_taken_.push_back(0);
  senders_.back()->on_begun = [this, prefix](std::uint64_t number) {
    note_begun(fmt::format("{}-{}", prefix, number), number);
  };
  senders_.back()->on_acknowledged = [this, prefix](std::uint64_t number) {
    books_.events[fmt::format("{}-{}", prefix, number)].is_acknowledged = true;
    ++acknowledged_count_;
  };
}

void Load::note_begun(const std::string& id, std::uint64_t number) {
  SentEvent event;
  const int item = static_cast<int>(number % kItemsCount);
  for (const Receiver receiver : {Receiver::slow, Receiver::failing, Receiver::late}) {
    if (receiver == Receiver::late && !options_.has_late) continue;
    if (item == item_of(receiver)) event.owed.push_back(receiver);
  }
  books_.events.emplace(id, std::move(event));
}

void Load::stop(const std::function<void()>& done) {
  auto left = std::make_shared<std::size_t>(senders_.size());
  for (const auto& sender : senders_) {
    sender->stop([left, done] {
      if (--*left == 0) done();
    });
  }
}

Duration Load::take_failed_wait() {
  Duration longest{};
  for (const auto& sender : senders_) longest = std::max(longest, sender->take_failed_wait());
  return longest;
}

Duration Load::take_ack_time() {
  std::vector<std::uint32_t> times;
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    const std::vector<std::uint32_t>& all = senders_[i]->figures().ack_microseconds;
    times.insert(times.end(), all.begin() + static_cast<std::ptrdiff_t>(acks_taken_[i]), all.end());
    acks_taken_[i] = all.size();
  }
  if (times.empty()) return {};
  const auto place = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::ranges::nth_element(times, place);
  return std::chrono::microseconds(*place);
}

std::uint64_t Load::refused_count() const {
  std::uint64_t count = 0;
  for (const auto& sender : senders_) count += sender->figures().requests_refused;
  return count;
}

std::uint64_t Load::owed_count() const {
  std::uint64_t settled = 0;
  for (const auto& [id, delivery] : books_.seen) {
    const auto event = books_.events.find(delivery.event_id);
    if (event == books_.events.end() || !event->second.is_acknowledged) continue;
    if (event->second.is_damaged) continue;
    const bool is_settled =
        delivery.receiver == Receiver::failing
            ? delivery.requests.size() >= books_.failing_attempts_max
            : std::ranges::any_of(delivery.requests, [](const SeenRequest& request) {
                return request.status == 200 && request.answered_at.has_value();
              });
    if (is_settled) ++settled;
  }
  std::uint64_t owed = 0;
  for (const auto& [id, event] : books_.events) {
    if (event.is_acknowledged && !event.is_damaged) owed += event.owed.size();
  }
  return owed - std::min(owed, settled);
}

load::Reply Load::answer(Receiver receiver, const http::Request& request) {
  ++requests_count_;
  const std::string webhook_id(http::find_header(request.headers, "webhook-id").value_or(""));
  SeenDelivery& delivery = books_.seen[webhook_id];
  const std::string_view event_id = load::event_id_in(request.body);
  if (delivery.requests.empty()) {
    delivery.event_id = event_id;
    delivery.receiver = receiver;
  }
  // One webhook-id for two events: keeps the one that is wrong, so that it shows.
  if (delivery.event_id != event_id) delivery.event_id = fmt::format("{} as well", event_id);
  if (delivery.receiver != receiver) {
    books_.remarks.push_back(fmt::format("{} came to two receivers", webhook_id));
  }
  if (request.body.find(padding_) == std::string::npos) {
    books_.remarks.push_back(
        fmt::format("{} ({}): the document was changed", webhook_id, event_id));
  }
  const std::uint64_t number = load::event_number_in(request.body).value_or(0);
  const std::size_t place = delivery.requests.size();
  load::Reply reply = choose_reply(receiver, number, place);
  // What is never answered has no status: it is rightly tried again.
  delivery.requests.push_back(
      {.received_at = loop_.clock().now(), .status = reply.hangs ? 0 : reply.status});
  reply.on_answered = [this, &delivery, place, status = reply.status] {
    const Instant now = loop_.clock().now();
    delivery.requests[place].answered_at = now;
    if (status == 200 && !first_delivery_at_) first_delivery_at_ = now;
  };
  return reply;
}

// Of the plain receiver one event in ten is refused at first, one in a hundred three times; one
// answer in four is late. Refused for their content: else the destinations would be paused.
load::Reply Load::choose_reply(Receiver receiver, std::uint64_t number, std::size_t place) {
  switch (receiver) {
    case Receiver::plain: {
      const bool is_refused = (number % 10 == 3 && place < 1) || (number % 100 == 7 && place < 3);
      load::Reply reply{.status = is_refused ? kRefused : 200};
      if (random_.chance(1, 4)) reply.after = std::chrono::microseconds(random_.below(8000));
      reply.hangs = is_hanging_;
      return reply;
    }
    case Receiver::slow: {
      const std::uint64_t ms = kSlowMsMin + random_.below(kSlowMsMax - kSlowMsMin);
      return {.after = std::chrono::milliseconds(ms)};
    }
    case Receiver::failing:
      return {.status = kRefused};
    case Receiver::late:
      return {.status = is_late_open_ ? 200 : kRefused};
  }
  return {};
}

}  // namespace eilpost::crash

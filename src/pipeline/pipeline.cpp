#include "pipeline/pipeline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "env/callback.h"
#include "pipeline/lane.h"

namespace eilpost::pipeline {
namespace {

// Work that is done on every lane: the last lane to arrive runs `done`.
class LastLane final {
 public:
  LastLane(std::size_t lanes_count, std::move_only_function<void()> done)
      : lanes_left_(lanes_count), done_(std::move(done)) {}

  void arrive() {
    if (lanes_left_.fetch_sub(1) == 1) done_();
  }

 private:
  std::atomic<std::size_t> lanes_left_;
  std::move_only_function<void()> done_;
};

}  // namespace

Pipeline::Pipeline(const Parts& parts, Options options)
    : options_(std::move(options)), store_(parts.store) {
  for (std::size_t i = 0; i < parts.env.lanes_count(); ++i) {
    lanes_.push_back(std::make_unique<Lane>(*this, parts.env.lane(i), parts, options_));
  }
}

Pipeline::~Pipeline() = default;

void Pipeline::start(const std::shared_ptr<const Snapshot>& snapshot,
                     const std::vector<std::pair<DestinationId, WallTime>>& failing) {
  for (auto& lane : lanes_) lane->set_snapshot(snapshot);
  for (const auto& [destination, since] : failing) {
    home_of(destination).set_failing_since(destination, since);
  }
  store_.take_unsettled([this](const store::Unsettled& unsettled) {
    home_of(unsettled.owed.destination).take_unsettled(unsettled);
  });
  for (auto& lane : lanes_) {
    lane->all_unsettled_taken();
    lane->loop().post([lane = lane.get()] { lane->pump_all(); });
  }
}

void Pipeline::publish(const std::shared_ptr<const Snapshot>& snapshot, env::Loop& loop,
                       std::move_only_function<void()> done) {
  auto last = std::make_shared<LastLane>(
      lanes_.size(), [&loop, done = std::move(done)]() mutable { loop.post(std::move(done)); });
  for (auto& lane : lanes_) {
    lane->loop().post([lane = lane.get(), snapshot, last] {
      lane->set_snapshot(snapshot);
      last->arrive();
    });
  }
}

Task<void> Pipeline::post_events(std::size_t lane, const http::Request& request,
                                 const env::Endpoint& client, http::Responder& responder) {
  return lanes_.at(lane)->post_events(request, client, responder);
}

http::Response Pipeline::refuse_events(std::size_t lane, const http::Request& request,
                                       const http::Refused& refused) {
  return lanes_.at(lane)->refuse_events(request, refused);
}

void Pipeline::accept(std::vector<store::Accept> batch, env::Loop& loop,
                      std::move_only_function<void(store::Accepted)> done) {
  // Lane 0 hands over; any lane could.
  Lane& lane = *lanes_.front();
  const std::span<const store::Accept> accepts = batch;  // The callback owns what the store reads.
  store_.accept(accepts, lane.loop(),
                [this, &lane, &loop, kept = std::move(batch),
                 done = std::move(done)](store::Accepted accepted) mutable {
                  hand_over(lane, {.accepts = std::move(kept), .parsed = {}}, accepted);
                  loop.post([done = std::move(done), accepted = std::move(accepted)]() mutable {
                    done(std::move(accepted));
                  });
                });
}

// Durable events: each delivery goes to the home lane of its destination. On `from`'s loop.
void Pipeline::hand_over(Lane& from, Batch batch, const store::Accepted& accepted) {
  if (accepted.status != store::AcceptStatus::durable) return;
  const std::vector<store::Accept>& accepts = batch.accepts;
  EILPOST_ASSERT(accepts.size() == accepted.sequences.size());
  batch.parsed.resize(accepts.size());
  std::vector<std::vector<HandedOver>> by_lane(lanes_.size());
  LaneCounters& counters = from.counters();
  for (std::size_t i = 0; i < accepts.size(); ++i) {
    const std::optional<Position>& sequence = accepted.sequences[i];
    if (!sequence) {
      add(counters.events_repeated);
      continue;
    }
    add(counters.events_accepted);
    const store::Accept& accept = accepts[i];
    const std::uint32_t user = store::user_hash(accept.event->user);
    for (std::size_t ordinal = 0; ordinal < accept.owed.size(); ++ordinal) {
      const Owed& owed = accept.owed[ordinal];
      by_lane[home_index(owed.destination)].push_back(
          {.destination = owed.destination,
           .due = {.id = {.sequence = *sequence, .ordinal = static_cast<std::uint16_t>(ordinal)},
                   .webhook = owed.webhook,
                   .accepted_at = accept.event->received_at,
                   .user = user,
                   .event = accept.event,
                   .parsed = batch.parsed[i]}});
    }
    add(counters.deliveries_owed, accept.owed.size());
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (by_lane[i].empty()) continue;
    Lane& home = *lanes_[i];
    if (&home == &from) {
      home.take_over(std::move(by_lane[i]));
      continue;
    }
    home.loop().post([&home, deliveries = std::move(by_lane[i])]() mutable {
      home.take_over(std::move(deliveries));
    });
  }
}

Task<TestResult> Pipeline::send_test(std::size_t lane, const TestSend& test) {
  if (test.destination->destination.authentication.oauth == nullptr) {
    return lanes_.at(lane)->send_test(test);
  }
  return send_test_at_home(lane, test);
}

// Where the destination's token is.
Task<TestResult> Pipeline::send_test_at_home(std::size_t lane, TestSend test) {
  Lane& home = home_of(test.destination->destination.id);
  env::Loop& back = lanes_.at(lane)->loop();
  co_return co_await env::callback<TestResult>([&home, &back, &test](auto done) {
    home.loop().post([&home, &back, test = std::move(test), done = std::move(done)]() mutable {
      home.begin_test(std::move(test), back, std::move(done));
    });
  });
}

void Pipeline::connect(DestinationId destination, oauth::Proof proof, env::Loop& loop,
                       std::move_only_function<void(std::optional<std::string>)> done) {
  Lane& home = home_of(destination);
  home.loop().post(
      [&home, destination, proof = std::move(proof), &loop, done = std::move(done)]() mutable {
        home.begin_connecting(destination, std::move(proof), loop, std::move(done));
      });
}

void Pipeline::raise(Notice notice) {
  Lane& lane = *lanes_.front();
  lane.loop().post(
      [&lane, notice = std::move(notice)]() mutable { lane.raise(std::move(notice)); });
}

void Pipeline::resume(DestinationId destination, env::Loop& loop,
                      std::move_only_function<void()> done) {
  Lane& home = home_of(destination);
  home.loop().post([&home, destination, &loop, done = std::move(done)]() mutable {
    home.resume(destination);
    loop.post(std::move(done));
  });
}

void Pipeline::stop(env::Loop& loop, std::move_only_function<void()> done) {
  auto last = std::make_shared<LastLane>(
      lanes_.size(),
      [this, &loop, done = std::move(done)]() mutable { store_.flush(loop, std::move(done)); });
  for (auto& lane : lanes_) {
    lane->loop().post([lane = lane.get(), last] { lane->stop([last] { last->arrive(); }); });
  }
}

void Pipeline::on_pressure(std::size_t lane, std::function<void(bool paused)> changed) {
  lanes_.at(lane)->on_pressure(std::move(changed));
}

Counters Pipeline::counters() const {
  Counters sum;
  const auto read = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  for (const auto& lane : lanes_) {
    const LaneCounters& counters = lane->counters();
    sum.events_accepted += read(counters.events_accepted);
    sum.events_repeated += read(counters.events_repeated);
    sum.events_rejected += read(counters.events_rejected);
    sum.deliveries_owed += read(counters.deliveries_owed);
    sum.deliveries_delivered += read(counters.deliveries_delivered);
    sum.deliveries_failed += read(counters.deliveries_failed);
    sum.attempts += read(counters.attempts);
    sum.attempts_succeeded += read(counters.attempts_succeeded);
    sum.attempts_in_flight += read(counters.attempts_in_flight);
    sum.tokens_fetched += read(counters.tokens.fetched);
    sum.tokens_failed += read(counters.tokens.failed);
    sum.destinations_paused += read(counters.destinations_paused);
    add_to(sum.figures, counters.figures);
    if (const std::optional<WallTime> oldest = counters.owed_times.oldest()) {
      const auto age =
          std::chrono::floor<std::chrono::seconds>(lane->loop().clock().wall_now() - *oldest);
      sum.oldest_owed_age = std::max(sum.oldest_owed_age, age);
    }
  }
  return sum;
}

void Pipeline::status(std::vector<DestinationId> destinations, env::Loop& loop,
                      std::move_only_function<void(std::vector<DestinationStatus>)> done) {
  // Each lane writes the places of its own destinations.
  auto statuses = std::make_shared<std::vector<DestinationStatus>>(destinations.size());
  auto last = std::make_shared<LastLane>(
      lanes_.size(), [&loop, statuses, done = std::move(done)]() mutable {
        loop.post([statuses, done = std::move(done)]() mutable { done(std::move(*statuses)); });
      });
  auto asked = std::make_shared<const std::vector<DestinationId>>(std::move(destinations));
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i]->loop().post([this, i, asked, statuses, last] {
      for (std::size_t k = 0; k < asked->size(); ++k) {
        if (home_index((*asked)[k]) == i) (*statuses)[k] = lanes_[i]->status((*asked)[k]);
      }
      last->arrive();
    });
  }
}

std::size_t Pipeline::home_index(DestinationId destination) const {
  return hash64(static_cast<std::uint64_t>(destination)) % lanes_.size();
}

Pipeline::Lane& Pipeline::home_of(DestinationId destination) {
  return *lanes_[home_index(destination)];
}

}  // namespace eilpost::pipeline

#pragma once
// What one seed draws: the size of a world, its limits, and which faults exist in it at all.

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/sim/sim_connection.h"
#include "server/config.h"

namespace eilpost::sim {

// What a receiver may do about a request instead of answering 200.
enum class Behaviour : std::uint8_t {
  error_500,
  too_many_429,  // with Retry-After
  slow,          // answers late, perhaps past the timeout
  hang,
  reset_before,  // breaks the connection as soon as bytes come
  reset_after,   // … when it has read the request
  half_answer,   // ends within the answer's head
  endless_body,
  drip,     // the answer comes byte by byte
  garbage,  // what it says is not HTTP
  redirect,
  gone_410,
  closes,  // answers 200, then closes though keep-alive was agreed
};
inline constexpr std::size_t kBehavioursCount = 13;

// How several deliveries come into one body.
enum class BatchForm : std::uint8_t { list, in_template, joined };

struct WorldOptions {
  std::size_t lanes = 1;
  std::uint32_t steps = 60;
  env::SimDelay network_delay{};
  Duration worker_latency_max{};
  server::Config config;

  // Faults that exist in this world.
  bool power_loss = false;
  bool kill = false;
  bool stop = false;
  bool disk_fails = false;
  bool disk_full = false;
  bool disk_stays_full = false;  // from the middle of the steps on
  bool history_breaks = false;   // the first bytes of a file of the log
  bool bits_flip = false;        // in checkpoints, which nothing may depend on
  bool fails_while_opening = false;
  bool names_fail = false;
  bool addresses_change = false;
  bool tls_fails = false;
  bool silence = false;
  std::vector<Behaviour> behaviours;
  std::uint32_t misbehaves_percent = 0;

  // What is spoken and prescribed besides HTTP/1.1, a bearer token, and 2xx for a success.
  bool http_2 = false;          // by all receivers, with TLS
  bool http_2_refuses = false;  // single requests, which are sent again at once
  bool proxy = false;
  std::uint32_t proxy_trouble_percent = 0;
  bool oauth = false;  // at most destinations
  std::uint32_t token_trouble_percent = 0;
  bool calendar_jumps = false;  // by up to days, and back
  bool answer_rules = false;    // a success says "ok"
  std::vector<int> final_statuses;

  // How deliveries come together and follow each other.
  std::uint32_t batch_events_max = 1;  // 1: each goes alone
  BatchForm batch_form = BatchForm::list;
  std::uint64_t batch_bytes_max = 0;  // 0: the default
  std::uint32_t batch_wait_ms = 0;
  bool names_refused = false;       // an answer may name events of a batch that it refuses
  bool rest_goes_again = false;     // then the others were not taken
  std::uint32_t too_many = 0;       // in one request: receivers answer 413; 0: no number is
  bool finds_wrong = false;         // some events are answered 422
  bool per_user = false;            // at most destinations
  std::uint32_t rate_requests = 0;  // 0: no limit
  std::uint32_t rate_per_ms = 0;
  bool notices = false;  // a webhook asks for them

  // The workload.
  bool edits = false;
  bool replays = false;
  bool reads = false;
  bool backfills = false;
  std::uint32_t receivers = 2;
  std::uint32_t concurrency = 4;
  std::uint64_t backlog_max = 0;  // 0: the default
  std::vector<std::uint32_t> delays_ms;
  double jitter = 0.2;
  std::uint32_t timeout_ms = 5000;
  std::uint32_t event_filler_max = 0;
  std::uint64_t pause_max_ms = 100;  // between two steps, mostly much less

  [[nodiscard]] static WorldOptions draw(Random& random);
  // What came to the worlds later, from a generator of its own: so what the first one draws is the
  // same as ever. Half of the worlds have none of it.
  void draw_more(Random random);
  // What came later still, in the same way.
  void draw_policies(Random random);
  [[nodiscard]] std::string text() const;

 private:
  void let_batches_stay();
  void let_receivers_fail();
};

}  // namespace eilpost::sim

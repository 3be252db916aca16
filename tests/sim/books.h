#pragma once
// What the world around the server knows for sure, and what it only believes possible: the books
// that every checker reads. Plain values.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace eilpost::sim {

// How a webhook may have stood for a while. An edit whose answer is not there yet makes two of them
// possible at once.
struct WebhookState {
  bool is_there = true;
  bool enabled = true;
  std::string type;
  int nps_min = 0;
  Instant from{};
  std::optional<Instant> until;  // nothing: still possible
};

struct WebhookBook {
  std::string id;
  std::string destination;
  std::vector<WebhookState> states;
  bool is_unknown = false;  // an edit's answer was lost: look
  bool was_deleted = false;
};

struct SecretBook {
  std::string secret;
  std::optional<Instant> replaced_at;
};

struct DestinationBook {
  std::string id;
  std::string receiver;
  std::uint32_t number = 0;  // in its URL: /d/NUMBER
  std::uint32_t concurrency_max = 1;
  std::vector<SecretBook> secrets;
  std::uint32_t rotations_unknown = 0;  // since the last one whose secret is known
  Instant unknown_since{};
};

struct EventBook {
  std::string id;
  std::string key;  // of its source
  std::string user;
  std::string type;
  int nps = 0;
  std::string body;
  Instant first_sent{};
  std::optional<Instant> confirmed_at;
  bool may_be_taken = false;  // some request with it was not refused
};

// A request that a receiver has read whole.
struct SeenBook {
  std::string webhook_id;
  std::string event_id;
  std::string webhook;
  std::string receiver;
  std::uint32_t destination_number = 0;
  Instant arrived{};
  std::optional<Instant> ended;  // nothing: still under way
  int status = 0;                // answered with a whole head
  bool is_silenced = false;      // its connection went dead: nobody learns how it ended
};

// A time in which the disk may have been full.
struct FullDisk {
  Instant from{};
  std::optional<Instant> until;  // nothing: still
};

struct Books {
  std::map<std::string, WebhookBook> webhooks;
  std::map<std::string, DestinationBook> destinations;
  std::deque<EventBook> events;
  std::map<std::string, std::size_t> event_at;  // by id
  std::deque<SeenBook> seen;
  std::vector<Instant> crashes;  // and ends in good order
  std::set<std::string> secrets;
  std::vector<FullDisk> full_disks;
  bool has_flipped = false;      // a bit of a checkpoint: that is reported
  bool is_log_in_doubt = false;  // the history said that it lost something
  // On a full disk the history left out what it could not write and was not owed, up to here.
  std::optional<Instant> left_out_until;

  [[nodiscard]] bool may_be_left_out(const EventBook& event) const {
    return left_out_until && event.first_sent <= *left_out_until;
  }
  [[nodiscard]] bool may_be_left_out(const std::string& event_id) const {
    const auto at = event_at.find(event_id);
    return at != event_at.end() && may_be_left_out(events[at->second]);
  }
  [[nodiscard]] bool may_be_left_out(const SeenBook& request) const {
    return may_be_left_out(request.event_id);
  }

  [[nodiscard]] bool is_disk_full() const {
    return !full_disks.empty() && !full_disks.back().until;
  }
  [[nodiscard]] DestinationBook* destination_by_number(std::uint32_t number) {
    for (auto& [id, book] : destinations) {
      if (book.number == number) return &book;
    }
    return nullptr;
  }
};

}  // namespace eilpost::sim

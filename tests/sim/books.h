#pragma once
// What the world around the server knows for sure, and what it only believes possible: the books
// that every checker reads. Plain values.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
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
  std::uint32_t batch_events_max = 1;
  bool is_per_user = false;
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

// A delivery as a receiver sees it.
struct PartBook {
  std::string event_id;
  std::string webhook;
  bool is_refused = false;  // by the answer

  friend bool operator==(const PartBook& a, const PartBook& b) {
    return a.event_id == b.event_id && a.webhook == b.webhook;
  }
};

// A request that a receiver has read whole.
struct SeenBook {
  std::string webhook_id;
  std::vector<PartBook> parts;  // several: a batch
  std::string receiver;
  std::uint32_t destination_number = 0;
  Instant arrived{};
  std::optional<Instant> ended;  // nothing: still under way
  int status = 0;                // answered with a whole head
  bool is_success = false;       // and with what its destination takes for one
  bool is_partial = false;       // the answer names what it refuses
  bool is_token_good = true;     // else it is answered 401
  bool may_be_unheard = false;   // its answer: the connection ended before it was written
  bool is_silenced = false;      // its connection went dead: nobody learns how it ended
};

// An access token that was given, whether or not it arrived.
struct TokenBook {
  std::string access;
  Instant given{};
  std::optional<Duration> life;
  std::size_t refresh = 0;  // place of the refresh token that counts from then on
  bool is_revoked = false;
};

// A destination as the token end point knows it.
struct ClientBook {
  std::uint32_t number = 0;  // the destination's
  bool refreshes = false;    // by refresh token
  bool secret_in_form = false;
  std::string secret;
  std::vector<TokenBook> tokens;
  std::vector<std::string> refresh_tokens;  // each takes the one before out of use
  std::size_t refresh_min = 0;              // a receiver saw a token that came with this one

  [[nodiscard]] std::string id() const { return fmt::format("client-{}", number); }
  [[nodiscard]] std::optional<std::size_t> place_of(std::string_view refresh_token) const {
    for (std::size_t i = 0; i < refresh_tokens.size(); ++i) {
      if (refresh_tokens[i] == refresh_token) return i;
    }
    return std::nullopt;
  }
  [[nodiscard]] TokenBook* token(std::string_view access) {
    for (TokenBook& token : tokens) {
      if (token.access == access) return &token;
    }
    return nullptr;
  }
};

// A request for a token.
struct TokenAsk {
  std::string client;
  std::string secret;
  std::string grant;
  std::string refresh_token;
  bool is_secret_in_form = true;
  Instant arrived{};
  std::optional<Instant> ended;  // nothing: still under way
  bool is_silenced = false;
  std::optional<std::size_t> given_refresh;  // which counts if the answer arrived
};

// A time in which the disk may have been full.
struct FullDisk {
  Instant from{};
  std::optional<Instant> until;  // nothing: still
};

// The calendar was set.
struct Jump {
  Instant at{};
  std::chrono::milliseconds step{};
};

struct Books {
  std::map<std::string, WebhookBook> webhooks;
  std::map<std::string, DestinationBook> destinations;
  std::deque<EventBook> events;
  std::map<std::string, std::size_t> event_at;  // by id
  std::deque<SeenBook> seen;
  std::map<std::string, ClientBook> clients;  // by id
  std::deque<TokenAsk> token_asks;
  std::vector<Instant> crashes;  // and ends in good order
  std::set<std::string> secrets;
  std::vector<FullDisk> full_disks;
  std::vector<Jump> jumps;
  bool has_flipped = false;      // a bit of a checkpoint: that is reported
  bool has_disabled = false;     // a destination, by itself
  bool is_log_in_doubt = false;  // the history said that it lost something
  // On a full disk the history left out what it could not write and was not owed, up to here.
  std::optional<Instant> left_out_until;

  [[nodiscard]] bool may_be_left_out(const EventBook& event) const {
    return left_out_until && event.first_sent <= *left_out_until;
  }
  // A notice's is in no book.
  [[nodiscard]] bool may_be_left_out(const std::string& event_id) const {
    const auto at = event_at.find(event_id);
    return at == event_at.end() ? left_out_until.has_value() : may_be_left_out(events[at->second]);
  }
  [[nodiscard]] bool may_be_left_out(const SeenBook& request) const {
    return std::ranges::any_of(
        request.parts, [this](const PartBook& part) { return may_be_left_out(part.event_id); });
  }
  [[nodiscard]] const EventBook* event(const std::string& event_id) const {
    const auto at = event_at.find(event_id);
    return at == event_at.end() ? nullptr : &events[at->second];
  }

  // How far the calendar was set, back and forth.
  [[nodiscard]] std::chrono::milliseconds jumped() const {
    std::chrono::milliseconds sum{};
    for (const Jump& jump : jumps) sum += std::chrono::abs(jump.step);
    return sum;
  }
  [[nodiscard]] bool has_jumped_since(Instant instant) const {
    return !jumps.empty() && jumps.back().at >= instant;
  }

  [[nodiscard]] bool is_disk_full() const {
    return !full_disks.empty() && !full_disks.back().until;
  }
  // Of a destination with OAuth.
  [[nodiscard]] ClientBook* client_of(std::uint32_t destination_number) {
    const auto found = clients.find(ClientBook{.number = destination_number}.id());
    return found == clients.end() ? nullptr : &found->second;
  }
  [[nodiscard]] DestinationBook* destination_by_number(std::uint32_t number) {
    for (auto& [id, book] : destinations) {
      if (book.number == number) return &book;
    }
    return nullptr;
  }
};

}  // namespace eilpost::sim

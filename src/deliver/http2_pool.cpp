#include "deliver/http2_pool.h"

#include <algorithm>

#include "base/assert.h"
#include "base/probe.h"
#include "model/limits.h"

namespace eilpost::deliver {
namespace {

using Connection = std::shared_ptr<http::Http2ClientConnection>;

bool has_room(const Connection& connection) {
  return connection->accepts_exchanges() && connection->has_settings() &&
         connection->exchanges_count() < connection->exchanges_max();
}

}  // namespace

Http2Pool::~Http2Pool() {
  if (close_at_) loop_.timers().cancel(close_timer_);
  for (const auto& peer : peers_) {
    for (const Connection& connection : peer->connections) connection->watch(nullptr);
  }
}

std::size_t Http2Pool::connections_count() const {
  std::size_t count = 0;
  for (const auto& peer : peers_) {
    count += static_cast<std::size_t>(std::ranges::count_if(
        peer->connections, [](const Connection& connection) { return !connection->has_ended(); }));
  }
  return count;
}

std::shared_ptr<Http2Pool::Peer> Http2Pool::find(const Key& key) {
  for (const auto& peer : peers_) {
    if (peer->key == key) return peer;
  }
  if (peers_.size() >= kPeersMax) {
    std::erase_if(peers_, [](const std::shared_ptr<Peer>& peer) {
      return peer->connections.empty() && peer->waiting.empty() && !peer->is_connecting;
    });
  }
  peers_.push_back(std::make_shared<Peer>(Peer{.key = key}));
  return peers_.back();
}

std::optional<Http2Pool::Place> Http2Pool::place_in(const std::shared_ptr<Peer>& peer) {
  if (peer->requires_http_1_1) return Place{.ticket = Ticket(*this, peer, /*is_first=*/false)};
  for (const Connection& connection : peer->connections) {
    if (has_room(connection)) return Place{.connection = connection};
  }
  if (peer->chose_http_1_1) return Place{.ticket = Ticket(*this, peer, /*is_first=*/false)};
  const bool awaits_settings =
      std::ranges::any_of(peer->connections, [](const Connection& connection) {
        return connection->accepts_exchanges() && !connection->has_settings();
      });
  if (peer->is_connecting || awaits_settings) return std::nullopt;
  peer->is_connecting = true;
  return Place{.ticket = Ticket(*this, peer, /*is_first=*/true)};
}

bool Http2Pool::Entering::await_ready() {
  peer_ = pool_.find(key_);
  // Nobody overtakes those who wait already.
  if (peer_->waiting.empty()) place_ = pool_.place_in(peer_);
  return place_.has_value();
}

void Http2Pool::Entering::await_suspend(std::coroutine_handle<> handle) {
  EILPOST_PROBE("deliver.waits_for_connection");
  handle_ = handle;
  peer_->waiting.push_back(this);
}

Http2Pool::Entering::~Entering() {
  if (peer_ != nullptr) std::erase(peer_->waiting, this);
}

void Http2Pool::require_http_1_1(const Key& key) {
  find(key)->requires_http_1_1 = true;
  changed();
}

// Looks at everything anew in a later turn.
void Http2Pool::changed() {
  if (is_serve_posted_) return;
  is_serve_posted_ = true;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) serve();
  });
}

void Http2Pool::serve() {
  is_serve_posted_ = false;
  close_idle();
  const std::weak_ptr<bool> alive = alive_;
  const std::vector<std::shared_ptr<Peer>> peers = peers_;
  for (const std::shared_ptr<Peer>& peer : peers) {
    while (!peer->waiting.empty()) {
      Entering* const first = peer->waiting.front();
      if (!first->place_) first->place_ = place_in(peer);
      if (!first->place_) break;
      peer->waiting.pop_front();
      first->handle_.resume();
      if (alive.expired()) return;
    }
  }
}

void Http2Pool::close_idle() {
  const Instant now = loop_.clock().now();
  std::optional<Instant> next;
  for (const std::shared_ptr<Peer>& peer : peers_) {
    std::erase_if(peer->connections, [&](const Connection& connection) {
      bool is_over = !connection->accepts_exchanges();
      if (!is_over && connection->exchanges_count() == 0) {
        const Instant until = connection->idle_since() + limits::kIdleConnection;
        is_over = now >= until;
        if (!is_over) next = next ? std::min(*next, until) : until;
      }
      if (is_over) connection->watch(nullptr);
      return is_over;
    });
  }
  if (!next || (close_at_ && *close_at_ <= *next)) return;
  if (close_at_) loop_.timers().cancel(close_timer_);
  close_at_ = next;
  close_timer_ = loop_.timers().call_at(*next, [this] {
    close_at_.reset();
    close_idle();
  });
}

Http2Pool::Ticket& Http2Pool::Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    drop();
    pool_ = std::exchange(other.pool_, nullptr);
    peer_ = std::move(other.peer_);
    is_first_ = other.is_first_;
  }
  return *this;
}

void Http2Pool::Ticket::drop() {
  if (pool_ == nullptr) return;
  if (is_first_) {
    peer_->is_connecting = false;
    pool_->changed();
  }
  pool_ = nullptr;
}

std::vector<std::string> Http2Pool::Ticket::alpn() const {
  if (peer_->requires_http_1_1) return {"http/1.1"};
  return {std::string(http::kHttp2Protocol), "http/1.1"};
}

void Http2Pool::Ticket::failed(const Error& error) {
  if (is_first_) {
    for (Entering* const entering : peer_->waiting) entering->place_ = Place{.failure = error};
  }
  drop();
}

void Http2Pool::Ticket::chose_http_1_1() {
  EILPOST_PROBE("deliver.http_1_1_chosen");
  peer_->chose_http_1_1 = true;
  drop();
}

void Http2Pool::Ticket::chose_http_2(Connection connection) {
  EILPOST_PROBE("deliver.http_2_chosen");
  peer_->chose_http_1_1 = false;
  connection->watch([pool = pool_] { pool->changed(); });
  peer_->connections.push_back(std::move(connection));
  drop();
}

}  // namespace eilpost::deliver

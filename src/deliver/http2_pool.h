#pragma once
// The HTTP/2 connections of one destination, shared by its deliveries.
//
// However many deliveries begin at once, one of them connects and the others wait: for what the
// server chose by ALPN, and for its SETTINGS. If it chose HTTP/1.1, each connects for itself, and
// so does who comes later. When all connections have as many exchanges as the other side takes at
// once, a further one is made. Connections without exchanges are closed after
// limits::kIdleConnection.
//
// Ownership: the loop must outlive it; Tickets and the Tasks of enter() must not.
// Threads:   one loop's.
// Limits:    kPeersMax peers are remembered beside those in use.

#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/loop.h"
#include "env/network.h"
#include "http/http2_client.h"

namespace eilpost::deliver {

class Http2Pool final {
 private:
  struct Peer;

 public:
  explicit Http2Pool(env::Loop& loop) : loop_(loop) {}
  Http2Pool(const Http2Pool&) = delete;
  Http2Pool& operator=(const Http2Pool&) = delete;
  ~Http2Pool();

  static constexpr std::size_t kPeersMax = 16;

  // Whose connections may be shared.
  struct Key {
    std::string peer;  // host and port
    std::shared_ptr<env::TlsContext> tls_context;

    friend bool operator==(const Key&, const Key&) = default;
  };

  // The right to connect, and the duty to say what came of it: destroyed without a word, it goes to
  // the next who waits.
  class Ticket final {
   public:
    Ticket() = default;
    Ticket(Http2Pool& pool, std::shared_ptr<Peer> peer, bool is_first)
        : pool_(&pool), peer_(std::move(peer)), is_first_(is_first) {}
    Ticket(Ticket&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          peer_(std::move(other.peer_)),
          is_first_(other.is_first_) {}
    Ticket& operator=(Ticket&& other) noexcept;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { drop(); }

    // What to offer by ALPN.
    [[nodiscard]] std::vector<std::string> alpn() const;
    // Those who wait fail as this one did.
    void failed(const Error& error);
    void chose_http_1_1();
    void chose_http_2(std::shared_ptr<http::Http2ClientConnection> connection);

   private:
    void drop();

    Http2Pool* pool_ = nullptr;
    std::shared_ptr<Peer> peer_;
    bool is_first_ = false;  // others wait for it
  };

  // One of the three.
  struct Place {
    std::shared_ptr<http::Http2ClientConnection> connection;  // take part in it
    std::optional<Error> failure;                             // who connected for all failed
    std::optional<Ticket> ticket;                             // connect
  };

  class [[nodiscard]] Entering {
   public:
    Entering(Http2Pool& pool, const Key& key) : pool_(pool), key_(key) {}
    Entering(const Entering&) = delete;
    Entering& operator=(const Entering&) = delete;
    ~Entering();
    [[nodiscard]] bool await_ready();
    void await_suspend(std::coroutine_handle<> handle);
    // A place in a connection is taken by making an Http2Exchange at once.
    Place await_resume() { return *std::move(place_); }

   private:
    friend class Http2Pool;
    Http2Pool& pool_;
    const Key& key_;
    std::shared_ptr<Peer> peer_;
    std::coroutine_handle<> handle_;
    std::optional<Place> place_;
  };

  // `co_await pool.enter(key)`, which lives until then.
  [[nodiscard]] Entering enter(const Key& key) { return {*this, key}; }

  // The peer answered HTTP_1_1_REQUIRED: it is offered nothing else from now on.
  void require_http_1_1(const Key& key);

  [[nodiscard]] std::size_t connections_count() const;

 private:
  struct Peer {
    Key key;
    std::vector<std::shared_ptr<http::Http2ClientConnection>> connections;
    std::deque<Entering*> waiting;
    bool is_connecting = false;
    bool chose_http_1_1 = false;  // the last time
    bool requires_http_1_1 = false;
  };

  [[nodiscard]] std::shared_ptr<Peer> find(const Key& key);
  // Nothing: it must wait.
  [[nodiscard]] std::optional<Place> place_in(const std::shared_ptr<Peer>& peer);
  void changed();
  void serve();
  void close_idle();

  env::Loop& loop_;
  std::vector<std::shared_ptr<Peer>> peers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<Instant> close_at_;
  env::TimerId close_timer_{};
  bool is_serve_posted_ = false;
};

}  // namespace eilpost::deliver

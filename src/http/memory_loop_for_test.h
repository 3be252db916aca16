#pragma once
// A loop with streams in memory, for the tests of this folder: time moves when told to, and each
// stream may hand over few bytes at a time, stall, or break.
//
// Threads: one.

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "env/loop.h"

namespace eilpost::http {

class MemoryLoop final : public env::Loop, public env::Clock, public env::Timers {
 public:
  void post(std::move_only_function<void()> work) override { work_.push_back(std::move(work)); }
  env::Clock& clock() override { return *this; }
  env::Timers& timers() override { return *this; }
  env::Network& network() override { return *network_; }

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return WallTime(std::chrono::milliseconds(784'111'777'000)) +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  }
  env::TimerId call_at(Instant when, std::move_only_function<void()> callback) override {
    const auto id = static_cast<env::TimerId>(++timers_made_);
    timers_.emplace(std::pair(when, id), std::move(callback));
    return id;
  }
  void cancel(env::TimerId id) override {
    std::erase_if(timers_, [&](const auto& timer) { return timer.first.second == id; });
  }

  void run_until_idle() {
    while (!work_.empty()) {
      auto work = std::move(work_.front());
      work_.pop_front();
      work();
    }
  }
  void advance(Duration duration) {
    const Instant end = now_ + duration;
    run_until_idle();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      auto callback = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      callback();
      run_until_idle();
    }
    now_ = end;
  }

  void use_network(env::Network& network) { network_ = &network; }

 private:
  std::deque<std::move_only_function<void()>> work_;
  std::map<std::pair<Instant, env::TimerId>, std::move_only_function<void()>> timers_;
  std::uint64_t timers_made_ = 0;
  Instant now_{};
  env::Network* network_ = nullptr;
};

// One direction of a connection.
struct MemoryPipe {
  std::string bytes;
  bool ended = false;
  bool reset = false;
  bool stalled = false;  // Writes do not end.
  std::size_t read_bytes_max = ~std::size_t{0};
  std::size_t reads_count = 0;
  std::size_t writes_count = 0;
  std::move_only_function<void()> on_change;

  void changed() {
    if (on_change) on_change();
  }
};

class MemoryStream final : public env::Stream {
 public:
  MemoryStream(MemoryLoop& loop, std::shared_ptr<MemoryPipe> in, std::shared_ptr<MemoryPipe> out)
      : loop_(loop), in_(std::move(in)), out_(std::move(out)) {
    in_->on_change = [this] { schedule(); };
  }
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  ~MemoryStream() override {
    in_->on_change = nullptr;
    in_->reset = true;
    out_->ended = true;
    out_->changed();
  }

  void read(std::span<std::byte> buffer, SizeCallback done) override {
    EILPOST_ASSERT(!read_done_ && !buffer.empty());
    buffer_ = buffer;
    read_done_ = std::move(done);
    schedule();
  }
  void write(ByteView bytes, DoneCallback done) override {
    EILPOST_ASSERT(!write_done_);
    write_done_ = std::move(done);
    ++out_->writes_count;
    const bool broken = out_->reset || out_->ended;
    if (!broken) {
      out_->bytes += as_text(bytes);
      out_->changed();
    }
    if (out_->stalled) return;
    loop_.post([this, broken, alive = std::weak_ptr<bool>(alive_)] {
      if (alive.expired() || !write_done_) return;
      DoneCallback callback = std::exchange(write_done_, nullptr);
      callback(broken ? Result<void>(fail(ErrorCode::connection_reset, "write")) : Result<void>());
    });
  }
  void cancel_read() override { read_done_ = nullptr; }
  void cancel_write() override { write_done_ = nullptr; }
  bool is_idle_and_open() override { return in_->bytes.empty() && !in_->ended && !in_->reset; }
  [[nodiscard]] env::Endpoint remote_endpoint() const override { return {}; }
  [[nodiscard]] std::string_view application_protocol() const override { return {}; }

 private:
  void schedule() {
    loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) deliver();
    });
  }
  void deliver() {
    if (!read_done_) return;
    if (in_->bytes.empty() && !in_->ended && !in_->reset) return;
    ++in_->reads_count;
    const std::size_t count = std::min({buffer_.size(), in_->bytes.size(), in_->read_bytes_max});
    std::ranges::copy(as_bytes(in_->bytes).first(count), buffer_.begin());
    in_->bytes.erase(0, count);
    SizeCallback callback = std::exchange(read_done_, nullptr);
    if (count == 0 && in_->reset) {
      callback(fail(ErrorCode::connection_reset, "read"));
    } else {
      callback(count);
    }
  }

  MemoryLoop& loop_;
  std::shared_ptr<MemoryPipe> in_;
  std::shared_ptr<MemoryPipe> out_;
  std::span<std::byte> buffer_;
  SizeCallback read_done_;
  DoneCallback write_done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The other end of a connection, as the test sees it: raw bytes.
struct MemoryPeer {
  std::shared_ptr<MemoryPipe> to_stream = std::make_shared<MemoryPipe>();
  std::shared_ptr<MemoryPipe> from_stream = std::make_shared<MemoryPipe>();

  std::unique_ptr<MemoryStream> make_stream(MemoryLoop& loop) const {
    return std::make_unique<MemoryStream>(loop, to_stream, from_stream);
  }
  void send(std::string_view bytes) const {
    to_stream->bytes += bytes;
    to_stream->changed();
  }
  void end() const {
    to_stream->ended = true;
    to_stream->changed();
  }
  void reset() const {
    to_stream->reset = from_stream->reset = true;
    to_stream->changed();
  }
  // Takes what has come.
  [[nodiscard]] std::string receive() const { return std::exchange(from_stream->bytes, {}); }
  [[nodiscard]] bool is_closed() const { return from_stream->ended; }
};

// Listens in memory; connect() gives the test's end of a new connection.
class MemoryNetwork final : public env::Network {
 public:
  explicit MemoryNetwork(MemoryLoop& loop) : loop_(loop) { loop.use_network(*this); }

  MemoryPeer connect() {
    MemoryPeer peer;
    if (on_stream_) on_stream_(peer.make_stream(loop_));
    return peer;
  }
  [[nodiscard]] bool is_listening() const { return on_stream_ != nullptr; }

  std::unique_ptr<env::Operation> resolve(
      std::string_view /*host*/,
      std::move_only_function<void(Result<env::Resolved>)> /*done*/) override {
    return nullptr;
  }
  std::unique_ptr<env::Operation> connect(
      env::ConnectOptions /*options*/,
      std::move_only_function<void(Result<std::unique_ptr<env::Stream>>)> /*done*/) override {
    return nullptr;
  }
  std::unique_ptr<env::Operation> start_tls(
      std::unique_ptr<env::Stream> /*stream*/, env::ConnectOptions /*options*/,
      std::move_only_function<void(Result<std::unique_ptr<env::Stream>>)> /*done*/) override {
    return nullptr;
  }
  Result<std::unique_ptr<env::Listener>> listen(
      const env::Endpoint& endpoint,
      std::move_only_function<void(std::unique_ptr<env::Stream>)> on_stream) override {
    if (on_stream_) return fail(ErrorCode::listen_failed, "in use");
    on_stream_ = std::move(on_stream);
    return std::make_unique<Listening>(*this, endpoint);
  }
  Result<std::shared_ptr<env::TlsContext>> make_tls_context(
      const env::TlsOptions& /*options*/) override {
    return fail(ErrorCode::bad_input, "no TLS in memory");
  }

 private:
  class Listening final : public env::Listener {
   public:
    Listening(MemoryNetwork& network, const env::Endpoint& endpoint)
        : network_(network), endpoint_(endpoint) {}
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    ~Listening() override { network_.on_stream_ = nullptr; }
    [[nodiscard]] env::Endpoint local_endpoint() const override { return endpoint_; }

   private:
    MemoryNetwork& network_;
    env::Endpoint endpoint_;
  };

  MemoryLoop& loop_;
  std::move_only_function<void(std::unique_ptr<env::Stream>)> on_stream_;
};

}  // namespace eilpost::http

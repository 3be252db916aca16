#pragma once
// One connection of the simulated internet: two ends, bytes in order, latency, windows, endings.
// Private to env/sim, but for SimStream, which tests may ask for more than a Stream can.
//
// It ends as TCP does: closing an end sends what is under way, then the end of the stream; closing
// with bytes unread, or being sent bytes after the close, resets the other side.

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "env/network.h"
#include "env/sim/sim_scheduler.h"

namespace eilpost::env {

struct SimDelay {
  Duration min{};
  Duration max{};
};

class SimConnection;

// One side of a connection, as its owner sees it. A Stream of the simulation is one of these.
class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<SimConnection> connection, std::size_t side);
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;
  ~SimStream() override;

  void read(std::span<std::byte> buffer, SizeCallback done) override;
  void write(ByteView bytes, DoneCallback done) override;
  void cancel_read() override;
  void cancel_write() override;
  [[nodiscard]] bool is_idle_and_open() override;
  [[nodiscard]] Endpoint remote_endpoint() const override;
  [[nodiscard]] std::string_view application_protocol() const override;

  // Ends this side's half: the other side reads 0 bytes after what is under way, and may go on
  // sending. REQUIRES: no write under way.
  void end_writing();
  // Breaks the connection: the other side fails with connection_reset.
  void reset();
  // What was agreed on after the connection was made.
  void start_tls(std::string protocol, std::string server_name);
  // What the other side showed in the TLS handshake.
  [[nodiscard]] std::string_view server_name() const;
  [[nodiscard]] std::string_view client_certificate_pem() const;
  // Nothing that is sent now arrives.
  [[nodiscard]] bool is_silent() const;

 private:
  std::shared_ptr<SimConnection> connection_;
  std::size_t side_;
};

class SimConnection final : public std::enable_shared_from_this<SimConnection> {
 public:
  struct Options {
    std::array<SimQueueId, 2> queues;  // Of the one who connected, of the one who accepted.
    std::array<Endpoint, 2> endpoints;
    SimDelay delay;
    std::size_t window_bytes = 64 * 1024;
    bool partial_reads = true;
    bool refuses_bytes = false;  // The accepting side answers the first bytes with a reset.
    std::string protocol;        // By ALPN.
    std::string server_name;
    std::string client_certificate_pem;
  };

  SimConnection(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed, Options options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] bool is_over() const { return ends_[0].is_closed && ends_[1].is_closed; }

  // The network between the sides breaks: nothing sent from now on arrives, not even an ending.
  void go_silent() { is_silent_ = true; }
  [[nodiscard]] bool is_silent() const { return is_silent_; }
  // Both sides fail with connection_reset.
  void break_off();
  // The owner of a side is gone with its whole machine: its callbacks never run.
  void abandon(std::size_t side);

 private:
  friend class SimStream;

  struct End {
    std::deque<std::byte> arrived;
    std::size_t under_way_bytes = 0;  // Sent to this end, not yet arrived.
    Instant last_arrival{};
    bool peer_ended = false;
    bool is_reset = false;
    bool has_ended = false;  // This end sent its end of the stream.
    bool is_closed = false;
    bool is_gone = false;  // its process has ended

    std::span<std::byte> read_buffer;
    Stream::SizeCallback read_done;
    ByteView to_write;
    Stream::DoneCallback write_done;
    bool is_waiting_for_window = false;
  };

  void close(std::size_t side);
  void send_bytes(std::size_t from, Bytes bytes);
  void send_end(std::size_t from);
  void send_reset(std::size_t from);
  // Runs `work` on the queue of `side` when what is sent to it now arrives there.
  void arrive(std::size_t side, std::move_only_function<void(SimConnection&)> work);
  void soon(std::size_t side, void (SimConnection::*step)(std::size_t));
  void on_bytes(std::size_t side, ByteView bytes);
  void on_reset(std::size_t side);

  void try_read(std::size_t side);
  void try_write(std::size_t side);
  [[nodiscard]] std::size_t some_of(std::size_t count, std::uint64_t one_in);

  SimClock& clock_;
  SimScheduler& scheduler_;
  Random random_;
  Options options_;
  std::array<End, 2> ends_;
  bool is_silent_ = false;
};

}  // namespace eilpost::env

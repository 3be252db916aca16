#pragma once
// What TCP and TLS streams have in common: one connected socket, at most one read and one write
// under way.
//
// A write is tried at once and only its callback waits for the next turn. A read waits until the
// socket is known to be readable, so an idle connection costs no system call. The buffer of a read
// is touched only in the moment before its callback runs: a withdrawn read loses no bytes.
//
// Threads: one loop.

#include <optional>

#include "env/network.h"
#include "env/real/reactor.h"
#include "env/real/system.h"

namespace eilpost::env {

class SocketStream : public Stream, private Watch, private Ready {
 public:
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;
  ~SocketStream() override;

  void read(std::span<std::byte> buffer, SizeCallback done) final;
  void write(ByteView bytes, DoneCallback done) final;
  void cancel_read() final;
  void cancel_write() final;
  [[nodiscard]] Endpoint remote_endpoint() const final { return remote_; }

 protected:
  // The number of bytes that went, 0 at the end of what there is to read; nothing: the stream must
  // wait for the socket.
  using Attempt = std::optional<Result<std::size_t>>;

  SocketStream(Reactor& reactor, Descriptor socket, const Endpoint& remote);

  // Called once by the maker, before everything else. Errors: connect_failed.
  [[nodiscard]] Result<void> watch_socket();
  // The same for a socket that another Watch of the reactor watched before.
  void take_over_socket();

  [[nodiscard]] Descriptor release();

  // The transport: what reads and writes through the two functions below.
  virtual Attempt try_read(std::span<std::byte> buffer) = 0;
  virtual Attempt try_write(ByteView bytes) = 0;
  // Whether try_read() may make progress without an event.
  [[nodiscard]] virtual bool may_read() const { return readable_; }

  // The bare socket.
  Attempt receive(std::span<std::byte> buffer);
  Attempt send(ByteView bytes);

  // Keeps the books of readiness.
  void note_events(std::uint32_t events);
  void on_events(std::uint32_t events) override;
  void on_ready() override;

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] bool readable() const { return readable_; }

 private:
  void continue_write();
  // Calls back if it made progress. May destroy the object.
  void continue_read();

  Reactor& reactor_;
  Descriptor socket_;
  Endpoint remote_;

  std::span<std::byte> read_buffer_;
  SizeCallback read_done_;
  ByteView write_rest_;
  DoneCallback write_done_;
  Result<void> write_result_;
  bool write_ended_ = false;  // write_result_ waits for its turn to be told

  bool readable_ = false;  // The last receive did not empty the socket, or an event came since.
  bool ended_ = false;     // The other side closed or reset: readable to the end.
};

// Plain TCP.
class TcpStream final : public SocketStream {
 public:
  // For a socket that nothing watches yet. Errors: connect_failed.
  [[nodiscard]] static Result<std::unique_ptr<Stream>> make(Reactor& reactor, Descriptor socket,
                                                            const Endpoint& remote);
  // For a socket that is watched already.
  [[nodiscard]] static std::unique_ptr<Stream> take_over(Reactor& reactor, Descriptor socket,
                                                         const Endpoint& remote);

  [[nodiscard]] bool is_idle_and_open() override;
  [[nodiscard]] std::string_view application_protocol() const override { return {}; }
  // The socket, which nothing watches any more; the stream is only good for being destroyed.
  using SocketStream::release;

 private:
  using SocketStream::SocketStream;

  Attempt try_read(std::span<std::byte> buffer) override { return receive(buffer); }
  Attempt try_write(ByteView bytes) override { return send(bytes); }
};

}  // namespace eilpost::env

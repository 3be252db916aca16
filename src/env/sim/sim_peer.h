#pragma once
// Raw talkers for tests: a peer that answers what it receives by a script, and a caller that sends
// and collects. Neither knows any protocol.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "env/loop.h"
#include "env/sim/sim_connection.h"

namespace eilpost::env {

// What a peer does about one message. The default is to keep silent for ever.
struct SimAnswer {
  enum class Then : std::uint8_t {
    keep,         // read on
    close,        // close the connection
    end_writing,  // end the own half, read on
    reset,        // break the connection
  };

  std::string bytes = {};  // sent as they are; may be half of an answer
  Then then = Then::keep;
  Duration delay{};            // before the first byte
  std::size_t drip_bytes = 0;  // not 0: so many bytes at a time …
  Duration drip_every{};       // … and this long between them
};

// Listens at one endpoint and takes any number of connections.
//
// Ownership: the loop must outlive it. Destroying it closes its connections.
class SimPeer {
 public:
  // Returns how many bytes of the text are the first whole message, or 0 if more must come.
  using Framing = std::function<std::size_t(std::string_view)>;

  // REQUIRES: nobody else listens there.
  SimPeer(Loop& loop, const Endpoint& endpoint, Framing framing);
  // A message ends with `terminator`; with an empty one, every read is a message.
  SimPeer(Loop& loop, const Endpoint& endpoint, std::string terminator);
  SimPeer(const SimPeer&) = delete;
  SimPeer& operator=(const SimPeer&) = delete;
  ~SimPeer();

  [[nodiscard]] Endpoint endpoint() const;

  // What is done about each message that no next() is for.
  void always(SimAnswer answer) { default_answer_ = std::move(answer); }
  // What is done about the next message, once; several wait in order.
  void next(SimAnswer answer) { next_answers_.push_back(std::move(answer)); }
  // What is done about each new connection, before anything is read.
  void on_accept(SimAnswer answer) { accept_answer_ = std::move(answer); }
  // From now on nothing is read: windows fill up, and writers wait.
  void stop_reading() { reads_ = false; }

  // The messages of all connections, in the order in which they were whole.
  [[nodiscard]] const std::vector<std::string>& received() const { return received_; }
  [[nodiscard]] std::uint64_t accepted_count() const { return accepted_count_; }
  [[nodiscard]] std::size_t open_count() const { return tasks_.size(); }

 private:
  Task<void> serve(std::unique_ptr<Stream> stream);
  // False if the connection is over.
  Task<bool> answer(SimStream& stream, SimAnswer answer);
  [[nodiscard]] SimAnswer take_answer();

  Loop& loop_;
  Framing framing_;
  SimAnswer default_answer_;
  SimAnswer accept_answer_;
  std::deque<SimAnswer> next_answers_;
  bool reads_ = true;
  std::vector<std::string> received_;
  std::uint64_t accepted_count_ = 0;
  std::unique_ptr<Listener> listener_;
  TaskSet tasks_;
};

// One connection made by a test.
//
// Ownership: the loop must outlive it. Destroying it closes the connection.
class SimCaller {
 public:
  SimCaller(Loop& loop, ConnectOptions options);
  SimCaller(Loop& loop, const Endpoint& endpoint);
  SimCaller(const SimCaller&) = delete;
  SimCaller& operator=(const SimCaller&) = delete;
  ~SimCaller();

  // Sends after what was given before; also before the connection is made.
  void send(std::string_view bytes);
  void end_writing();
  void reset();
  void stop_reading() { reads_ = false; }

  [[nodiscard]] bool is_connected() const { return stream_ != nullptr; }
  // The other side ended its half, broke the connection, or it never came to be.
  [[nodiscard]] bool is_over() const { return is_over_; }
  // Why it is over, if not by an orderly end.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  // Forgets what was received so far, and returns it.
  std::string take();

 private:
  Task<void> receive(ConnectOptions options);
  Task<void> transmit();
  void end_with(Error error);

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  std::deque<std::string> to_send_;
  bool wants_end_ = false;
  bool reads_ = true;
  bool is_over_ = false;
  std::optional<Error> error_;
  std::string received_;
  Task<void> receiving_;
  Task<void> transmitting_;
};

}  // namespace eilpost::env

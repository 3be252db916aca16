#pragma once
// One connection of a Server: a coroutine that reads, serves and answers one request after the
// other.
//
// Ownership: belongs to the Server, which destroys it in a later turn after retire().
// Threads:   the loop's.

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "http/codec.h"
#include "http/handler.h"
#include "http/serialize.h"
#include "http/server.h"

namespace eilpost::http {

class Connection;

// What the connections of a Server share.
struct ServerState {
  env::Loop& loop;
  Handler& handler;
  ServerOptions options;
  DateCache date;
  bool paused = false;
  bool stopping = false;
  std::uint64_t requests_count = 0;
  // Asks for the end of a connection, perhaps more than once.
  std::move_only_function<void(Connection*)> retire;
};

class Connection final : public Responder {
 public:
  Connection(ServerState& server, std::unique_ptr<env::Stream> stream);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override = default;

  // Serves until the connection ends; with `overloaded` answers 503 only.
  void start(bool overloaded);

  // Ends what has lasted too long.
  void check_deadline(Instant now);
  // Begins the read that a pause has held back.
  void resume_reading();
  // Ends the connection if it waits for a request's first byte.
  void close_if_idle();

  [[nodiscard]] Task<Result<void>> respond(Response response) override;
  [[nodiscard]] Task<Result<void>> begin_stream(Response head) override;
  [[nodiscard]] Task<Result<void>> write_chunk(std::string_view bytes) override;

  std::size_t index = 0;  // Its place among the Server's connections.
  bool is_retired = false;

 private:
  enum class Answer : std::uint8_t { none, whole, stream };
  struct MoreInput;

  Task<void> run();
  Task<void> run_overloaded();
  // Answers with a problem and lets the other side read it before the connection ends.
  Task<void> refuse(int status, std::string_view detail);
  // Feeds what was read; true once a request is complete.
  bool has_request();
  void prepare_wait();
  void begin_answer();
  [[nodiscard]] bool may_keep_alive() const;
  void set_deadline(Duration from_now);
  [[nodiscard]] ResponseOptions response_options(Framing framing);
  void start_read();
  void on_read(Result<std::size_t> count);
  [[nodiscard]] bool is_idle() const;

  ServerState& server_;
  std::unique_ptr<env::Stream> stream_;
  env::Endpoint client_;
  RequestParser parser_;
  std::vector<std::byte> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::string output_;
  Instant deadline_ = Instant::max();
  std::uint64_t requests_left_;
  std::coroutine_handle<> waiting_;              // for input
  ParseState timed_state_ = ParseState::failed;  // the state that deadline_ was set for
  Answer answer_ = Answer::none;
  bool keeps_alive_ = false;
  bool stream_has_body_ = false;
  bool stream_is_chunked_ = false;
  bool serving_ = false;
  bool reading_ = false;
  bool input_ended_ = false;
  bool timed_out_ = false;
  bool continue_sent_ = false;
  Task<void> task_;  // Last: it goes first.
};

}  // namespace eilpost::http

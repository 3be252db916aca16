#pragma once
// One connection of HTTP/2 that a Receiver has: many requests at once, each answered, or not, as
// its world allows.
//
// Ownership: what is given must outlive it. Threads: one.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "http/http2_peer_for_test.h"
#include "receiver.h"

namespace eilpost::sim {

class Http2Conversation final {
 public:
  Http2Conversation(Receiver& receiver, env::SimStream& stream);
  ~Http2Conversation();
  Http2Conversation(const Http2Conversation&) = delete;
  Http2Conversation& operator=(const Http2Conversation&) = delete;

  // Until the connection ends. `buffered`: what was read of it already.
  [[nodiscard]] Task<void> run(std::string buffered);

 private:
  using Request = http::Http2Peer::Request;

  [[nodiscard]] bool feed(const std::string& bytes);
  [[nodiscard]] bool take(const Request& request);
  [[nodiscard]] bool refuses(const Request& request);
  [[nodiscard]] Task<void> respond(std::int32_t stream_id);
  void respond_badly(std::int32_t stream_id, SeenBook& seen, Behaviour how);
  [[nodiscard]] Duration thinking_time(std::optional<Behaviour> how);
  void answer(std::int32_t stream_id, int status, const http::Headers& headers = {},
              std::string body = {});
  [[nodiscard]] std::size_t long_bytes() const;
  void answer_ok(std::int32_t stream_id);
  void break_off();
  void go_away();
  [[nodiscard]] Task<void> flush();
  void end(std::int32_t stream_id);

  Receiver& receiver_;
  env::SimStream& stream_;
  http::Http2Peer peer_;
  std::set<std::int32_t> taken_;
  std::map<std::int32_t, SeenBook*> open_;
  std::size_t resets_noted_ = 0;
  std::optional<std::int32_t> last_taken_;  // by GOAWAY: what is later was refused
  bool is_over_ = false;
  bool is_writing_ = false;
  std::vector<SeenBook*> unwritten_;  // answered, but perhaps not in a write that is done
  TaskSet tasks_;
};

}  // namespace eilpost::sim

#pragma once
// The inbox: a destination within the process that keeps its last requests, so that a newcomer sees
// a webhook arrive without an account elsewhere.
//
// Threads: any. Limits: kInboxRequestsKept a token, kInboxBodyBytesMax a body. In memory only: a
// restart empties it (what webhooks sent there is in the log).

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/outbound.h"

namespace eilpost::pipeline {

struct InboxRequest {
  std::uint64_t number = 0;  // grows by one a request, within the inbox
  WallTime received_at;
  bool is_from_outside = false;  // came over HTTP rather than from a webhook in this process
  std::string method;
  std::string target;
  std::vector<OutboundHeader> headers;
  std::string body;
};

// What the inbox answers, selectable for trying out failures.
struct InboxAnswer {
  std::uint16_t status = 200;
  std::string body = "ok";
};

class Inbox final {
 public:
  // Keeps a request and says what to answer. The oldest gives way.
  InboxAnswer put(std::string_view token, InboxRequest request);

  // Which tokens exist: put() and admit() take only those that are open.
  void open(std::string_view token);
  [[nodiscard]] bool is_open(std::string_view token) const;

  // Whether one more request from outside may come now: kInboxRequestsPerSecond a token.
  [[nodiscard]] bool admit(std::string_view token, Instant now);

  // Newest first.
  [[nodiscard]] std::vector<InboxRequest> list(std::string_view token) const;
  void clear(std::string_view token);
  void set_answer(std::string_view token, InboxAnswer answer);
  [[nodiscard]] InboxAnswer answer(std::string_view token) const;

 private:
  struct Box {
    std::deque<InboxRequest> requests;
    std::uint64_t next_number = 1;
    InboxAnswer answer;
    Instant second_began;
    std::uint32_t count_in_second = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Box, std::less<>> boxes_;  // guarded by mutex_
};

}  // namespace eilpost::pipeline

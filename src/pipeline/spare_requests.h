#pragma once
// Requests that have been sent, whose memory the next ones use.
//
// Limits:  kRequestsMax of them, none with a body of more than kBodyBytesMax.
// Threads: one lane's.

#include <cstddef>
#include <utility>
#include <vector>

#include "model/outbound.h"

namespace eilpost::pipeline {

class SpareRequests {
 public:
  // What it says is left from before.
  [[nodiscard]] OutboundRequest take() {
    if (requests_.empty()) return {};
    OutboundRequest request = std::move(requests_.back());
    requests_.pop_back();
    return request;
  }

  void give(OutboundRequest request) {
    if (requests_.size() >= kRequestsMax || request.body.capacity() > kBodyBytesMax) return;
    requests_.push_back(std::move(request));
  }

 private:
  static constexpr std::size_t kRequestsMax = 256;
  static constexpr std::size_t kBodyBytesMax = 16UL * 1024;

  std::vector<OutboundRequest> requests_;
};

}  // namespace eilpost::pipeline

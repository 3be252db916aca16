#include "pipeline/spare_requests.h"

#include <gtest/gtest.h>
#include <string>

namespace eilpost::pipeline {
namespace {

TEST(SpareRequests, MemoryOfARequestIsUsedAgain) {
  SpareRequests spare;
  OutboundRequest request = spare.take();
  request.body.assign(1000, 'x');
  const char* const memory = request.body.data();
  spare.give(std::move(request));
  EXPECT_EQ(spare.take().body.data(), memory);
  EXPECT_EQ(spare.take().body.capacity(), std::string().capacity());
}

TEST(SpareRequests, LargeBodyIsNotKept) {
  SpareRequests spare;
  OutboundRequest request;
  request.body.assign(100'000, 'x');
  spare.give(std::move(request));
  EXPECT_TRUE(spare.take().body.empty());
}

}  // namespace
}  // namespace eilpost::pipeline

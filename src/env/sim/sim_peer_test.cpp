#include "env/sim/sim_peer.h"

#include <gtest/gtest.h>

#include "env/sim/sim_env.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

class SimPeerTest : public testing::Test {
 protected:
  SimEnv env_{/*seed=*/3};
  SimPeer peer_{env_.outside(), {.address = env_.internet().new_address(), .port = 80}, "\n"};
};

TEST_F(SimPeerTest, AnswersEachMessageByScript) {
  peer_.always({.bytes = "default;"});
  peer_.next({.bytes = "first;"});
  peer_.next({.bytes = "second;"});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\nb");
  caller.send("\nc\n");
  env_.advance(1s);
  EXPECT_EQ(caller.take(), "first;second;default;");
  EXPECT_EQ(caller.received(), "");
  EXPECT_EQ(peer_.received(), (std::vector<std::string>{"a\n", "b\n", "c\n"}));
  EXPECT_EQ(peer_.accepted_count(), 1U);
  EXPECT_EQ(peer_.open_count(), 1U);
  EXPECT_FALSE(caller.is_over());
}

TEST_F(SimPeerTest, HangsUnlessToldOtherwise) {
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(24h);
  EXPECT_EQ(caller.received(), "");
  EXPECT_FALSE(caller.is_over());
}

TEST_F(SimPeerTest, ClosesHalfWay) {
  peer_.next({.bytes = "HTTP/1.1 200 O", .then = SimAnswer::Then::close});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(1s);
  EXPECT_EQ(caller.received(), "HTTP/1.1 200 O");
  EXPECT_TRUE(caller.is_over());
  EXPECT_FALSE(caller.error().has_value());
  EXPECT_EQ(peer_.open_count(), 0U);
}

TEST_F(SimPeerTest, Resets) {
  peer_.next({.then = SimAnswer::Then::reset});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(1s);
  ASSERT_TRUE(caller.error().has_value());
  EXPECT_EQ(caller.error()->code, ErrorCode::connection_reset);
}

TEST_F(SimPeerTest, ResetsBeforeAnythingIsRead) {
  peer_.on_accept({.then = SimAnswer::Then::reset});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(1s);
  EXPECT_TRUE(caller.error().has_value());
  EXPECT_TRUE(peer_.received().empty());
}

TEST_F(SimPeerTest, EndsItsHalfAndReadsOn) {
  peer_.next({.bytes = "bye", .then = SimAnswer::Then::end_writing});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(1s);
  EXPECT_EQ(caller.received(), "bye");
  EXPECT_TRUE(caller.is_over());
  caller.send("b\n");
  env_.advance(1s);
  EXPECT_EQ(peer_.received().size(), 2U);
}

TEST_F(SimPeerTest, DripsAfterADelay) {
  peer_.next({.bytes = "12345", .delay = 10s, .drip_bytes = 2, .drip_every = 1min});
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send("a\n");
  env_.advance(9s);
  EXPECT_EQ(caller.received(), "");
  env_.advance(2s);
  EXPECT_EQ(caller.received(), "12");
  env_.advance(1min);
  EXPECT_EQ(caller.received(), "1234");
  env_.advance(1min);
  EXPECT_EQ(caller.received(), "12345");
}

TEST_F(SimPeerTest, ReadsNothingAnyMore) {
  env_.internet().set_window_bytes(100);
  peer_.stop_reading();
  SimCaller caller(env_.lane(0), peer_.endpoint());
  caller.send(std::string(1000, 'x') + "\n");
  env_.advance(1h);
  EXPECT_TRUE(peer_.received().empty());
  EXPECT_FALSE(caller.is_over());
}

TEST_F(SimPeerTest, OwnFramingFindsMessages) {
  SimPeer peer(env_.outside(), {.address = env_.internet().new_address(), .port = 80},
               [](std::string_view text) -> std::size_t { return text.size() >= 3 ? 3 : 0; });
  SimCaller caller(env_.lane(0), peer.endpoint());
  caller.send("abcdefg");
  env_.advance(1s);
  EXPECT_EQ(peer.received(), (std::vector<std::string>{"abc", "def"}));
}

TEST_F(SimPeerTest, CallerEndsItsHalfAfterWhatItSent) {
  SimPeer peer(env_.outside(), {.address = env_.internet().new_address(), .port = 81}, "");
  SimCaller caller(env_.lane(0), peer.endpoint());
  caller.send("tail");
  caller.end_writing();
  env_.advance(1s);
  std::string all;
  for (const std::string& part : peer.received()) all += part;
  EXPECT_EQ(all, "tail");
  EXPECT_EQ(peer.open_count(), 0U);
  EXPECT_TRUE(caller.is_over());
}

TEST_F(SimPeerTest, CallerResets) {
  SimCaller caller(env_.lane(0), peer_.endpoint());
  env_.advance(1s);
  ASSERT_EQ(peer_.open_count(), 1U);
  caller.reset();
  env_.advance(1s);
  EXPECT_EQ(peer_.open_count(), 0U);
}

TEST_F(SimPeerTest, CallerSaysWhyItCouldNotConnect) {
  SimCaller caller(env_.lane(0), {.address = env_.internet().new_address(), .port = 1});
  env_.advance(1s);
  EXPECT_FALSE(caller.is_connected());
  EXPECT_TRUE(caller.is_over());
  ASSERT_TRUE(caller.error().has_value());
  EXPECT_EQ(caller.error()->code, ErrorCode::connect_failed);
}

}  // namespace
}  // namespace eilpost::env

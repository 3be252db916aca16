#include "store/mailbox.h"

#include <gtest/gtest.h>
#include <memory>
#include <utility>

#include "env/sim/sim_env.h"

namespace eilpost::store {
namespace {

// Runs nothing: counts how often it was woken.
class CountedWorker final : public env::Worker {
 public:
  void run(std::move_only_function<void()> /*job*/) override { ++runs_count; }

  int runs_count = 0;
};

class MailboxTest : public testing::Test {
 protected:
  void turn() {
    bool has_turned = false;
    env_.lane(0).post([&] { has_turned = true; });
    EXPECT_TRUE(env_.run_until([&] { return has_turned; }, std::chrono::seconds(1)));
  }

  env::SimEnv env_{1};
  CountedWorker worker_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(env_, worker_, [] {});
};

TEST_F(MailboxTest, WhatALoopGathersInATurnIsPushedTogetherInItsNext) {
  mailbox_->gather(Request{}, env_.lane(0));
  mailbox_->gather(Request{}, env_.lane(0));
  EXPECT_EQ(worker_.runs_count, 0);
  EXPECT_FALSE(mailbox_->take().has_value());
  turn();
  EXPECT_EQ(worker_.runs_count, 1);
  EXPECT_EQ(mailbox_->take().value().size(), 2U);
  EXPECT_FALSE(mailbox_->take().has_value());

  mailbox_->gather(Request{}, env_.lane(0));
  turn();
  EXPECT_EQ(worker_.runs_count, 2);
  EXPECT_EQ(mailbox_->take().value().size(), 1U);
}

TEST_F(MailboxTest, PushDoesNotWaitForWhatIsGathered) {
  mailbox_->gather(Request{}, env_.lane(0));
  mailbox_->push(Note{});
  EXPECT_EQ(worker_.runs_count, 1);
  EXPECT_EQ(mailbox_->take().value().size(), 1U);
}

TEST_F(MailboxTest, CloseGivesBackWhatIsGathered) {
  mailbox_->gather(Request{}, env_.lane(0));
  EXPECT_EQ(mailbox_->close().size(), 1U);
  turn();
  EXPECT_EQ(worker_.runs_count, 0);
  EXPECT_TRUE(mailbox_->close().empty());
}

}  // namespace
}  // namespace eilpost::store

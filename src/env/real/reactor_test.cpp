#include "env/real/reactor.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

#include "env/real/real_clock.h"
#include "env/real/system.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

// Writes its letter when it is called back, and does what the test wants then.
struct Letter final : Ready {
  Letter(std::string& target, char letter_to_write) : text(target), letter(letter_to_write) {}
  void on_ready() override {
    text += letter;
    if (then) then();
  }

  std::string& text;
  char letter;
  std::function<void()> then;
};

struct Counter final : Watch {
  void on_events(std::uint32_t) override { ++count; }
  int count = 0;
};

TEST(Reactor, EnqueuedItemsRunOnceInOrder) {
  Reactor reactor;
  std::string text;
  Letter a(text, 'a');
  Letter b(text, 'b');
  reactor.enqueue(b);
  reactor.enqueue(a);
  reactor.enqueue(b);
  reactor.run_ready();
  EXPECT_EQ(text, "ba");
  EXPECT_FALSE(reactor.has_ready());
  reactor.run_ready();
  EXPECT_EQ(text, "ba");
}

TEST(Reactor, ItemEnqueuedMeanwhileWaitsForTheNextTurn) {
  Reactor reactor;
  std::string text;
  Letter a(text, 'a');
  a.then = [&] { reactor.enqueue(a); };
  reactor.enqueue(a);
  reactor.run_ready();
  EXPECT_EQ(text, "a");
  EXPECT_TRUE(reactor.has_ready());
  reactor.run_ready();
  EXPECT_EQ(text, "aa");
}

TEST(Reactor, ItemMayDestroyTheNextOne) {
  Reactor reactor;
  std::string text;
  Letter a(text, 'a');
  auto b = std::make_unique<Letter>(text, 'b');
  Letter c(text, 'c');
  a.then = [&] { b.reset(); };
  reactor.enqueue(a);
  reactor.enqueue(*b);
  reactor.enqueue(c);
  reactor.run_ready();
  EXPECT_EQ(text, "ac");
}

TEST(Reactor, RemovedWatchIsToldNothingMoreOfTheSameBatch) {
  Reactor reactor;
  Counter counters[2];
  Descriptor descriptors[2];
  for (int i = 0; i < 2; ++i) {
    descriptors[i] = Descriptor(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    ASSERT_TRUE(reactor.add(descriptors[i].get(), EPOLLIN, counters[i]));
  }
  reactor.wait(1s);
  reactor.remove(descriptors[1].get(), counters[1]);
  reactor.run_events();
  EXPECT_EQ(counters[0].count, 1);
  EXPECT_EQ(counters[1].count, 0);
}

// Whether the kernel waits in nanoseconds or only in milliseconds.
class ReactorWait : public ::testing::TestWithParam<bool> {};

TEST_P(ReactorWait, LastsAtLeastItsLimitAndEndsWithAnEvent) {
  Reactor reactor(GetParam());
  const RealClock clock;
  for (const Duration limit : {Duration(300us), Duration(3ms), Duration(2500us)}) {
    const Instant start = clock.now();
    reactor.wait(limit);
    EXPECT_GE(clock.now() - start, limit);
  }
  reactor.wait(-1s);
  reactor.wait(0s);

  Counter counter;
  const Descriptor descriptor(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  ASSERT_TRUE(reactor.add(descriptor.get(), EPOLLIN, counter));
  reactor.wait(std::nullopt);
  reactor.run_events();
  EXPECT_EQ(counter.count, 1);
}

INSTANTIATE_TEST_SUITE_P(FineAndCoarse, ReactorWait, ::testing::Bool());

}  // namespace
}  // namespace eilpost::env

#include "history/aside.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "env/sim/sim_env.h"

namespace eilpost::history {
namespace {

using testing::ElementsAre;

class AsideTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) {
    EXPECT_TRUE(env::replace_file(env_.directory(), name, as_bytes(text)));
  }
  std::string read(const std::string& name) {
    const auto bytes = env::read_file(env_.directory(), name, 100);
    return bytes ? std::string(as_text(*bytes)) : "none";
  }
  void set_aside(const std::string& name) {
    EXPECT_TRUE(set_aside_file(
        env_.directory(), name, {.code = ErrorCode::database_corrupt, .detail = "It is damaged."},
        [this](std::string_view trouble) { troubles_.emplace_back(trouble); }));
  }

  env::SimEnv env_{1};
  std::vector<std::string> troubles_;
};

TEST_F(AsideTest, AFileIsKeptWithItsLog) {
  write("log-1.db", "damaged");
  write("log-1.db-wal", "its log");
  set_aside("log-1.db");
  EXPECT_EQ(read("log-1.db.corrupt"), "damaged");
  EXPECT_EQ(read("log-1.db.corrupt-wal"), "its log");
  EXPECT_EQ(read("log-1.db"), "none");
  EXPECT_THAT(troubles_, ElementsAre("History file log-1.db was set aside as log-1.db.corrupt: "
                                     "It is damaged."));
}

TEST_F(AsideTest, AnEarlierOneOfTheSameNameStays) {
  for (const char* text : {"a", "b", "c"}) {
    write("log-1.db", text);
    set_aside("log-1.db");
  }
  EXPECT_EQ(read("log-1.db.corrupt"), "a");
  EXPECT_EQ(read("log-1.db.corrupt-2"), "b");
  EXPECT_EQ(read("log-1.db.corrupt-3"), "c");
}

TEST_F(AsideTest, AtMostSoManyAreKeptAndTheOldestGoes) {
  for (std::size_t i = 0; i < kAsideMax + 3; ++i) {
    write("log-1.db", fmt::format("{}", i));
    write("log-1.db-wal", "log");
    set_aside("log-1.db");
  }
  // As many, each with its log.
  EXPECT_EQ(env_.directory().list()->size(), 2 * kAsideMax);
  EXPECT_EQ(read("log-1.db.corrupt-3"), "none");
  EXPECT_EQ(read("log-1.db.corrupt-4"), "3");
  EXPECT_EQ(read("log-1.db.corrupt-11"), "10");
  EXPECT_EQ(troubles_.back(),
            "log-1.db.corrupt-3 was removed: 8 files that were set aside are kept.");
}

}  // namespace
}  // namespace eilpost::history

#include "database/database.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "env/sim/sim_env.h"

namespace eilpost::database {
namespace {

constexpr std::string_view kScripts[] = {"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
                                         "ALTER TABLE t ADD COLUMN extra BLOB"};

Result<std::unique_ptr<Database>> open(env::SimEnv& env, Durability durability = Durability::full) {
  EILPOST_ASSIGN_OR_RETURN(
      auto database, Database::open(env, env.directory(), "test.db", {.durability = durability}));
  EILPOST_RETURN_IF_ERROR(database->migrate(kScripts));
  return database;
}

Result<void> insert(Database& database, std::int64_t id, std::string_view name) {
  EILPOST_ASSIGN_OR_RETURN(Statement statement,
                           database.prepare("INSERT INTO t (id, name) VALUES (?1, ?2)"));
  return statement.bind(1, id).bind(2, name).run();
}

std::vector<std::int64_t> ids(Database& database) {
  Result<Statement> statement = database.prepare("SELECT id FROM t ORDER BY id");
  EILPOST_ASSERT(statement.has_value());
  std::vector<std::int64_t> found;
  while (true) {
    const Result<bool> has_row = statement->step();
    EILPOST_ASSERT(has_row.has_value());
    if (!*has_row) return found;
    found.push_back(statement->integer(0));
  }
}

bool is_sound(Database& database) {
  Result<Statement> statement = database.prepare("PRAGMA integrity_check");
  return statement && statement->step().value_or(false) && statement->text(0) == "ok";
}

TEST(Database, ValuesComeBackAsTheyWereBound) {
  env::SimEnv env(1);
  const auto database = open(env);
  ASSERT_TRUE(database.has_value());
  auto write = (*database)->prepare("INSERT INTO t VALUES (?1, ?2, ?3)");
  ASSERT_TRUE(write.has_value());
  const std::string name("naïve\0text", 11);
  ASSERT_TRUE(write->bind(1, INT64_MAX).bind(2, name).bind_blob(3, as_bytes("\xFF\x01")).run());
  ASSERT_TRUE(write->bind(1, std::int64_t{2}).bind(2, "").bind_null(3).run());
  auto read = (*database)->prepare("SELECT id, name, extra FROM t ORDER BY id DESC");
  ASSERT_TRUE(read->step().value());
  EXPECT_EQ(read->integer(0), INT64_MAX);
  EXPECT_EQ(read->text(1), name);
  EXPECT_EQ(as_text(read->blob(2)), "\xFF\x01");
  ASSERT_TRUE(read->step().value());
  EXPECT_FALSE(read->is_null(1));
  EXPECT_EQ(read->text(1), "");
  EXPECT_TRUE(read->is_null(2));
  EXPECT_FALSE(read->step().value());
}

TEST(Database, ErrorsSayWhatWasWrong) {
  env::SimEnv env(1);
  const auto database = open(env);
  const auto statement = (*database)->prepare("SELECT absent FROM t");
  ASSERT_FALSE(statement.has_value());
  EXPECT_EQ(statement.error().code, ErrorCode::database_failed);
  EXPECT_NE(statement.error().detail.find("no such column: absent"), std::string::npos)
      << statement.error().detail;
  ASSERT_TRUE(insert(**database, 1, "one"));
  EXPECT_FALSE(insert(**database, 1, "again"));
}

TEST(Database, RolledBackTransactionLeavesNothing) {
  env::SimEnv env(1);
  const auto database = open(env);
  ASSERT_TRUE((*database)->begin());
  ASSERT_TRUE(insert(**database, 1, "one"));
  (*database)->rollback();
  EXPECT_TRUE(ids(**database).empty());
}

TEST(Database, FileOfANewerVersionIsRefused) {
  env::SimEnv env(1);
  {
    const auto database = open(env);
    ASSERT_TRUE((*database)->run("PRAGMA user_version=3"));
  }
  const auto database = open(env);
  ASSERT_FALSE(database.has_value());
  EXPECT_NE(database.error().detail.find("newer version"), std::string::npos);
}

TEST(Database, FileThatIsNoDatabaseIsCorrupt) {
  env::SimEnv env(1);
  env.directory().plant("test.db", as_bytes(std::string(8192, 'x')));
  const auto database = open(env);
  ASSERT_FALSE(database.has_value());
  EXPECT_EQ(database.error().code, ErrorCode::database_corrupt);
}

TEST(Database, FullDiskIsSaidAndNothingIsDamaged) {
  env::SimEnv env(1);
  const auto database = open(env);
  ASSERT_TRUE(insert(**database, 1, "one"));
  env.directory().set_capacity_bytes(env.directory().used_bytes());
  Result<void> inserted = insert(**database, 2, std::string(100'000, 'x'));
  ASSERT_FALSE(inserted.has_value());
  EXPECT_EQ(inserted.error().code, ErrorCode::disk_full);
  env.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  EXPECT_TRUE(insert(**database, 3, "three"));
  EXPECT_EQ(ids(**database), (std::vector<std::int64_t>{1, 3}));
}

// At which call the disk turns out to be full makes no difference: a file that cannot be opened or
// synced for want of space is no broken one.
TEST(Database, FullDiskIsSaidWhateverWasDone) {
  int failures_count = 0;
  for (std::uint64_t at = 1; at < 60; ++at) {
    SCOPED_TRACE(at);
    env::SimEnv env(1);
    env.directory().fail_once(at, ErrorCode::disk_full);
    Result<void> done;
    const auto database = open(env);
    if (!database) {
      done = std::unexpected(database.error());
    } else {
      for (std::int64_t id = 1; id <= 3 && done; ++id) {
        done = insert(**database, id, "text");
        if (done) done = (*database)->checkpoint();
      }
    }
    if (done) continue;  // A failure that SQLite got over, or none.
    ++failures_count;
    EXPECT_EQ(done.error().code, ErrorCode::disk_full) << done.error().detail;
  }
  EXPECT_GT(failures_count, 10);
}

// Inserts 1, 2, 3 … until something fails; says how many commits were confirmed.
std::int64_t insert_until_failure(env::SimEnv& env, std::int64_t count_max, Durability durability) {
  const auto database = open(env, durability);
  if (!database) return 0;
  for (std::int64_t id = 1; id <= count_max; ++id) {
    if (!insert(**database, id, std::string(1000, 'x'))) return id - 1;
    if (id % 7 == 0 && !(*database)->checkpoint()) return id;
  }
  return count_max;
}

// Goal:   what a commit confirmed survives a power loss at any operation, and the file stays sound.
// Method: fail at operation 1, 2, 3 … until nothing fails; cut the power there, 5 seeds each.
TEST(DatabaseCrash, CommitsSurviveAPowerLossAtAnyOperation) {
  constexpr std::int64_t kCount = 20;
  std::int64_t confirmed = 0;
  for (std::uint64_t crash_at = 1; confirmed < kCount; ++crash_at) {
    ASSERT_LT(crash_at, 1000U);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      SCOPED_TRACE("crash_at=" + std::to_string(crash_at) + " seed=" + std::to_string(seed));
      env::SimEnv env(seed);
      env.directory().fail_after(crash_at);
      confirmed = insert_until_failure(env, kCount, Durability::full);
      env.directory().crash();
      const auto database = open(env);
      ASSERT_TRUE(database.has_value()) << database.error().detail;
      ASSERT_TRUE(is_sound(**database));
      const std::vector<std::int64_t> found = ids(**database);
      ASSERT_GE(std::ssize(found), confirmed);
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i], static_cast<std::int64_t>(i) + 1);
      }
    }
  }
}

TEST(DatabaseCrash, NormalDurabilityMayForgetTheEndButIsSoundAndKeepsWhatWasCheckpointed) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    env::SimEnv env(seed);
    ASSERT_EQ(insert_until_failure(env, 10, Durability::normal), 10);
    env.directory().crash();
    const auto database = open(env, Durability::normal);
    ASSERT_TRUE(database.has_value()) << database.error().detail;
    ASSERT_TRUE(is_sound(**database));
    const std::vector<std::int64_t> found = ids(**database);
    ASSERT_GE(found.size(), 7U) << "The checkpoint after the seventh made it durable.";
  }
}

}  // namespace
}  // namespace eilpost::database

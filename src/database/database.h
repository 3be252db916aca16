#pragma once
// SQLite behind a small interface, on an own VFS over env::Directory, so that the simulated disk
// can fail it. No SQLite type appears above this folder.
//
//   EILPOST_ASSIGN_OR_RETURN(auto database, Database::open(env, directory, "settings.db", {}));
//   EILPOST_ASSIGN_OR_RETURN(Statement insert, database->prepare("INSERT INTO t VALUES (?1, ?2)"));
//   EILPOST_RETURN_IF_ERROR(insert.bind(1, id).bind(2, name).run());
//   while (true) { EILPOST_ASSIGN_OR_RETURN(const bool row, select.step()); if (!row) break; … }
//
// Ownership: the Directory must outlive the Database; the Database its Statements.
// Threads:   one thread at a time.
// Errors:    database_failed, database_corrupt, disk_full, disk_failed; `detail` has SQLite's
// words.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "env/directory.h"
#include "env/env.h"

struct sqlite3;
struct sqlite3_stmt;

namespace eilpost::database {

class Database;
class DirectoryVfs;

class Statement final {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Places are numbered from 1. A failed bind shows at the next step().
  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, double value);
  Statement& bind(int place, std::string_view text);
  Statement& bind_blob(int place, ByteView bytes);
  Statement& bind_null(int place);

  // True: a row is there. False: done; the statement is reset and may be bound and run again.
  [[nodiscard]] Result<bool> step();
  // Steps to the end and resets.
  [[nodiscard]] Result<void> run();
  // Ends early; the statement may be bound and run again.
  void reset();

  // Columns are numbered from 0; views live until the next step() or reset().
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] ByteView blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  Statement& note(int code);
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  const Database* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;
};

enum class Durability : std::uint8_t {
  full,    // every commit survives a power loss (WAL, synchronous=FULL)
  normal,  // a power loss may undo the last commits, never damage the file; checkpoint() makes all
           // before it durable
};

struct OpenOptions {
  Durability durability = Durability::full;
};

class Database final {
 public:
  // Opens or makes the file `name` of `directory` (which need not be the Env's own): WAL mode,
  // foreign keys on, the only connection to it.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(env::Env& env,
                                                              env::Directory& directory,
                                                              std::string_view name,
                                                              const OpenOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements without parameters and results.
  [[nodiscard]] Result<void> run(std::string_view sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);

  // Runs the numbered scripts above the file's user_version, each in a transaction of its own.
  [[nodiscard]] Result<void> migrate(std::span<const std::string_view> scripts);

  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();
  void rollback();

  // Writes the log back into the file and syncs it.
  [[nodiscard]] Result<void> checkpoint();

  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] std::int64_t changes_count() const;  // of the last statement

 private:
  friend class Statement;

  Database();

  [[nodiscard]] Error error_of(int code, std::string_view doing) const;
  [[nodiscard]] Result<void> set_up(const OpenOptions& options);

  std::unique_ptr<DirectoryVfs> vfs_;
  sqlite3* handle_ = nullptr;
};

}  // namespace eilpost::database

#include "database/database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <utility>

#include "base/assert.h"
#include "database/directory_vfs.h"

namespace eilpost::database {
namespace {

ErrorCode code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::disk_full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return ErrorCode::disk_failed;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::database_corrupt;
    default:
      return ErrorCode::database_failed;
  }
}

int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

}  // namespace

// ---- Statement

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(other.bind_error_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this == &other) return *this;
  sqlite3_finalize(statement_);
  database_ = other.database_;
  statement_ = std::exchange(other.statement_, nullptr);
  bind_error_ = other.bind_error_;
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::note(int code) {
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::bind(int place, std::int64_t value) {
  return note(sqlite3_bind_int64(statement_, place, value));
}

Statement& Statement::bind(int place, double value) {
  return note(sqlite3_bind_double(statement_, place, value));
}

Statement& Statement::bind(int place, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = text.empty() ? "" : text.data();
  return note(sqlite3_bind_text(statement_, place, data, size_of(text), SQLITE_TRANSIENT));
}

Statement& Statement::bind_blob(int place, ByteView bytes) {
  if (bytes.empty()) return note(sqlite3_bind_zeroblob(statement_, place, 0));
  return note(sqlite3_bind_blob(statement_, place, bytes.data(), static_cast<int>(bytes.size()),
                                SQLITE_TRANSIENT));
}

Statement& Statement::bind_null(int place) {
  return note(sqlite3_bind_null(statement_, place));
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) {
    const int code = std::exchange(bind_error_, SQLITE_OK);
    return std::unexpected(database_->error_of(code, "binding"));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  Error error = database_->error_of(code, sqlite3_sql(statement_));
  sqlite3_reset(statement_);
  return std::unexpected(std::move(error));
}

Result<void> Statement::run() {
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, step());
    if (!has_row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// ---- Database

Database::Database() = default;

Database::~Database() {
  if (handle_ == nullptr) return;
  // A statement that outlived its Database would make this fail.
  EILPOST_ASSERT(sqlite3_close(handle_) == SQLITE_OK);
}

Result<std::unique_ptr<Database>> Database::open(env::Env& env, env::Directory& directory,
                                                 std::string_view name,
                                                 const OpenOptions& options) {
  std::unique_ptr<Database> database(new Database);
  database->vfs_ = std::make_unique<DirectoryVfs>(directory, env.entropy(), env.clock());
  const std::string file(name);
  const int code = sqlite3_open_v2(
      file.c_str(), &database->handle_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      database->vfs_->name().c_str());
  if (code != SQLITE_OK) return std::unexpected(database->error_of(code, "opening " + file));
  EILPOST_RETURN_IF_ERROR(database->set_up(options));
  return database;
}

Result<void> Database::set_up(const OpenOptions& options) {
  EILPOST_RETURN_IF_ERROR(run("PRAGMA locking_mode=EXCLUSIVE"));
  EILPOST_RETURN_IF_ERROR(run("PRAGMA journal_mode=WAL"));
  EILPOST_RETURN_IF_ERROR(run(options.durability == Durability::full
                                  ? "PRAGMA synchronous=FULL"
                                  : "PRAGMA synchronous=NORMAL"));
  EILPOST_RETURN_IF_ERROR(run("PRAGMA foreign_keys=ON"));
  EILPOST_RETURN_IF_ERROR(run("PRAGMA temp_store=MEMORY"));
  return run("PRAGMA cache_size=-8192");  // KiB
}

Error Database::error_of(int code, std::string_view doing) const {
  const ErrorCode kind = code_of(code);
  std::string detail = fmt::format(
      "{}: {}", doing, handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_));
  if (kind == ErrorCode::disk_failed || kind == ErrorCode::disk_full) {
    detail += fmt::format(" ({})", vfs_->last_error().detail);
  }
  return {.code = kind, .detail = std::move(detail)};
}

Result<void> Database::run(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error_of(code, sql));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), size_of(sql), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error_of(code, sql));
  EILPOST_ASSERT(statement != nullptr);
  return Statement(*this, statement);
}

Result<void> Database::migrate(std::span<const std::string_view> scripts) {
  std::int64_t version = 0;
  {
    EILPOST_ASSIGN_OR_RETURN(Statement statement, prepare("PRAGMA user_version"));
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, statement.step());
    EILPOST_ASSERT(has_row);
    version = statement.integer(0);
  }
  if (version > static_cast<std::int64_t>(scripts.size())) {
    return fail(ErrorCode::database_failed,
                fmt::format("The file was written by a newer version of Eilpost (schema {}, this "
                            "one knows {}).",
                            version, scripts.size()));
  }
  for (auto number = static_cast<std::size_t>(version); number < scripts.size(); ++number) {
    EILPOST_RETURN_IF_ERROR(begin());
    Result<void> done = run(scripts[number]);
    if (done) done = run(fmt::format("PRAGMA user_version={}", number + 1));
    if (done) done = commit();
    if (!done) {
      rollback();
      return done;
    }
  }
  return {};
}

Result<void> Database::begin() {
  return run("BEGIN IMMEDIATE");
}

Result<void> Database::commit() {
  return run("COMMIT");
}

void Database::rollback() {
  // SQLite may have rolled back by itself already, which is as good.
  const Result<void> ignored = run("ROLLBACK");
  (void)ignored;
}

Result<void> Database::checkpoint() {
  EILPOST_RETURN_IF_ERROR(run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return {};
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes_count() const {
  return sqlite3_changes64(handle_);
}

}  // namespace eilpost::database

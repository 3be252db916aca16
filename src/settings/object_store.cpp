#include "settings/object_store.h"

#include <algorithm>
#include <utility>

namespace eilpost::settings {
namespace {

constexpr std::string_view kScripts[] = {
    "CREATE TABLE objects (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " json TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;"
    "CREATE TABLE object_versions (kind TEXT NOT NULL, id TEXT NOT NULL,"
    " version INTEGER NOT NULL, author TEXT NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL,"
    " PRIMARY KEY (kind, id, version)) WITHOUT ROWID;"
    "CREATE TABLE audit_log (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " author TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,"
    " name TEXT NOT NULL);",
    "CREATE TABLE tokens (id TEXT NOT NULL PRIMARY KEY, sealed TEXT NOT NULL) WITHOUT ROWID;",
    "CREATE TABLE failing (id TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;"};

constexpr std::string_view kVersionColumns =
    "SELECT id, version, author, at, json FROM object_versions ";

std::int64_t to_integer(WallTime time) {
  return time.time_since_epoch().count();
}

WallTime to_time(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

StoredVersion version_of(const database::Statement& row) {
  return {.id = std::string(row.text(0)),
          .version = static_cast<std::uint32_t>(row.integer(1)),
          .author = std::string(row.text(2)),
          .at = to_time(row.integer(3)),
          .json = std::string(row.text(4))};
}

Result<std::vector<StoredVersion>> read_versions(database::Statement& select) {
  std::vector<StoredVersion> versions;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return versions;
    versions.push_back(version_of(select));
  }
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> ObjectStore::open(env::Env& env) {
  EILPOST_ASSIGN_OR_RETURN(auto database,
                           database::Database::open(env, env.directory(), "settings.db",
                                                    {.durability = database::Durability::full}));
  EILPOST_RETURN_IF_ERROR(database->migrate(kScripts));
  // What a key that is no longer trusted has sealed must not stay in free pages.
  EILPOST_RETURN_IF_ERROR(database->run("PRAGMA secure_delete = ON"));
  std::unique_ptr<ObjectStore> store(new ObjectStore(std::move(database)));
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      store->database_->prepare("SELECT COALESCE(MAX(number), 0) FROM audit_log"));
  EILPOST_RETURN_IF_ERROR(select.step());
  store->last_audit_number_ = static_cast<std::uint64_t>(select.integer(0));
  return store;
}

Result<std::vector<StoredObject>> ObjectStore::objects(std::string_view kind) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      database_->prepare("SELECT id, version, json FROM objects WHERE kind = ?1 ORDER BY id"));
  select.bind(1, kind);
  std::vector<StoredObject> objects;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return objects;
    objects.push_back({.id = std::string(select.text(0)),
                       .version = static_cast<std::uint32_t>(select.integer(1)),
                       .json = std::string(select.text(2))});
  }
}

Result<std::vector<StoredVersion>> ObjectStore::versions(std::string_view kind,
                                                         std::string_view id) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement select,
                           database_->prepare(std::string(kVersionColumns) +
                                              "WHERE kind = ?1 AND id = ?2 ORDER BY version DESC"));
  select.bind(1, kind).bind(2, id);
  return read_versions(select);
}

Result<std::optional<StoredVersion>> ObjectStore::version(std::string_view kind,
                                                          std::string_view id,
                                                          std::uint32_t version) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement select,
                           database_->prepare(std::string(kVersionColumns) +
                                              "WHERE kind = ?1 AND id = ?2 AND version = ?3"));
  select.bind(1, kind).bind(2, id).bind(3, std::int64_t{version});
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
  if (!has_row) return std::optional<StoredVersion>();
  return std::optional(version_of(select));
}

Result<std::vector<StoredVersion>> ObjectStore::all_versions(std::string_view kind) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      database_->prepare(std::string(kVersionColumns) + "WHERE kind = ?1 ORDER BY id, version"));
  select.bind(1, kind);
  return read_versions(select);
}

Result<bool> ObjectStore::had_any(std::string_view kind) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      database_->prepare("SELECT 1 FROM object_versions WHERE kind = ?1 LIMIT 1"));
  return select.bind(1, kind).step();
}

Result<std::uint64_t> ObjectStore::highest_number(std::string_view kind) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      database_->prepare(
          "SELECT COALESCE(MAX(CAST(id AS INTEGER)), 0) FROM object_versions WHERE kind = ?1"));
  EILPOST_RETURN_IF_ERROR(select.bind(1, kind).step());
  return static_cast<std::uint64_t>(select.integer(0));
}

Result<void> ObjectStore::apply(const StoredChange& change) {
  EILPOST_RETURN_IF_ERROR(database_->begin());
  Result<void> done = write_object(change);
  if (done) done = write_audit(change);
  const auto number = static_cast<std::uint64_t>(database_->last_insert_id());
  EILPOST_RETURN_IF_ERROR(commit_or_roll_back(std::move(done)));
  last_audit_number_ = number;
  return {};
}

Result<void> ObjectStore::write_object(const StoredChange& change) {
  if (change.json.empty()) {
    EILPOST_ASSIGN_OR_RETURN(database::Statement remove,
                             database_->prepare("DELETE FROM objects WHERE kind = ?1 AND id = ?2"));
    return remove.bind(1, change.kind).bind(2, change.id).run();
  }
  std::int64_t version = change.version;
  if (version == 0) {
    EILPOST_ASSIGN_OR_RETURN(
        database::Statement select,
        database_->prepare("SELECT COALESCE(MAX(version), 0) + 1 FROM object_versions"
                           " WHERE kind = ?1 AND id = ?2"));
    EILPOST_RETURN_IF_ERROR(select.bind(1, change.kind).bind(2, change.id).step());
    version = select.integer(0);
  }
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement put,
      database_->prepare("INSERT INTO objects (kind, id, version, json) VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT (kind, id) DO UPDATE SET version = ?3, json = ?4"));
  EILPOST_RETURN_IF_ERROR(
      put.bind(1, change.kind).bind(2, change.id).bind(3, version).bind(4, change.json).run());
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement add,
      database_->prepare("INSERT INTO object_versions (kind, id, version, author, at, json)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  return add.bind(1, change.kind)
      .bind(2, change.id)
      .bind(3, version)
      .bind(4, change.author)
      .bind(5, to_integer(change.at))
      .bind(6, change.json)
      .run();
}

Result<void> ObjectStore::write_audit(const StoredChange& change) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement add,
      database_->prepare("INSERT INTO audit_log (at, author, action, kind, id, name)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  return add.bind(1, to_integer(change.at))
      .bind(2, change.author)
      .bind(3, change.action)
      .bind(4, change.kind)
      .bind(5, change.id)
      .bind(6, change.name)
      .run();
}

Result<void> ObjectStore::rewrite(std::string_view kind,
                                  const std::vector<StoredVersion>& versions) {
  EILPOST_RETURN_IF_ERROR(database_->begin());
  Result<void> done;
  for (const StoredVersion& version : versions) {
    if (done) done = rewrite_one(kind, version);
  }
  return commit_or_roll_back(std::move(done));
}

Result<void> ObjectStore::rewrite_one(std::string_view kind, const StoredVersion& version) {
  for (const std::string_view table : {"objects", "object_versions"}) {
    EILPOST_ASSIGN_OR_RETURN(
        database::Statement update,
        database_->prepare("UPDATE " + std::string(table) +
                           " SET json = ?4 WHERE kind = ?1 AND id = ?2 AND version = ?3"));
    EILPOST_RETURN_IF_ERROR(update.bind(1, kind)
                                .bind(2, version.id)
                                .bind(3, std::int64_t{version.version})
                                .bind(4, version.json)
                                .run());
  }
  return {};
}

Result<std::optional<std::string>> ObjectStore::tokens(std::string_view id) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement select,
                           database_->prepare("SELECT sealed FROM tokens WHERE id = ?1"));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.bind(1, id).step());
  if (!has_row) return std::optional<std::string>();
  return std::optional(std::string(select.text(0)));
}

Result<std::vector<StoredTokens>> ObjectStore::all_tokens() {
  EILPOST_ASSIGN_OR_RETURN(database::Statement select,
                           database_->prepare("SELECT id, sealed FROM tokens ORDER BY id"));
  std::vector<StoredTokens> all;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return all;
    all.push_back({.id = std::string(select.text(0)), .sealed = std::string(select.text(1))});
  }
}

Result<void> ObjectStore::put_tokens(std::string_view id, std::string_view sealed) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement put,
                           database_->prepare("INSERT INTO tokens (id, sealed) VALUES (?1, ?2)"
                                              " ON CONFLICT (id) DO UPDATE SET sealed = ?2"));
  return put.bind(1, id).bind(2, sealed).run();
}

Result<void> ObjectStore::remove_tokens(std::string_view id) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement remove,
                           database_->prepare("DELETE FROM tokens WHERE id = ?1"));
  return remove.bind(1, id).run();
}

Result<std::vector<StoredFailing>> ObjectStore::all_failing() {
  EILPOST_ASSIGN_OR_RETURN(database::Statement select,
                           database_->prepare("SELECT id, since FROM failing ORDER BY id"));
  std::vector<StoredFailing> all;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return all;
    all.push_back({.id = std::string(select.text(0)), .since = to_time(select.integer(1))});
  }
}

Result<void> ObjectStore::put_failing(std::string_view id, WallTime since) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement put,
                           database_->prepare("INSERT INTO failing (id, since) VALUES (?1, ?2)"
                                              " ON CONFLICT (id) DO UPDATE SET since = ?2"));
  return put.bind(1, id).bind(2, to_integer(since)).run();
}

Result<void> ObjectStore::remove_failing(std::string_view id) {
  EILPOST_ASSIGN_OR_RETURN(database::Statement remove,
                           database_->prepare("DELETE FROM failing WHERE id = ?1"));
  return remove.bind(1, id).run();
}

Result<void> ObjectStore::commit_or_roll_back(Result<void> done) {
  if (done) done = database_->commit();
  if (!done) database_->rollback();
  return done;
}

Result<std::vector<StoredAudit>> ObjectStore::audit_log(std::uint64_t before_number,
                                                        std::size_t count) {
  EILPOST_ASSIGN_OR_RETURN(
      database::Statement select,
      database_->prepare("SELECT number, at, author, action, kind, id, name FROM audit_log"
                         " WHERE number < ?1 ORDER BY number DESC LIMIT ?2"));
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  select.bind(1, static_cast<std::int64_t>(std::min(before_number, kMost)))
      .bind(2, static_cast<std::int64_t>(std::min<std::uint64_t>(count, kMost)));
  std::vector<StoredAudit> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back({.number = static_cast<std::uint64_t>(select.integer(0)),
                    .at = to_time(select.integer(1)),
                    .author = std::string(select.text(2)),
                    .action = std::string(select.text(3)),
                    .kind = std::string(select.text(4)),
                    .id = std::string(select.text(5)),
                    .name = std::string(select.text(6))});
  }
}

}  // namespace eilpost::settings

#pragma once
// The tables of the settings: objects as JSON, all their versions, and the audit log.
//
// Format:  docs/SETTINGS.md; the file settings.db.
// Threads: one thread at a time.
// Errors:  those of database/database.h.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "database/database.h"
#include "env/env.h"

namespace eilpost::settings {

struct StoredObject {
  std::string id;
  std::uint32_t version = 0;
  std::string json;
};

struct StoredVersion {
  std::string id;
  std::uint32_t version = 0;
  std::string author;
  WallTime at;
  std::string json;
};

struct StoredAudit {
  std::uint64_t number = 0;
  WallTime at;
  std::string author;
  std::string action;
  std::string kind;
  std::string id;
  std::string name;
};

// The tokens of one destination, sealed.
struct StoredTokens {
  std::string id;
  std::string sealed;
};

// A destination that fails.
struct StoredFailing {
  std::string id;
  WallTime since;
};

// One change of one object, with all that it leaves behind.
struct StoredChange {
  std::string_view kind;
  std::string id;
  std::string name;
  std::string json;           // empty: the object is deleted
  std::uint32_t version = 0;  // 0: the one after the newest that there ever was
  std::string_view action;
  std::string_view author;
  WallTime at;
};

class ObjectStore final {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ObjectStore>> open(env::Env& env);

  [[nodiscard]] Result<std::vector<StoredObject>> objects(std::string_view kind);
  // Newest first; those of a deleted object too.
  [[nodiscard]] Result<std::vector<StoredVersion>> versions(std::string_view kind,
                                                            std::string_view id);
  [[nodiscard]] Result<std::optional<StoredVersion>> version(std::string_view kind,
                                                             std::string_view id,
                                                             std::uint32_t version);
  // Every version of a kind, of all objects.
  [[nodiscard]] Result<std::vector<StoredVersion>> all_versions(std::string_view kind);
  // Whether there ever was an object of this kind.
  [[nodiscard]] Result<bool> had_any(std::string_view kind);
  // Of ids that are numbers: the highest that was ever used; 0 if there was none.
  [[nodiscard]] Result<std::uint64_t> highest_number(std::string_view kind);

  // The change, its version and its row of the audit log: all or nothing. Durable after ok.
  [[nodiscard]] Result<void> apply(const StoredChange& change);
  // Puts other JSON in the place of versions, and of the objects whose newest they are.
  [[nodiscard]] Result<void> rewrite(std::string_view kind,
                                     const std::vector<StoredVersion>& versions);

  // Tokens have no versions. Durable after ok.
  [[nodiscard]] Result<std::optional<std::string>> tokens(std::string_view id);
  [[nodiscard]] Result<std::vector<StoredTokens>> all_tokens();
  [[nodiscard]] Result<void> put_tokens(std::string_view id, std::string_view sealed);
  [[nodiscard]] Result<void> remove_tokens(std::string_view id);
  [[nodiscard]] Result<std::vector<StoredFailing>> all_failing();
  [[nodiscard]] Result<void> put_failing(std::string_view id, WallTime since);
  [[nodiscard]] Result<void> remove_failing(std::string_view id);

  // Grows with every change; 0 before the first.
  [[nodiscard]] std::uint64_t last_audit_number() const { return last_audit_number_; }
  // Newest first, those with smaller numbers.
  [[nodiscard]] Result<std::vector<StoredAudit>> audit_log(std::uint64_t before_number,
                                                           std::size_t count);

 private:
  explicit ObjectStore(std::unique_ptr<database::Database> database)
      : database_(std::move(database)) {}

  [[nodiscard]] Result<void> write_object(const StoredChange& change);
  [[nodiscard]] Result<void> write_audit(const StoredChange& change);
  [[nodiscard]] Result<void> rewrite_one(std::string_view kind, const StoredVersion& version);
  [[nodiscard]] Result<void> commit_or_roll_back(Result<void> done);

  std::unique_ptr<database::Database> database_;
  std::uint64_t last_audit_number_ = 0;
};

}  // namespace eilpost::settings

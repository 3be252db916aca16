#pragma once
// Damaged files of the history, which are kept beside the others for people to look at.
//
// Format: NAME.corrupt, later ones of the same name NAME.corrupt-2, -3 …; SQLite's log of a file
//         has the file's name and "-wal".
// Limits: at most kAsideMax are kept; the oldest of the first name goes first.

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "env/directory.h"

namespace eilpost::history {

inline constexpr std::size_t kAsideMax = 8;

// Renames the database `name` and its log, of which each may be missing, and tells `on_trouble` so
// with the reason `error`, or why it could not. Errors: those of the Directory.
Result<void> set_aside_file(env::Directory& directory, std::string_view name, const Error& error,
                            const std::function<void(std::string_view)>& on_trouble);

}  // namespace eilpost::history

#pragma once
// The configuration of the server, from flags, variables and files: for commands that use its data
// folder.

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "main/commands.h"
#include "server/config.h"

namespace eilpost::main {

// The flags of `eilpost serve`.
void add_options(CLI::App& command, ServeArguments& arguments);

// With the secret key, if it is given by a variable, a systemd credential or a file outside the
// data folder. Errors: bad_config, also for a key file that others may read.
[[nodiscard]] Result<server::Config> read_config(const ServeArguments& arguments);

// Whether the key file is a path of its own instead of a name inside the data folder.
[[nodiscard]] bool has_own_key_path(const server::Config& config);

}  // namespace eilpost::main

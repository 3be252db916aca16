#pragma once
// What an empty data folder gets, so that a newcomer sees an event arrive within a minute: a
// source, an inbox and one webhook (survey submitted → inbox), and an administrator's API key
// unless the operator chose one beforehand.

#include <string>

#include "base/result.h"
#include "settings/settings.h"

namespace eilpost::server {

// What the first start made, to be shown once.
struct FirstStart {
  std::string source_key;   // "src_…"
  std::string inbox_token;  // events can be seen to arrive at /inbox/TOKEN
  std::string api_key;      // "eil_…" of an administrator; empty if the operator chose one
};

[[nodiscard]] Result<FirstStart> make_first_objects(settings::Settings& settings,
                                                    bool has_bootstrap_key);

// The lines that a newcomer needs: how to send an event, where to see it arrive, how to stop.
[[nodiscard]] std::string welcome(const FirstStart& first, std::string_view public_url);

}  // namespace eilpost::server

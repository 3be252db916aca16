#pragma once
// An answer that refuses a request, as a value.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/problem.h"

namespace eilpost::ingest {

inline constexpr std::size_t kErrorsMax = 100;

// An answer other than 202: problem+json.
struct Refusal {
  int status = 400;
  std::string code;    // stable
  std::string detail;  // what is wrong and what would be right
  // At most kErrorsMax. A pointer begins at its event; `index` is the event's place in the request.
  std::vector<Problem> errors;
  std::optional<Duration> retry_after;
};

}  // namespace eilpost::ingest

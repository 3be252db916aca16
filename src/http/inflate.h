#pragma once
// Undoes Content-Encoding: gzip, with a bound on what comes out.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace eilpost::http {

// All members of a gzip file, one after the other. Errors: bad_input (not gzip, cut short, a wrong
// checksum, something behind it), too_large (more than `bytes_max` inflated bytes).
[[nodiscard]] Result<std::string> inflate_gzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace eilpost::http

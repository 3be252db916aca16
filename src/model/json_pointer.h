#pragma once
// JSON Pointers (RFC 6901).

#include <string>
#include <string_view>
#include <vector>

namespace eilpost {

// The steps of a pointer, without their escapes: of "/a~1b/0" "a/b" and "0"; of "" none. Whatever
// stands before the first slash is no step.
[[nodiscard]] std::vector<std::string> pointer_steps(std::string_view pointer);

}  // namespace eilpost

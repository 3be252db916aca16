#pragma once
// URLs with placeholders. They stand only in path segments and query values, so that no end user
// chooses a host and no call hits a collection by mistake.

#include <string>
#include <string_view>

#include "model/problem.h"
#include "render/compiled.h"
#include "render/evaluate.h"

namespace eilpost::render {

// Checks the URL and compiles it; a fragment is dropped. Problems carry `pointer`.
[[nodiscard]] UrlTemplate compile_url(std::string_view text, const TemplateScope& scope,
                                      std::string_view pointer, Problems& problems);

// Appends the URL, every value percent-encoded as one path segment or query value. A value that is
// missing or empty is an error unless its placeholder has default(); so is one that would make the
// segment "." or "..".
[[nodiscard]] Rendered<void> append_url(const UrlTemplate& url, Evaluation& evaluation,
                                        std::string& out);

}  // namespace eilpost::render

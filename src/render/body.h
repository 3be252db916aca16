#pragma once
// Request bodies: the formats of SPEC §4.

#include <string>
#include <string_view>

#include "model/problem.h"
#include "model/webhook.h"
#include "render/compiled.h"
#include "render/evaluate.h"

namespace eilpost::render {

// Compiles a body template. Problems carry `pointer` and what follows it.
[[nodiscard]] TemplateNode compile_body_template(const Json& json, const TemplateScope& scope,
                                                 std::string_view pointer, Problems& problems);

// Appends the body in the webhook's format. `evaluation.values` are the webhook's.
[[nodiscard]] Rendered<void> append_body(Evaluation& evaluation, std::string& out);

// "application/json" or the form's type.
[[nodiscard]] std::string_view content_type_of(Body::Format format);

}  // namespace eilpost::render

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

// Reports a template that is missing or too large, at /body/template.
[[nodiscard]] bool is_usable_template(const Json& json, Problems& problems);

// The format that is sent: the webhook's, or the one that the destination prescribes.
[[nodiscard]] Body::Format format_of(const Input& input);

// Appends the body in that format. Of each evaluation the `values` are those of its own.
[[nodiscard]] Rendered<void> append_body(Evaluation& webhook, Evaluation& destination,
                                         std::string& out);

// "application/json" or the form's type.
[[nodiscard]] std::string_view content_type_of(Body::Format format);

}  // namespace eilpost::render

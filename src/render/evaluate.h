#pragma once
// Placeholders and texts, filled with the values of one event.
//
// Limits: a text is at most limits::kOutboundBodyBytesMax, {{#each}} runs at most
//         limits::kEachStepsMax times in one render.

#include <expected>
#include <string>

#include "render/renderer.h"
#include "render/scratch.h"
#include "render/template.h"

namespace eilpost::render {

// One render. `values` are those of the trie that the templates were parsed with.
struct Evaluation {
  const Input& input;
  const Options& options;
  Scratch& scratch;
  const PropertyValues& values;
};

template <class T>
using Rendered = std::expected<T, RenderError>;

[[nodiscard]] inline std::unexpected<RenderError> cannot_render(std::string detail) {
  return std::unexpected(RenderError{.detail = std::move(detail)});
}

[[nodiscard]] Rendered<Value> evaluate(const Expression& expression, Evaluation& evaluation);

// Appends the text to `out`.
[[nodiscard]] Rendered<void> append_text(const TextTemplate& text, Evaluation& evaluation,
                                         std::string& out);

// The value of a text: with its type where it is exactly one placeholder.
[[nodiscard]] Rendered<Value> evaluate(const TextTemplate& text, Evaluation& evaluation,
                                       std::string& buffer);

}  // namespace eilpost::render

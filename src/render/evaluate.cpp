#include "render/evaluate.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "model/limits.h"
#include "render/compiled.h"
#include "render/headers.h"
#include "render/properties.h"

namespace eilpost::render {
namespace {

Value value_of_path(const Expression& expression, Evaluation& evaluation) {
  if (!expression.has_wildcard) {
    const auto value = evaluation.values.value(expression.slot);
    return value ? Value::of(*value) : Value{};
  }
  std::vector<Value> items;
  for (const WildcardMatch& match : evaluation.values.matches(expression.slot)) {
    if (!match.value.is_null()) items.push_back(Value::of(match.value));
  }
  return items.empty() ? Value{} : Value::of(evaluation.scratch.arena.copy(items));
}

void note_origin(const Expression& expression, std::string_view property, const Value& value,
                 Evaluation& evaluation) {
  if (evaluation.options.origins == nullptr ||
      evaluation.scratch.entries_state == Scratch::Entries::collecting) {
    return;
  }
  for (const Origin& origin : *evaluation.options.origins) {
    if (origin.name == expression.name) return;
  }
  evaluation.options.origins->push_back({.name = expression.name,
                                         .property = std::string(property),
                                         .missing = value.kind == Value::Kind::missing});
}

// The event's value, else that of the webhook's property with this final name.
Rendered<Value> resolve_path(const Expression& expression, Evaluation& evaluation) {
  Value value = value_of_path(expression, evaluation);
  std::string_view property = expression.name;
  if (value.kind == Value::Kind::missing) {
    Scratch& scratch = evaluation.scratch;
    if (auto collected = collect_entries(evaluation); !collected) {
      return std::unexpected(std::move(collected).error());
    }
    const auto entry =
        scratch.names.find(expression.name, hash64(expression.name), scratch.entries);
    if (entry) {
      value = scratch.entries[*entry].value;
      property = scratch.entries[*entry].property;
    }
  }
  note_origin(expression, property, value, evaluation);
  return value;
}

// A field or a secret of the destination.
Rendered<Value> resolve_kept(const Expression& expression, Evaluation& evaluation) {
  const CompiledValue* value = evaluation.input.destination.find_value(expression.name);
  if (value != nullptr) return value->get();
  if (expression.source == Expression::Source::field) return resolve_path(expression, evaluation);
  return cannot_render(fmt::format(
      "The destination has no {}, so {{{{{}}}}} cannot be filled in. Give the destination that "
      "secret.",
      expression.name, expression.name));
}

Rendered<Value> resolve(const Expression& expression, Evaluation& evaluation) {
  switch (expression.source) {
    case Expression::Source::path:
      return resolve_path(expression, evaluation);
    case Expression::Source::this_:
      return find_below(evaluation.scratch.loops.back(), expression.name);
    case Expression::Source::properties: {
      if (auto collected = collect_entries(evaluation); !collected) {
        return std::unexpected(std::move(collected).error());
      }
      std::string json;
      append_flat_object(evaluation.scratch, json);
      return Value::of_json(evaluation.scratch.arena.copy(json));
    }
    case Expression::Source::delivery_id:
      return Value::of(evaluation.input.delivery_id);
    case Expression::Source::webhook_id:
      return Value::of(std::string_view(evaluation.input.webhook.id));
    case Expression::Source::webhook_name:
      return Value::of(std::string_view(evaluation.input.webhook.name));
    case Expression::Source::field:
    case Expression::Source::secret:
      return resolve_kept(expression, evaluation);
  }
  return Value{};
}

// As {{#each}} sees it: an array's elements, an object's values; anything else is one element.
std::span<const Value> steps_of(const Value& value, Arena& arena) {
  if (value.is_missing_or_null()) return {};
  if (value.is_array()) return elements_of(value, arena);
  std::vector<Value> items;
  if (value.kind == Value::Kind::tree) {
    for (const auto field : simdjson::dom::object(value.tree)) {
      items.push_back(Value::of(field.value));
    }
  } else {
    items.push_back(value);
  }
  return arena.copy(items);
}

Rendered<void> append_parts(const std::vector<Part>& parts, Evaluation& evaluation,
                            std::string& out);

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSectionDepthMax.
Rendered<void> append_each(const Part& part, const Value& value, Evaluation& evaluation,
                           std::string& out) {
  Scratch& scratch = evaluation.scratch;
  const std::span<const Value> items = steps_of(value, scratch.arena);
  if (items.empty()) return append_parts(part.otherwise, evaluation, out);
  for (const Value& item : items) {
    if (++scratch.each_steps > limits::kEachStepsMax) {
      return cannot_render(
          fmt::format("The sections {{{{#each}}}} run more than {} times.", limits::kEachStepsMax));
    }
    scratch.loops.push_back(item);
    auto appended = append_parts(part.children, evaluation, out);
    scratch.loops.pop_back();
    if (!appended) return appended;
  }
  return {};
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSectionDepthMax.
Rendered<void> append_part(const Part& part, Evaluation& evaluation, std::string& out) {
  if (part.kind == Part::Kind::literal) {
    out += part.literal;
    return {};
  }
  auto value = evaluate(part.expression, evaluation);
  if (!value) return std::unexpected(std::move(value).error());
  if (part.kind == Part::Kind::each) return append_each(part, *value, evaluation, out);
  if (part.kind == Part::Kind::if_) {
    return append_parts(value->is_falsy() ? part.otherwise : part.children, evaluation, out);
  }
  append_text(out, *value);
  return {};
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSectionDepthMax.
Rendered<void> append_parts(const std::vector<Part>& parts, Evaluation& evaluation,
                            std::string& out) {
  for (const Part& part : parts) {
    auto appended = append_part(part, evaluation, out);
    if (!appended) return appended;
    if (out.size() > limits::kOutboundBodyBytesMax) {
      return cannot_render(
          fmt::format("A text grows above {} bytes.", limits::kOutboundBodyBytesMax));
    }
  }
  return {};
}

}  // namespace

Rendered<Value> evaluate(const Expression& expression, Evaluation& evaluation) {
  auto value = resolve(expression, evaluation);
  if (!value) return value;
  // A part of a secret, or what a filter makes of it, would still say something about it.
  if (expression.source == Expression::Source::secret && evaluation.options.mask_secrets) {
    return Value::of(kMask);
  }
  for (const Filter& filter : expression.filters) {
    auto filtered = apply(filter, *value, evaluation.scratch.arena, &evaluation.scratch.notes);
    if (!filtered) {
      const bool is_this = expression.source == Expression::Source::this_;
      return cannot_render(fmt::format("In the placeholder {{{{{}{}}}}} {}.",
                                       is_this ? expression.name.empty() ? "this" : "this." : "",
                                       expression.name, filtered.error()));
    }
    value = *std::move(filtered);
  }
  return value;
}

Rendered<void> append_text(const TextTemplate& text, Evaluation& evaluation, std::string& out) {
  return append_parts(text.parts, evaluation, out);
}

Rendered<Value> evaluate(const TextTemplate& text, Evaluation& evaluation, std::string& buffer) {
  if (text.is_one_placeholder()) return evaluate(text.parts[0].expression, evaluation);
  if (text.is_literal()) return Value::of(text.literal());
  buffer.clear();
  if (auto appended = append_text(text, evaluation, buffer); !appended) {
    return std::unexpected(std::move(appended).error());
  }
  return Value::of(evaluation.scratch.arena.copy(buffer));
}

}  // namespace eilpost::render

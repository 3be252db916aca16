#pragma once
// The properties that a webhook sends: chosen, renamed, expanded and joined by the static ones.

#include <string>

#include "render/evaluate.h"
#include "render/scratch.h"

namespace eilpost::render {

// Fills scratch.entries with the properties in the order in which they are sent, once a render.
// While that is under way it does nothing, so that a static property sees those before it.
//
// Rules for two that come to one name (which compile() cannot see): a static property wins over a
// chosen one, that over one which a wildcard or an object brought; of the event's own the one with
// the more literal key; else the first.
[[nodiscard]] Rendered<void> collect_entries(Evaluation& evaluation);

// The entries as one JSON object: dotted names kept, empty objects left out.
void append_flat_object(const Scratch& scratch, std::string& out);

// The entries as nested JSON objects, dots being the levels. Where a name is both a value and the
// beginning of another (`a` and `a.b`), the longer one keeps its dots, so that nothing is lost.
void append_nested_object(Scratch& scratch, std::string& out);

// The entries as name=value&…; arrays as JSON text, nulls left out.
enum class Encoding : std::uint8_t { form, query };  // a space as '+', or as %20
void append_pairs(const Scratch& scratch, Encoding encoding, std::string& out);

}  // namespace eilpost::render

#pragma once
// Several deliveries in one request: how the body of each becomes a part of the body of all.
//
// Three forms (docs/SETTINGS.md, "Batches"): a JSON array of the bodies; a template that holds them
// at "{{events}}"; or bodies that are equal but for one array, whose elements come together.
//
// Threads: as renderer.h.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/outbound.h"
#include "model/problem.h"
#include "render/renderer.h"

namespace eilpost::render {

struct CompiledValue;

// One version of a destination's way to put bodies together. Immutable.
struct CompiledBatch {
  // Of an array or a template: what stands before and behind the bodies.
  std::string before = "[";
  std::string behind = "]";
  // Else the steps to the array whose elements come together, as JSON strings.
  std::optional<std::vector<std::string>> join;
};

// Checks and compiles `destination.delivery.batch`; nothing if every event is a request of its own,
// or if there was an error. By Rules::earlier nothing is an error: what cannot be put together goes
// as requests of its own. `values`: the destination's fields and secrets.
[[nodiscard]] std::optional<CompiledBatch> compile_batch(const Destination& destination,
                                                         std::span<const CompiledValue> values,
                                                         Rules rules, Problems& problems);

// Nothing: every event is a request of its own.
[[nodiscard]] const CompiledBatch* batch_of(const CompiledDestination& destination);

// Where in a body the part lies that comes together with that of others.
struct Shared {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t count = 1;  // of elements
};

// Nothing if the body has no such part: then it is sent alone, as it is.
[[nodiscard]] std::optional<Shared> shared_part(const CompiledBatch& batch, std::string_view body);

// One delivery's part of a batch: its request, rendered with Options::is_unsigned.
struct BatchPart {
  OutboundRequest request;
  Shared shared;

  // What of its body comes together with others.
  [[nodiscard]] std::string_view content() const {
    return std::string_view(request.body).substr(shared.begin, shared.end - shared.begin);
  }
};

// Equal for parts that can be in one request, and hardly ever for others.
[[nodiscard]] std::uint64_t kind_of(const BatchPart& part);

// The bytes of the body of a request with nothing but `part`. Each part more adds a comma and its
// content.
[[nodiscard]] std::size_t bytes_alone(const CompiledBatch& batch, const BatchPart& part);

// Drops all but the content, which is all that is needed of a part that follows another one.
void keep_content(BatchPart& part);

// Whether both can be in one request: equal method, URL, headers, and equal bodies around what
// comes together.
[[nodiscard]] bool fit_together(const BatchPart& a, const BatchPart& b);

// The body of a request with all of these. REQUIRES: they fit together; at least one.
[[nodiscard]] std::string joined_body(const CompiledBatch& batch, std::span<const BatchPart> parts);

}  // namespace eilpost::render

#pragma once
// Signatures other than Standard Webhooks' HMAC: Ed25519, an HMAC in a header of the receiver's, or
// a secret as it is.

#include <string_view>

#include "model/destination.h"
#include "model/problem.h"
#include "render/compiled.h"
#include "render/evaluate.h"
#include "render/headers.h"

namespace eilpost::render {

// What the second header of an overlap is called: the receiver's header's name and this.
inline constexpr std::string_view kPreviousSuffix = "-Previous";

// Reports a header that is none, that Eilpost sets, or that the destination sends anyway.
void compile_other_signing(const Destination& destination, CompiledDestination& compiled,
                           Problems& problems);

// REQUIRES: the destination was compiled with one of these schemes.
[[nodiscard]] Rendered<void> write_other_signature(Evaluation& evaluation,
                                                   std::string_view timestamp,
                                                   std::string_view body, HeaderWriter& writer);

}  // namespace eilpost::render

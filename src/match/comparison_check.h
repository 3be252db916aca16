#pragma once
// Whether a comparison makes sense: operator, value and the property's declared types together.

#include <span>
#include <string>

#include "model/problem.h"
#include "model/property_type.h"
#include "model/webhook.h"

namespace eilpost::match {

// `declared` are the types of the property in the event types of the webhook; empty if none
// declares it. One that fits is enough. `pointer` is that of the condition. Returns whether nothing
// was wrong.
[[nodiscard]] bool check_comparison(const Condition& comparison,
                                    std::span<const PropertyType> declared,
                                    const std::string& pointer, Problems& problems);

}  // namespace eilpost::match

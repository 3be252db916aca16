#pragma once
// The presets as texts: the files of platforms/, put together by CMake.
//
// Format: JSON, read by preset.cpp:
//   platform, name, summary, documentation  what it is, for people; {"en","de"} texts
//   fields, secrets  what people fill in: name, label, help, link, type (text choice number boolean
//                    property list), required, default, choices, open (other values too), form
//                    (url digits word)
//   destination      what it prescribes, as the API writes it; what people give stands above it
//   test             URL and success rule of a test, where they differ
//   slow_statuses    by which it asks for fewer requests at once, beside 429 and 503
//   webhook          which names of chosen properties the platform takes: checked when saved
//   rules            what the platform would refuse: checked in each body before it is sent

#include <string_view>
#include <vector>

namespace eilpost::presets {

// In the order in which people see them.
extern const std::vector<std::string_view> kPlatforms;

}  // namespace eilpost::presets

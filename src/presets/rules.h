#pragma once
// What a platform would refuse, as data: rules about the JSON body of a request. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/json.h"

namespace eilpost::presets {

// Of a text. Lengths are characters.
struct TextRules {
  enum class Characters : std::uint8_t {
    any,
    id,                // A-Z a-z 0-9 -
    identifier,        // a letter, then letters, digits and _
    lower_identifier,  // the same of a-z 0-9 _
  };

  std::size_t length_min = 0;
  std::size_t length_max = SIZE_MAX;
  Characters characters = Characters::any;
  std::vector<std::string> refused;  // whole texts, in lower case
  std::vector<std::string> refused_prefixes;
  bool is_email = false;
};

// What must hold at a place of the body. Where nothing stands it holds, unless that is asked for.
struct Rule {
  std::string at;                   // JSON Pointer; empty: the whole body
  bool is_required = false;         // must be there, and no empty text or list
  bool is_present = false;          // must be there
  std::vector<std::string> any_of;  // one of these members is there, and not empty
  std::size_t bytes_max = SIZE_MAX;
  std::size_t items_max = SIZE_MAX;    // of a list
  std::size_t members_max = SIZE_MAX;  // of an object
  std::size_t depth_max = SIZE_MAX;    // objects and lists within each other; 1: none
  std::optional<TextRules> text;
  std::string length_min_field;     // the destination's field that says TextRules::length_min
  std::optional<TextRules> names;   // of an object's members
  std::optional<TextRules> values;  // of an object's members that are texts
  std::optional<std::chrono::hours> age_max;  // of a time since 1970
  bool is_in_microseconds = false;            // such a time; else milliseconds
  std::string why;                            // sentences: whose rule it is, and what helps
};

// What is wrong with a text, such as `has 41 characters, and at most 40 are taken`; nothing if
// nothing is.
[[nodiscard]] std::optional<std::string> broken(const TextRules& rules, std::string_view text);

// A field of the destination, by name; null pointer if it has none.
using FindField = const Json* (*)(const void* context, std::string_view name);

struct CheckInput {
  std::string_view body;  // JSON
  WallTime now;
  const void* context = nullptr;  // for find_field
  FindField find_field = nullptr;
};

// The first rule that does not hold, in a sentence that says what helps; nothing if all hold.
[[nodiscard]] std::optional<std::string> broken(const std::vector<Rule>& rules,
                                                const CheckInput& input);

// A rule, or the part of one that is about a text, from the text of a preset.
[[nodiscard]] Rule rule_of(const Json& json);
[[nodiscard]] TextRules text_rules_of(const Json& json);

}  // namespace eilpost::presets

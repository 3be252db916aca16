#pragma once
// Text with placeholders, parsed: {{path | filter('x')}}, {{{{ for a literal {{,
// {{#if path}}…{{else}}…{{/if}} and {{#each path}}…{{this.value}}…{{/each}}.
//
// Limits: limits::kSectionDepthMax sections within each other, limits::kFiltersMax filters a
//         placeholder.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/event_document.h"
#include "render/filters.h"
#include "render/time_zone.h"

namespace eilpost::render {

// What stands in a placeholder.
struct Expression {
  enum class Source : std::uint8_t {
    path,  // of the event; where the event lacks it, a final name of the webhook
    this_,
    properties,  // the whole chosen object
    delivery_id,
    webhook_id,
    webhook_name,
    field,   // of the destination; where it lacks it, the event's property `field.…`
    secret,  // of the destination
  };

  Source source = Source::path;
  std::string name;           // as it was written; of this_ the path below it
  std::size_t slot = 0;       // of path and field, in the trie that the parser was given
  bool has_wildcard = false;  // of path
  std::vector<Filter> filters;

  [[nodiscard]] bool has_default() const;
};

// A piece of text, a placeholder, or a section around more of them.
struct Part {
  enum class Kind : std::uint8_t { literal, placeholder, if_, each };

  Kind kind = Kind::literal;
  std::string literal;
  Expression expression;
  std::vector<Part> children;   // of if_ and each
  std::vector<Part> otherwise;  // after {{else}}
};

struct TextTemplate {
  std::vector<Part> parts;

  [[nodiscard]] bool is_literal() const;
  // Exactly one placeholder and nothing else: then it has the type of its value.
  [[nodiscard]] bool is_one_placeholder() const;
  // Of a template that is_literal().
  [[nodiscard]] std::string_view literal() const;
};

// The values that a destination has for placeholders.
struct DestinationValues {
  const std::vector<Field>& fields;
  const std::vector<Secret>& secrets;
};

// What a text may refer to.
struct TemplateScope {
  PropertyTrie& trie;  // learns every path that is used
  TimeZones& zones;
  bool has_properties = true;                                 // {{properties}} may be used
  bool has_sections = true;                                   // {{#if}} and {{#each}} may be used
  bool has_earlier = false;                                   // Rules::earlier (renderer.h)
  std::function<void(const std::string& path)> on_path = {};  // called for every path, if set
  // Of a destination's own texts: fields and secrets must be there, and {{@name}} is the event's
  // property that the field `name` says. Else they are looked for when it is rendered.
  const DestinationValues* values = nullptr;
  std::function<void(const std::string& name)> on_secret = {};  // called for every one, if set
};

struct TemplateError {
  std::string detail;      // a sentence
  std::size_t column = 1;  // in characters; where it went wrong
};

// `Column 12: There is no filter "loud"; …`
[[nodiscard]] std::string to_string(const TemplateError& error);

// REQUIRES: `text` is valid UTF-8.
[[nodiscard]] std::expected<TextTemplate, TemplateError> parse_template(std::string_view text,
                                                                        const TemplateScope& scope);

}  // namespace eilpost::render

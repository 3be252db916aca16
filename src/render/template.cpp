#include "render/template.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "model/limits.h"

namespace eilpost::render {
namespace {

template <class T>
using Parsed = std::expected<T, TemplateError>;

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kFieldPrefix = "field.";
constexpr std::string_view kSecretPrefix = "secret.";
constexpr std::string_view kOfField = "@";

// How a run of parts ended.
enum class End : std::uint8_t { text, else_, if_, each };

class Parser {
 public:
  Parser(std::string_view text, const TemplateScope& scope) : text_(text), scope_(scope) {}

  Parsed<TextTemplate> parse() {
    TextTemplate parsed;
    auto end = parse_parts(parsed.parts);
    if (!end) return std::unexpected(std::move(end).error());
    if (*end == End::else_) return stray("{{else}} stands outside of {{#if}}.");
    if (*end == End::if_) return stray("{{/if}} has no {{#if …}} before it.");
    if (*end == End::each) return stray("{{/each}} has no {{#each …}} before it.");
    return parsed;
  }

 private:
  [[nodiscard]] bool at(std::string_view expected) const {
    return text_.substr(position_).starts_with(expected);
  }
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  bool skip(std::string_view expected) {
    if (!at(expected)) return false;
    position_ += expected.size();
    return true;
  }
  void skip_blanks() {
    while (!at_end() && is_ascii_space(text_[position_])) ++position_;
  }

  [[nodiscard]] std::unexpected<TemplateError> error(std::string detail,
                                                     std::size_t position) const {
    return std::unexpected(TemplateError{
        .detail = std::move(detail),
        .column = count_code_points(text_.substr(0, position)) + 1,
    });
  }
  [[nodiscard]] std::unexpected<TemplateError> error(std::string detail) const {
    return error(std::move(detail), position_);
  }
  [[nodiscard]] std::unexpected<TemplateError> stray(std::string detail) const {
    return error(std::move(detail), tag_start_);
  }

  // Reads up to the end of the text or a tag that ends a section.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSectionDepthMax.
  Parsed<End> parse_parts(std::vector<Part>& parts) {
    std::string literal;
    const auto flush = [&] {
      if (literal.empty()) return;
      parts.push_back(
          {.kind = Part::Kind::literal, .literal = std::exchange(literal, {}), .expression = {}});
    };
    while (!at_end()) {
      const std::size_t next = std::min(text_.find(kOpen, position_), text_.size());
      literal += text_.substr(position_, next - position_);
      position_ = next;
      if (skip("{{{{")) {
        literal += kOpen;
        continue;
      }
      if (at_end()) break;
      flush();
      tag_start_ = position_;
      position_ += kOpen.size();
      skip_blanks();
      if (skip("#")) {
        auto section = parse_section();
        if (!section) return std::unexpected(std::move(section).error());
        parts.push_back(*std::move(section));
        continue;
      }
      if (const auto end = parse_end()) return *end;
      auto expression = parse_expression();
      if (!expression) return std::unexpected(std::move(expression).error());
      parts.push_back(
          {.kind = Part::Kind::placeholder, .literal = {}, .expression = *std::move(expression)});
    }
    flush();
    return End::text;
  }

  // {{else}}, {{/if}} or {{/each}}, after its "{{".
  std::optional<End> parse_end() {
    constexpr std::array<std::pair<std::string_view, End>, 3> kEnds = {
        {{"else", End::else_}, {"/if", End::if_}, {"/each", End::each}}};
    const std::size_t start = position_;
    for (const auto& [word, end] : kEnds) {
      if (!skip(word)) continue;
      skip_blanks();
      if (skip(kClose)) return end;
      position_ = start;
    }
    return std::nullopt;
  }

  // After "{{#".
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSectionDepthMax.
  Parsed<Part> parse_section() {
    const std::size_t start = tag_start_;
    if (!scope_.has_sections) {
      return error("{{#if}} and {{#each}} cannot stand here; use a placeholder with default().",
                   start);
    }
    Part part;
    const std::string_view word = take_word();
    if (word != "if" && word != "each") {
      return error(fmt::format("There is no section {{{{#{}}}}}; there are {{{{#if path}}}} and "
                               "{{{{#each path}}}}.",
                               word),
                   start);
    }
    const bool is_each = word == "each";
    part.kind = is_each ? Part::Kind::each : Part::Kind::if_;
    if (depth_ == limits::kSectionDepthMax) {
      return error(
          fmt::format("At most {} sections may stand within each other.", limits::kSectionDepthMax),
          start);
    }
    skip_blanks();
    auto expression = parse_expression();
    if (!expression) return std::unexpected(std::move(expression).error());
    part.expression = *std::move(expression);

    ++depth_;
    if (is_each) ++each_depth_;
    auto end = parse_parts(part.children);
    if (is_each) --each_depth_;
    if (end && *end == End::else_) end = parse_parts(part.otherwise);
    --depth_;
    if (!end) return std::unexpected(std::move(end).error());
    if (*end != (is_each ? End::each : End::if_)) {
      return error(fmt::format("{{{{#{0}}}}} is not closed; its end is {{{{/{0}}}}}.", word),
                   start);
    }
    return part;
  }

  std::string_view take_word() {
    const std::size_t start = position_;
    while (!at_end() && (is_ascii_lower(text_[position_]) || is_ascii_digit(text_[position_]) ||
                         text_[position_] == '_')) {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }

  std::string_view take_name() {
    const std::size_t start = position_;
    while (!at_end() && !is_ascii_space(text_[position_]) && text_[position_] != '|' &&
           !at(kClose)) {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }

  // path | filter | filter }}
  Parsed<Expression> parse_expression() {
    const std::size_t start = position_;
    const std::string_view name = take_name();
    auto expression = resolve(name, start);
    if (!expression) return expression;
    while (true) {
      skip_blanks();
      if (skip(kClose)) return expression;
      if (at_end()) return error("This placeholder is not closed; its end is }}.", tag_start_);
      if (!skip("|")) {
        return error(
            "After the property comes \"|\" and a filter, or }}. (A literal {{ is "
            "written {{{{.)");
      }
      if (expression->filters.size() == limits::kFiltersMax) {
        return error(fmt::format("A placeholder has at most {} filters.", limits::kFiltersMax));
      }
      auto filter = parse_filter();
      if (!filter) return std::unexpected(std::move(filter).error());
      expression->filters.push_back(*std::move(filter));
    }
  }

  [[nodiscard]] Parsed<Expression> resolve(std::string_view name, std::size_t start) const {
    using Source = Expression::Source;
    Expression expression;
    expression.name = name;
    if (name.empty()) {
      return error("A placeholder names a property, such as {{wm.euId}}.", tag_start_);
    }
    if (name.starts_with('{')) {
      return error(
          "A placeholder begins with two braces, not three. (A literal {{ is written "
          "{{{{.)",
          tag_start_);
    }
    if (name == "this" || name.starts_with("this.")) {
      if (each_depth_ == 0) return error("\"this\" has a meaning only within {{#each}}.", start);
      expression.source = Source::this_;
      expression.name = name.substr(std::min<std::size_t>(name.size(), 5));
      return expression;
    }
    if (name.starts_with(kOfField)) return resolve_indirect(name, start);
    if (name == "secret" || name.starts_with(kSecretPrefix)) return resolve_secret(name, start);
    if (name.starts_with(kFieldPrefix) && has_or_lacks_field(name)) {
      return resolve_field(name, start);
    }
    if (name == "properties") {
      if (!scope_.has_properties) return error("{{properties}} cannot stand here.", start);
      expression.source = Source::properties;
      return expression;
    }
    constexpr std::array<std::pair<std::string_view, Source>, 3> kOwn = {
        {{"delivery.id", Source::delivery_id},
         {"webhook.id", Source::webhook_id},
         {"webhook.name", Source::webhook_name}}};
    for (const auto& [own, source] : kOwn) {
      if (name != own) continue;
      expression.source = source;
      return expression;
    }
    for (const std::string_view reserved : {"delivery", "webhook"}) {
      if (scope_.has_earlier) break;
      if (name != reserved && !name.starts_with(std::string(reserved) + '.')) continue;
      return error(fmt::format("There is no \"{}\": of Eilpost itself there are delivery.id, "
                               "webhook.id and webhook.name. Send a property of such a name under "
                               "another one (`as`), and write that here.",
                               name),
                   start);
    }
    return resolve_path(std::move(expression), start);
  }

  [[nodiscard]] Parsed<Expression> resolve_path(Expression expression, std::size_t start) const {
    const auto path = PropertyPath::parse(expression.name);
    if (!path) return error(path.error().detail, start);
    expression.has_wildcard = path->has_wildcard();
    expression.slot = scope_.trie.add(*path);
    if (scope_.on_path) scope_.on_path(expression.name);
    return expression;
  }

  [[nodiscard]] const Field* find_field(std::string_view name) const {
    if (scope_.values == nullptr) return nullptr;
    const auto& fields = scope_.values->fields;
    const auto found = std::ranges::find(fields, name, &Field::name);
    return found == fields.end() ? nullptr : &*found;
  }

  // Whether `field.…` means a field, which may be a mistake. Earlier versions took it for a
  // property of the event.
  [[nodiscard]] bool has_or_lacks_field(std::string_view name) const {
    return !scope_.has_earlier || scope_.values == nullptr ||
           find_field(name.substr(kFieldPrefix.size())) != nullptr;
  }

  [[nodiscard]] Parsed<Expression> resolve_field(std::string_view name, std::size_t start) const {
    Expression expression;
    expression.name = name;
    // A webhook's text: the event may have a property of this name where the destination has none.
    if (scope_.values == nullptr) {
      auto resolved = resolve_path(std::move(expression), start);
      if (resolved) resolved->source = Expression::Source::field;
      return resolved;
    }
    expression.source = Expression::Source::field;
    if (find_field(name.substr(kFieldPrefix.size())) != nullptr) return expression;
    return error(fmt::format("There is no field \"{}\" in this destination's `fields`.",
                             name.substr(kFieldPrefix.size())),
                 start);
  }

  [[nodiscard]] Parsed<Expression> resolve_secret(std::string_view name, std::size_t start) const {
    Expression expression;
    expression.source = Expression::Source::secret;
    expression.name = name;
    const std::string_view key = name.substr(std::min(name.size(), kSecretPrefix.size()));
    if (key.empty()) return error("Say which secret, as in {{secret.api_key}}.", start);
    if (scope_.on_secret) scope_.on_secret(std::string(key));
    if (scope_.values == nullptr) return expression;
    const auto& secrets = scope_.values->secrets;
    if (std::ranges::find(secrets, key, &Secret::name) != secrets.end()) return expression;
    return error(fmt::format("There is no secret \"{}\" in this destination's `secrets`.", key),
                 start);
  }

  // {{@address}}: the property whose path the field `address` holds.
  [[nodiscard]] Parsed<Expression> resolve_indirect(std::string_view name,
                                                    std::size_t start) const {
    const std::string_view key = name.substr(kOfField.size());
    if (scope_.values == nullptr) {
      return error("Only a destination's own texts have placeholders with \"@\".", start);
    }
    const Field* field = find_field(key);
    if (field == nullptr || !field->value.is_string()) {
      return error(fmt::format("There is no field \"{}\" with the path of a property in this "
                               "destination's `fields`.",
                               key),
                   start);
    }
    Expression expression;
    expression.name = field->value.get<std::string>();
    return resolve_path(std::move(expression), start);
  }

  // After "|".
  Parsed<Filter> parse_filter() {
    skip_blanks();
    const std::size_t start = position_;
    const std::string_view name = take_word();
    if (name.empty()) return error("After \"|\" comes the name of a filter.");
    skip_blanks();
    std::vector<Argument> arguments;
    if (skip("(")) {
      auto parsed = parse_arguments();
      if (!parsed) return std::unexpected(std::move(parsed).error());
      arguments = *std::move(parsed);
    }
    auto filter = make_filter(name, std::move(arguments), scope_.zones);
    if (!filter) return error(std::move(filter).error(), start);
    return *std::move(filter);
  }

  // After "(", up to ")".
  Parsed<std::vector<Argument>> parse_arguments() {
    constexpr std::size_t kArgumentsMax = 8;
    std::vector<Argument> arguments;
    skip_blanks();
    if (skip(")")) return arguments;
    while (true) {
      if (arguments.size() == kArgumentsMax) return error("These are too many arguments.");
      skip_blanks();
      Argument argument;
      if (at("{")) {
        auto table = parse_table();
        if (!table) return std::unexpected(std::move(table).error());
        argument.table = *std::move(table);
      } else {
        auto constant = parse_constant();
        if (!constant) return std::unexpected(std::move(constant).error());
        argument.constant = *std::move(constant);
      }
      arguments.push_back(std::move(argument));
      skip_blanks();
      if (skip(")")) return arguments;
      if (!skip(",")) return error("Between arguments stands \",\", after the last one \")\".");
    }
  }

  // {"9":"promoter", "0":"detractor"}
  Parsed<Filter::Table> parse_table() {
    (void)skip("{");
    Filter::Table table;
    skip_blanks();
    if (skip("}")) return table;
    while (true) {
      skip_blanks();
      auto key = parse_constant();
      if (!key) return std::unexpected(std::move(key).error());
      skip_blanks();
      if (!skip(":")) return error("Between key and value stands \":\".");
      skip_blanks();
      auto value = parse_constant();
      if (!value) return std::unexpected(std::move(value).error());
      std::string text;
      append_text(text, key->get());
      table.insert_or_assign(std::move(text), *std::move(value));
      skip_blanks();
      if (skip("}")) return table;
      if (!skip(",")) return error("After a value comes \",\" or \"}\".");
    }
  }

  Parsed<Constant> parse_constant() {
    if (at("'") || at("\"")) return parse_quoted();
    Constant constant;
    const std::size_t start = position_;
    while (!at_end() && (is_ascii_letter(text_[position_]) || is_ascii_digit(text_[position_]) ||
                         std::string_view("+-.").contains(text_[position_]))) {
      ++position_;
    }
    const std::string_view word = text_.substr(start, position_ - start);
    if (word == "true" || word == "false") {
      constant.value = Value::of(word == "true");
    } else if (word == "null") {
      constant.value = Value::null();
    } else if (const auto integer = parse_integer<std::int64_t>(word)) {
      constant.value = Value::of(*integer);
    } else if (const auto real = parse_double(word)) {
      constant.value = Value::of(*real);
    } else {
      return error("A value is a text in quotes, a number, true, false or null.", start);
    }
    return constant;
  }

  Parsed<Constant> parse_quoted() {
    const std::size_t start = position_;
    const char quote = text_[position_++];
    Constant constant;
    constant.value = Value::of(std::string_view{});
    while (!at_end()) {
      const char c = text_[position_++];
      if (c == quote) return constant;
      if (c != '\\') {
        constant.text += c;
        continue;
      }
      if (at_end()) break;
      const char escaped = text_[position_++];
      constexpr std::string_view kCodes = "nrt\\'\"";
      constexpr std::string_view kMeanings = "\n\r\t\\'\"";
      const std::size_t index = kCodes.find(escaped);
      if (index == std::string_view::npos) {
        return error("After a \\ comes one of n, r, t, \\, ' and \".", position_ - 1);
      }
      constant.text += kMeanings[index];
    }
    return error("This text has no closing quote.", start);
  }

  std::string_view text_;
  const TemplateScope& scope_;
  std::size_t position_ = 0;
  std::size_t tag_start_ = 0;
  std::size_t depth_ = 0;
  std::size_t each_depth_ = 0;
};

}  // namespace

bool Expression::has_default() const {
  return std::ranges::find(filters, FilterKind::default_, &Filter::kind) != filters.end();
}

bool TextTemplate::is_literal() const {
  return parts.empty() || (parts.size() == 1 && parts[0].kind == Part::Kind::literal);
}

bool TextTemplate::is_one_placeholder() const {
  return parts.size() == 1 && parts[0].kind == Part::Kind::placeholder;
}

std::string_view TextTemplate::literal() const {
  return parts.empty() ? std::string_view{} : std::string_view(parts[0].literal);
}

std::string to_string(const TemplateError& error) {
  return fmt::format("Column {}: {}", error.column, error.detail);
}

std::expected<TextTemplate, TemplateError> parse_template(std::string_view text,
                                                          const TemplateScope& scope) {
  return Parser(text, scope).parse();
}

}  // namespace eilpost::render

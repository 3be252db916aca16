#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "base/ascii.h"
#include "base/utf8.h"
#include "model/limits.h"
#include "render/body.h"
#include "render/compiled.h"
#include "render/renderer.h"
#include "render/unicode.h"

namespace eilpost::render {
namespace {

// "user id" as user_id and userId: what the console offers instead of a name with blanks.
struct NameSuggestions {
  std::string snake_case;
  std::string camel_case;
};

NameSuggestions suggest_names(std::string_view name) {
  NameSuggestions suggestions;
  std::string_view rest = trim(name);
  bool is_word_start = false;
  while (!rest.empty()) {
    const std::string_view letter = truncate_to_code_points(rest, 1);
    rest.remove_prefix(letter.size());
    if (has_white_space(letter)) {
      is_word_start = true;
      continue;
    }
    if (is_word_start) suggestions.snake_case += '_';
    suggestions.snake_case += to_lower(letter);
    suggestions.camel_case += is_word_start ? to_upper(letter) : std::string(letter);
    is_word_start = false;
  }
  if (!suggestions.camel_case.empty()) {
    const std::string_view first = truncate_to_code_points(suggestions.camel_case, 1);
    suggestions.camel_case = to_lower(first) + suggestions.camel_case.substr(first.size());
  }
  return suggestions;
}

// Whether events of a type have this property, as far as the catalog knows.
class Declarations {
 public:
  Declarations(const Webhook& webhook, const Catalog& catalog) : catalog_(catalog) {
    for (const std::string& pattern : webhook.events) {
      for (const EventType* type : catalog.select(pattern)) types_.push_back(type);
    }
  }

  [[nodiscard]] bool knows(std::string_view path) const {
    if (types_.empty()) return true;  // unknown types are somebody else's finding
    return std::ranges::any_of(types_,
                               [&](const EventType* type) {
                                 return declares(*type, path) ||
                                        is_beginning(type->properties, path);
                               }) ||
           is_beginning(catalog_.common_properties(), path);
  }

 private:
  // The path itself, or something above it that may hold it.
  [[nodiscard]] bool declares(const EventType& type, std::string_view path) const {
    if (catalog_.declared_type(type, path)) return true;
    while (true) {
      const std::size_t dot = path.rfind('.');
      if (dot == std::string_view::npos) return false;
      path = path.substr(0, dot);
      const auto above = catalog_.declared_type(type, path);
      if (above == PropertyType::array || above == PropertyType::object ||
          above == PropertyType::any) {
        return true;
      }
    }
  }

  // "ctx.location" or "ctx.*" where "ctx.location.hostname" is declared.
  [[nodiscard]] static bool is_beginning(const std::vector<PropertyDeclaration>& properties,
                                         std::string_view path) {
    if (path.ends_with(".*")) path.remove_suffix(2);
    return std::ranges::any_of(properties, [&](const PropertyDeclaration& property) {
      return property.path.size() > path.size() && property.path.starts_with(path) &&
             property.path[path.size()] == '.';
    });
  }

  const Catalog& catalog_;
  std::vector<const EventType*> types_;
};

class WebhookCompiler {
 public:
  WebhookCompiler(const Webhook& webhook, const Catalog& catalog, TimeZones& zones,
                  Problems& problems, Rules rules)
      : webhook_(webhook),
        declarations_(webhook, catalog),
        zones_(zones),
        problems_(problems),
        rules_(rules) {}

  std::shared_ptr<const CompiledWebhook> compile() {
    const std::size_t errors_before = problems_.errors.size();
    compiled_->id = to_string(webhook_.id);
    compiled_->name = webhook_.name;
    compiled_->sends_all = webhook_.properties.empty();
    compiled_->null_if_missing = webhook_.missing == Missing::null;
    compiled_->format = webhook_.body.format;
    // Where dots become levels there is nothing to replace.
    compiled_->underscores = webhook_.body.underscores && !is_nested();
    if (check_counts()) {
      for (std::size_t i = 0; i < webhook_.properties.size(); ++i) compile_chosen(i);
      for (std::size_t i = 0; i < webhook_.static_properties.size(); ++i) compile_static(i);
      if (is_nested()) check_levels();
    }
    if (webhook_.body.format == Body::Format::template_) compile_template();
    warn_of_undeclared();
    std::ranges::sort(compiled_->secrets);
    if (problems_.errors.size() > errors_before) return nullptr;
    return compiled_;
  }

 private:
  [[nodiscard]] bool is_nested() const {
    return webhook_.body.format == Body::Format::nested ||
           webhook_.body.format == Body::Format::envelope;
  }

  bool check_counts() {
    const auto check = [&](std::size_t count, std::size_t most, std::string_view list) {
      if (count <= most) return true;
      problems_.error("too_many", fmt::format("At most {} are possible here, not {}.", most, count),
                      fmt::format("/{}", list));
      return false;
    };
    const bool few = check(webhook_.properties.size(), limits::kPropertiesMax, "properties");
    return check(webhook_.static_properties.size(), limits::kStaticPropertiesMax,
                 "static_properties") &&
           few;
  }

  [[nodiscard]] TemplateScope scope(std::string pointer, bool has_properties) {
    return {.trie = compiled_->trie,
            .zones = zones_,
            .has_properties = has_properties,
            .has_earlier = rules_ == Rules::earlier,
            .on_path = [this, pointer = std::move(pointer)](
                           const std::string& path) { used_paths_.emplace(path, pointer); },
            .on_secret = [this](const std::string& name) { compiled_->secrets.push_back(name); }};
  }

  // The name as it is sent; nothing if it is not usable.
  std::optional<FixedName> final_name(std::string_view name, const std::string& pointer,
                                      const std::string& owner) {
    if (has_white_space(name)) {
      const NameSuggestions offers = suggest_names(name);
      problems_.error("bad_name",
                      fmt::format("Names hold no blanks: write \"{}\" or \"{}\" instead of \"{}\".",
                                  offers.snake_case, offers.camel_case, name),
                      pointer);
      return std::nullopt;
    }
    const bool has_control = std::ranges::any_of(
        name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (name.empty() || name.size() > limits::kNameBytesMax || has_control) {
      problems_.error(
          "bad_name",
          fmt::format("A name has 1 to {} bytes and no control characters.", limits::kNameBytesMax),
          pointer);
      return std::nullopt;
    }
    std::string text(name);
    if (compiled_->underscores) std::ranges::replace(text, '.', '_');
    const auto [known, is_new] = owners_.emplace(text, owner);
    if (!is_new) {
      problems_.error("duplicate_name",
                      fmt::format("{} and {} would both be sent as \"{}\"; rename one of them.",
                                  known->second, owner, text),
                      pointer);
      return std::nullopt;
    }
    return make_fixed_name(text);
  }

  void compile_chosen(std::size_t index) {
    const ChosenProperty& property = webhook_.properties[index];
    const std::string pointer = fmt::format("/properties/{}", index);
    const auto path = PropertyPath::parse(property.property);
    if (!path) {
      problems_.error("bad_property", path.error().detail, pointer + "/property");
      return;
    }
    used_paths_.emplace(property.property, pointer + "/property");
    chosen_paths_.insert(property.property);
    const std::string& name = property.as.empty() ? property.property : property.as;
    const auto fixed =
        final_name(name, property.as.empty() ? pointer + "/property" : pointer + "/as",
                   fmt::format("The property \"{}\"", property.property));
    if (!fixed) return;
    CompiledChoice choice;
    choice.slot = compiled_->trie.add(*path);
    choice.property = property.property;
    choice.name = *fixed;
    choice.null_if_missing = property.missing.value_or(webhook_.missing) == Missing::null;
    choice.has_wildcard = path->has_wildcard();
    if (choice.has_wildcard) {
      // With underscores the name's dots are replaced once it is whole.
      choice.name_parts = split_at_stars(name);
      const auto stars = static_cast<std::size_t>(std::ranges::count(path->segments, "*"));
      if (choice.name_parts.size() == 1) {
        choice.name_parts.clear();
      } else if (choice.name_parts.size() != stars + 1) {
        problems_.error("bad_name",
                        fmt::format("\"{}\" has {} wildcards, so its name has as many, or none if "
                                    "all values are to be sent as one list.",
                                    property.property, stars),
                        pointer + "/as");
      }
    } else if (name.contains('*')) {
      problems_.error("bad_name", "Only the name of a wildcard property holds \"*\".",
                      pointer + "/as");
    }
    compiled_->chosen.push_back(std::move(choice));
  }

  static std::vector<std::string> split_at_stars(std::string_view name) {
    std::vector<std::string> parts(1);
    for (const char c : name) {
      if (c == '*') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    return parts;
  }

  void compile_static(std::size_t index) {
    const StaticProperty& property = webhook_.static_properties[index];
    const std::string pointer = fmt::format("/static_properties/{}", index);
    const auto fixed = final_name(property.name, pointer + "/name",
                                  fmt::format("The static property \"{}\"", property.name));
    CompiledStatic compiled;
    if (fixed) compiled.name = *fixed;
    const Json& value = property.value;
    if (value.is_string()) {
      const std::string& text = value.get_ref<const std::string&>();
      if (text.size() > limits::kTemplateBytesMax) {
        problems_.error("too_large",
                        fmt::format("A text has at most {} bytes.", limits::kTemplateBytesMax),
                        pointer + "/value");
        return;
      }
      auto parsed = parse_template(text, scope(pointer + "/value", /*has_properties=*/false));
      if (!parsed) {
        problems_.error("bad_placeholder", to_string(parsed.error()), pointer + "/value");
        return;
      }
      if (parsed->is_literal()) {
        compiled.constant = Constant{.value = Value::of(std::string_view{}),
                                     .text = std::string(parsed->literal())};
      } else {
        compiled.text = *std::move(parsed);
      }
    } else if (value.is_boolean()) {
      compiled.constant = Constant{.value = Value::of(value.get<bool>()), .text = {}};
    } else if (value.is_number()) {
      compiled.constant = Constant{.value = number_of(value), .text = {}};
    } else {
      problems_.error("bad_value", "A static property is a text, a number, true or false.",
                      pointer + "/value");
      return;
    }
    if (fixed) compiled_->statics.push_back(std::move(compiled));
  }

  static Value number_of(const Json& json) {
    if (json.is_number_float()) return Value::of(json.get<double>());
    if (json.is_number_unsigned() &&
        json.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      Value value;
      value.kind = Value::Kind::natural;
      value.natural = json.get<std::uint64_t>();
      return value;
    }
    return Value::of(json.get<std::int64_t>());
  }

  // `a` beside `a.b` cannot both be members of one object.
  void check_levels() {
    for (const auto& [name, owner] : owners_) {
      for (std::size_t dot = name.find('.'); dot != std::string::npos;
           dot = name.find('.', dot + 1)) {
        const auto above = owners_.find(name.substr(0, dot));
        if (above == owners_.end()) continue;
        problems_.error("conflicting_names",
                        fmt::format("{} as \"{}\" and {} as \"{}\" cannot both be sent in a nested "
                                    "body: \"{}\" would be a value and an object. Rename one of "
                                    "them.",
                                    above->second, above->first, owner, name, above->first),
                        "/body/format");
      }
    }
  }

  void compile_template() {
    const Json& json = webhook_.body.template_json;
    if (!is_usable_template(json, problems_)) return;
    compiled_->body = compile_body_template(json, scope("/body/template", /*has_properties=*/true),
                                            "/body/template", problems_);
  }

  // A path that is no property of these events, and no name of this webhook.
  void warn_of_undeclared() {
    for (const auto& [path, pointer] : used_paths_) {
      if (declarations_.knows(path)) continue;
      if (!chosen_paths_.contains(path) && is_own_name(path)) continue;
      problems_.warn("undeclared_property",
                     fmt::format("\"{}\" is not a known property of these events; it is sent where "
                                 "an event has it.",
                                 path),
                     pointer);
    }
  }

  [[nodiscard]] bool is_own_name(std::string_view path) const {
    return std::ranges::any_of(owners_, [&](const auto& named) {
      const std::string_view name = named.first;
      const std::size_t star = name.find('*');
      return name == path || (star != std::string_view::npos && path.size() > star &&
                              path.starts_with(name.substr(0, star)));
    });
  }

  const Webhook& webhook_;
  const Declarations declarations_;
  TimeZones& zones_;
  Problems& problems_;
  const Rules rules_;
  std::shared_ptr<CompiledWebhook> compiled_ = std::make_shared<CompiledWebhook>();
  std::map<std::string, std::string, std::less<>> owners_;  // final name: whose it is
  std::map<std::string, std::string> used_paths_;           // path: where it is used first
  std::set<std::string> chosen_paths_;
};

}  // namespace

std::shared_ptr<const CompiledWebhook> compile(const Webhook& webhook, const Catalog& catalog,
                                               TimeZones& zones, Problems& problems, Rules rules) {
  return WebhookCompiler(webhook, catalog, zones, problems, rules).compile();
}

std::shared_ptr<const CompiledWebhook> compile(const Webhook& webhook, const Catalog& catalog,
                                               Problems& problems) {
  TimeZones utc_only;
  return compile(webhook, catalog, utc_only, problems);
}

const std::vector<std::string>& secrets_of(const CompiledWebhook& webhook) {
  return webhook.secrets;
}

}  // namespace eilpost::render

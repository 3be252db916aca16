#include "render/body.h"

#include <algorithm>
#include <fmt/format.h>

#include "model/json_text.h"
#include "model/limits.h"
#include "render/properties.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kMergeKey = "...";

// One step of a JSON Pointer.
std::string below(std::string_view pointer, std::string_view key) {
  std::string result(pointer);
  result += '/';
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

class TemplateCompiler {
 public:
  TemplateCompiler(const TemplateScope& scope, Problems& problems)
      : scope_(scope), problems_(problems) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  TemplateNode compile(const Json& json, const std::string& pointer, std::size_t depth) {
    if (json.is_structured() && depth > limits::kTemplateDepthMax) {
      problems_.error(
          "template_too_deep",
          fmt::format("Objects and lists may be nested {} deep.", limits::kTemplateDepthMax),
          pointer);
      return constant(json);
    }
    if (json.is_object()) return compile_object(json, pointer, depth);
    if (json.is_array()) return compile_array(json, pointer, depth);
    if (!json.is_string()) return constant(json);
    auto text = parse_template(json.get_ref<const std::string&>(), scope_);
    if (!text) {
      problems_.error("bad_placeholder", to_string(text.error()), pointer);
      return constant(json);
    }
    if (text->is_literal()) return constant(std::string(text->literal()));
    TemplateNode node;
    node.kind = TemplateNode::Kind::text;
    node.text = *std::move(text);
    return node;
  }

 private:
  static TemplateNode constant(const Json& json) {
    TemplateNode node;
    if (json.is_string()) {
      append_script_string(node.json, json.get_ref<const std::string&>());
    } else {
      node.json = to_text(json);
    }
    return node;
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  TemplateNode compile_object(const Json& json, const std::string& pointer, std::size_t depth) {
    TemplateNode object;
    object.kind = TemplateNode::Kind::object;
    bool is_constant = true;
    std::string text;
    for (const auto& [key, value] : json.items()) {
      const std::string place = below(pointer, key);
      TemplateNode::Member member;
      append_script_string(member.key_json, key);
      member.key_json += ':';
      member.node = std::make_unique<TemplateNode>(compile(value, place, depth + 1));
      if (key == kMergeKey) {
        member.is_merged = true;
        const bool fits =
            member.node->kind == TemplateNode::Kind::text && member.node->text.is_one_placeholder();
        if (!fits) {
          problems_.error("bad_merge",
                          "The key \"...\" adds the members of an object: its value is exactly one "
                          "placeholder, such as \"{{properties}}\".",
                          place);
        }
      } else {
        object.keys.push_back(key);
      }
      is_constant = is_constant && member.node->kind == TemplateNode::Kind::constant;
      text += (text.empty() ? "{" : ",") + member.key_json + member.node->json;
      object.members.push_back(std::move(member));
    }
    std::ranges::sort(object.keys);
    if (!is_constant) return object;
    TemplateNode node;
    node.json = text.empty() ? "{}" : text + "}";
    return node;
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  TemplateNode compile_array(const Json& json, const std::string& pointer, std::size_t depth) {
    TemplateNode array;
    array.kind = TemplateNode::Kind::array;
    bool is_constant = true;
    std::string text;
    for (std::size_t i = 0; i < json.size(); ++i) {
      array.items.push_back(compile(json[i], below(pointer, fmt::to_string(i)), depth + 1));
      const TemplateNode& item = array.items.back();
      is_constant = is_constant && item.kind == TemplateNode::Kind::constant;
      text += (text.empty() ? "[" : ",") + item.json;
    }
    if (!is_constant) return array;
    TemplateNode node;
    node.json = text.empty() ? "[]" : text + "]";
    return node;
  }

  const TemplateScope& scope_;
  Problems& problems_;
};

// Fills a template. A missing value alone leaves its key out; within a list it is null, so that the
// others keep their places.
class TemplateWriter {
 public:
  TemplateWriter(Evaluation& evaluation, bool null_if_missing, std::string& out)
      : evaluation_(evaluation), null_if_missing_(null_if_missing), out_(out) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  Rendered<void> write(const TemplateNode& node) {
    switch (node.kind) {
      case TemplateNode::Kind::constant:
        out_ += node.json;
        return {};
      case TemplateNode::Kind::text: {
        auto value = evaluate(node.text, evaluation_, evaluation_.scratch.text);
        if (!value) return std::unexpected(std::move(value).error());
        append_json(out_, *value);
        return check_size();
      }
      case TemplateNode::Kind::object:
        return write_object(node);
      case TemplateNode::Kind::array:
        return write_array(node);
    }
    return {};
  }

 private:
  [[nodiscard]] Rendered<void> check_size() const {
    if (out_.size() <= limits::kOutboundBodyBytesMax) return {};
    return cannot_render(
        fmt::format("The body grows above {} bytes.", limits::kOutboundBodyBytesMax));
  }

  void begin_member() {
    if (out_.back() != '{') out_ += ',';
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  Rendered<void> write_object(const TemplateNode& node) {
    out_ += '{';
    for (const TemplateNode::Member& member : node.members) {
      auto written = member.is_merged ? merge(*member.node, node.keys) : write_member(member);
      if (!written) return written;
    }
    out_ += '}';
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  Rendered<void> write_member(const TemplateNode::Member& member) {
    if (member.node->kind != TemplateNode::Kind::text) {
      begin_member();
      out_ += member.key_json;
      return write(*member.node);
    }
    auto value = evaluate(member.node->text, evaluation_, evaluation_.scratch.text);
    if (!value) return std::unexpected(std::move(value).error());
    if (value->kind == Value::Kind::missing && !null_if_missing_) return {};
    begin_member();
    out_ += member.key_json;
    append_json(out_, *value);
    return check_size();
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  Rendered<void> write_array(const TemplateNode& node) {
    out_ += '[';
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out_ += ',';
      auto written = write(node.items[i]);
      if (!written) return written;
    }
    out_ += ']';
    return {};
  }

  // Adds the members of an object, but those that the object around it has itself.
  Rendered<void> merge(const TemplateNode& node, const std::vector<std::string>& own_keys) {
    const Expression& expression = node.text.parts[0].expression;
    const auto is_own = [&](std::string_view key) {
      return std::ranges::binary_search(own_keys, key, std::less<>());
    };
    if (expression.source == Expression::Source::properties && expression.filters.empty()) {
      if (auto collected = collect_entries(evaluation_); !collected) return collected;
      for (const Entry& entry : evaluation_.scratch.entries) {
        if (is_own(entry.name)) continue;
        if (entry.value.kind == Value::Kind::tree && entry.value.is_object()) continue;
        write_pair(entry.name, entry.value);
      }
      return check_size();
    }
    auto value = evaluate(expression, evaluation_);
    if (!value) return std::unexpected(std::move(value).error());
    if (value->is_missing_or_null()) return {};
    if (value->kind == Value::Kind::json) return merge_json(value->text, own_keys);
    if (value->kind != Value::Kind::tree || !value->is_object()) {
      return cannot_render(
          fmt::format("The key \"...\" adds the members of an object, but {{{{{}}}}} is {}.",
                      expression.name, describe(*value)));
    }
    for (const auto field : simdjson::dom::object(value->tree)) {
      if (!is_own(field.key)) write_pair(field.key, Value::of(field.value));
    }
    return check_size();
  }

  // The same of an object that filters made.
  Rendered<void> merge_json(std::string_view text, const std::vector<std::string>& own_keys) {
    const Result<Json> object = parse_json(text);
    if (!object || !object->is_object()) return {};
    for (const auto& [key, value] : object->items()) {
      if (std::ranges::binary_search(own_keys, key)) continue;
      begin_member();
      append_script_string(out_, key);
      out_ += ':';
      out_ += to_text(value);
    }
    return check_size();
  }

  void write_pair(std::string_view key, const Value& value) {
    begin_member();
    append_script_string(out_, key);
    out_ += ':';
    append_json(out_, value);
  }

  Evaluation& evaluation_;
  const bool null_if_missing_;
  std::string& out_;
};

// Standard Webhooks: type and timestamp beside the data.
Rendered<void> append_envelope(Evaluation& evaluation, std::string& out) {
  const simdjson::dom::object event = evaluation.scratch.document->event();
  out += '{';
  for (const auto& [key, from] :
       {std::pair<std::string_view, std::string_view>{"type", "type"}, {"timestamp", "time"}}) {
    simdjson::dom::element value;
    if (event.at_key(from).get(value) != simdjson::SUCCESS) continue;
    append_script_string(out, key);
    out += ':';
    append_script_json(out, value);
    out += ',';
  }
  out += "\"data\":";
  append_nested_object(evaluation.scratch, out);
  out += '}';
  return {};
}

}  // namespace

TemplateNode compile_body_template(const Json& json, const TemplateScope& scope,
                                   std::string_view pointer, Problems& problems) {
  return TemplateCompiler(scope, problems).compile(json, std::string(pointer), 1);
}

bool is_usable_template(const Json& json, Problems& problems) {
  if (json.is_null() || json.is_discarded()) {
    problems.error("missing_template",
                   "A body of format \"template\" needs a `template`: any JSON document.",
                   "/body/template");
    return false;
  }
  if (to_text(json).size() > limits::kTemplateBytesMax) {
    problems.error("too_large",
                   fmt::format("A template has at most {} bytes.", limits::kTemplateBytesMax),
                   "/body/template");
    return false;
  }
  return true;
}

Body::Format format_of(const Input& input) {
  if (input.webhook.format != Body::Format::destination) return input.webhook.format;
  return input.destination.body ? input.destination.body->format : Body::Format::flat;
}

Rendered<void> append_body(Evaluation& webhook, Evaluation& destination, std::string& out) {
  const Input& input = webhook.input;
  const Body::Format format = format_of(input);
  if (format == Body::Format::template_) {
    if (input.webhook.format == Body::Format::template_) {
      return TemplateWriter(webhook, input.webhook.null_if_missing, out).write(input.webhook.body);
    }
    return TemplateWriter(destination, /*null_if_missing=*/false, out)
        .write(input.destination.body->template_node);
  }
  if (auto collected = collect_entries(webhook); !collected) return collected;
  switch (format) {
    case Body::Format::destination:
    case Body::Format::flat:
      append_flat_object(webhook.scratch, out);
      return {};
    case Body::Format::nested:
      append_nested_object(webhook.scratch, out);
      return {};
    case Body::Format::envelope:
      return append_envelope(webhook, out);
    case Body::Format::form:
      append_pairs(webhook.scratch, Encoding::form, out);
      return {};
    case Body::Format::template_:
      break;
  }
  return {};
}

std::string_view content_type_of(Body::Format format) {
  return format == Body::Format::form ? "application/x-www-form-urlencoded" : "application/json";
}

}  // namespace eilpost::render

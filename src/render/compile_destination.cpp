#include <algorithm>
#include <fmt/format.h>

#include "http/percent.h"
#include "model/limits.h"
#include "render/body.h"
#include "render/compiled.h"
#include "render/headers.h"
#include "render/renderer.h"
#include "render/url.h"

namespace eilpost::render {
namespace {

// The inbox is delivered in the process; its requests show a URL that no network can reach.
std::string inbox_url(const Destination& destination) {
  return "http://inbox.invalid/inbox/" + http::encode_path_segment(destination.inbox_token);
}

Constant constant_of(const Json& json) {
  Constant constant;
  if (json.is_boolean()) {
    constant.value = Value::of(json.get<bool>());
  } else if (json.is_number_float()) {
    constant.value = Value::of(json.get<double>());
  } else if (json.is_number()) {
    constant.value = Value::of(json.get<std::int64_t>());
  } else {
    constant.value = Value::of(std::string_view{});
    constant.text = json.is_string() ? json.get<std::string>() : to_text(json);
  }
  return constant;
}

std::vector<CompiledValue> compile_values(const Destination& destination) {
  std::vector<CompiledValue> values;
  for (const Field& field : destination.fields) {
    CompiledValue value{.name = "field." + field.name, .constant = {}, .items = {}, .list = {}};
    value.is_list = field.value.is_array();
    if (value.is_list) {
      for (const Json& item : field.value) value.items.push_back(constant_of(item));
    } else {
      value.constant = constant_of(field.value);
    }
    values.push_back(std::move(value));
  }
  for (const Secret& secret : destination.secrets) {
    values.push_back({.name = "secret." + secret.name,
                      .constant = constant_of(secret.value),
                      .items = {},
                      .list = {},
                      .is_secret = true});
  }
  // Only now that nothing moves any more: the values point into the constants.
  for (CompiledValue& value : values) {
    for (const Constant& item : value.items) value.list.push_back(item.get());
  }
  return values;
}

std::optional<CompiledBody> compile_body(const Destination& destination, const TemplateScope& scope,
                                         Problems& problems) {
  if (!destination.body) return std::nullopt;
  CompiledBody body{.format = destination.body->format, .template_node = {}};
  if (body.format == Body::Format::template_ &&
      is_usable_template(destination.body->template_json, problems)) {
    body.template_node =
        compile_body_template(destination.body->template_json, scope, "/body/template", problems);
  }
  return body;
}

// Credentials may be kept among fields and secrets: "{{secret.key}}", and nothing else.
std::string resolved(const std::string& text, const CompiledDestination& compiled,
                     std::string_view pointer, Problems& problems) {
  const std::string_view view(text);
  const bool is_reference = (view.starts_with("{{secret.") || view.starts_with("{{field.")) &&
                            view.find('}') == view.size() - 2 && view.ends_with("}}");
  if (!is_reference) return text;
  const std::string_view name = view.substr(2, view.size() - 4);
  const CompiledValue* value = compiled.find_value(name);
  if (value == nullptr) {
    problems.error("bad_credentials", fmt::format("This destination has no {}.", name),
                   std::string(pointer));
    return {};
  }
  std::string result;
  append_text(result, value->get());
  return result;
}

Authentication resolved(Authentication authentication, const CompiledDestination& compiled,
                        Problems& problems) {
  authentication.token =
      resolved(authentication.token, compiled, "/authentication/token", problems);
  authentication.username =
      resolved(authentication.username, compiled, "/authentication/username", problems);
  authentication.password =
      resolved(authentication.password, compiled, "/authentication/password", problems);
  return authentication;
}

}  // namespace

const CompiledValue* CompiledDestination::find_value(std::string_view name) const {
  const auto found = std::ranges::find(values, name, &CompiledValue::name);
  return found == values.end() ? nullptr : &*found;
}

std::shared_ptr<const CompiledDestination> compile(const Destination& destination, TimeZones& zones,
                                                   Problems& problems, Rules rules) {
  const std::size_t errors_before = problems.errors.size();
  auto compiled = std::make_shared<CompiledDestination>();
  compiled->method = destination.request.method;
  compiled->preset = presets::find(destination.platform);
  if (compiled->preset != nullptr) compiled->fields = destination.fields;
  compiled->values = compile_values(destination);
  const DestinationValues values{.fields = destination.fields, .secrets = destination.secrets};
  const TemplateScope scope{.trie = compiled->trie,
                            .zones = zones,
                            .has_earlier = rules == Rules::earlier,
                            .values = &values};
  if (destination.platform == "inbox" && destination.request.url.empty()) {
    UrlTemplate::Piece piece;
    piece.literal = inbox_url(destination);
    compiled->url.pieces.push_back(std::move(piece));
  } else if (destination.request.url.size() > limits::kOutboundUrlBytesMax) {
    problems.error("bad_url",
                   fmt::format("A URL has at most {} bytes.", limits::kOutboundUrlBytesMax),
                   "/request/url");
  } else {
    compiled->url = compile_url(destination.request.url, scope, "/request/url", problems);
  }
  compiled->body = compile_body(destination, scope, problems);
  compiled->batch = compile_batch(destination, compiled->values, rules, problems);
  compile_headers(destination, scope, *compiled, problems);
  compile_authentication(resolved(destination.authentication, *compiled, problems), *compiled,
                         problems);
  compile_signing(destination, *compiled, problems);
  if (problems.errors.size() > errors_before) return nullptr;
  return compiled;
}

void check_batch(const Destination& destination, Problems& problems) {
  (void)compile_batch(destination, compile_values(destination), Rules::newest, problems);
}

std::shared_ptr<const CompiledDestination> compile(const Destination& destination,
                                                   Problems& problems) {
  TimeZones utc_only;
  return compile(destination, utc_only, problems);
}

}  // namespace eilpost::render

#include "settings/body_json.h"

#include <optional>
#include <string_view>

#include "base/assert.h"

namespace eilpost::settings {
namespace {

std::string_view to_string(Body::Format format) {
  switch (format) {
    case Body::Format::destination:
      return "destination";
    case Body::Format::flat:
      return "flat";
    case Body::Format::nested:
      return "nested";
    case Body::Format::envelope:
      return "envelope";
    case Body::Format::form:
      return "form";
    case Body::Format::template_:
      return "template";
  }
  assert_failed("Body::Format");
}

std::optional<Body::Format> parse_format(std::string_view text) {
  for (const auto format : {Body::Format::destination, Body::Format::flat, Body::Format::nested,
                            Body::Format::envelope, Body::Format::form, Body::Format::template_}) {
    if (to_string(format) == text) return format;
  }
  return std::nullopt;
}

}  // namespace

Json body_to_json(const Body& body) {
  Json json = {{"format", to_string(body.format)}};
  if (body.underscores) json["keys"] = "underscores";
  if (body.format == Body::Format::template_) json["template"] = body.template_json;
  return json;
}

void read_body(ObjectReader& reader, Body& body, Problems& problems) {
  const Json* json = reader.given("body");
  if (json == nullptr) return;
  ObjectReader fields(*json, "/body", problems);
  if (const auto text = fields.text("format")) {
    const auto format = parse_format(*text);
    if (format) {
      body.format = *format;
    } else {
      fields.error("unknown_format",
                   "The format is one of destination, flat, nested, envelope, form, template.",
                   "format");
    }
  }
  if (const auto keys = fields.text("keys")) {
    if (*keys != "dots" && *keys != "underscores") {
      fields.error("unknown_value", "\"keys\" is \"dots\" or \"underscores\".", "keys");
    } else if (*keys == "underscores" && body.format != Body::Format::flat &&
               body.format != Body::Format::form && body.format != Body::Format::destination) {
      fields.error("keys_not_flat", "Only flat bodies have names with dots to replace.", "keys");
    } else {
      body.underscores = *keys == "underscores";
    }
  }
  const Json* template_json = fields.find("template");
  if (body.format == Body::Format::template_) {
    if (template_json == nullptr) {
      fields.error("template_missing", "The format template needs a \"template\": any JSON.",
                   "template");
    } else {
      body.template_json = *template_json;
    }
  } else if (template_json != nullptr && !template_json->is_null()) {
    fields.error("template_not_used", "A template is used by the format template only.",
                 "template");
  }
  fields.finish();
}

}  // namespace eilpost::settings

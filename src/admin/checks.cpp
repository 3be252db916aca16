#include "admin/checks.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <utility>

#include "base/iso_time.h"
#include "base/parse.h"
#include "settings/object_reader.h"

namespace eilpost::admin {
namespace {

template <class Named>
std::string names_of(const Named& all) {
  std::string names;
  for (const auto& each : all) names += fmt::format("{}`{}`", names.empty() ? "" : ", ", each.name);
  return names;
}

std::optional<http::Response> refuse_unknown(const std::vector<QueryParameter>& known,
                                             std::string_view name) {
  return bad_parameter(
      name, known.empty()
                ? fmt::format("`{}` is unknown: nothing is asked here.", name)
                : fmt::format("`{}` is unknown here; there are {}.", name, names_of(known)));
}

std::optional<http::Response> refuse_value(const QueryParameter& parameter,
                                           const std::string& value) {
  switch (parameter.type) {
    case ParameterType::text:
      break;
    case ParameterType::integer:
      if (parse_integer<std::uint64_t>(value)) break;
      return bad_parameter(parameter.name,
                           fmt::format("`{}` must be a whole number.", parameter.name));
    case ParameterType::time:
      if (parse_iso_time(value)) break;
      return bad_parameter(
          parameter.name,
          fmt::format("`{}` must be a time such as 2026-11-24T09:00:00Z.", parameter.name));
  }
  if (parameter.values.empty() ||
      std::ranges::find(parameter.values, value) != parameter.values.end()) {
    return std::nullopt;
  }
  return bad_parameter(parameter.name, fmt::format("`{}` must be one of {}.", parameter.name,
                                                   fmt::join(parameter.values, ", ")));
}

bool is_of_type(const Json& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  return type != "object" || value.is_object();
}

}  // namespace

std::optional<http::Response> refuse_query(const Takes& takes, std::string_view query) {
  const auto fields = http::parse_query(query);
  if (!fields) {
    return bad_parameter("", "The query cannot be read: a % without two hexadecimal digits.");
  }
  const std::vector<QueryParameter> known = query_parameters(takes);
  std::vector<std::string_view> seen;
  for (const http::QueryField& field : *fields) {
    const auto found = std::ranges::find(known, field.name, &QueryParameter::name);
    if (found == known.end()) return refuse_unknown(known, field.name);
    if (std::ranges::find(seen, found->name) != seen.end()) {
      return bad_parameter(field.name, fmt::format("`{}` stands there twice.", field.name));
    }
    seen.push_back(found->name);
    if (auto refusal = refuse_value(*found, field.value)) return refusal;
  }
  for (const QueryParameter& parameter : known) {
    if (!parameter.is_required || std::ranges::find(seen, parameter.name) != seen.end()) continue;
    return bad_parameter(parameter.name,
                         fmt::format("Give `{}`: {}", parameter.name, parameter.description));
  }
  return std::nullopt;
}

std::optional<http::Response> refuse_if_match(const Takes& takes, const http::Request& request) {
  if (!takes.has_etag || if_match(request) != kNoVersion) return std::nullopt;
  const std::string tag(http::find_header(request.headers, "if-match").value_or(""));
  if (tag.starts_with("W/")) {
    return problem(412, "stale_version",
                   fmt::format("{} is a weak tag, and If-Match compares strongly (RFC 9110, "
                               "13.1.1): weak tags never match. Send it without W/.",
                               tag));
  }
  return problem(412, "stale_version",
                 "If-Match must be one ETag as it was answered, such as \"3\" with its quotation "
                 "marks, or *.");
}

std::optional<http::Response> refuse_body(const Takes& takes, const Json& body) {
  if (!takes.body) return std::nullopt;
  std::vector<Problem> errors;
  for (const auto& [key, value] : body.items()) {
    const auto found = std::ranges::find(*takes.body, key, &BodyField::name);
    std::string pointer = "/" + settings::escape_pointer(key);
    if (found == takes.body->end()) {
      errors.push_back({.code = "unknown_field",
                        .detail = takes.body->empty()
                                      ? fmt::format("`{}` is unknown: this takes no fields.", key)
                                      : fmt::format("`{}` is unknown here; there are {}.", key,
                                                    names_of(*takes.body)),
                        .pointer = std::move(pointer)});
    } else if (!is_of_type(value, found->type)) {
      errors.push_back({.code = "wrong_type",
                        .detail = fmt::format("`{}` must be of the type {}, not {}.", key,
                                              found->type, settings::describe_type(value)),
                        .pointer = std::move(pointer)});
    }
  }
  if (errors.empty()) return std::nullopt;
  return problem(422, "invalid", "The body is not valid.", errors);
}

}  // namespace eilpost::admin

// Event types, items and environments.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "base/parse.h"
#include "model/limits.h"

namespace eilpost::admin {
namespace {

Json to_json(const history::ItemRow& item) {
  return {{"type", item.type},
          {"id", parse_json(item.id).value_or(Json(item.id))},
          {"name", item.name},
          {"parent", item.parent.empty() ? Json() : parse_json(item.parent).value_or(item.parent)},
          {"last_seen_at",
           item.last_seen_at == WallTime{} ? Json() : Json(format_iso_time(item.last_seen_at))}};
}

Json declarations(const std::vector<PropertyDeclaration>& properties) {
  Json list = Json::array();
  for (const PropertyDeclaration& property : properties) {
    list.push_back(
        {{"path", property.path},
         {"type", to_string(property.type)},
         {"description", {{"en", property.description.en}, {"de", property.description.de}}}});
  }
  return list;
}

// Type and id hold no line break: the key is taken apart at it.
std::string item_key(const history::ItemRow& item) {
  return fmt::format("{}{}\n{}", descending_key(item.last_seen_at), item.type, item.id);
}

std::optional<history::ItemPlace> item_place(std::string_view key) {
  constexpr std::size_t kDigits = 20;
  const auto number = parse_integer<std::uint64_t>(key.substr(0, kDigits));
  const std::size_t end = key.find('\n');
  if (!number || end == std::string_view::npos || end < kDigits) return std::nullopt;
  const auto milliseconds = static_cast<std::int64_t>(UINT64_MAX - *number);
  return history::ItemPlace{.last_seen_at = WallTime(std::chrono::milliseconds(milliseconds)),
                            .type = std::string(key.substr(kDigits, end - kDigits)),
                            .id = std::string(key.substr(end + 1))};
}

// Reads an item that is declared. Texts are as short as those of webhooks.
class ItemReader {
 public:
  explicit ItemReader(const Json& body) : body_(body) {}

  std::string text(const char* key) {
    const auto found = body_.find(key);
    if (found == body_.end()) return refuse("required", key, "is missing");
    auto value = found->get<std::string>();  // Checked: text.
    if (!is_good(value)) return refuse("invalid", key, kGood);
    return value;
  }
  // As JSON; empty if it is not there.
  std::string id(const char* key, bool is_required) {
    const auto found = body_.find(key);
    if (found == body_.end()) return is_required ? refuse("required", key, "is missing") : "";
    if (found->is_number_integer()) return to_text(*found);
    if (!found->is_string()) return refuse("wrong_type", key, "must be text or a whole number");
    if (!is_good(found->get_ref<const std::string&>())) return refuse("invalid", key, kGood);
    return to_text(*found);
  }
  [[nodiscard]] const std::vector<Problem>& errors() const { return errors_; }

 private:
  static constexpr std::string_view kGood = "must be a text of 1 to 200 bytes in one line";
  static_assert(limits::kNameBytesMax == 200);

  static bool is_good(const std::string& text) {
    return !text.empty() && text.size() <= limits::kNameBytesMax &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  }
  std::string refuse(const char* code, const char* key, std::string_view what) {
    errors_.push_back({.code = code,
                       .detail = fmt::format("`{}` {}.", key, what),
                       .pointer = fmt::format("/{}", key)});
    return "";
  }

  const Json& body_;
  std::vector<Problem> errors_;
};

http::Response type_response(int status, const EventType& type) {
  return object_response(status, settings::to_json(type), type.version);
}

http::Response environment_response(int status, const Environment& environment) {
  return object_response(status, settings::to_json(environment),
                         static_cast<std::uint32_t>(environment.id));
}

}  // namespace

Task<http::Response> Api::list_event_types(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::shared_ptr<const Catalog> catalog =
      co_await on_settings(call, [this] { return parts_.settings.catalog(); });
  // The built-in types in the catalog's order, then the custom ones by code.
  const auto key_of = [&](const EventType& type) {
    const auto index = static_cast<std::uint64_t>(&type - catalog->types().data());
    return type.is_custom ? "custom " + type.code : "built in " + ascending_key(index);
  };
  Json page = page_of(catalog->types(), *asked, key_of,
                      [](const EventType& type) { return settings::to_json(type); });
  Json groups = Json::array();
  for (const EventGroup& group : catalog->groups()) {
    groups.push_back(
        {{"code", group.code}, {"label", {{"en", group.label.en}, {"de", group.label.de}}}});
  }
  page["groups"] = std::move(groups);
  page["common_properties"] = declarations(catalog->common_properties());
  co_return json_response(200, page);
}

Task<http::Response> Api::show_event_type(Call& call) {
  const std::shared_ptr<const Catalog> catalog =
      co_await on_settings(call, [this] { return parts_.settings.catalog(); });
  const EventType* type = catalog->find(call.arguments.front());
  if (type == nullptr) co_return not_found("event type");
  co_return type_response(200, *type);
}

Task<http::Response> Api::create_event_type(Call& call) {
  auto saved = co_await save<EventType>(
      call.lane, [body = call.body, author = call.author()](settings::Settings& settings) {
        return settings.create_event_type(body, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return type_response(201, *saved);
}

Task<http::Response> Api::change_event_type(Call& call) {
  auto saved =
      co_await save<EventType>(call.lane, [code = call.arguments.front(), body = call.body,
                                           version = if_match(*call.request),
                                           author = call.author()](settings::Settings& settings) {
        return settings.change_event_type(code, body, version, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return type_response(200, *saved);
}

Task<http::Response> Api::delete_event_type(Call& call) {
  auto saved = co_await save<void>(
      call.lane, [code = call.arguments.front(), version = if_match(*call.request),
                  author = call.author()](settings::Settings& settings) {
        return settings.delete_event_type(code, version, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

Task<bool> Api::is_event_type(Call& call) {
  const std::shared_ptr<const Catalog> catalog =
      co_await on_settings(call, [this] { return parts_.settings.catalog(); });
  co_return catalog->find(call.arguments.front()) != nullptr;
}

Task<http::Response> Api::list_seen_properties(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const bool is_known = co_await is_event_type(call);
  if (!is_known) co_return not_found("event type");
  using Rows = Result<std::vector<history::PropertyRow>>;
  const Rows rows = co_await on_history<Rows>(
      call.lane,
      [code = call.arguments.front()](history::Reader& reader) { return reader.properties(code); });
  if (!rows) co_return problem(rows.error());
  co_return json_response(
      200, page_of(
               *rows, *asked, [](const history::PropertyRow& row) { return row.path; },
               [](const history::PropertyRow& row) {
                 return Json{{"path", row.path}, {"type", row.type}, {"count", row.count}};
               }));
}

Task<http::Response> Api::list_seen_values(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const bool is_known = co_await is_event_type(call);
  if (!is_known) co_return not_found("event type");
  using Rows = Result<std::vector<history::ValueRow>>;
  const Rows rows = co_await on_history<Rows>(
      call.lane, [code = call.arguments.front(), path = call.parameter("property").value_or("")](
                     history::Reader& reader) { return reader.values(code, path, SIZE_MAX); });
  if (!rows) co_return problem(rows.error());
  co_return json_response(
      200, page_of(
               *rows, *asked,
               [](const history::ValueRow& row) {
                 return descending_key(row.count) + descending_key(row.last_seen_at) + row.value;
               },
               [](const history::ValueRow& row) {
                 return Json{{"value", parse_json(row.value).value_or(Json(row.value))},
                             {"count", row.count},
                             {"last_seen_at", format_iso_time(row.last_seen_at)}};
               }));
}

Task<http::Response> Api::list_items(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const auto after = item_place(asked->after);
  if (!after && !asked->after.empty()) co_return bad_cursor();
  using Rows = Result<std::vector<history::ItemRow>>;
  Rows rows = co_await on_history<Rows>(
      call.lane, [type = call.parameter("type").value_or(""),
                  search = call.parameter("search").value_or(""), after, count = asked->limit + 1](
                     history::Reader& reader) { return reader.items(type, search, after, count); });
  if (!rows) co_return problem(rows.error());
  const bool has_more = rows->size() > asked->limit;
  if (has_more) rows->pop_back();
  Json data = Json::array();
  for (const history::ItemRow& row : *rows) data.push_back(to_json(row));
  co_return json_response(
      200, page_json(std::move(data), asked->cursor(has_more ? item_key(rows->back()) : "")));
}

Task<http::Response> Api::create_item(Call& call) {
  ItemReader reader(call.body);
  history::ItemRow item;
  item.type = reader.text("type");
  item.id = reader.id("id", /*is_required=*/true);
  item.name = reader.text("name");
  item.parent = reader.id("parent", /*is_required=*/false);
  if (!reader.errors().empty()) {
    co_return problem(422, "invalid", "The item is not valid.", reader.errors());
  }
  const Json answer = to_json(item);
  parts_.history.add_item(std::move(item));
  co_return json_response(201, answer);
}

Task<http::Response> Api::list_environments(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<Environment> all =
      co_await on_settings(call, [this] { return parts_.settings.environments(); });
  const auto key_of = [](const Environment& environment) {
    return ascending_key(static_cast<std::uint32_t>(environment.id));
  };
  const auto show = [](const Environment& environment) { return settings::to_json(environment); };
  co_return json_response(200, page_of(all, *asked, key_of, show));
}

Task<http::Response> Api::show_environment(Call& call) {
  const std::vector<Environment> all =
      co_await on_settings(call, [this] { return parts_.settings.environments(); });
  const auto found = std::ranges::find(all, call.arguments.front(), &Environment::name);
  if (found == all.end()) co_return not_found("environment");
  co_return environment_response(200, *found);
}

Task<http::Response> Api::create_environment(Call& call) {
  const auto name = call.body.find("name");
  if (name == call.body.end() || !name->is_string()) {
    co_return problem(422, "invalid", "An environment needs a `name`: one word.",
                      {{.code = "required", .detail = "`name` must be text.", .pointer = "/name"}});
  }
  auto saved = co_await save<Environment>(
      call.lane,
      [name = name->get<std::string>(), author = call.author()](settings::Settings& settings) {
        return settings.create_environment(name, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return environment_response(201, *saved);
}

Task<http::Response> Api::delete_environment(Call& call) {
  auto saved = co_await save<void>(
      call.lane, [name = call.arguments.front(), version = if_match(*call.request),
                  author = call.author()](settings::Settings& settings) {
        return settings.delete_environment(name, version, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

}  // namespace eilpost::admin

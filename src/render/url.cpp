#include "render/url.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "http/percent.h"
#include "http/url.h"
#include "render/headers.h"

namespace eilpost::render {
namespace {

// The place within a URL that has been reached while reading it from left to right.
enum class Place : std::uint8_t { authority, path, query_name, query_value, fragment };

// Follows the literal texts of a URL.
class PlaceFinder {
 public:
  [[nodiscard]] Place place() const { return place_; }

  // How many bytes of `literal` stand before a fragment.
  std::size_t follow(std::string_view literal) {
    for (std::size_t i = 0; i < literal.size(); ++i) {
      if (literal[i] == '#') {
        place_ = Place::fragment;
        return i;
      }
      step(literal[i]);
    }
    return literal.size();
  }

 private:
  void step(char c) {
    switch (place_) {
      case Place::authority:
        if (c == '/' && ++slashes_ == 3) place_ = Place::path;
        if (c == '?') place_ = Place::query_name;
        return;
      case Place::path:
        if (c == '?') place_ = Place::query_name;
        return;
      case Place::query_name:
        if (c == '=') place_ = Place::query_value;
        return;
      case Place::query_value:
        if (c == '&') place_ = Place::query_name;
        return;
      case Place::fragment:
        return;
    }
  }

  Place place_ = Place::authority;
  int slashes_ = 0;
};

std::string_view why_refused(Place place) {
  switch (place) {
    case Place::authority:
      return "No placeholder can stand in the scheme, host or port of a URL, so that no event "
             "chooses where it is sent. Placeholders stand in path segments and query values.";
    case Place::query_name:
      return "No placeholder can stand in the name of a query parameter, only in its value, as in "
             "?user={{wm.euId}}.";
    case Place::path:
    case Place::query_value:
    case Place::fragment:
      break;
  }
  return "No placeholder can stand behind the # of a URL: that part is never sent.";
}

// "." and "..", also percent-encoded: many servers take them for the folder and its parent.
bool is_dot_segment(std::string_view segment) {
  std::size_t dots = 0;
  while (!segment.empty()) {
    const bool encoded = segment.size() >= 3 && iequals(segment.substr(0, 3), "%2e");
    if (!encoded && segment.front() != '.') return false;
    segment.remove_prefix(encoded ? 3 : 1);
    ++dots;
  }
  return dots == 1 || dots == 2;
}

bool has_dot_segment(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (is_dot_segment(path.substr(0, slash))) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

// The path of an absolute URL. REQUIRES: it has a scheme and a host.
std::string_view path_of(std::string_view url) {
  const std::size_t authority = url.find("//") + 2;
  const std::size_t begin = std::min(url.find('/', authority), url.size());
  const std::string_view rest = url.substr(begin);
  return rest.substr(0, rest.find_first_of("?#"));
}

// What people see of a secret at the beginning of a URL: where it leads, not how one gets in.
std::string masked_beginning(std::string_view secret) {
  const std::size_t scheme = secret.find("://");
  if (scheme == std::string_view::npos) return std::string(kMask);
  const std::size_t path = secret.find_first_of("/?#", scheme + 3);
  if (path == std::string_view::npos) return std::string(secret);
  return std::string(secret.substr(0, path + 1)).append(kMask);
}

// Fields and secrets are the operator's own: they may make up scheme, host and port, or the whole
// URL, and stand there as they are.
std::optional<UrlTemplate::Piece> beginning_of(const Expression& expression,
                                               const TemplateScope& scope) {
  if (scope.values == nullptr || !expression.filters.empty()) return std::nullopt;
  UrlTemplate::Piece piece;
  if (expression.source == Expression::Source::field) {
    const auto field = std::ranges::find(scope.values->fields,
                                         std::string_view(expression.name).substr(6), &Field::name);
    if (field == scope.values->fields.end() || field->value.is_structured()) return std::nullopt;
    piece.literal =
        field->value.is_string() ? field->value.get<std::string>() : to_text(field->value);
    return piece;
  }
  if (expression.source != Expression::Source::secret) return std::nullopt;
  const auto secret = std::ranges::find(scope.values->secrets,
                                        std::string_view(expression.name).substr(7), &Secret::name);
  if (secret == scope.values->secrets.end()) return std::nullopt;
  piece.literal = secret->value;
  piece.masked = masked_beginning(secret->value);
  return piece;
}

// The URL as it would be with harmless values.
std::string example_of(const UrlTemplate& url) {
  std::string example;
  for (const UrlTemplate::Piece& piece : url.pieces) {
    example += piece.expression ? "x" : piece.literal;
  }
  return example;
}

}  // namespace

UrlTemplate compile_url(std::string_view text, const TemplateScope& scope, std::string_view pointer,
                        Problems& problems) {
  UrlTemplate url;
  TemplateScope own = scope;
  own.has_sections = false;
  auto parsed = parse_template(text, own);
  if (!parsed) {
    problems.error("bad_placeholder", to_string(parsed.error()), std::string(pointer));
    return url;
  }
  PlaceFinder finder;
  bool is_refused = false;
  bool has_secret = false;
  for (Part& part : parsed->parts) {
    if (part.kind == Part::Kind::literal) {
      if (finder.place() == Place::fragment) continue;
      const std::size_t kept = finder.follow(part.literal);
      url.pieces.push_back({.literal = part.literal.substr(0, kept), .expression = {}});
      if (kept < part.literal.size()) {
        problems.warn("url_fragment", "The part of the URL from # on is never sent.",
                      std::string(pointer));
      }
      continue;
    }
    const Place place = finder.place();
    auto beginning =
        place == Place::authority ? beginning_of(part.expression, scope) : std::nullopt;
    if (beginning) {
      beginning->literal.resize(finder.follow(beginning->literal));
      has_secret = has_secret || !beginning->masked.empty();
      url.pieces.push_back(*std::move(beginning));
      continue;
    }
    if (place != Place::path && place != Place::query_value) {
      problems.error("placeholder_in_url", std::string(why_refused(place)), std::string(pointer));
      is_refused = true;
      continue;
    }
    if (place == Place::path && part.expression.source == Expression::Source::properties &&
        !scope.has_earlier) {
      problems.error("placeholder_in_url",
                     "{{properties}} is a whole object, which no segment of a path can hold. It "
                     "can stand in a query value, as in ?data={{properties | base64}}.",
                     std::string(pointer));
      is_refused = true;
      continue;
    }
    url.has_path_placeholders = url.has_path_placeholders || place == Place::path;
    url.pieces.push_back(
        {.literal = {}, .expression = std::move(part.expression), .in_path = place == Place::path});
  }
  if (is_refused) return url;
  const std::string example = example_of(url);
  if (const auto checked = http::parse_url(example); !checked) {
    // What is wrong with a secret is not shown by showing it.
    problems.error("bad_url",
                   has_secret ? "The URL that this destination's secret makes is not valid: it "
                                "begins with https:// and a host, and holds no blanks."
                              : checked.error().detail,
                   std::string(pointer));
    return url;
  }
  url.has_query = example.contains('?');
  if (url.has_path_placeholders && has_dot_segment(path_of(example))) {
    problems.error("bad_url",
                   "The path holds \".\" or \"..\" as a segment; write the path that is meant.",
                   std::string(pointer));
  }
  return url;
}

Rendered<void> append_url(const UrlTemplate& url, Evaluation& evaluation, std::string& out) {
  const std::size_t begin = out.size();
  for (const UrlTemplate::Piece& piece : url.pieces) {
    if (!piece.expression) {
      const bool is_masked = evaluation.options.mask_secrets && !piece.masked.empty();
      out += is_masked ? piece.masked : piece.literal;
      continue;
    }
    const Expression& expression = *piece.expression;
    auto value = evaluate(expression, evaluation);
    if (!value) return std::unexpected(std::move(value).error());
    const std::string_view text = text_of(*value, evaluation.scratch.arena);
    if (text.empty() && !expression.has_default()) {
      return cannot_render(fmt::format(
          "The URL needs {{{{{0}}}}}, but it is {1}, so nothing was sent. Add a condition that it "
          "exists, or a filter such as default('unknown').",
          expression.name, value->is_missing_or_null() ? "missing" : "empty"));
    }
    out += piece.in_path ? http::encode_path_segment(text) : http::encode_query_value(text);
  }
  if (url.has_path_placeholders && has_dot_segment(path_of(std::string_view(out).substr(begin)))) {
    return cannot_render(
        "A value would make a segment of the URL's path \".\" or \"..\", which "
        "many servers take for another folder, so nothing was sent.");
  }
  return {};
}

}  // namespace eilpost::render

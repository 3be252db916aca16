#include "render/batch.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "base/hash.h"
#include "model/json_pointer.h"
#include "model/json_text.h"
#include "model/limits.h"
#include "render/compiled.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kEvents = "{{events}}";
constexpr std::string_view kTemplatePointer = "/delivery/batch/template";

// Fills the template of a batch with the destination's fields and secrets, which are known before
// any event is.
class TemplateFiller {
 public:
  TemplateFiller(std::span<const CompiledValue> values, Problems& problems)
      : values_(values), problems_(problems) {}

  // The text with kEvents where the bodies stand.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  void append(const Json& json, const std::string& pointer, std::size_t depth) {
    if (depth > limits::kTemplateDepthMax) {
      problems_.error("too_deep",
                      fmt::format("A template nests at most {} deep.", limits::kTemplateDepthMax),
                      pointer);
      return;
    }
    if (json.is_string()) {
      append_text_of(json.get_ref<const std::string&>(), pointer);
    } else if (json.is_object()) {
      append_object(json, pointer, depth);
    } else if (json.is_array()) {
      text += '[';
      for (std::size_t i = 0; i < json.size(); ++i) {
        if (i > 0) text += ',';
        append(json[i], fmt::format("{}/{}", pointer, i), depth + 1);
      }
      text += ']';
    } else {
      text += to_text(json);
    }
  }

  std::string text;
  std::vector<std::size_t> events_at;  // in `text`

 private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kTemplateDepthMax.
  void append_object(const Json& json, const std::string& pointer, std::size_t depth) {
    text += '{';
    bool is_first = true;
    for (const auto& [key, value] : json.items()) {
      if (!std::exchange(is_first, false)) text += ',';
      append_script_string(text, key);
      text += ':';
      append(value, fmt::format("{}/{}", pointer, key), depth + 1);
    }
    text += '}';
  }

  void append_text_of(const std::string& value, const std::string& pointer) {
    if (value == kEvents) {
      events_at.push_back(text.size());
    } else if (const CompiledValue* found = find(value)) {
      append_json(text, found->get());
    } else if (value.contains("{{")) {
      problems_.error(
          "bad_placeholder",
          fmt::format("\"{}\" is not known here. The values of a batch's template are "
                      "\"{{{{events}}}}\", a field such as \"{{{{field.project}}}}\" or "
                      "a secret of this destination, or text without placeholders.",
                      value),
          pointer);
    } else {
      append_script_string(text, value);
    }
  }

  // Of "{{field.project}}" the field.
  [[nodiscard]] const CompiledValue* find(std::string_view value) const {
    if (!value.starts_with("{{") || !value.ends_with("}}")) return nullptr;
    const std::string_view name = value.substr(2, value.size() - 4);
    const auto found = std::ranges::find(values_, name, &CompiledValue::name);
    return found == values_.end() ? nullptr : &*found;
  }

  std::span<const CompiledValue> values_;
  Problems& problems_;
};

void compile_template(const Json& json, std::span<const CompiledValue> values,
                      CompiledBatch& compiled, Problems& problems) {
  TemplateFiller filler(values, problems);
  filler.append(json, std::string(kTemplatePointer), 1);
  if (filler.events_at.size() != 1) {
    problems.error(
        "bad_template",
        fmt::format("A batch's template holds the text \"{{{{events}}}}\" once, where the "
                    "events stand as a list; here it stands {} times.",
                    filler.events_at.size()),
        std::string(kTemplatePointer));
    return;
  }
  const std::size_t at = filler.events_at.front();
  compiled.before = filler.text.substr(0, at) + "[";
  compiled.behind = "]" + filler.text.substr(at);
}

// As JSON strings, to be compared with text.
std::vector<std::string> json_steps(std::string_view pointer) {
  std::vector<std::string> steps = pointer_steps(pointer);
  for (std::string& step : steps) {
    std::string json;
    append_script_string(json, step);
    step = std::move(json);
  }
  return steps;
}

// Walks over JSON text that is known to be well formed and without blanks: what rendering wrote.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool is_at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  void skip_one() { ++at_; }

  // A string, with its quotes.
  std::string_view take_string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void skip_value() {
    std::size_t depth = 0;
    do {
      const char c = at_ < text_.size() ? text_[at_] : ']';
      if (c == '"') {
        (void)take_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') {
        if (depth == 0) return;  // The end of what is around a number or a name.
        --depth;
      }
      if (c == ',' && depth == 0) return;
      ++at_;
    } while (at_ < text_.size() && (depth > 0 || !is_end()));
  }

  // Into the member of an object; whether there is one.
  bool step_into(std::string_view key) {
    if (!is_at('{')) return false;
    for (skip_one(); !is_at('}') && at_ < text_.size();) {
      const bool is_it = take_string() == key;
      skip_one();  // ':'
      if (is_it) return true;
      skip_value();
      if (is_at(',')) skip_one();
    }
    return false;
  }

 private:
  [[nodiscard]] bool is_end() const { return is_at(',') || is_at('}') || is_at(']'); }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<CompiledBatch> compile_batch(const Destination& destination,
                                           std::span<const CompiledValue> values, Rules rules,
                                           Problems& problems) {
  const BatchSettings& settings = destination.delivery.batch;
  if (settings.events_max <= 1) return std::nullopt;
  Problems found;
  const HttpMethod method = destination.request.method;
  if (method == HttpMethod::get || method == HttpMethod::delete_) {
    found.error("no_body",
                fmt::format("{} has no body, so its events cannot be put together: let "
                            "\"events_max\" be 1, or use POST.",
                            to_string(method)),
                "/delivery/batch/events_max");
  }
  if (destination.body && destination.body->format == Body::Format::form) {
    found.error("no_json",
                "Bodies of format \"form\" cannot be put together: let \"events_max\" be 1.",
                "/delivery/batch/events_max");
  }
  CompiledBatch compiled;
  if (settings.join) {
    compiled.join = json_steps(*settings.join);
  } else if (!settings.template_json.is_null()) {
    compile_template(settings.template_json, values, compiled, found);
  }
  if (found.ok()) return compiled;
  if (rules == Rules::newest) std::ranges::move(found.errors, std::back_inserter(problems.errors));
  return std::nullopt;
}

const CompiledBatch* batch_of(const CompiledDestination& destination) {
  return destination.batch ? &*destination.batch : nullptr;
}

std::optional<Shared> shared_part(const CompiledBatch& batch, std::string_view body) {
  if (!body.starts_with('{') && !body.starts_with('[')) return std::nullopt;
  if (!batch.join) return Shared{.begin = 0, .end = body.size(), .count = 1};
  Walker walker(body);
  for (const std::string& step : *batch.join) {
    if (!walker.step_into(step)) return std::nullopt;
  }
  if (!walker.is_at('[')) return std::nullopt;
  walker.skip_one();
  Shared shared{.begin = walker.at(), .end = 0, .count = 0};
  while (!walker.is_at(']')) {
    walker.skip_value();
    ++shared.count;
    if (walker.is_at(',')) walker.skip_one();
  }
  shared.end = walker.at();
  if (shared.count == 0) return std::nullopt;
  return shared;
}

std::uint64_t kind_of(const BatchPart& part) {
  const std::string_view body = part.request.body;
  std::uint64_t kind = static_cast<std::uint64_t>(part.request.method);
  const auto add = [&kind](std::string_view text) { kind = combine_hashes(kind, hash64(text)); };
  add(part.request.url);
  for (const OutboundHeader& header : part.request.headers) {
    add(header.name);
    add(header.value);
  }
  add(body.substr(0, part.shared.begin));
  add(body.substr(part.shared.end));
  return kind;
}

std::size_t bytes_alone(const CompiledBatch& batch, const BatchPart& part) {
  const std::size_t bytes = part.request.body.size();
  return batch.join ? bytes : batch.before.size() + bytes + batch.behind.size();
}

void keep_content(BatchPart& part) {
  std::string content(part.content());
  part.shared.begin = 0;
  part.shared.end = content.size();
  part.request = {};
  part.request.body = std::move(content);
}

bool fit_together(const BatchPart& a, const BatchPart& b) {
  const auto is_same = [](const OutboundHeader& x, const OutboundHeader& y) {
    return x.name == y.name && x.value == y.value;
  };
  const std::string_view body_a = a.request.body;
  const std::string_view body_b = b.request.body;
  return a.request.method == b.request.method && a.request.url == b.request.url &&
         body_a.substr(0, a.shared.begin) == body_b.substr(0, b.shared.begin) &&
         body_a.substr(a.shared.end) == body_b.substr(b.shared.end) &&
         std::ranges::equal(a.request.headers, b.request.headers, is_same);
}

std::string joined_body(const CompiledBatch& batch, std::span<const BatchPart> parts) {
  const BatchPart& first = parts.front();
  const std::string_view body = first.request.body;
  const std::string_view before = batch.join ? body.substr(0, first.shared.begin) : batch.before;
  const std::string_view behind = batch.join ? body.substr(first.shared.end) : batch.behind;
  std::size_t size = before.size() + behind.size() + parts.size();
  for (const BatchPart& part : parts) size += part.content().size();
  std::string joined;
  joined.reserve(size);
  joined += before;
  for (const BatchPart& part : parts) {
    if (&part != &first) joined += ',';
    joined += part.content();
  }
  joined += behind;
  return joined;
}

}  // namespace eilpost::render

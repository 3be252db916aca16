#include "render/renderer.h"

#include <algorithm>
#include <fmt/format.h>

#include "model/limits.h"
#include "render/body.h"
#include "render/compiled.h"
#include "render/evaluate.h"
#include "render/headers.h"
#include "render/mask.h"
#include "render/properties.h"
#include "render/scratch.h"
#include "render/url.h"

namespace eilpost::render {
namespace {

// GET and DELETE have no body: their properties are query parameters.
bool sends_query(const CompiledDestination& destination) {
  return destination.method == HttpMethod::get || destination.method == HttpMethod::delete_;
}

Rendered<void> read_event(const Input& input, Scratch& scratch) {
  if (input.parsed != nullptr) {
    scratch.document = *input.parsed;
  } else {
    auto document = EventDocument::parse(scratch.parser, input.document);
    if (!document) {
      return cannot_render("The event cannot be read: " + document.error().detail + ".");
    }
    scratch.document = *document;
  }
  if (input.webhook.trie.slots_count() > 0) {
    input.webhook.trie.walk(*scratch.document, scratch.webhook_values);
  }
  if (input.destination.trie.slots_count() > 0) {
    input.destination.trie.walk(*scratch.document, scratch.destination_values);
  }
  return {};
}

Rendered<void> write_body(Evaluation& evaluation, Evaluation& destination_evaluation,
                          std::string& body) {
  auto appended = append_body(evaluation, destination_evaluation, evaluation.scratch.body);
  if (!appended) return appended;
  if (evaluation.scratch.body.size() > limits::kOutboundBodyBytesMax) {
    return cannot_render(fmt::format("The body has {} bytes; at most {} are sent.",
                                     evaluation.scratch.body.size(),
                                     limits::kOutboundBodyBytesMax));
  }
  body.swap(evaluation.scratch.body);
  return {};
}

// Whether the platform would take the body.
Rendered<void> check_rules(const Input& input, std::string_view body) {
  const CompiledDestination& destination = input.destination;
  if (destination.preset == nullptr) return {};
  const auto find_field = [](const void* context, std::string_view name) -> const Json* {
    const auto& fields = *static_cast<const std::vector<Field>*>(context);
    const auto found = std::ranges::find(fields, name, &Field::name);
    return found == fields.end() ? nullptr : &found->value;
  };
  auto why = presets::broken(destination.preset->rules, {.body = body,
                                                         .now = input.attempt_at,
                                                         .context = &destination.fields,
                                                         .find_field = find_field});
  if (!why) return {};
  return std::unexpected(RenderError{.detail = *std::move(why), .is_final = true});
}

// A delivery sent alone is a batch of one.
void wrap(const CompiledDestination& destination, std::string& body) {
  if (!destination.batch || destination.batch->join) return;
  if (!shared_part(*destination.batch, body)) return;
  body.insert(0, destination.batch->before);
  body += destination.batch->behind;
}

Rendered<void> write_url(Evaluation& destination_evaluation, Evaluation& webhook_evaluation,
                         std::string& url) {
  const CompiledDestination& destination = destination_evaluation.input.destination;
  if (auto appended = append_url(destination.url, destination_evaluation, url); !appended) {
    return appended;
  }
  if (sends_query(destination)) {
    if (auto collected = collect_entries(webhook_evaluation); !collected) return collected;
    const std::size_t size = url.size();
    url += !destination.url.has_query ? "?" : url.ends_with('?') || url.ends_with('&') ? "" : "&";
    const std::size_t begin = url.size();
    append_pairs(destination_evaluation.scratch, Encoding::query, url);
    if (url.size() == begin) url.resize(size);
  }
  if (url.size() > limits::kOutboundUrlBytesMax) {
    return cannot_render(fmt::format("The URL has {} bytes; at most {} are sent.", url.size(),
                                     limits::kOutboundUrlBytesMax));
  }
  return {};
}

// Adds what depends on the whole body.
Rendered<void> finish_headers(Evaluation& evaluation, std::string_view body, HeaderWriter& writer) {
  if (auto written = write_signing_headers(evaluation, body, writer); !written) return written;
  if (evaluation.input.is_test) writer.add("webhook-test", "true");
  return writer.finish();
}

Rendered<void> write_headers(Evaluation& evaluation, OutboundRequest& request) {
  const CompiledDestination& destination = evaluation.input.destination;
  HeaderWriter writer(request.headers, destination.headers.size() + kOwnHeaders);
  if (!destination.has_content_type && !sends_query(destination)) {
    writer.add("Content-Type", content_type_of(format_of(evaluation.input)));
  }
  if (!destination.has_user_agent) writer.add("User-Agent", kUserAgent);
  if (auto written = write_own_headers(evaluation, writer); !written) return written;
  if (!destination.authorization.empty()) {
    writer.add("Authorization", destination.authorization);
  }
  return evaluation.options.is_unsigned ? writer.finish()
                                        : finish_headers(evaluation, request.body, writer);
}

}  // namespace

std::expected<void, RenderError> render_into(const Input& input, Scratch& scratch,
                                             const Options& options, OutboundRequest& request) {
  scratch.reset();
  request.method = input.destination.method;
  request.url.clear();
  request.body.clear();
  if (auto read = read_event(input, scratch); !read) return read;
  Evaluation webhook_evaluation{
      .input = input, .options = options, .scratch = scratch, .values = scratch.webhook_values};
  Evaluation destination_evaluation{
      .input = input, .options = options, .scratch = scratch, .values = scratch.destination_values};
  if (!sends_query(input.destination)) {
    auto written = write_body(webhook_evaluation, destination_evaluation, request.body);
    if (!written) return written;
    if (auto checked = check_rules(input, request.body); !checked) return checked;
    if (!options.is_unsigned) wrap(input.destination, request.body);
  }
  if (auto written = write_url(destination_evaluation, webhook_evaluation, request.url); !written) {
    return written;
  }
  if (auto written = write_headers(destination_evaluation, request); !written) return written;
  if (options.mask_secrets) mask_secrets(request);
  return {};
}

std::expected<void, RenderError> sign(const Input& input, Scratch& scratch, const Options& options,
                                      OutboundRequest& request) {
  Evaluation evaluation{
      .input = input, .options = options, .scratch = scratch, .values = scratch.destination_values};
  HeaderWriter writer(request.headers, request.headers.size() + kOwnHeaders);
  writer.keep_all();
  return finish_headers(evaluation, request.body, writer);
}

std::string notes_of(const Scratch& scratch) {
  if (scratch.notes.empty()) return {};
  return fmt::format("{}", fmt::join(scratch.notes, " "));
}

std::expected<OutboundRequest, RenderError> render(const Input& input, Scratch& scratch,
                                                   const Options& options) {
  OutboundRequest request;
  if (auto rendered = render_into(input, scratch, options, request); !rendered) {
    return std::unexpected(std::move(rendered).error());
  }
  return request;
}

}  // namespace eilpost::render

#pragma once
// Makes the exact HTTP request for a delivery. Pure: equal input gives equal bytes, so the log
// shows a request again without having stored it.
//
// Threads: compile on one thread; then render() from any, also at once, each with its own Scratch.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/catalog.h"
#include "model/delivery.h"
#include "model/destination.h"
#include "model/event_document.h"
#include "model/outbound.h"
#include "model/problem.h"
#include "model/webhook.h"
#include "render/time_zone.h"

namespace eilpost::render {

// One version of a webhook's properties, static properties and body. Immutable.
class CompiledWebhook;
// One version of a destination's URL, headers, authentication and signing. Immutable.
class CompiledDestination;

// What placeholders may say: `newest` is for what is to be saved. `earlier` also takes those that
// versions of Eilpost before this one saved and that are refused now ({{webhook.x}} as a property
// of the event, {{properties}} in a URL's path), and events that cannot be put together go one by
// one: what was saved works on.
enum class Rules : std::uint8_t { newest, earlier };

// Checks everything about a webhook that concerns what it sends (properties, names, static
// properties, placeholders, filters, template) and compiles it. Reports all that is wrong at once,
// with pointers into the webhook's JSON. Returns nothing if there was an error.
[[nodiscard]] std::shared_ptr<const CompiledWebhook> compile(const Webhook& webhook,
                                                             const Catalog& catalog,
                                                             Problems& problems);

// The same for a destination: method, URL, headers, authentication, signing secret.
[[nodiscard]] std::shared_ptr<const CompiledDestination> compile(const Destination& destination,
                                                                 Problems& problems);

// The same with time zones for the filter date(); those above know UTC only. Zones are read while
// compiling, so that rendering touches no file.
[[nodiscard]] std::shared_ptr<const CompiledWebhook> compile(const Webhook& webhook,
                                                             const Catalog& catalog,
                                                             TimeZones& zones, Problems& problems,
                                                             Rules rules = Rules::newest);
[[nodiscard]] std::shared_ptr<const CompiledDestination> compile(const Destination& destination,
                                                                 TimeZones& zones,
                                                                 Problems& problems,
                                                                 Rules rules = Rules::newest);

// Checks by the newest rules whether events can be put together as `destination.delivery.batch`
// says.
void check_batch(const Destination& destination, Problems& problems);

// Names of the destination's secrets that a webhook's texts use, sorted.
[[nodiscard]] const std::vector<std::string>& secrets_of(const CompiledWebhook& webhook);

struct Scratch;  // Memory of one lane, reused from delivery to delivery.
[[nodiscard]] std::shared_ptr<Scratch> make_scratch();

struct Input {
  const CompiledWebhook& webhook;
  const CompiledDestination& destination;
  std::string_view document;     // the event's canonical JSON
  std::string_view delivery_id;  // webhook-id, and {{delivery.id}}
  WallTime attempt_at;           // webhook-timestamp
  bool is_test = false;          // adds `webhook-test: true`
  // `document`, if somebody has parsed it already: then it is not parsed again.
  const EventDocument* parsed = nullptr;
};

// Why a request could not be made: the outcome `render`.
struct RenderError {
  std::string detail;  // a sentence: which placeholder, filter or rule, and what would help
  // It is the event that the destination would refuse, whenever it is sent.
  bool is_final = false;
};

// Where a part of the body came from: for previews.
struct Origin {
  std::string name;      // final name
  std::string property;  // path in the event; empty for static properties
  bool missing = false;  // the event lacks it
};

struct Options {
  bool is_unsigned = false;                // a part of a batch: sign() adds what it leaves out
  bool mask_secrets = false;               // authentication, signature, secrets in URLs as "••••"
  std::vector<Origin>* origins = nullptr;  // filled if set
};

[[nodiscard]] std::expected<OutboundRequest, RenderError> render(const Input& input,
                                                                 Scratch& scratch,
                                                                 const Options& options);

// The same into a request whose memory is used again. After an error its content is unspecified.
[[nodiscard]] std::expected<void, RenderError> render_into(const Input& input, Scratch& scratch,
                                                           const Options& options,
                                                           OutboundRequest& request);

// Adds the headers of signing to a request that was rendered unsigned, over its body as it is now.
// Of `input` the destination, the id, the time and is_test are used.
[[nodiscard]] std::expected<void, RenderError> sign(const Input& input, Scratch& scratch,
                                                    const Options& options,
                                                    OutboundRequest& request);

// What the last render had to cut so that the platform takes it, in sentences; empty: nothing.
[[nodiscard]] std::string notes_of(const Scratch& scratch);

[[nodiscard]] inline std::expected<OutboundRequest, RenderError> render(const Input& input,
                                                                        Scratch& scratch) {
  return render(input, scratch, Options{});
}

}  // namespace eilpost::render

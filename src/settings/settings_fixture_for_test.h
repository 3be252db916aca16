#pragma once
// Settings on a machine that a test brings along, and short ways to ask them.

#include <gtest/gtest.h>
#include <memory>
#include <simdjson.h>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "crypto/secret_box.h"
#include "env/directory.h"
#include "env/env.h"
#include "model/event_document.h"
#include "settings/settings.h"

namespace eilpost::settings {

inline const Author kAuthor{.name = "tester"};
inline constexpr IfVersion kAny = std::nullopt;  // whatever version it has

inline crypto::BoxKey box_key(std::uint8_t id) {
  crypto::BoxKey key{.id = id};
  key.key.fill(std::byte{id});
  return key;
}

inline Json json_of(std::string_view text) {
  Result<Json> json = parse_json(text);
  EILPOST_ASSERT(json.has_value());
  return std::move(*json);
}

// "/name name_missing", one for each error, in order.
inline std::vector<std::string> errors_of(const std::vector<Problem>& errors) {
  std::vector<std::string> texts;
  for (const Problem& error : errors) {
    EXPECT_FALSE(error.detail.empty()) << error.code;
    texts.push_back(error.pointer + " " + error.code);
  }
  return texts;
}

// What an event of this type in production owes.
inline std::vector<Owed> owed_by(const pipeline::Snapshot& snapshot, std::string_view type) {
  const std::string text =
      to_text({{"event", {{"type", type}}}, {"created_at", 1}, {"data", {{"nps", 9}}}});
  simdjson::dom::parser parser;
  const auto document = EventDocument::parse(parser, text);
  EILPOST_ASSERT(document.has_value());
  match::Scratch scratch;
  std::vector<Owed> owed;
  snapshot.matcher->match(EnvironmentId::production, type, *document, scratch, owed);
  return owed;
}

struct Desk {
  explicit Desk(env::Env& machine) : world(machine) { open(); }

  void open() {
    auto opened = Settings::open(world, *box);
    EILPOST_ASSERT(opened.has_value());
    settings = std::move(*opened);
  }
  void reopen() {
    settings.reset();
    open();
  }

  Destination make_destination(std::string_view name = "Shop") {
    const Json input = {{"name", name},
                        {"platform", "custom"},
                        {"request", {{"url", "https://api.example.com/v1"}}}};
    auto made = settings->create_destination(input, kAuthor);
    EILPOST_ASSERT(made.has_value());
    return *made;
  }
  Json webhook_json(DestinationId destination, std::string_view event = "survey.submitted") {
    return {{"name", "Hook"}, {"event", event}, {"destination", to_string(destination)}};
  }
  Webhook make_webhook(DestinationId destination, std::string_view event = "survey.submitted") {
    auto made = settings->create_webhook(webhook_json(destination, event), kAuthor);
    EILPOST_ASSERT(made.has_value());
    return made->webhook;
  }

  // Whether the bytes of any file on disk hold this text.
  bool is_on_disk(std::string_view text) {
    const auto names = world.directory().list();
    EILPOST_ASSERT(names.has_value() && !names->empty());
    for (const std::string& name : *names) {
      const auto bytes = env::read_file(world.directory(), name, 1UL << 30U);
      EILPOST_ASSERT(bytes.has_value());
      if (as_text(*bytes).find(text) != std::string_view::npos) return true;
    }
    return false;
  }

  env::Env& world;
  std::unique_ptr<crypto::SecretBox> box =
      std::make_unique<crypto::SecretBox>(std::vector{box_key(1)});
  std::unique_ptr<Settings> settings;
};

}  // namespace eilpost::settings

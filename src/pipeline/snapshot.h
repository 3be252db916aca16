#pragma once
// The settings as the lanes see them: immutable, compiled, shared. A change makes a new Snapshot
// that shares all but what changed.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "env/network.h"
#include "ingest/ingest.h"
#include "match/matcher.h"
#include "model/catalog.h"
#include "model/destination.h"
#include "model/source.h"
#include "model/webhook.h"
#include "render/renderer.h"

namespace eilpost::pipeline {

// The newest version of a webhook. A disabled one stays here: its owed deliveries are held. A
// deleted one is absent: its owed deliveries end failed.
struct LiveWebhook {
  Webhook webhook;
  std::shared_ptr<const render::CompiledWebhook> compiled;
};

// The newest version of a destination.
// The same for connections to a destination's token end point (authentication oauth2).
struct TokenTls {
  std::shared_ptr<env::TlsContext> context;
  std::string problem;
};

struct LiveDestination {
  Destination destination;
  std::shared_ptr<const render::CompiledDestination> compiled;
  // Of one with certificates of its own, for all lanes; versions with the same certificates share
  // it, and with it their connections. Null: the lane's.
  std::shared_ptr<env::TlsContext> tls_context;
  std::string tls_problem;  // why there is no context though there should be; nothing is sent then
  TokenTls token_tls;
};

// What a destination's connections trust and show.
[[nodiscard]] env::TlsOptions tls_options_of(const TlsSettings& settings);

struct Snapshot {
  std::uint64_t revision = 0;  // grows with every change
  std::shared_ptr<const Catalog> catalog;
  std::shared_ptr<const ingest::Sources> sources;
  std::shared_ptr<const match::Matcher> matcher;
  std::unordered_map<WebhookId, std::shared_ptr<const LiveWebhook>> webhooks;
  std::unordered_map<DestinationId, std::shared_ptr<const LiveDestination>> destinations;
};

}  // namespace eilpost::pipeline

#pragma once
// The management API: REST JSON under /api/v1 (SPEC "Access, limits, running"), described by
// OpenAPI 3.1 at /api/v1/openapi.json.
//
// Ownership: everything in Parts must outlive the Admin.
// Threads:   handle() on any lane. Settings are touched on the settings worker only, the history on
//            its own thread; answers come back to the lane that asked.
// Errors:    problem+json answers with stable codes.

#include <cstddef>
#include <memory>
#include <string>

#include "base/task.h"
#include "env/env.h"
#include "env/log.h"
#include "history/history.h"
#include "http/handler.h"
#include "ingest/ingest.h"
#include "pipeline/pipeline.h"
#include "settings/settings.h"

namespace eilpost::admin {

struct Parts {
  env::Env& env;
  env::Log& log;
  env::Worker& settings_worker;
  settings::Settings& settings;
  history::History& history;
  pipeline::Pipeline& pipeline;
  pipeline::Inbox& inbox;
  store::Store& store;
};

struct Options {
  std::string public_url;       // such as https://hooks.example.com; empty: not known
  ingest::Limits event_limits;  // of events in previews and tests, as of those that are sent
};

class Admin {
 public:
  [[nodiscard]] static std::unique_ptr<Admin> make(const Parts& parts, const Options& options);
  virtual ~Admin() = default;

  // Answers a request whose path begins with /api/v1. On the lane of that index.
  [[nodiscard]] virtual Task<void> handle(std::size_t lane, const http::Request& request,
                                          const env::Endpoint& client,
                                          http::Responder& responder) = 0;

  // Answers GET /oauth/callback, where a provider sends the browser back to: a page of plain text.
  // Needs no key: the state in its query does. On the lane of that index; `query` must live until
  // the Task ends.
  [[nodiscard]] virtual Task<http::Response> finish_authorization(std::size_t lane,
                                                                  std::string_view query) = 0;

  // Ends the live tails, which would go on for ever, and refuses new ones. Any thread.
  virtual void end_streams() = 0;
};

}  // namespace eilpost::admin

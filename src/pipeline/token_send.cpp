#include "pipeline/token_send.h"

#include <string_view>
#include <utility>

#include "base/probe.h"
#include "pipeline/exchange.h"

namespace eilpost::pipeline {
namespace {

constexpr std::uint16_t kStatusUnauthorized = 401;

// In the place of what rendering left open.
void set_token(OutboundRequest& request, std::string_view token) {
  for (OutboundHeader& header : request.headers) {
    if (header.name != "Authorization") continue;
    header.value = "Bearer ";
    header.value += token;
  }
}

}  // namespace

deliver::TokenKeeper::Parts token_parts(LaneContext& context) {
  return {.loop = context.loop,
          .address_rules = context.address_rules,
          .tls_context = context.tls_context,
          .store = &context.token_store,
          .random = context.random,
          .counters = context.counters.tokens,
          .proxy = context.proxy};
}

void use_newest(deliver::TokenKeeper& keeper, const LiveDestination& destination) {
  keeper.use({.settings = destination.destination.authentication.oauth,
              .version = destination.destination.version,
              .tls_context = destination.token_tls.context,
              .tls_problem = destination.token_tls.problem});
}

Task<Outcome> send_with_token(LaneContext& context, deliver::Sender& sender,
                              deliver::TokenKeeper& keeper, OutboundRequest& request,
                              const LiveDestination& destination) {
  use_newest(keeper, destination);
  const auto token = co_await keeper.get();
  if (!token) co_return token.error();
  set_token(request, *token);
  Outcome outcome = co_await send_request(context, sender, request, destination);
  if (outcome.kind != OutcomeKind::answered) co_return outcome;
  if (outcome.status != kStatusUnauthorized) {
    keeper.accept();
    co_return outcome;
  }
  if (!keeper.reject(*token)) co_return outcome;
  EILPOST_PROBE("pipeline.token_renewed_after_401");
  const auto renewed = co_await keeper.get();
  if (!renewed) {
    Outcome failed = renewed.error();
    failed.request_sent = true;
    failed.detail.insert(0, "The receiver answered 401, and the token could not be renewed. ");
    co_return failed;
  }
  set_token(request, *renewed);
  outcome = co_await send_request(context, sender, request, destination);
  const bool is_taken =
      outcome.kind == OutcomeKind::answered && outcome.status != kStatusUnauthorized;
  if (is_taken) keeper.accept();
  co_return outcome;
}

}  // namespace eilpost::pipeline

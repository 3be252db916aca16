#include "history/matching.h"

#include <algorithm>

#include "history/terms.h"

namespace eilpost::history {
namespace {

DeliveryState seen_state(const Held& held, DeliveryState state, WebhookId webhook,
                         DestinationId destination) {
  if (is_settled(state)) return state;
  const bool is_held = std::ranges::binary_search(held.webhooks, webhook) ||
                       std::ranges::binary_search(held.destinations, destination);
  return is_held ? DeliveryState::held : state;
}

bool is_asked(const Filter& filter, DeliveryState state) {
  return std::ranges::find(filter.states, state) != filter.states.end();
}

}  // namespace

DeliveryState seen_state(const Held& held, const DeliveryRow& row) {
  return seen_state(held, row.state, row.webhook, row.destination);
}

EventKeys keys_of(const LoggedEvent& event) {
  return {.id = event.id,
          .type = event.type,
          .user = event.user,
          .environment = event.environment,
          .received_at = event.received_at};
}

EventKeys keys_of(const EventRow& row) {
  return {.id = row.id,
          .type = row.type,
          .user = row.user,
          .environment = row.environment,
          .received_at = row.received_at};
}

bool matches_event(const Filter& filter, const EventKeys& event) {
  if (filter.from && event.received_at < *filter.from) return false;
  if (filter.until && event.received_at >= *filter.until) return false;
  if (filter.environment && *filter.environment != event.environment) return false;
  if (filter.event_id && *filter.event_id != event.id) return false;
  if (filter.user && *filter.user != event.user) return false;
  return filter.event_types.empty() ||
         std::ranges::find(filter.event_types, event.type) != filter.event_types.end();
}

bool matches_delivery(const Filter& filter, const LoggedDelivery& delivery) {
  if (filter.webhook && *filter.webhook != delivery.webhook) return false;
  if (filter.destination && *filter.destination != delivery.destination) return false;
  if (filter.states.empty()) return true;
  const DeliveryState state = delivery.progress.state;
  if (!filter.held) return is_asked(filter, state);
  return is_asked(filter, seen_state(*filter.held, state, delivery.webhook, delivery.destination));
}

bool may_match(const Filter& filter, const BlockFacts& facts, ByteView terms) {
  const auto has = [&](TermKind kind, auto value) { return may_have(terms, term_of(kind, value)); };
  if (filter.from && facts.accepted_max < *filter.from) return false;
  if (filter.until && facts.accepted_min >= *filter.until) return false;
  if (filter.event_id && !has(TermKind::event_id, std::string_view(*filter.event_id))) return false;
  if (filter.user && !has(TermKind::user, std::string_view(*filter.user))) return false;
  if (filter.environment &&
      !has(TermKind::environment, std::uint64_t{static_cast<std::uint32_t>(*filter.environment)})) {
    return false;
  }
  if (filter.webhook && !has(TermKind::webhook, static_cast<std::uint64_t>(*filter.webhook))) {
    return false;
  }
  if (filter.destination &&
      !has(TermKind::destination, static_cast<std::uint64_t>(*filter.destination))) {
    return false;
  }
  return filter.event_types.empty() ||
         std::ranges::any_of(filter.event_types, [&](std::string_view type) {
           return has(TermKind::event_type, type);
         });
}

bool may_match_state(const Filter& filter, DeliveryState state) {
  if (filter.states.empty() || is_asked(filter, state)) return true;
  return !is_settled(state) && is_asked(filter, DeliveryState::held);
}

}  // namespace eilpost::history

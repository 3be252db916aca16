#pragma once
// Events and attempts for the tests of this folder.

#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/iso_time.h"
#include "store/store.h"

namespace eilpost::store {

inline constexpr WallTime kTestNow{std::chrono::milliseconds(1'764'000'000'123)};

// As ingest makes them: about 720 bytes of document for 600 of the sender.
inline Event make_event(std::uint64_t number, WallTime received_at = kTestNow) {
  Event event;
  event.id = fmt::format("9f0c{:08x}-4a1b-4f6e-8a55-0123456789ab", number);
  event.type = "survey.submitted";
  event.user = fmt::format("user-{:08x}-9d43-4c1e", number % 1000);
  event.environment = EnvironmentId::production;
  event.source = SourceId{0x1234567890ABCDEF};
  event.time = received_at - std::chrono::milliseconds(250);
  event.received_at = received_at;
  event.document = fmt::format(
      R"({{"event":{{"id":"{}","type":"{}","name":"Survey submitted","time":"{}",)"
      R"("received_at":"{}","source":"https://app.example.com"}},"created_at":{},"data":)"
      R"({{"sId":"8a41f0c2-5d7e","oId":152605,"oName":"NPS Q4","answers":[{{"id":7,)"
      R"("question":"How likely are you to recommend us?","value":9}}],"wm":{{"euId":"{}",)"
      R"("language":"de","env":0,"envName":"production","userVars":{{"plan":"pro"}}}},)"
      R"("ctx":{{"location":{{"protocol":"https:","hostname":"app.example.com",)"
      R"("pathname":"/console/","search":""}},"title":"Console"}},)"
      R"("env":{{"browser":{{"name":"Chrome","version":"156"}},"os":{{"name":"Windows"}}}}}}}})",
      event.id, event.type, format_iso_time(event.time), format_iso_time(event.received_at),
      event.time.time_since_epoch().count(), event.user);
  return event;
}

inline Owed make_owed(std::uint64_t number) {
  return {.webhook = WebhookId{0x1000000000000000 + number},
          .webhook_version = static_cast<std::uint32_t>(number % 7 + 1),
          .destination = DestinationId{0x2000000000000000 + number % 5}};
}

inline Accept make_accept(Event event, std::uint64_t owed_count = 1) {
  Accept accept;
  for (std::uint64_t i = 0; i < owed_count; ++i) accept.owed.push_back(make_owed(i));
  accept.event = std::make_shared<const Event>(std::move(event));
  return accept;
}

inline Attempt make_attempt(DeliveryId delivery, DeliveryState state = DeliveryState::delivered) {
  Attempt attempt;
  attempt.delivery = delivery;
  attempt.started_at = kTestNow + std::chrono::milliseconds(5);
  attempt.duration = std::chrono::milliseconds(84);
  attempt.webhook_version = 3;
  attempt.destination_version = 12;
  attempt.body_hash = 0xFEDCBA9876543210;
  attempt.outcome.status = state == DeliveryState::delivered ? 200 : 503;
  attempt.outcome.success = state == DeliveryState::delivered;
  attempt.outcome.request_sent = true;
  attempt.next.state = state;
  if (state == DeliveryState::retrying) {
    attempt.next.retry_at = kTestNow + std::chrono::seconds(300);
  }
  if (state == DeliveryState::failed) attempt.next.reason = FailReason::final_status;
  return attempt;
}

}  // namespace eilpost::store

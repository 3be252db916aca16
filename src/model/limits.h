#pragma once
// Everything has a limit, and the limit has a name: here. Those marked (option) are only the
// default of a configuration option of the same name.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace eilpost::limits {

using namespace std::chrono_literals;

// Ingest (SPEC: events on the wire).
inline constexpr std::size_t kEventBytesMax = 64 * 1024;      // (option) one event, inflated
inline constexpr std::size_t kRequestBytesMax = 1024 * 1024;  // (option) one request, inflated
inline constexpr std::size_t kRequestEventsMax = 1000;        // (option)
inline constexpr std::size_t kEventDepthMax = 8;              // (option) nesting inside data
inline constexpr std::size_t kEventPropertiesMax = 256;       // (option) leaves of one event
inline constexpr std::size_t kEventIdBytesMax = 256;
inline constexpr std::size_t kUserBytesMax = 512;
inline constexpr std::size_t kTypeBytesMax = 96;
inline constexpr Duration kFutureMax = 1h;                     // later than this is clamped
inline constexpr std::uint32_t kBrowserEventsPerSecond = 100;  // (option) per browser address
inline constexpr std::size_t kRateAddressesMax = 100'000;

// Repeats.
inline constexpr Duration kRepeatWindow = 24h;
inline constexpr std::size_t kRepeatIdsMax = 16'000'000;  // (option)

// Webhooks.
inline constexpr std::size_t kConditionDepthMax = 5;
inline constexpr std::size_t kConditionsMax = 200;
inline constexpr std::size_t kConditionListMax = 1000;  // values of in and not_in
inline constexpr std::size_t kPatternBytesMax = 1000;   // matches
inline constexpr std::size_t kPropertiesMax = 256;      // chosen ones
inline constexpr std::size_t kStaticPropertiesMax = 100;
inline constexpr std::size_t kNameBytesMax = 200;  // of webhooks, destinations, …
inline constexpr std::size_t kTemplateBytesMax = 64 * 1024;
inline constexpr std::size_t kTemplateDepthMax = 32;
inline constexpr std::size_t kSectionDepthMax = 5;    // nested {{#if}} and {{#each}}
inline constexpr std::size_t kFiltersMax = 10;        // of one placeholder
inline constexpr std::size_t kEachStepsMax = 10'000;  // of all {{#each}} of one render
inline constexpr std::size_t kEnvironmentNameMax = 100;
inline constexpr std::size_t kWebhooksMax = 200'000;
inline constexpr std::size_t kDestinationsMax = 100'000;

// What a destination prescribes.
inline constexpr std::size_t kFieldsMax = 50;
inline constexpr std::size_t kFieldBytesMax = 4 * 1024;  // one, as JSON
inline constexpr std::size_t kSecretsMax = 20;
inline constexpr std::size_t kSecretBytesMax = 8 * 1024;
inline constexpr std::size_t kFieldNameBytesMax = 64;
inline constexpr std::size_t kStatusRangesMax = 50;
inline constexpr std::size_t kPartialPointersMax = 10;
inline constexpr std::size_t kRuleTextBytesMax = 1024;  // of a rule about an answer's body
inline constexpr std::uint32_t kRateRequestsMax = 1'000'000;
inline constexpr std::chrono::milliseconds kRatePeriodMax = 24h;
inline constexpr std::uint32_t kBatchEventsMax = 10'000;
inline constexpr std::chrono::milliseconds kBatchWaitMax = 5min;
inline constexpr std::uint64_t kBatchBytesMax = 16UL * 1024 * 1024;  // of one body
inline constexpr std::uint64_t kBatchBytesDefault = 1024UL * 1024;
inline constexpr std::size_t kPointerBytesMax = 200;

// Requests that go out.
inline constexpr std::size_t kOutboundBodyBytesMax = 1024 * 1024;
inline constexpr std::size_t kOutboundPropertiesMax = 5000;  // a wildcard may bring many
inline constexpr std::size_t kOutboundUrlBytesMax = 8 * 1024;
inline constexpr std::size_t kOutboundHeadersMax = 64;
inline constexpr std::size_t kOutboundHeaderBytesMax = 8 * 1024;
inline constexpr std::chrono::milliseconds kTimeoutMin = 1s;
inline constexpr std::chrono::milliseconds kTimeoutMax = 30s;
inline constexpr std::chrono::milliseconds kTimeoutDefault = 5s;
inline constexpr std::size_t kAnswerBytesFailure = 16 * 1024;  // of an answer kept in the log
inline constexpr std::size_t kAnswerBytesSuccess = 1024;
inline constexpr std::size_t kAnswerBytesRule = 1024 * 1024;  // of an answer that a rule reads
inline constexpr Duration kIdleConnection = 4s;
inline constexpr std::size_t kSigningSecretBytesMax = 256;
inline constexpr std::size_t kCertificateBytesMax = 256 * 1024;  // of one field with certificates
inline constexpr Duration kCertificateWarning = 24h * 30;        // ahead of a certificate's end

// OAuth 2.0 (docs/OAUTH.md).
inline constexpr Duration kTokenTimeout = 10s;  // of one request for a token
inline constexpr Duration kTokenRetryMin = 1s;  // doubles with every failure in a row
inline constexpr Duration kTokenRetryMax = 1min;
inline constexpr Duration kTokenRetryAfterMax = 1h;  // of what the end point itself wishes
inline constexpr Duration kTokenMarginMax = 1min;    // a token is renewed so long before its end
inline constexpr Duration kTokenLifeMax = 24h * 366;
inline constexpr std::size_t kAccessTokenBytesMax = 16 * 1024;
inline constexpr std::size_t kOAuthTextBytesMax = 4 * 1024;  // of a URL, a scope, a parameter, …
inline constexpr std::size_t kPrivateKeyBytesMax = 64 * 1024;
inline constexpr std::size_t kOAuthParametersMax = 50;
inline constexpr Duration kAuthorizationLife = 10min;  // from asking for the URL to coming back
inline constexpr std::size_t kAuthorizationsMax = 1000;

// Delivery.
inline constexpr std::size_t kRetryDelaysMax = 32;
inline constexpr Duration kRetryDelayMax = 24h * 7;
inline constexpr Duration kRetryAfterMax = 24h;
inline constexpr std::uint32_t kBreakerFailures = 10;  // in a row: then the destination is paused
inline constexpr Duration kBreakerPauseMin = 1min;
inline constexpr Duration kBreakerPauseMax = 1h;
inline constexpr Duration kDestinationFailingMax = 24h * 5;  // then it is disabled
inline constexpr std::uint64_t kBacklogHighMin = 10;         // fewer that wait raise no notice
inline constexpr std::size_t kNoticesWaitingMax = 1000;      // for space on the disk, a lane
inline constexpr std::size_t kFreshBytesMax = 32UL * 1024 * 1024;  // of events in memory, a lane
inline constexpr std::size_t kTailBytesMax = 8UL * 1024 * 1024;    // of the journal in memory
inline constexpr std::uint32_t kConcurrencyDefault = 16;
inline constexpr std::uint32_t kConcurrencyMax = 1000;
inline constexpr std::uint64_t kBacklogMaxDefault = 1'000'000;  // deliveries owed to a destination
inline constexpr Duration kDeliveryAgeMax = 24h * 5;            // then failed, reason expired
inline constexpr Duration kOrderingHoldMax = 1h;                // for a user's earlier delivery
inline constexpr std::uint64_t kDeliveriesUnsettledMax = 5'000'000;  // (option)
inline constexpr Duration kRunnableAgePause = 50ms;                  // stop reading ingest sockets
inline constexpr Duration kRunnableAgeRefuse = 1s;                   // ingest answers 429

// The journal.
inline constexpr std::uint64_t kSegmentBytes = 64ULL * 1024 * 1024;  // (option, for tests)
inline constexpr std::size_t kFrameBytesMax = 4 * 1024 * 1024;
inline constexpr Duration kLazyAppendDelay = 20ms;
inline constexpr std::size_t kDeferredBytesMax = 16UL * 1024 * 1024;  // attempts waiting for space

// The log.
inline constexpr Duration kRetentionDefault = 24h * 30;  // (option)
inline constexpr std::size_t kUnwantedKeptPerType = 100;
inline constexpr std::size_t kPageMax = 200;
inline constexpr std::size_t kPageDefault = 50;

// The inbox.
inline constexpr std::size_t kInboxRequestsKept = 100;
inline constexpr std::size_t kInboxBodyBytesMax = 64 * 1024;
inline constexpr std::uint32_t kInboxRequestsPerSecond = 20;  // from outside, a token

}  // namespace eilpost::limits

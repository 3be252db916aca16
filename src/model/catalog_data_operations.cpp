// The types of events that Eilpost itself raises, beside the 32.

#include "model/catalog_data.h"

namespace eilpost::catalog_data {
namespace {

using enum PropertyType;

constexpr PropertyRow kPaused[] = {
    {"destination.id", string, "The destination's id", "Die Id des Ziels"},
    {"destination.name", string, "The destination's name", "Der Name des Ziels"},
    {"reason", string, "Why: failing", "Warum: failing"},
    {"since", string, "Since when it is paused (ISO 8601)", "Seit wann es pausiert (ISO 8601)"},
    {"until", string, "When it is tried again (ISO 8601)",
     "Wann es wieder versucht wird (ISO 8601)"},
    {"error", string, "What came of the last attempt", "Was beim letzten Versuch geschah"},
};

constexpr PropertyRow kDisabled[] = {
    {"destination.id", string, "The destination's id", "Die Id des Ziels"},
    {"destination.name", string, "The destination's name", "Der Name des Ziels"},
    {"reason", string, "Why: answered_410 or failing", "Warum: answered_410 oder failing"},
    {"since", string, "Since when it is disabled (ISO 8601)",
     "Seit wann es abgeschaltet ist (ISO 8601)"},
};

constexpr PropertyRow kRecovered[] = {
    {"destination.id", string, "The destination's id", "Die Id des Ziels"},
    {"destination.name", string, "The destination's name", "Der Name des Ziels"},
    {"reason", string, "Why: answers", "Warum: answers"},
    {"since", string, "Since when it was paused (ISO 8601)",
     "Seit wann es pausiert hatte (ISO 8601)"},
};

constexpr PropertyRow kExpiring[] = {
    {"destination.id", string, "The destination's id", "Die Id des Ziels"},
    {"destination.name", string, "The destination's name", "Der Name des Ziels"},
    {"reason", string, "Why: expiring or expired", "Warum: expiring oder expired"},
    {"certificate.subject", string, "Whose certificate it is", "Wessen Zertifikat es ist"},
    {"certificate.issuer", string, "Who issued it", "Wer es ausgestellt hat"},
    {"certificate.field", string, "Which field of the destination holds it",
     "In welchem Feld des Ziels es steht"},
    {"certificate.not_after", string, "When it ends (ISO 8601)", "Wann es endet (ISO 8601)"},
    {"days_left", integer, "Whole days until then; below 0 it has ended",
     "Volle Tage bis dahin; unter 0 ist es abgelaufen"},
};

constexpr PropertyRow kBacklog[] = {
    {"destination.id", string, "The destination's id", "Die Id des Ziels"},
    {"destination.name", string, "The destination's name", "Der Name des Ziels"},
    {"reason", string, "Why: backlog", "Warum: backlog"},
    {"since", string, "When it became so much (ISO 8601)", "Wann es so viel wurde (ISO 8601)"},
    {"waiting", integer, "How many deliveries wait", "Wie viele Zustellungen warten"},
    {"backlog_max", integer, "How many may wait; more end as failed",
     "Wie viele warten dürfen; weitere schlagen fehl"},
};

constexpr TypeRow kTypeRows[] = {
    {"destination.paused", "Destination paused", "Ziel pausiert",
     "A destination failed too often in a row; it is tried now and then.",
     "Ein Ziel schlug zu oft nacheinander fehl; es wird ab und zu versucht.", About::eilpost,
     kPaused,
     R"("reason":"failing","since":"2026-11-24T09:00:00.123Z",)"
     R"("until":"2026-11-24T09:01:00.123Z","error":"The connection was refused.")",
     ""},
    {"destination.disabled", "Destination disabled", "Ziel abgeschaltet",
     "Eilpost disabled a destination; what it is owed is held.",
     "Eilpost hat ein Ziel abgeschaltet; was ihm zusteht, wird zurückgehalten.", About::eilpost,
     kDisabled, R"("reason":"failing","since":"2026-11-24T09:00:00.123Z")", ""},
    {"destination.recovered", "Destination recovered", "Ziel wieder erreichbar",
     "A destination that was paused answers again.", "Ein pausiertes Ziel antwortet wieder.",
     About::eilpost, kRecovered, R"("reason":"answers","since":"2026-11-24T08:00:00.123Z")", ""},
    {"certificate.expiring", "Certificate expiring", "Zertifikat läuft ab",
     "A destination's certificate ends within 30 days, or has ended; said once a day.",
     "Ein Zertifikat eines Ziels endet in 30 Tagen oder ist abgelaufen; täglich gemeldet.",
     About::eilpost, kExpiring,
     R"("reason":"expiring","certificate":{"subject":"CN=client","issuer":"CN=Example CA",)"
     R"("field":"client_certificate","not_after":"2026-12-08T09:00:00.000Z"},"days_left":14)",
     ""},
    {"backlog.high", "Backlog high", "Rückstau hoch",
     "So many deliveries wait for a destination that soon more would end as failed.",
     "Es warten so viele Zustellungen auf ein Ziel, dass weitere bald fehlschlagen.",
     About::eilpost, kBacklog,
     R"("reason":"backlog","since":"2026-11-24T09:00:00.123Z","waiting":800000,)"
     R"("backlog_max":1000000)",
     ""},
};

}  // namespace

const GroupRow kOperations = {"operations", "Operations", "Betrieb"};
const std::span<const TypeRow> kOperationTypes = kTypeRows;

const std::string_view kOperationSampleData =
    R"(","time":"2026-11-24T09:00:00.123Z",)"
    R"("data":{"destination":{"id":"dst_01d6x3kq9m2vz","name":"NPS channel"},)";
const std::string_view kOperationSampleTail = "}}";

}  // namespace eilpost::catalog_data

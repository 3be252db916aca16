#include "server/notices.h"

#include <fmt/format.h>
#include <utility>

#include "base/hash.h"
#include "base/iso_time.h"
#include "settings/certificates.h"

namespace eilpost::server {
namespace {

Json about(const Destination& destination) {
  return {{"id", to_string(destination.id)}, {"name", destination.name}};
}

}  // namespace

Notice disabled_notice(const Destination& destination) {
  Json data = {{"destination", about(destination)},
               {"reason", destination.state_reason},
               {"since", format_iso_time(destination.state_since)}};
  return {
      .type = "destination.disabled", .about = destination.id, .data = std::move(data), .id = {}};
}

std::vector<Notice> certificate_notices(const Destination& destination, WallTime now) {
  const std::string day = format_iso_time(now).substr(0, 10);
  std::vector<Notice> notices;
  for (const settings::EndingCertificate& ending :
       settings::ending_certificates(destination, now)) {
    const CertificateNote& note = ending.note;
    Json certificate = {{"subject", note.subject},
                        {"issuer", note.issuer},
                        {"field", ending.field},
                        {"not_after", format_iso_time(note.not_after)}};
    const std::uint64_t key = hash64(to_text(certificate), /*seed=*/0);
    Json data = {{"destination", about(destination)},
                 {"reason", ending.days_left < 0 ? "expired" : "expiring"},
                 {"certificate", std::move(certificate)},
                 {"days_left", ending.days_left}};
    notices.push_back(
        {.type = "certificate.expiring",
         .about = destination.id,
         .data = std::move(data),
         .id = fmt::format("certificate-{}-{:016x}-{}", to_string(destination.id), key, day)});
  }
  return notices;
}

}  // namespace eilpost::server

#include "settings/certificates.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/encoding.h"
#include "base/iso_time.h"
#include "model/limits.h"
#include "settings/object_reader.h"
#include "settings/secret_json.h"

namespace eilpost::settings {
namespace {

constexpr std::string_view kAuthorities = "ca_certificates";
constexpr std::string_view kClient = "client_certificate";

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

std::string read_pem(ObjectReader& reader, std::string_view key) {
  std::string pem = reader.text(key).value_or("");
  if (pem.size() <= limits::kCertificateBytesMax) return pem;
  reader.error("too_long",
               fmt::format("\"{}\" has at most {} bytes.", key, limits::kCertificateBytesMax), key);
  return {};
}

// Takes certificate and key from an uploaded file.
void read_pkcs12(ObjectReader& reader, TlsSettings& tls) {
  const std::string password = reader.text("client_pkcs12_password").value_or("");
  const auto text = reader.text("client_pkcs12");
  if (!text) return;
  const auto file = decode_base64(*text);
  if (!file || file->size() > limits::kCertificateBytesMax) {
    reader.error("bad_pkcs12",
                 fmt::format("\"client_pkcs12\" is the file in base64, at most {} bytes of it.",
                             limits::kCertificateBytesMax),
                 "client_pkcs12");
    return;
  }
  auto identity = crypto::read_pkcs12(*file, password);
  if (!identity) {
    reader.error(identity.error().code, identity.error().detail, "client_pkcs12");
    return;
  }
  tls.client_certificate = std::move(identity->certificate_pem);
  tls.client_key = std::move(identity->key_pem);
}

void add_notes(std::string_view field, const std::string& pem, TlsSettings& tls) {
  if (pem.empty()) return;
  for (crypto::Certificate& each : crypto::read_certificates(pem)) {
    tls.certificates.push_back({.field = std::string(field),
                                .subject = std::move(each.subject),
                                .issuer = std::move(each.issuer),
                                .not_before = each.not_before,
                                .not_after = each.not_after});
  }
}

void note_certificates(TlsSettings& tls) {
  tls.certificates.clear();
  add_notes(kClient, tls.client_certificate, tls);
  add_notes(kAuthorities, tls.ca_certificates, tls);
}

void add_problems(const std::vector<crypto::CertificateProblem>& found, std::string_view field,
                  Problems& problems) {
  for (const crypto::CertificateProblem& each : found) {
    problems.error(each.code, each.detail, fmt::format("/tls/{}", field));
  }
}

void check_client(TlsSettings& tls, const crypto::FindTrusted& find_trusted, WallTime now,
                  Problems& problems) {
  if (tls.client_certificate.empty()) {
    if (tls.client_key.empty()) return;
    problems.error("certificate_missing",
                   "A private key is of use only with its certificate: give that one, too.",
                   "/tls/client_certificate");
    return;
  }
  crypto::CheckedCertificates checked =
      crypto::check_client_certificates(tls.client_certificate, find_trusted, now);
  add_problems(checked.problems, kClient, problems);
  if (tls.client_key.empty()) {
    problems.error("key_missing", "Give the private key of the client certificate.",
                   "/tls/client_key");
    return;
  }
  if (checked.pem.empty()) return;  // Nothing that a key could belong to.
  tls.client_certificate = std::move(checked.pem);
  if (const auto wrong = crypto::check_client_key(tls.client_certificate, tls.client_key)) {
    add_problems({*wrong}, "client_key", problems);
  }
}

}  // namespace

Json tls_to_json(const TlsSettings& tls, bool show_secrets) {
  Json json = {{"ca_certificates", text_or_null(tls.ca_certificates)},
               {"trust", tls.trusts_system_too ? "both" : "own"},
               {"client_certificate", text_or_null(tls.client_certificate)}};
  json["client_key"] =
      tls.client_key.empty() ? Json() : secret_to_json(tls.client_key, show_secrets);
  Json certificates = Json::array();
  for (const CertificateNote& note : tls.certificates) {
    certificates.push_back({{"field", note.field},
                            {"subject", note.subject},
                            {"issuer", note.issuer},
                            {"not_before", format_iso_time(note.not_before)},
                            {"not_after", format_iso_time(note.not_after)}});
  }
  const auto first = std::ranges::min_element(tls.certificates, {}, &CertificateNote::not_after);
  json["expires_at"] =
      first == tls.certificates.end() ? Json() : Json(format_iso_time(first->not_after));
  json["certificates"] = std::move(certificates);
  return json;
}

TlsSettings tls_from_json(const Json* json, const TlsSettings* kept, Problems& problems) {
  TlsSettings tls;
  if (json == nullptr) return tls;
  ObjectReader reader(*json, "/tls", problems);
  reader.ignore({"expires_at", "certificates"});
  tls.ca_certificates = read_pem(reader, kAuthorities);
  tls.client_certificate = read_pem(reader, kClient);
  tls.client_key = read_secret(reader, "client_key", kept == nullptr ? "" : kept->client_key);
  if (tls.client_key.size() > limits::kCertificateBytesMax) {
    reader.error("too_long", "This is no private key: it is too long.", "client_key");
  }
  const std::string trust = reader.text("trust").value_or("own");
  if (trust != "own" && trust != "both") {
    reader.error("unknown_value",
                 "\"trust\" is own (only `ca_certificates`, if there are any) or both (what the "
                 "machine trusts, too).",
                 "trust");
  }
  tls.trusts_system_too = trust == "both";
  read_pkcs12(reader, tls);
  reader.finish();
  // A key that was only kept goes with its certificate.
  const Json* key = reader.find("client_key");
  const bool is_key_new = key != nullptr && key->is_string();
  if (tls.client_certificate.empty() && !is_key_new) tls.client_key.clear();
  note_certificates(tls);
  return tls;
}

void check_tls(TlsSettings& tls, const crypto::FindTrusted& find_trusted, WallTime now,
               Problems& problems) {
  if (!tls.ca_certificates.empty()) {
    crypto::CheckedCertificates checked =
        crypto::check_authorities(tls.ca_certificates, find_trusted, now);
    add_problems(checked.problems, kAuthorities, problems);
    if (!checked.pem.empty()) tls.ca_certificates = std::move(checked.pem);
  }
  check_client(tls, find_trusted, now, problems);
  note_certificates(tls);
}

std::vector<EndingCertificate> ending_certificates(const Destination& destination, WallTime now) {
  std::vector<EndingCertificate> ending;
  const auto add = [&](const TlsSettings& tls, std::string_view where) {
    for (const CertificateNote& note : tls.certificates) {
      const auto left = note.not_after - now;
      if (left > limits::kCertificateWarning) continue;
      ending.push_back({.note = note,
                        .field = fmt::format("{}.{}", where, note.field),
                        .days_left = std::chrono::floor<std::chrono::days>(left).count()});
    }
  };
  add(destination.tls, "tls");
  if (const auto oauth = destination.authentication.oauth; oauth != nullptr) {
    add(oauth->tls, "authentication.tls");
  }
  return ending;
}

std::vector<Problem> certificate_warnings(const TlsSettings& tls, WallTime now) {
  using std::chrono::days;
  std::vector<Problem> warnings;
  for (const CertificateNote& note : tls.certificates) {
    const auto left = note.not_after - now;
    if (left > limits::kCertificateWarning) continue;
    const std::string day = format_iso_time(note.not_after).substr(0, 10);
    const std::string pointer = fmt::format("/tls/{}", note.field);
    if (note.not_after <= now) {
      warnings.push_back(
          {.code = "certificate_expired",
           .detail = fmt::format("\"{}\" has expired on {}: replace it.", note.subject, day),
           .pointer = pointer});
      continue;
    }
    const auto days_left = std::chrono::floor<days>(left).count();
    warnings.push_back(
        {.code = "certificate_expiring",
         .detail = fmt::format("\"{}\" expires on {}, in {} day{}: replace it before.",
                               note.subject, day, days_left, days_left == 1 ? "" : "s"),
         .pointer = pointer});
  }
  return warnings;
}

}  // namespace eilpost::settings

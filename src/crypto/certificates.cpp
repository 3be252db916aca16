#include "crypto/certificates.h"

#include <array>
#include <ctime>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/x509.h"

namespace eilpost::crypto {
namespace internal {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

std::unexpected<CertificateProblem> refuse(std::string code, std::string detail) {
  return std::unexpected(CertificateProblem{.code = std::move(code), .detail = std::move(detail)});
}

// What a part that is no certificate is, and what to do about it; empty for a certificate.
std::string_view advice_for(std::string_view label) {
  if (label == "CERTIFICATE" || label == "X509 CERTIFICATE") return {};
  if (label.ends_with("PRIVATE KEY")) {
    return "is a private key, which belongs into a field of its own: `client_key`";
  }
  if (label.ends_with("CERTIFICATE REQUEST")) {
    return "is a certificate request (CSR): give the certificate that the authority made of it";
  }
  if (label == "PKCS7") {
    return "is PKCS #7: convert it with `openssl pkcs7 -print_certs`";
  }
  if (label == "TRUSTED CERTIFICATE") {
    return "is in OpenSSL's own form: convert it with `openssl x509 -in FILE`";
  }
  return "is no certificate: a certificate begins with -----BEGIN CERTIFICATE-----";
}

// The next part of a PEM text, from its BEGIN line to its END line, or what keeps it from being
// one.
std::expected<std::string_view, CertificateProblem> take_part(std::string_view& rest,
                                                              std::size_t number) {
  const std::size_t begin = rest.find(kBegin);
  if (const std::size_t end = rest.find(kEnd); end < begin) {
    return refuse("not_whole",
                  fmt::format("Certificate {} is not whole: the line -----BEGIN CERTIFICATE----- "
                              "before its end is missing.",
                              number));
  }
  rest.remove_prefix(begin);
  const std::string_view after = rest.substr(kBegin.size());
  const std::string_view label = after.substr(0, after.find(kDashes));
  if (const std::string_view advice = advice_for(label); !advice.empty()) {
    return refuse("not_pem", fmt::format("Part {} of the text {}.", number, advice));
  }
  const std::string end_line = fmt::format("{}{}{}", kEnd, label, kDashes);
  const std::size_t end = rest.find(end_line);
  if (end == std::string_view::npos || after.find(kBegin) < end - kBegin.size()) {
    return refuse("not_whole", fmt::format("Certificate {} is not whole: its last line, {}, is "
                                           "missing.",
                                           number, end_line));
  }
  const std::string_view part = rest.substr(0, end + end_line.size());
  rest.remove_prefix(part.size());
  return part;
}

// Never asks the terminal for a passphrase.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*is_for_writing*/, void* /*data*/) {
  return -1;
}

}  // namespace

BioPointer text_source(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string taken_text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<std::size_t>(size));
}

std::string take_reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", error);
}

std::string name_text(const X509_NAME* name) {
  const BioPointer memory(BIO_new(BIO_s_mem()));
  constexpr unsigned long kFlags =
      XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL;
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, kFlags) < 0) return "?";
  std::string text = taken_text(memory.get());
  return text.empty() ? "(no name)" : text;
}

std::string subject_of(const X509* certificate) {
  return name_text(X509_get_subject_name(certificate));
}

std::string issuer_of(const X509* certificate) {
  return name_text(X509_get_issuer_name(certificate));
}

WallTime to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

std::string date_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

Certificate describe(const X509* certificate) {
  return {.subject = subject_of(certificate),
          .issuer = issuer_of(certificate),
          .not_before = to_wall_time(X509_get0_notBefore(certificate)),
          .not_after = to_wall_time(X509_get0_notAfter(certificate))};
}

std::string to_pem(X509* certificate) {
  const BioPointer memory(BIO_new(BIO_s_mem()));
  if (memory == nullptr || PEM_write_bio_X509(memory.get(), certificate) != 1) return {};
  return taken_text(memory.get());
}

std::expected<X509List, CertificateProblem> parse_certificates(std::string_view pem) {
  if (!pem.contains(kBegin) && !pem.contains(kEnd)) {
    return refuse("not_pem",
                  "There is no certificate in PEM: it begins with the line -----BEGIN "
                  "CERTIFICATE----- and ends with -----END CERTIFICATE-----.");
  }
  if (pem.contains("-----\\n")) {
    return refuse("not_pem",
                  "The line breaks of the PEM text have become the two characters \\ and n: give "
                  "real line breaks.");
  }
  X509List certificates;
  while (pem.contains(kBegin) || pem.contains(kEnd)) {
    const std::size_t number = certificates.size() + 1;
    if (number > kCertificatesMax) {
      return refuse("not_pem",
                    fmt::format("There are more than {} certificates.", kCertificatesMax));
    }
    const auto part = take_part(pem, number);
    if (!part) return std::unexpected(part.error());
    const BioPointer source = text_source(*part);
    X509Pointer certificate(PEM_read_bio_X509(source.get(), nullptr, no_passphrase, nullptr));
    if (certificate == nullptr) {
      return refuse("not_whole",
                    fmt::format("Certificate {} is damaged or cut off and cannot be read ({}).",
                                number, take_reason()));
    }
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace internal

std::vector<Certificate> read_certificates(std::string_view pem) {
  std::vector<Certificate> described;
  const auto certificates = internal::parse_certificates(pem);
  if (!certificates) return described;
  for (const internal::X509Pointer& each : *certificates) {
    described.push_back(internal::describe(each.get()));
  }
  return described;
}

}  // namespace eilpost::crypto

#include "env/real/tls_text.h"

#include <ctime>
#include <fmt/format.h>
#include <memory>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <vector>

#include "env/network.h"

namespace eilpost::env {
namespace {

constexpr std::size_t kNamesShownMax = 5;

std::string date_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string ip_text(const ASN1_OCTET_STRING* bytes) {
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return "?";
  Address address{.is_v6 = length == 16};
  std::copy_n(ASN1_STRING_get0_data(bytes), length, address.bytes.begin());
  return to_string(address);
}

std::string general_name_text(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  if (type == GEN_IPADD) return ip_text(static_cast<const ASN1_OCTET_STRING*>(value));
  if (type != GEN_DNS) return {};
  const auto* text = static_cast<const ASN1_STRING*>(value);
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// The names that a certificate is for, or its common name if it lists none.
std::string certificate_names(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string result;
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  std::size_t shown = 0;
  for (int i = 0; i < count; ++i) {
    const std::string text = general_name_text(sk_GENERAL_NAME_value(names.get(), i));
    if (text.empty()) continue;
    if (shown == kNamesShownMax) return result + ", ...";
    result += (shown++ == 0 ? "" : ", ") + text;
  }
  return result.empty() ? name_text(X509_get_subject_name(certificate)) : result;
}

}  // namespace

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  constexpr unsigned long kFlags =
      XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_CTRL;
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, kFlags) < 0) return "?";
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  if (size <= 0) return "(no name)";
  return {data, static_cast<std::size_t>(size)};
}

std::string describe_verify_failure(X509_STORE_CTX* context, std::string_view server_name) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) return X509_verify_cert_error_string(error);

  const std::string subject = name_text(X509_get_subject_name(certificate));
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("certificate \"{}\" has expired on {}", subject,
                         date_text(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("certificate \"{}\" is not valid before {}", subject,
                         date_text(X509_get0_notBefore(certificate)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("issuer \"{}\" of certificate \"{}\" is not trusted",
                         name_text(X509_get_issuer_name(certificate)), subject);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format("self-signed certificate \"{}\" is not trusted", subject);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("name {} does not match (certificate is for {})", server_name,
                         certificate_names(certificate));
    default:
      return fmt::format("certificate \"{}\": {}", subject, X509_verify_cert_error_string(error));
  }
}

std::string take_openssl_reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", error);
}

}  // namespace eilpost::env

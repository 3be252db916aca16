#pragma once
// What went wrong in TLS, in words for the person who set up the destination.

#include <openssl/x509.h>
#include <string>
#include <string_view>

namespace eilpost::env {

// "CN = example.com, O = Example" (RFC 2253 order, UTF-8).
[[nodiscard]] std::string name_text(const X509_NAME* name);

// Why the certificate at which the verification stopped is not accepted: its subject, and
// "has expired on 2024-01-31", "issuer ... is not trusted", "name ... does not match (...)".
[[nodiscard]] std::string describe_verify_failure(X509_STORE_CTX* context,
                                                  std::string_view server_name);

// Empties OpenSSL's error queue of this thread and says its first reason.
[[nodiscard]] std::string take_openssl_reason();

}  // namespace eilpost::env

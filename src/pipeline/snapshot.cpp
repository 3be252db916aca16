#include "pipeline/snapshot.h"

namespace eilpost::pipeline {

env::TlsOptions tls_options_of(const TlsSettings& settings) {
  env::TlsOptions options{.alpn = {"http/1.1"}};
  if (!settings.ca_certificates.empty()) {
    options.trust = settings.trusts_system_too ? env::Trust::both : env::Trust::own;
    options.ca_certificates_pem = settings.ca_certificates;
  }
  options.client_certificate_pem = settings.client_certificate;
  options.client_key_pem = settings.client_key;
  return options;
}

}  // namespace eilpost::pipeline

#include "env/sim/sim_tls.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace eilpost::env {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN ";

bool matches(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.")) return iequals(pattern, name);
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return false;
  return iequals(pattern.substr(1), name.substr(dot));
}

bool is_trusted(const SimTlsIdentity& server, const TlsOptions& client) {
  const bool by_system = client.trust != Trust::own && server.trusted_by_system;
  const bool by_own = client.trust != Trust::system && !server.issuer_pem.empty() &&
                      client.ca_certificates_pem.contains(server.issuer_pem);
  return by_system || by_own;
}

std::unexpected<Error> refuse(std::string detail) {
  return fail(ErrorCode::tls_failed, std::move(detail));
}

}  // namespace

Result<std::string> shake_hands(const SimTlsIdentity& server, const ConnectOptions& client) {
  const TlsOptions& options = static_cast<const SimTlsContext&>(*client.tls).options();
  if (!server.problem.empty()) return refuse(server.problem);
  if (!is_trusted(server, options)) return refuse("unable to get local issuer certificate");
  const bool has_name = std::ranges::any_of(
      server.names, [&](const std::string& name) { return matches(name, client.server_name); });
  if (!has_name) return refuse("the certificate is not for " + client.server_name);
  if (server.requires_client_certificate && options.client_certificate_pem.empty()) {
    return refuse("the server asks for a client certificate");
  }
  const std::vector<std::string>& offered = client.alpn.empty() ? options.alpn : client.alpn;
  if (server.alpn.empty() || offered.empty()) return std::string();
  for (const std::string& protocol : server.alpn) {
    if (std::ranges::find(offered, protocol) != offered.end()) return protocol;
  }
  return refuse("no common application protocol");
}

Result<void> check_tls_options(const TlsOptions& options) {
  const std::pair<const std::string&, const char*> parts[] = {
      {options.ca_certificates_pem, "ca_certificates: not PEM"},
      {options.client_certificate_pem, "client_certificate: not PEM"},
      {options.client_key_pem, "client_key: not PEM"}};
  for (const auto& [pem, complaint] : parts) {
    if (!pem.empty() && !pem.contains(kPemBegin)) return fail(ErrorCode::bad_input, complaint);
  }
  if (options.client_certificate_pem.empty() != options.client_key_pem.empty()) {
    return fail(ErrorCode::bad_input, "client_certificate and client_key belong together");
  }
  return {};
}

}  // namespace eilpost::env

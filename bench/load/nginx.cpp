#include "load/nginx.h"

#include <arpa/inet.h>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace eilpost::bench {
namespace {

constexpr Duration kStartTime = std::chrono::milliseconds(300);

// A port that nobody listens on; nginx cannot be asked which one it chose. 0 if there is none.
std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound =
      ::bind(descriptor, general, size) == 0 && ::getsockname(descriptor, general, &size) == 0;
  ::close(descriptor);
  return is_bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

}  // namespace

Result<std::uint16_t> Nginx::start(const NginxSite& site) {
  const std::string nginx = load::find_program("nginx");
  if (nginx.empty()) return fail(ErrorCode::not_found, "nginx");
  const std::uint16_t port = free_port();
  if (port == 0) return fail(ErrorCode::listen_failed, "nginx");
  write_config(site, port);
  EILPOST_RETURN_IF_ERROR(
      process_.start({nginx, "-p", folder_, "-e", "stderr", "-c", folder_ + "/nginx.conf"}, {},
                     folder_ + "/nginx.log"));
  load::pause_thread(kStartTime);  // Nothing tells when it listens.
  if (!process_.is_running()) return fail(ErrorCode::listen_failed, "nginx");
  return port;
}

void Nginx::write_config(const NginxSite& site, std::uint16_t port) const {
  std::ofstream config(folder_ + "/nginx.conf");
  config << "daemon off; master_process off; pid " << folder_ << "/pid; error_log stderr crit;\n"
         << "events { worker_connections 1024; }\n"
         << "http { access_log off; keepalive_requests 100000000;\n"
         << "  client_body_temp_path " << folder_ << "/b; proxy_temp_path " << folder_ << "/p;\n"
         << "  fastcgi_temp_path " << folder_ << "/f; uwsgi_temp_path " << folder_ << "/u;\n"
         << "  scgi_temp_path " << folder_ << "/s;\n";
  if (!site.upstream.empty()) {
    config << "  upstream receiver { server " << site.upstream
           << "; keepalive 256; keepalive_requests 100000000; }\n"
           << "  proxy_http_version 1.1; proxy_set_header Connection \"\";\n";
  }
  config << "  server { listen 127.0.0.1:" << port;
  if (!site.chain_pem.empty()) {
    std::ofstream(folder_ + "/chain.pem") << site.chain_pem;
    std::ofstream(folder_ + "/key.pem") << site.key_pem;
    config << (site.speaks_http2 ? " ssl http2" : " ssl") << "; ssl_certificate " << folder_
           << "/chain.pem; ssl_certificate_key " << folder_ << "/key.pem";
  }
  config << "; location / { " << site.location << " } } }\n";
}

}  // namespace eilpost::bench

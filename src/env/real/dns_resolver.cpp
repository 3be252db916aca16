#include "env/real/dns_resolver.h"

#include <algorithm>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <string>
#include <utility>

#include "base/assert.h"
#include "env/real/socket_address.h"

namespace eilpost::env {
namespace {

using AddressListPointer = std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)>;

std::string failure_text(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return "there is no such name (NXDOMAIN)";
    case ARES_ENODATA:
      return "the name has no address";
    // c-ares asks the next server then, and says this when there is none left.
    case ARES_ECONNREFUSED:
      return "server failure: each DNS server failed, refused or could not be reached";
    case ARES_ETIMEOUT:
      return "time-out: no DNS server answered";
    case ARES_EBADNAME:
      return "not a valid name";
    default:
      return ares_strerror(status);
  }
}

Result<Resolved> to_resolved(const std::string& host, const ares_addrinfo* list) {
  Resolved resolved{.addresses = {}, .time_to_live = DnsResolver::kTimeToLiveMax};
  for (const ares_addrinfo_node* node = list->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    SocketAddress socket_address;
    socket_address.size_bytes =
        std::min<socklen_t>(node->ai_addrlen, sizeof socket_address.storage);
    std::memcpy(&socket_address.storage, node->ai_addr, socket_address.size_bytes);
    const Address address = to_endpoint(socket_address).address;
    if (std::ranges::find(resolved.addresses, address) == resolved.addresses.end()) {
      resolved.addresses.push_back(address);
    }
    const Duration time_to_live = std::chrono::seconds(node->ai_ttl);
    resolved.time_to_live = std::min(resolved.time_to_live, time_to_live);
  }
  resolved.time_to_live = std::max(resolved.time_to_live, DnsResolver::kTimeToLiveMin);
  if (resolved.addresses.empty()) {
    return fail(ErrorCode::name_not_resolved, host + ": " + failure_text(ARES_ENODATA));
  }
  return resolved;
}

}  // namespace

// Shared by the Operation, which may end first, and c-ares, which cannot forget one question.
struct DnsResolver::Lookup final : Ready {
  Lookup(Reactor& reactor_to_use, std::string_view host_to_find, Callback callback)
      : reactor(reactor_to_use), host(host_to_find), done(std::move(callback)) {}

  void finish(Result<Resolved> outcome) {
    if (!done) return;
    result = std::move(outcome);
    reactor.enqueue(*this);
  }

  void on_ready() override {
    Callback callback = std::exchange(done, nullptr);
    Result<Resolved> outcome = std::move(result);
    callback(std::move(outcome));
  }

  Reactor& reactor;
  std::string host;
  Callback done;
  Result<Resolved> result;
};

struct DnsResolver::LookupOperation final : Operation {
  explicit LookupOperation(std::shared_ptr<Lookup> lookup_to_own)
      : lookup(std::move(lookup_to_own)) {}
  LookupOperation(const LookupOperation&) = delete;
  LookupOperation& operator=(const LookupOperation&) = delete;
  ~LookupOperation() override {
    lookup->done = nullptr;
    lookup->withdraw();
  }

  std::shared_ptr<Lookup> lookup;
};

class DnsResolver::SocketWatch final : public Watch {
 public:
  SocketWatch(DnsResolver& resolver, ares_socket_t socket) : resolver_(resolver), socket_(socket) {}

  void on_events(std::uint32_t events) override {
    // c-ares may close the socket meanwhile, which destroys this object.
    const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    const bool readable = failed || (events & EPOLLIN) != 0;
    const bool writable = failed || (events & EPOLLOUT) != 0;
    resolver_.process(readable ? socket_ : ARES_SOCKET_BAD, writable ? socket_ : ARES_SOCKET_BAD);
  }

 private:
  DnsResolver& resolver_;
  ares_socket_t socket_;
};

DnsResolver::DnsResolver(Reactor& reactor, Timers& timers, Clock& clock, DnsOptions options)
    : reactor_(reactor), timers_(timers), clock_(clock), options_(std::move(options)) {}

DnsResolver::~DnsResolver() {
  // Ends every question with ARES_EDESTRUCTION and closes the sockets.
  if (channel_ != nullptr) ares_destroy(channel_);
  if (timer_) timers_.cancel(*timer_);
}

std::unique_ptr<Operation> DnsResolver::resolve(std::string_view host, Callback done) {
  auto lookup = std::make_shared<Lookup>(reactor_, host, std::move(done));
  auto operation = std::make_unique<LookupOperation>(lookup);
  if (const Result<Address> address = parse_address(host)) {
    lookup->finish(Resolved{.addresses = {*address}, .time_to_live = kTimeToLiveMax});
    return operation;
  }
  if (host.empty() || host.contains('\0')) {
    lookup->finish(fail(ErrorCode::name_not_resolved, failure_text(ARES_EBADNAME)));
    return operation;
  }
  if (Result<void> opened = open_channel(); !opened) {
    lookup->finish(std::unexpected(std::move(opened).error()));
    return operation;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto owner = std::make_unique<std::shared_ptr<Lookup>>(lookup);
  ares_getaddrinfo(channel_, lookup->host.c_str(), nullptr, &hints, on_addresses, owner.release());
  renew_timer();
  return operation;
}

Result<void> DnsResolver::open_channel() {
  if (channel_ != nullptr) return {};
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options_.timeout);
  ares_options settings{};
  settings.timeout = static_cast<int>(timeout.count());
  settings.tries = options_.tries;
  settings.sock_state_cb = on_socket_state;
  settings.sock_state_cb_data = this;
  int status = ares_init_options(&channel_, &settings,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS && !options_.servers.empty()) {
    std::string servers;
    for (const Endpoint& server : options_.servers) {
      servers += (servers.empty() ? "" : ",") + to_string(server);
    }
    status = ares_set_servers_ports_csv(channel_, servers.c_str());
  }
  if (status == ARES_SUCCESS) return {};
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  return fail(ErrorCode::name_not_resolved, std::string("c-ares: ") + ares_strerror(status));
}

void DnsResolver::on_socket_state(void* self, ares_socket_t socket, int readable, int writable) {
  auto& resolver = *static_cast<DnsResolver*>(self);
  std::unique_ptr<SocketWatch>& watch = resolver.watches_[socket];
  if (readable == 0 && writable == 0) {
    if (watch != nullptr) resolver.reactor_.remove(socket, *watch);
    resolver.watches_.erase(socket);
    return;
  }
  const std::uint32_t events = (readable != 0 ? std::uint32_t{EPOLLIN} : 0U) |
                               (writable != 0 ? std::uint32_t{EPOLLOUT} : 0U);
  if (watch != nullptr) return resolver.reactor_.modify(socket, events, *watch);
  watch = std::make_unique<SocketWatch>(resolver, socket);
  // If it cannot be watched the question ends by its time limit.
  if (!resolver.reactor_.add(socket, events, *watch)) resolver.watches_.erase(socket);
}

void DnsResolver::on_addresses(void* owner, int status, int, ares_addrinfo* addresses) {
  const AddressListPointer list(addresses, ares_freeaddrinfo);
  const std::unique_ptr<std::shared_ptr<Lookup>> lookup(
      static_cast<std::shared_ptr<Lookup>*>(owner));
  Lookup& target = **lookup;
  if (status == ARES_SUCCESS && list != nullptr) {
    target.finish(to_resolved(target.host, list.get()));
  } else {
    target.finish(fail(ErrorCode::name_not_resolved, target.host + ": " + failure_text(status)));
  }
}

void DnsResolver::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  renew_timer();
}

void DnsResolver::renew_timer() {
  if (timer_) timers_.cancel(*std::exchange(timer_, std::nullopt));
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) return;
  const Duration until =
      std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
  // c-ares looks at its own clock, which may be a little behind ours: a moment more spares a turn.
  timer_ = timers_.call_at(clock_.now() + until + std::chrono::milliseconds(1), [this] {
    timer_.reset();
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

}  // namespace eilpost::env

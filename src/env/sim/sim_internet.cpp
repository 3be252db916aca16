#include "env/sim/sim_internet.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"

namespace eilpost::env {
namespace {

constexpr std::uint16_t kEphemeralPortMin = 20'000;

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return to_ascii_lower(name);
}

bool is_unspecified(const Address& address) {
  return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}

bool is_loopback(const Address& address) {
  if (!address.is_v6) return address.bytes[0] == 127;
  return std::ranges::all_of(address.bytes.begin(), address.bytes.end() - 1,
                             [](std::uint8_t byte) { return byte == 0; }) &&
         address.bytes.back() == 1;
}

Address v4(std::uint32_t value) {
  Address address;
  for (std::size_t i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
  return address;
}

// Where packets of a machine at `own` to `target` seem to come from.
Address source_of(const Address& own, const Address& target) {
  if (!is_loopback(target) && !is_unspecified(target)) return own;
  if (!target.is_v6) return v4(0x7F00'0001);
  Address loopback;
  loopback.is_v6 = true;
  loopback.bytes.back() = 1;
  return loopback;
}

}  // namespace

SimInternet::SimInternet(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed,
                         SimDelay delay)
    : clock_(clock), scheduler_(scheduler), random_(seed), delay_(delay) {}

void SimInternet::set_name(std::string_view name, std::vector<Address> addresses,
                           Duration time_to_live) {
  Name& entry = names_[canonical(name)];
  entry.addresses = std::move(addresses);
  entry.time_to_live = time_to_live;
  entry.hangs = false;
}

void SimInternet::remove_name(std::string_view name) {
  set_name(name, {});
}

void SimInternet::hang_name(std::string_view name) {
  names_[canonical(name)].hangs = true;
}

std::uint64_t SimInternet::lookup_count(std::string_view name) const {
  const auto found = names_.find(canonical(name));
  return found == names_.end() ? 0 : found->second.lookup_count;
}

Address SimInternet::new_address() {
  return v4(next_address_++);
}

void SimInternet::set_reach(const Address& address, SimReach reach) {
  site(address).reach = reach;
  if (reach != SimReach::silent) return;
  for (const auto& connection : connections()) {
    const auto& endpoints = connection->options().endpoints;
    if (endpoints[0].address == address || endpoints[1].address == address) connection->go_silent();
  }
}

void SimInternet::set_delay(const Address& address, SimDelay delay) {
  site(address).delay = delay;
}

void SimInternet::break_connections(const Address& address) {
  for (const auto& connection : connections()) {
    const auto& endpoints = connection->options().endpoints;
    if (endpoints[0].address == address || endpoints[1].address == address) connection->break_off();
  }
}

std::size_t SimInternet::connections_count(const Address& address) const {
  return static_cast<std::size_t>(std::ranges::count_if(connections_, [&](const auto& weak) {
    const auto connection = weak.lock();
    if (!connection || connection->is_over()) return false;
    const auto& endpoints = connection->options().endpoints;
    return endpoints[0].address == address || endpoints[1].address == address;
  }));
}

void SimInternet::set_tls(const Endpoint& endpoint, SimTlsIdentity identity) {
  clear_tls(endpoint);
  identities_.emplace_back(endpoint, std::move(identity));
}

void SimInternet::clear_tls(const Endpoint& endpoint) {
  std::erase_if(identities_, [&](const auto& entry) { return entry.first == endpoint; });
}

void SimInternet::drop(const std::vector<SimQueueId>& queues) {
  const auto is_theirs = [&](SimQueueId queue) {
    return std::ranges::find(queues, queue) != queues.end();
  };
  std::erase_if(listeners_, [&](const ListenerEntry& entry) { return is_theirs(entry.queue); });
  for (const auto& connection : connections()) {
    for (const std::size_t side : {0U, 1U}) {
      if (is_theirs(connection->options().queues[side])) connection->abandon(side);
    }
  }
}

std::optional<Result<Resolved>> SimInternet::look_up(std::string_view name) {
  if (const Result<Address> address = parse_address(name)) {
    return Resolved{.addresses = {*address}, .time_to_live = Duration::max()};
  }
  Name& entry = names_[canonical(name)];
  ++entry.lookup_count;
  if (entry.hangs) return std::nullopt;
  if (entry.addresses.empty()) return fail(ErrorCode::name_not_resolved, std::string(name));
  return Resolved{.addresses = entry.addresses, .time_to_live = entry.time_to_live};
}

SimInternet::Site& SimInternet::site(const Address& address) {
  const auto found = std::ranges::find(sites_, address, &Site::address);
  if (found != sites_.end()) return *found;
  return sites_.emplace_back(Site{.address = address, .delay = {}});
}

SimReach SimInternet::reach_between(const Address& a, const Address& b) const {
  for (const Site& site : sites_) {
    const bool is_concerned = site.address == a || site.address == b;
    if (is_concerned && site.reach != SimReach::normal) return site.reach;
  }
  return SimReach::normal;
}

SimDelay SimInternet::delay_between(const Address& a, const Address& b) const {
  for (const Site& site : sites_) {
    if (site.delay && (site.address == a || site.address == b)) return *site.delay;
  }
  return delay_;
}

Duration SimInternet::draw(const SimDelay& delay) {
  const auto spread = static_cast<std::uint64_t>((delay.max - delay.min).count());
  return delay.min + Duration(random_.next() % (spread + 1));
}

class SimListener final : public Listener {
 public:
  SimListener(SimInternet& internet, std::uint64_t id, const Endpoint& endpoint,
              std::shared_ptr<SimInternet::Acceptor> acceptor)
      : internet_(internet), id_(id), endpoint_(endpoint), acceptor_(std::move(acceptor)) {}
  SimListener(const SimListener&) = delete;
  SimListener& operator=(const SimListener&) = delete;
  ~SimListener() override {
    acceptor_->is_open = false;
    std::erase_if(internet_.listeners_, [this](const auto& entry) { return entry.id == id_; });
  }

  [[nodiscard]] Endpoint local_endpoint() const override { return endpoint_; }

 private:
  SimInternet& internet_;
  std::uint64_t id_;
  Endpoint endpoint_;
  std::shared_ptr<SimInternet::Acceptor> acceptor_;
};

Result<std::unique_ptr<Listener>> SimInternet::add_listener(ListenerEntry entry) {
  if (entry.endpoint.port == 0) entry.endpoint.port = free_port(entry.endpoint.address);
  for (const ListenerEntry& other : listeners_) {
    if (other.endpoint == entry.endpoint && other.host != entry.host) {
      return fail(ErrorCode::listen_failed, to_string(entry.endpoint) + ": address in use");
    }
  }
  entry.id = next_listener_++;
  auto listener = std::make_unique<SimListener>(*this, entry.id, entry.endpoint, entry.acceptor);
  listeners_.push_back(std::move(entry));
  return listener;
}

// One of those that listen there, as the seed says.
const SimInternet::ListenerEntry* SimInternet::find_listener(const Endpoint& endpoint) {
  const ListenerEntry* chosen = nullptr;
  std::uint64_t candidates = 0;
  for (const ListenerEntry& entry : listeners_) {
    const Address& address = endpoint.address;
    const bool is_own = is_loopback(address) || is_unspecified(address) || address == entry.host;
    const bool is_there =
        entry.endpoint.address == address || (is_unspecified(entry.endpoint.address) && is_own);
    if (entry.endpoint.port != endpoint.port || !is_there) continue;
    if (random_.below(++candidates) == 0) chosen = &entry;
  }
  return chosen;
}

std::uint16_t SimInternet::free_port(const Address& address) {
  const auto is_taken = [&](std::uint16_t port) {
    return std::ranges::any_of(listeners_, [&](const ListenerEntry& entry) {
      return entry.endpoint.port == port &&
             (entry.endpoint.address == address || is_unspecified(entry.endpoint.address));
    });
  };
  do {
    next_port_ =
        next_port_ == UINT16_MAX ? kEphemeralPortMin : static_cast<std::uint16_t>(next_port_ + 1);
  } while (is_taken(next_port_));
  return next_port_;
}

Result<std::unique_ptr<Stream>> SimInternet::open(const Caller& caller,
                                                  const ConnectOptions& options) {
  const Endpoint source{.address = source_of(caller.address, options.endpoint.address),
                        .port = free_port(caller.address)};
  const ListenerEntry* const listener = find_listener(options.endpoint);
  const SimReach reach = reach_between(source.address, options.endpoint.address);
  const std::string place = to_string(options.endpoint);
  if (reach == SimReach::unreachable) {
    return fail(ErrorCode::connect_failed, place + ": no route to host");
  }
  if (reach == SimReach::refused || listener == nullptr) {
    return fail(ErrorCode::connect_failed, place + ": connection refused");
  }

  SimConnection::Options connection{
      .queues = {caller.queue, listener->queue},
      .endpoints = {source, options.endpoint},
      .delay = delay_between(source.address, options.endpoint.address),
      .window_bytes = window_bytes_,
      .partial_reads = partial_reads_,
      .protocol = {},
      .server_name = options.tls != nullptr ? options.server_name : std::string(),
      .client_certificate_pem = {}};
  const SimTlsIdentity* const identity = tls_of(options.endpoint);
  connection.refuses_bytes = identity != nullptr && options.tls == nullptr;
  if (options.tls != nullptr) {
    if (identity == nullptr) return fail(ErrorCode::tls_failed, place + ": no TLS spoken there");
    EILPOST_ASSIGN_OR_RETURN(connection.protocol, shake_hands(*identity, options));
    connection.client_certificate_pem =
        static_cast<const SimTlsContext&>(*options.tls).options().client_certificate_pem;
  }

  auto made =
      std::make_shared<SimConnection>(clock_, scheduler_, random_.next(), std::move(connection));
  if (connections_.size() >= 64) {
    std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  }
  connections_.push_back(made);
  if (!made->options().refuses_bytes) {
    scheduler_.call_at(
        listener->queue, clock_.now(),
        [acceptor = listener->acceptor, stream = std::make_unique<SimStream>(made, 1)]() mutable {
          if (acceptor->is_open) acceptor->on_stream(std::move(stream));
        });
  }
  return std::make_unique<SimStream>(std::move(made), 0);
}

const SimTlsIdentity* SimInternet::tls_of(const Endpoint& endpoint) const {
  for (const auto& [place, identity] : identities_) {
    if (place == endpoint) return &identity;
  }
  return nullptr;
}

std::vector<std::shared_ptr<SimConnection>> SimInternet::connections() {
  std::vector<std::shared_ptr<SimConnection>> open;
  for (const auto& weak : connections_) {
    if (auto connection = weak.lock()) open.push_back(std::move(connection));
  }
  return open;
}

}  // namespace eilpost::env

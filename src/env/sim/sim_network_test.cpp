#include "env/sim/sim_network.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "env/await.h"
#include "env/sim/sim_env.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

// A connection from the machine to a listener outside, both ends in the test's hands.
class SimNetworkTest : public testing::Test {
 protected:
  SimNetworkTest() { listen(); }

  void listen() {
    endpoint_ = {.address = address_, .port = 443};
    listener_ = env_.outside()
                    .network()
                    .listen(endpoint_,
                            [this](std::unique_ptr<Stream> stream) { theirs_ = std::move(stream); })
                    .value();
  }

  Network& network() { return env_.lane(0).network(); }

  Result<std::unique_ptr<Stream>> try_connect(ConnectOptions options, Duration time_max = 1h) {
    std::optional<Result<std::unique_ptr<Stream>>> result;
    const auto operation =
        network().connect(std::move(options), [&](auto made) { result = std::move(made); });
    if (!env_.run_until([&] { return result.has_value(); }, time_max)) {
      return fail(ErrorCode::timed_out);
    }
    env_.advance(10ms);
    return std::move(*result);
  }

  void connect() {
    ours_ = try_connect({.endpoint = endpoint_, .server_name = {}}).value();
    ASSERT_NE(theirs_, nullptr);
  }

  // What one read() gives within a second: the bytes, "" at the end, or the name of the error.
  std::string read_from(Stream& stream, std::size_t bytes_max = 100'000) {
    std::optional<Result<std::size_t>> result;
    Bytes buffer(bytes_max);
    stream.read(buffer, [&](Result<std::size_t> count) { result = std::move(count); });
    EXPECT_FALSE(result.has_value());  // Never before read() returns.
    if (!env_.run_until([&] { return result.has_value(); }, 1s)) {
      stream.cancel_read();
      return "nothing";
    }
    if (!*result) return std::string(name_of(result->error().code));
    return std::string(as_text(ByteView(buffer).first(**result)));
  }

  std::string write_to(Stream& stream, std::string_view text) {
    std::optional<Result<void>> result;
    stream.write(as_bytes(text), [&](Result<void> done) { result = std::move(done); });
    EXPECT_FALSE(result.has_value());
    if (!env_.run_until([&] { return result.has_value(); }, 1s)) {
      stream.cancel_write();
      return "nothing";
    }
    return *result ? "ok" : std::string(name_of(result->error().code));
  }

  Resolved resolve(std::string_view name) {
    std::optional<Result<Resolved>> result;
    const auto operation = network().resolve(name, [&](auto found) { result = std::move(found); });
    if (!env_.run_until([&] { return result.has_value(); }, 1h)) return {};
    return result->value_or(Resolved{});
  }

  SimStream& their_sim() { return static_cast<SimStream&>(*theirs_); }

  SimEnv env_{/*seed=*/1};
  Address address_ = env_.internet().new_address();
  Endpoint endpoint_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Stream> ours_;
  std::unique_ptr<Stream> theirs_;
};

TEST_F(SimNetworkTest, WhatIsSentToAProcessThatHasEndedIsAnsweredWithAReset) {
  const std::string large(1'000'000, 'x');
  for (const Duration pause : {0us, 1us}) {  // Nothing is sent yet, or all that may be.
    connect();
    std::optional<Result<void>> written;
    theirs_->write(as_bytes(large), [&](Result<void> done) { written = std::move(done); });
    env_.advance(pause);
    ours_.reset();
    env_.crash(Crash::process_killed);
    env_.advance(1s);
    ASSERT_TRUE(written.has_value());
    EXPECT_FALSE(written->has_value());
    env_.restart();
  }
}

TEST_F(SimNetworkTest, BytesGoBothWaysAndTakeTime) {
  connect();
  EXPECT_EQ(ours_->remote_endpoint(), endpoint_);
  EXPECT_EQ(to_string(theirs_->remote_endpoint().address), "10.0.0.1");
  const Instant before = env_.clock().now();
  EXPECT_EQ(write_to(*ours_, "ping"), "ok");
  env_.internet().set_partial_reads(false);
  EXPECT_EQ(read_from(*theirs_), "ping");
  EXPECT_GT(env_.clock().now(), before);
  EXPECT_EQ(write_to(*theirs_, "pong"), "ok");
  EXPECT_EQ(read_from(*ours_), "pong");
  EXPECT_EQ(read_from(*ours_), "nothing");
}

TEST_F(SimNetworkTest, EndOfOneHalfLeavesTheOtherOpen) {
  connect();
  EXPECT_EQ(write_to(*theirs_, "x"), "ok");
  their_sim().end_writing();
  EXPECT_EQ(read_from(*ours_), "x");
  EXPECT_EQ(read_from(*ours_), "");
  EXPECT_EQ(read_from(*ours_), "");
  EXPECT_EQ(write_to(*ours_, "y"), "ok");
  EXPECT_EQ(read_from(*theirs_), "y");
}

TEST_F(SimNetworkTest, ClosedStreamEndsAfterWhatWasSentAndResetsWhoGoesOnSending) {
  connect();
  EXPECT_EQ(write_to(*theirs_, "last"), "ok");
  theirs_.reset();
  std::string received;
  while (received.size() < 4) received += read_from(*ours_);
  EXPECT_EQ(received, "last");
  EXPECT_EQ(read_from(*ours_), "");
  EXPECT_EQ(write_to(*ours_, "into the void"), "ok");
  env_.advance(10ms);
  EXPECT_EQ(write_to(*ours_, "again"), "connection_reset");
  EXPECT_EQ(read_from(*ours_), "connection_reset");
}

TEST_F(SimNetworkTest, ClosingWithBytesUnreadIsAReset) {
  connect();
  EXPECT_EQ(write_to(*ours_, "unread"), "ok");
  env_.advance(10ms);
  theirs_.reset();
  EXPECT_EQ(read_from(*ours_), "connection_reset");
}

TEST_F(SimNetworkTest, ResetFailsReadsAndWritesUnderWay) {
  connect();
  std::string failed;
  Bytes buffer(10);
  const Bytes much(200'000);
  ours_->read(buffer, [&](Result<std::size_t> r) { failed += name_of(r.error().code); });
  ours_->write(much, [&](Result<void> r) { failed += name_of(r.error().code); });
  env_.advance(10ms);
  EXPECT_EQ(failed, "");
  their_sim().reset();
  env_.advance(10ms);
  EXPECT_EQ(failed, "connection_resetconnection_reset");
}

TEST_F(SimNetworkTest, WriterWaitsForWhoDoesNotRead) {
  env_.internet().set_window_bytes(1000);
  connect();
  const std::string text(5000, 'x');
  bool is_done = false;
  ours_->write(as_bytes(text), [&](Result<void>) { is_done = true; });
  env_.advance(1h);
  EXPECT_FALSE(is_done);
  std::size_t received = 0;
  while (received < text.size()) {
    const std::string part = read_from(*theirs_, 300);
    ASSERT_EQ(part, std::string(part.size(), 'x'));
    received += part.size();
  }
  EXPECT_TRUE(is_done);
}

TEST_F(SimNetworkTest, CancelledReadLosesNothing) {
  connect();
  Bytes buffer(10);
  bool called = false;
  ours_->read(buffer, [&](Result<std::size_t>) { called = true; });
  ours_->cancel_read();
  EXPECT_EQ(write_to(*theirs_, "x"), "ok");
  EXPECT_EQ(read_from(*ours_), "x");
  EXPECT_FALSE(called);
}

TEST_F(SimNetworkTest, DestroyedStreamNeverCallsBack) {
  connect();
  Bytes buffer(10);
  const auto guard = std::make_shared<int>(0);
  ours_->read(buffer, [guard](Result<std::size_t>) { ++*guard; });
  ours_->write(as_bytes("x"), [guard](Result<void>) { ++*guard; });
  EXPECT_EQ(write_to(*theirs_, "y"), "ok");
  ours_.reset();
  env_.advance(1s);
  EXPECT_EQ(*guard, 0);
  EXPECT_EQ(guard.use_count(), 1);
}

TEST_F(SimNetworkTest, CallbackMayDestroyItsStream) {
  connect();
  Bytes buffer(10);
  ours_->read(buffer, [this](Result<std::size_t>) { ours_.reset(); });
  EXPECT_EQ(write_to(*theirs_, "x"), "ok");
  env_.advance(1s);
  EXPECT_EQ(ours_, nullptr);
  EXPECT_EQ(read_from(*theirs_), "");
}

TEST_F(SimNetworkTest, IdleConnectionShowsWhetherItMayBeUsedAgain) {
  connect();
  EXPECT_TRUE(ours_->is_idle_and_open());
  EXPECT_EQ(write_to(*theirs_, "x"), "ok");
  env_.advance(10ms);
  EXPECT_FALSE(ours_->is_idle_and_open());
  EXPECT_EQ(read_from(*ours_), "x");
  EXPECT_TRUE(ours_->is_idle_and_open());
  theirs_.reset();
  env_.advance(10ms);
  EXPECT_FALSE(ours_->is_idle_and_open());
}

TEST_F(SimNetworkTest, ConnectingFailsInEveryWay) {
  const ConnectOptions options{.endpoint = endpoint_, .server_name = {}};
  env_.internet().set_reach(address_, SimReach::refused);
  EXPECT_EQ(try_connect(options).error().code, ErrorCode::connect_failed);
  env_.internet().set_reach(address_, SimReach::unreachable);
  EXPECT_EQ(try_connect(options).error().code, ErrorCode::connect_failed);
  env_.internet().set_reach(address_, SimReach::silent);
  EXPECT_EQ(try_connect(options, 2min).error().code, ErrorCode::timed_out);
  EXPECT_EQ(try_connect(options).error().code, ErrorCode::connect_failed);
  env_.internet().set_reach(address_, SimReach::normal);
  EXPECT_TRUE(try_connect(options).has_value());
  listener_.reset();
  EXPECT_EQ(try_connect(options).error().code, ErrorCode::connect_failed);
}

TEST_F(SimNetworkTest, CancelledConnectNeverCallsBackAndClosesNothingItDidNotOpen) {
  bool called = false;
  auto operation =
      network().connect({.endpoint = endpoint_, .server_name = {}}, [&](auto) { called = true; });
  operation.reset();
  env_.advance(1s);
  EXPECT_FALSE(called);
  EXPECT_EQ(theirs_, nullptr);
}

TEST_F(SimNetworkTest, BrokenAndSilencedConnections) {
  connect();
  EXPECT_EQ(env_.internet().connections_count(address_), 1U);
  env_.internet().break_connections(address_);
  EXPECT_EQ(read_from(*ours_), "connection_reset");
  EXPECT_EQ(read_from(*theirs_), "connection_reset");
  ours_.reset();
  theirs_.reset();
  EXPECT_EQ(env_.internet().connections_count(address_), 0U);

  connect();
  env_.internet().set_reach(address_, SimReach::silent);
  EXPECT_EQ(write_to(*ours_, "lost"), "ok");
  theirs_.reset();
  EXPECT_EQ(read_from(*ours_), "nothing");
}

TEST_F(SimNetworkTest, DelayOfAnAddressIsKept) {
  env_.internet().set_delay(address_, {.min = 3s, .max = 4s});
  const Instant start = env_.clock().now();
  connect();
  EXPECT_GE(env_.clock().now() - start, 6s);
  EXPECT_LE(env_.clock().now() - start, 8s + 10ms);
}

TEST_F(SimNetworkTest, NamesMayChangeFailAndHang) {
  SimInternet& internet = env_.internet();
  EXPECT_TRUE(resolve("hooks.example.com").addresses.empty());
  internet.set_name("hooks.example.com", {address_}, 5min);
  const Resolved resolved = resolve("Hooks.Example.COM");
  EXPECT_EQ(resolved.addresses, std::vector<Address>{address_});
  EXPECT_EQ(resolved.time_to_live, 5min);
  const Address other = internet.new_address();
  EXPECT_NE(other, address_);
  internet.set_name("hooks.example.com", {other, address_});
  EXPECT_EQ(resolve("hooks.example.com").addresses, (std::vector<Address>{other, address_}));
  EXPECT_EQ(internet.lookup_count("hooks.example.com"), 3U);
  internet.remove_name("hooks.example.com");
  EXPECT_TRUE(resolve("hooks.example.com").addresses.empty());
  EXPECT_EQ(resolve("192.0.2.7").addresses, std::vector{parse_address("192.0.2.7").value()});

  internet.hang_name("hooks.example.com");
  bool called = false;
  const auto operation = network().resolve("hooks.example.com", [&](auto) { called = true; });
  env_.advance(24h);
  EXPECT_FALSE(called);
}

TEST_F(SimNetworkTest, LanesShareTheConnectionsOfOneEndpoint) {
  SimEnv env(7, {.lanes = 2});
  std::array<int, 2> accepted{};
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Stream>> streams;
  const Endpoint everywhere{.address = {}, .port = 8080};
  for (const std::size_t lane : {0U, 1U}) {
    listeners.push_back(env.lane(lane)
                            .network()
                            .listen(everywhere,
                                    [&, lane](std::unique_ptr<Stream> stream) {
                                      ++accepted[lane];
                                      streams.push_back(std::move(stream));
                                    })
                            .value());
  }
  std::vector<std::unique_ptr<Operation>> operations;
  for (int i = 0; i < 40; ++i) {
    const char* const address = i % 2 == 0 ? "127.0.0.1" : "10.0.0.1";
    operations.push_back(env.outside().network().connect(
        {.endpoint = {.address = parse_address(address).value(), .port = 8080}, .server_name = {}},
        [&](auto stream) { streams.push_back(std::move(stream.value())); }));
  }
  env.advance(1s);
  EXPECT_EQ(accepted[0] + accepted[1], 40);
  EXPECT_GT(accepted[0], 8);
  EXPECT_GT(accepted[1], 8);
}

TEST_F(SimNetworkTest, EndpointOfAnotherMachineIsTakenAndPortZeroChooses) {
  EXPECT_EQ(network().listen(endpoint_, [](auto) {}).error().code, ErrorCode::listen_failed);
  const auto first = network().listen({.address = {}, .port = 0}, [](auto) {}).value();
  const auto second = network().listen({.address = {}, .port = 0}, [](auto) {}).value();
  EXPECT_NE(first->local_endpoint().port, 0);
  EXPECT_NE(first->local_endpoint().port, second->local_endpoint().port);
}

TEST_F(SimNetworkTest, ListenerMayBeDestroyedInItsOwnCallback) {
  int accepted = 0;
  const Endpoint endpoint{.address = address_, .port = 444};
  std::unique_ptr<Listener> listener;
  listener = env_.outside()
                 .network()
                 .listen(endpoint,
                         [&](std::unique_ptr<Stream>) {
                           listener.reset();
                           ++accepted;
                         })
                 .value();
  EXPECT_TRUE(try_connect({.endpoint = endpoint, .server_name = {}}).has_value());
  EXPECT_EQ(accepted, 1);
}

TEST_F(SimNetworkTest, DestroyedListenerIsNotCalledForWhatIsUnderWay) {
  const Endpoint endpoint{.address = address_, .port = 444};
  bool is_called = false;
  std::unique_ptr<Listener> listener =
      env_.outside().network().listen(endpoint, [&](auto) { is_called = true; }).value();
  std::unique_ptr<Stream> stream;
  const auto operation = network().connect({.endpoint = endpoint, .server_name = {}},
                                           [&](auto made) { stream = std::move(made.value()); });
  ASSERT_TRUE(env_.run_until([&] { return stream != nullptr; }, 1s));
  listener.reset();
  EXPECT_EQ(read_from(*stream), "");
  EXPECT_FALSE(is_called);
}

class SimTlsTest : public SimNetworkTest {
 protected:
  SimTlsTest() { env_.internet().set_tls(endpoint_, identity_); }

  std::string outcome(const SimTlsIdentity& identity, const TlsOptions& options,
                      std::string server_name = "hooks.example.com") {
    env_.internet().set_tls(endpoint_, identity);
    const auto context = network().make_tls_context(options).value();
    auto made = try_connect(
        {.endpoint = endpoint_, .tls = context.get(), .server_name = std::move(server_name)});
    if (!made) return std::string(name_of(made.error().code));
    return std::string((*made)->application_protocol());
  }

  static constexpr const char* kCa = "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n";
  SimTlsIdentity identity_{.names = {"hooks.example.com", "*.wild.example.com"},
                           .issuer_pem = kCa,
                           .alpn = {"h2", "http/1.1"}};
};

TEST_F(SimTlsTest, ProtocolIsAgreedByAlpn) {
  EXPECT_EQ(outcome(identity_, {.alpn = {"http/1.1", "h2"}}), "h2");
  EXPECT_EQ(outcome(identity_, {.alpn = {"http/1.1"}}), "http/1.1");
  EXPECT_EQ(outcome(identity_, {}), "");
  EXPECT_EQ(outcome(identity_, {.alpn = {"h3"}}), "tls_failed");
}

TEST_F(SimTlsTest, AConnectionMayOfferOtherProtocolsThanItsContext) {
  const auto context = network().make_tls_context({.alpn = {"http/1.1"}}).value();
  const auto made = try_connect({.endpoint = endpoint_,
                                 .tls = context.get(),
                                 .server_name = "hooks.example.com",
                                 .alpn = {"h2", "http/1.1"}});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ((*made)->application_protocol(), "h2");
}

TEST_F(SimTlsTest, TlsMayBeginOnAConnectionThatIsThere) {
  const Endpoint proxy{.address = address_, .port = 3128};
  std::unique_ptr<Stream> theirs;
  const auto listener =
      env_.outside()
          .network()
          .listen(proxy, [&](std::unique_ptr<Stream> stream) { theirs = std::move(stream); })
          .value();
  const auto context = network().make_tls_context({}).value();
  for (const std::string& name : {"hooks.example.com", "other.example.com"}) {
    auto plain = try_connect({.endpoint = proxy, .server_name = {}});
    ASSERT_TRUE(plain.has_value());
    std::optional<Result<std::unique_ptr<Stream>>> result;
    const auto operation = network().start_tls(
        std::move(*plain),
        {.endpoint = endpoint_, .tls = context.get(), .server_name = name, .alpn = {"h2"}},
        [&](auto made) { result = std::move(made); });
    ASSERT_TRUE(env_.run_until([&] { return result.has_value(); }, 1s));
    ASSERT_EQ(result->has_value(), name == "hooks.example.com");
    if (*result) EXPECT_EQ((**result)->application_protocol(), "h2");
  }
}

TEST_F(SimTlsTest, NameMustMatch) {
  EXPECT_EQ(outcome(identity_, {}, "HOOKS.example.com"), "");
  EXPECT_EQ(outcome(identity_, {}, "a.wild.example.com"), "");
  EXPECT_EQ(outcome(identity_, {}, "a.b.wild.example.com"), "tls_failed");
  EXPECT_EQ(outcome(identity_, {}, "wild.example.com"), "tls_failed");
  EXPECT_EQ(outcome(identity_, {}, "other.example.com"), "tls_failed");
}

TEST_F(SimTlsTest, TrustFollowsTheOptions) {
  SimTlsIdentity own = identity_;
  own.trusted_by_system = false;
  const std::string other_ca = "-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(outcome(own, {.trust = Trust::system}), "tls_failed");
  EXPECT_EQ(outcome(own, {.trust = Trust::own, .ca_certificates_pem = kCa}), "");
  EXPECT_EQ(outcome(own, {.trust = Trust::both, .ca_certificates_pem = other_ca + kCa}), "");
  EXPECT_EQ(outcome(own, {.trust = Trust::own, .ca_certificates_pem = other_ca}), "tls_failed");
  EXPECT_EQ(outcome(identity_, {.trust = Trust::own, .ca_certificates_pem = other_ca}),
            "tls_failed");
  EXPECT_EQ(outcome(identity_, {.trust = Trust::both, .ca_certificates_pem = other_ca}), "");
}

TEST_F(SimTlsTest, ClientCertificateIsAskedForAndShown) {
  SimTlsIdentity strict = identity_;
  strict.requires_client_certificate = true;
  EXPECT_EQ(outcome(strict, {}), "tls_failed");
  const std::string pem = "-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(outcome(strict, {.client_certificate_pem = pem,
                             .client_key_pem = "-----BEGIN PRIVATE KEY-----\n"}),
            "");
  EXPECT_EQ(their_sim().client_certificate_pem(), pem);
  EXPECT_EQ(their_sim().server_name(), "hooks.example.com");
}

TEST_F(SimTlsTest, BadIdentitySaysWhatIsWrong) {
  SimTlsIdentity expired = identity_;
  expired.problem = "certificate has expired";
  env_.internet().set_tls(endpoint_, expired);
  const auto context = network().make_tls_context({}).value();
  const auto made = try_connect(
      {.endpoint = endpoint_, .tls = context.get(), .server_name = "hooks.example.com"});
  EXPECT_EQ(made.error().detail, "certificate has expired");
}

TEST_F(SimTlsTest, ClearTextAndTlsDoNotMix) {
  ours_ = try_connect({.endpoint = endpoint_, .server_name = {}}).value();
  EXPECT_EQ(theirs_, nullptr);
  EXPECT_EQ(write_to(*ours_, "GET / HTTP/1.1\r\n"), "ok");
  EXPECT_EQ(read_from(*ours_), "connection_reset");

  env_.internet().clear_tls(endpoint_);
  const auto context = network().make_tls_context({}).value();
  EXPECT_EQ(
      try_connect({.endpoint = endpoint_, .tls = context.get(), .server_name = "x"}).error().code,
      ErrorCode::tls_failed);
}

TEST_F(SimTlsTest, OptionsThatCannotBePemAreRefused) {
  const auto code = [&](const TlsOptions& options) {
    return network().make_tls_context(options).error().code;
  };
  EXPECT_EQ(code({.ca_certificates_pem = "x"}), ErrorCode::bad_input);
  EXPECT_EQ(code({.client_certificate_pem = "-----BEGIN CERTIFICATE-----"}), ErrorCode::bad_input);
  EXPECT_EQ(code({.client_key_pem = "-----BEGIN PRIVATE KEY-----"}), ErrorCode::bad_input);
}

Task<std::string> read_all(Stream& stream, std::size_t bytes_max) {
  std::string received;
  Bytes buffer(bytes_max);
  while (true) {
    const Result<std::size_t> count = co_await read(stream, buffer);
    if (!count || *count == 0) co_return received;
    received += as_text(ByteView(buffer).first(*count));
  }
}

Task<void> write_all(std::unique_ptr<Stream> stream, std::string text, std::size_t part) {
  for (std::size_t at = 0; at < text.size(); at += part) {
    const std::string piece = text.substr(at, part);
    const Result<void> written = co_await write(*stream, as_bytes(piece));
    EXPECT_TRUE(written.has_value());
  }
}

// Whatever the sizes of reads, writes and windows: all bytes arrive once, in order.
TEST(SimNetworkProperty, StreamsKeepBytesInOrder) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    SimEnv env(seed);
    env.internet().set_window_bytes(1 + random.below(3000));
    std::string text;
    for (std::uint64_t n = random.below(5000); n > 0; --n) {
      text += static_cast<char>('a' + random.below(26));
    }
    const std::size_t part = 1 + random.below(2000);
    TaskSet tasks;
    const Endpoint endpoint{.address = env.internet().new_address(), .port = 80};
    const auto listener = env.outside()
                              .network()
                              .listen(endpoint,
                                      [&](std::unique_ptr<Stream> stream) {
                                        tasks.spawn(write_all(std::move(stream), text, part));
                                      })
                              .value();
    std::unique_ptr<Stream> stream;
    const auto operation =
        env.lane(0).network().connect({.endpoint = endpoint, .server_name = {}},
                                      [&](auto made) { stream = std::move(made.value()); });
    ASSERT_TRUE(env.run_until([&] { return stream != nullptr; }, 1s));
    const auto received = env.finish(read_all(*stream, 1 + random.below(2000)));
    ASSERT_EQ(received, text) << seed;
  }
}

}  // namespace
}  // namespace eilpost::env

// Goal:   the contract of Stream and Listener on real sockets.
// Method: both ends live on one loop; where a peer must misbehave it is a bare socket.

#include "env/real/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

#include "env/real/loop_fixture.h"
#include "env/real/socket_address.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

class StreamTest : public LoopFixture {
 protected:
  void listen() {
    auto listener = network().listen(loopback(0), [this](std::unique_ptr<Stream> stream) {
      accepted_.push_back(std::move(stream));
    });
    ASSERT_TRUE(listener.has_value());
    listener_ = std::move(*listener);
  }

  // A connected pair: near_ and accepted_[0].
  void make_pair() {
    listen();
    ConnectOutcome outcome;
    outcome.operation =
        network().connect({.endpoint = listener_->local_endpoint()}, outcome.callback());
    EXPECT_FALSE(outcome.is_done);
    ASSERT_TRUE(run_until([&] { return outcome.is_done && !accepted_.empty(); }));
    ASSERT_TRUE(outcome.result.has_value()) << outcome.result.error().detail;
    near_ = std::move(*outcome.result);
  }

  // A bare blocking socket connected to a new far stream.
  Descriptor make_bare_peer() {
    listen();
    Descriptor peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress address = to_socket_address(listener_->local_endpoint());
    EXPECT_EQ(::connect(peer.get(), address.get(), address.size_bytes), 0);
    EXPECT_TRUE(run_until([&] { return !accepted_.empty(); }));
    return peer;
  }

  Stream& far() { return *accepted_.front(); }

  // Reads once; the text, or "error NAME", or "end".
  std::string read_text(Stream& stream) {
    std::vector<std::byte> buffer(4096);
    ReadOutcome outcome;
    stream.read(buffer, outcome.callback());
    EXPECT_FALSE(outcome.is_done) << "the callback came before read() returned";
    if (!run_until([&] { return outcome.is_done; })) return "nothing came";
    if (!outcome.result) return "error " + std::string(name_of(outcome.result.error().code));
    if (*outcome.result == 0) return "end";
    return std::string(as_text(std::span(buffer).first(*outcome.result)));
  }

  Result<void> write_text(Stream& stream, std::string_view text) {
    WriteOutcome outcome;
    stream.write(as_bytes(text), outcome.callback());
    EXPECT_FALSE(outcome.is_done) << "the callback came before write() returned";
    EXPECT_TRUE(run_until([&] { return outcome.is_done; }));
    return outcome.result;
  }

  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::unique_ptr<Stream> near_;
};

TEST_F(StreamTest, BytesGoBothWays) {
  make_pair();
  EXPECT_TRUE(write_text(*near_, "ping").has_value());
  EXPECT_EQ(read_text(far()), "ping");
  EXPECT_TRUE(write_text(far(), "pong").has_value());
  EXPECT_EQ(read_text(*near_), "pong");
}

TEST_F(StreamTest, ReadThatWaitsIsWokenByBytes) {
  make_pair();
  std::byte buffer[16];
  ReadOutcome read;
  far().read(buffer, read.callback());
  settle();
  EXPECT_FALSE(read.is_done);
  EXPECT_TRUE(write_text(*near_, "late").has_value());
  ASSERT_TRUE(run_until([&] { return read.is_done; }));
  EXPECT_EQ(as_text(std::span(buffer).first(read.result.value())), "late");
}

TEST_F(StreamTest, SmallBuffersReadEverythingPieceByPiece) {
  make_pair();
  EXPECT_TRUE(write_text(*near_, "abcdefg").has_value());
  settle();
  std::string text;
  while (text.size() < 7) {
    std::byte buffer[2];
    ReadOutcome read;
    far().read(buffer, read.callback());
    ASSERT_TRUE(run_until([&] { return read.is_done; }));
    text += as_text(std::span(buffer).first(read.result.value()));
  }
  EXPECT_EQ(text, "abcdefg");
}

TEST_F(StreamTest, EndOfTheOtherHalfIsZeroBytesAgainAndAgain) {
  const Descriptor peer = make_bare_peer();
  EXPECT_EQ(::send(peer.get(), "last", 4, 0), 4);
  EXPECT_EQ(shutdown(peer.get(), SHUT_WR), 0);
  EXPECT_EQ(read_text(far()), "last");
  EXPECT_EQ(read_text(far()), "end");
  EXPECT_EQ(read_text(far()), "end");
  // The half that goes the other way still works.
  EXPECT_TRUE(write_text(far(), "answer").has_value());
  char answer[16] = {};
  EXPECT_EQ(::recv(peer.get(), answer, sizeof answer, 0), 6);
}

TEST_F(StreamTest, ResetOfThePeerIsAnError) {
  Descriptor peer = make_bare_peer();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  std::byte buffer[16];
  ReadOutcome read;
  far().read(buffer, read.callback());
  settle();
  peer.close();
  ASSERT_TRUE(run_until([&] { return read.is_done; }));
  ASSERT_FALSE(read.result.has_value());
  EXPECT_EQ(read.result.error().code, ErrorCode::connection_reset);
  const Result<void> written = write_text(far(), "too late");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::connection_reset);
}

TEST_F(StreamTest, WithdrawnReadLosesNoBytes) {
  make_pair();
  std::byte first[16] = {};
  ReadOutcome withdrawn;
  // Once before the bytes are there, once when they are.
  far().read(first, withdrawn.callback());
  far().cancel_read();
  EXPECT_TRUE(write_text(*near_, "kept").has_value());
  settle();
  far().read(first, withdrawn.callback());
  far().cancel_read();
  settle();
  EXPECT_FALSE(withdrawn.is_done);
  EXPECT_EQ(first[0], std::byte{0});
  EXPECT_EQ(read_text(far()), "kept");
}

TEST_F(StreamTest, WithdrawnReadDoesNotDisturbTheWriteUnderWay) {
  make_pair();
  const std::string big(10 << 20, 'x');
  WriteOutcome write;
  near_->write(as_bytes(big), write.callback());
  std::byte buffer[16];
  ReadOutcome withdrawn;
  near_->read(buffer, withdrawn.callback());
  settle();
  near_->cancel_read();
  std::size_t received = 0;
  while (received < big.size()) received += read_text(far()).size();
  EXPECT_EQ(received, big.size());
  ASSERT_TRUE(run_until([&] { return write.is_done; }));
  EXPECT_TRUE(write.result.has_value());
  EXPECT_FALSE(withdrawn.is_done);
}

TEST_F(StreamTest, WithdrawnWriteNeverCallsBack) {
  make_pair();
  auto big = std::make_unique<std::string>(10 << 20, 'x');
  WriteOutcome write;
  near_->write(as_bytes(*big), write.callback());
  settle();
  EXPECT_FALSE(write.is_done);
  near_->cancel_write();
  big.reset();
  for (int i = 0; i < 100; ++i) {
    std::vector<std::byte> buffer(1 << 20);
    ReadOutcome read;
    far().read(buffer, read.callback());
    settle();
    far().cancel_read();
  }
  EXPECT_FALSE(write.is_done);
}

TEST_F(StreamTest, CompletedWriteCanStillBeWithdrawnBeforeItsTurn) {
  make_pair();
  WriteOutcome write;
  near_->write(as_bytes("gone"), write.callback());
  near_->cancel_write();
  settle();
  EXPECT_FALSE(write.is_done);
  EXPECT_EQ(read_text(far()), "gone");
}

TEST_F(StreamTest, DestroyedStreamNeverCallsBackAndClosesTheConnection) {
  make_pair();
  std::byte buffer[16];
  ReadOutcome read;
  WriteOutcome write;
  near_->read(buffer, read.callback());
  near_->write(as_bytes("bye"), write.callback());
  near_.reset();
  settle();
  EXPECT_FALSE(read.is_done);
  EXPECT_FALSE(write.is_done);
  EXPECT_EQ(read_text(far()), "bye");
  EXPECT_EQ(read_text(far()), "end");
}

TEST_F(StreamTest, CallbackMayDestroyItsStreamAndTheOther) {
  make_pair();
  std::byte near_buffer[16];
  std::byte far_buffer[16];
  int calls = 0;
  const auto destroy_both = [&](auto) {
    ++calls;
    near_.reset();
    accepted_.clear();
  };
  near_->read(near_buffer, destroy_both);
  far().read(far_buffer, destroy_both);
  near_->write(as_bytes("x"), [](Result<void>) {});
  far().write(as_bytes("y"), [](Result<void>) {});
  settle();
  EXPECT_EQ(calls, 1);
}

TEST_F(StreamTest, WriteCallbackMayDestroyTheStreamWhileItsReadIsReady) {
  make_pair();
  EXPECT_TRUE(write_text(far(), "ready").has_value());
  settle();
  std::byte buffer[16];
  bool read_called = false;
  near_->write(as_bytes("x"), [&](Result<void>) { near_.reset(); });
  near_->read(buffer, [&](Result<std::size_t>) { read_called = true; });
  ASSERT_TRUE(run_until([&] { return near_ == nullptr; }));
  settle();
  EXPECT_FALSE(read_called);
}

TEST_F(StreamTest, WriteAndReadyReadOfOneTurnBothCallBack) {
  make_pair();
  EXPECT_TRUE(write_text(far(), "ready").has_value());
  settle();
  std::byte buffer[16];
  WriteOutcome write;
  ReadOutcome read;
  near_->write(as_bytes("x"), write.callback());
  near_->read(buffer, read.callback());
  ASSERT_TRUE(run_until([&] { return write.is_done && read.is_done; }));
  EXPECT_EQ(read.result.value(), 5U);
}

TEST_F(StreamTest, BigWriteWaitsForASlowReader) {
  make_pair();
  std::string big(10 << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 >> 3U);
  WriteOutcome write;
  near_->write(as_bytes(big), write.callback());
  settle();
  EXPECT_FALSE(write.is_done) << "ten megabytes fit into the socket";
  std::string received;
  while (received.size() < big.size()) received += read_text(far());
  EXPECT_TRUE(received == big);
  ASSERT_TRUE(run_until([&] { return write.is_done; }));
  EXPECT_TRUE(write.result.has_value());
}

TEST_F(StreamTest, WriteOfNothingSucceeds) {
  make_pair();
  EXPECT_TRUE(write_text(*near_, "").has_value());
}

TEST_F(StreamTest, IdleConnectionIsToldFromOneWithBytesOrClosed) {
  make_pair();
  EXPECT_TRUE(near_->is_idle_and_open());
  EXPECT_TRUE(write_text(far(), "unasked").has_value());
  settle();
  EXPECT_FALSE(near_->is_idle_and_open());
  EXPECT_EQ(read_text(*near_), "unasked");
  EXPECT_TRUE(near_->is_idle_and_open());
  accepted_.clear();
  settle();
  EXPECT_FALSE(near_->is_idle_and_open());
}

TEST_F(StreamTest, EndpointsAreThoseOfThePeers) {
  const Descriptor peer = make_bare_peer();
  SocketAddress local;
  ASSERT_EQ(getsockname(peer.get(), local.get(), &local.size_bytes), 0);
  EXPECT_EQ(far().remote_endpoint(), to_endpoint(local));
  EXPECT_EQ(far().application_protocol(), "");
}

TEST_F(StreamTest, RefusedConnectionSaysWhoRefused) {
  listen();
  const Endpoint endpoint = listener_->local_endpoint();
  listener_.reset();
  ConnectOutcome outcome;
  outcome.operation = network().connect({.endpoint = endpoint}, outcome.callback());
  EXPECT_FALSE(outcome.is_done);
  ASSERT_TRUE(run_until([&] { return outcome.is_done; }));
  ASSERT_FALSE(outcome.result.has_value());
  EXPECT_EQ(outcome.result.error().code, ErrorCode::connect_failed);
  EXPECT_EQ(outcome.result.error().detail, to_string(endpoint) + ": Connection refused");
}

TEST_F(StreamTest, ConnectionThatCannotEvenBeginFailsInALaterTurn) {
  ConnectOutcome outcome;
  const Endpoint broadcast{.address = parse_address("255.255.255.255").value(), .port = 1};
  outcome.operation = network().connect({.endpoint = broadcast}, outcome.callback());
  EXPECT_FALSE(outcome.is_done);
  ASSERT_TRUE(run_until([&] { return outcome.is_done; }));
  EXPECT_EQ(outcome.result.error().code, ErrorCode::connect_failed);
}

TEST_F(StreamTest, DestroyedConnectNeverCallsBack) {
  listen();
  ConnectOutcome outcome;
  outcome.operation =
      network().connect({.endpoint = listener_->local_endpoint()}, outcome.callback());
  outcome.operation.reset();
  settle();
  EXPECT_FALSE(outcome.is_done);
}

TEST_F(StreamTest, ConnectCallbackMayDestroyItsOperation) {
  listen();
  std::unique_ptr<Operation> operation;
  std::unique_ptr<Stream> stream;
  operation = network().connect({.endpoint = listener_->local_endpoint()},
                                [&](Result<std::unique_ptr<Stream>> result) {
                                  stream = std::move(result.value());
                                  operation.reset();
                                });
  ASSERT_TRUE(run_until([&] { return stream != nullptr && !accepted_.empty(); }));
  EXPECT_TRUE(write_text(*stream, "alive").has_value());
  EXPECT_EQ(read_text(far()), "alive");
}

TEST_F(StreamTest, ListenersOnOneEndpointShareItsConnections) {
  listen();
  int others = 0;
  const auto second =
      network().listen(listener_->local_endpoint(), [&](std::unique_ptr<Stream>) { ++others; });
  ASSERT_TRUE(second.has_value());
  std::vector<ConnectOutcome> outcomes(64);
  for (ConnectOutcome& outcome : outcomes) {
    outcome.operation =
        network().connect({.endpoint = listener_->local_endpoint()}, outcome.callback());
  }
  ASSERT_TRUE(run_until([&] { return accepted_.size() + static_cast<std::size_t>(others) == 64; }));
  EXPECT_GT(others, 0);
  EXPECT_FALSE(accepted_.empty());
}

TEST_F(StreamTest, AnotherProcessCannotListenOnOurEndpoint) {
  listen();
  // Another process has other endpoints.
  RealLoop other({.name = "other", .dns = {}, .system_trust = SystemTrust::load("").value()});
  const auto second =
      other.network().listen(listener_->local_endpoint(), [](std::unique_ptr<Stream>) {});
  ASSERT_FALSE(second.has_value());
  EXPECT_TRUE(second.error().detail.contains("in use")) << second.error().detail;
}

TEST_F(StreamTest, AnEndpointThatIsLetGoCanBeListenedOnAgain) {
  listen();
  const Endpoint endpoint = listener_->local_endpoint();
  listener_.reset();
  EXPECT_TRUE(network().listen(endpoint, [](std::unique_ptr<Stream>) {}).has_value());
}

TEST_F(StreamTest, AddressThatIsNotOursCannotBeListenedOn) {
  const Endpoint foreign{.address = parse_address("192.0.2.1").value(), .port = 0};
  const auto listener = network().listen(foreign, [](std::unique_ptr<Stream>) {});
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().code, ErrorCode::listen_failed);
  EXPECT_TRUE(listener.error().detail.contains("192.0.2.1")) << listener.error().detail;
}

TEST_F(StreamTest, ListenerOnBothFamiliesShowsIPv4AsIPv4) {
  const Endpoint any{.address = parse_address("::").value(), .port = 0};
  auto listener = network().listen(
      any, [this](std::unique_ptr<Stream> stream) { accepted_.push_back(std::move(stream)); });
  if (!listener) GTEST_SKIP() << "no IPv6 here: " << listener.error().detail;
  for (const std::string_view address : {"127.0.0.1", "::1"}) {
    accepted_.clear();
    ConnectOutcome outcome;
    outcome.operation =
        network().connect({.endpoint = {.address = parse_address(address).value(),
                                        .port = (*listener)->local_endpoint().port}},
                          outcome.callback());
    ASSERT_TRUE(run_until([&] { return outcome.is_done && !accepted_.empty(); }));
    EXPECT_EQ(to_string(far().remote_endpoint().address), address);
  }
}

TEST_F(StreamTest, ListenerMayBeDestroyedByItsCallback) {
  std::vector<std::unique_ptr<Stream>> streams;
  auto made = network().listen(loopback(0), [&](std::unique_ptr<Stream> stream) {
    streams.push_back(std::move(stream));
    listener_.reset();
  });
  ASSERT_TRUE(made.has_value());
  listener_ = std::move(*made);
  const Endpoint endpoint = listener_->local_endpoint();
  ConnectOutcome first;
  ConnectOutcome second;
  first.operation = network().connect({.endpoint = endpoint}, first.callback());
  second.operation = network().connect({.endpoint = endpoint}, second.callback());
  ASSERT_TRUE(run_until([&] { return first.is_done && second.is_done && streams.size() == 1; }));
  settle();
  EXPECT_EQ(streams.size(), 1U);
}

TEST_F(StreamTest, ListenerOutlivesALackOfDescriptors) {
  listen();
  std::vector<ConnectOutcome> outcomes(4);
  // The clients' sockets are made first, so that only the accepted ones find no room.
  for (ConnectOutcome& outcome : outcomes) {
    outcome.operation =
        network().connect({.endpoint = listener_->local_endpoint()}, outcome.callback());
  }
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  const int lowest_free = dup(0);
  close(lowest_free);
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  settle();
  // Meanwhile the loop sleeps.
  const Instant start = loop_.clock().now();
  loop_.run_turn(5ms);
  const Duration slept = loop_.clock().now() - start;
  const std::size_t accepted_meanwhile = accepted_.size();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_EQ(accepted_meanwhile, 0U);
  EXPECT_GE(slept, 5ms);
  EXPECT_TRUE(run_until([&] { return accepted_.size() == outcomes.size(); }));
}

TEST_F(StreamTest, EverySocketSendsSmallMessagesAtOnce) {
  make_pair();
  int sockets = 0;
  for (int descriptor = 0; descriptor < 256; ++descriptor) {
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) != 0) continue;
    EXPECT_NE(no_delay, 0);
    ++sockets;
  }
  EXPECT_GE(sockets, 3);  // the listener and both ends
}

}  // namespace
}  // namespace eilpost::env

// Goal:   TLS as a destination sees it, and errors that say what is wrong with which certificate.
// Method: a real server on a thread, certificates made for each test.

#include "env/real/tls_stream.h"

#include <cstdio>
#include <memory>
#include <openssl/err.h>
#include <string>
#include <vector>

#include "env/real/loop_fixture.h"
#include "env/real/tls_test_server.h"
#include "support/certificates.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;
using support::Authority;
using support::Identity;
using support::make_ca;

class TlsTest : public LoopFixture {
 protected:
  TlsTest()
      : root_(make_ca("Test root")), intermediate_(root_.make_intermediate("Test intermediate")) {}

  void start_server(const Identity& identity, TlsTestServerOptions options = {}) {
    options.chain_pem = identity.chain_pem;
    options.key_pem = identity.key_pem;
    server_ = std::make_unique<TlsTestServer>(std::move(options));
  }

  void start_good_server(TlsTestServerOptions options = {}) {
    start_server(intermediate_.issue({}), std::move(options));
  }

  // Trusts the test's root; more as `options` says.
  void make_context(TlsOptions options = {}) {
    if (options.ca_certificates_pem.empty() && options.trust == Trust::system) {
      options.trust = Trust::own;
      options.ca_certificates_pem = root_.certificate_pem();
    }
    const auto context = network().make_tls_context(options);
    ASSERT_TRUE(context.has_value()) << context.error().detail;
    context_ = *context;
  }

  Result<std::unique_ptr<Stream>> connect(const std::string& name = "localhost") {
    if (context_ == nullptr) make_context();
    ConnectOutcome outcome;
    outcome.operation = network().connect(
        {.endpoint = server_->endpoint(), .tls = context_.get(), .server_name = name},
        outcome.callback());
    EXPECT_FALSE(outcome.is_done);
    EXPECT_TRUE(run_until([&] { return outcome.is_done; }));
    return std::move(outcome.result);
  }

  // The detail of the failure of a connection; tls_failed is asked for.
  std::string connect_failure(const std::string& name = "localhost") {
    const auto stream = connect(name);
    if (stream) return "it connected";
    EXPECT_EQ(stream.error().code, ErrorCode::tls_failed) << stream.error().detail;
    return stream.error().detail;
  }

  Result<void> write_text(Stream& stream, std::string_view text) {
    WriteOutcome outcome;
    stream.write(as_bytes(text), outcome.callback());
    EXPECT_FALSE(outcome.is_done) << "the callback came before write() returned";
    EXPECT_TRUE(run_until([&] { return outcome.is_done; }));
    return outcome.result;
  }

  Result<std::size_t> read_some(Stream& stream, std::span<std::byte> buffer) {
    ReadOutcome outcome;
    stream.read(buffer, outcome.callback());
    EXPECT_FALSE(outcome.is_done) << "the callback came before read() returned";
    EXPECT_TRUE(run_until([&] { return outcome.is_done; }));
    return outcome.result;
  }

  std::string echo(Stream& stream, std::string_view text) {
    if (!write_text(stream, text)) return "not written";
    std::vector<std::byte> buffer(4096);
    const Result<std::size_t> count = read_some(stream, buffer);
    if (!count) return count.error().detail;
    return std::string(as_text(std::span(buffer).first(*count)));
  }

  TlsVisit last_visit() {
    EXPECT_TRUE(run_until([&] { return !server_->visits().empty(); }));
    return server_->visits().back();
  }

  Authority root_;
  Authority intermediate_;
  std::unique_ptr<TlsTestServer> server_;
  std::shared_ptr<TlsContext> context_;
};

TEST_F(TlsTest, BytesGoBothWaysThroughAnIntermediate) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value()) << stream.error().detail;
  EXPECT_EQ(echo(**stream, "over TLS"), "over TLS");
  EXPECT_EQ((*stream)->remote_endpoint(), server_->endpoint());
  EXPECT_EQ(last_visit().server_name, "localhost");
}

TEST_F(TlsTest, OldProtocolVersionsStopAtTls12) {
  start_good_server({.version_max = TLS1_2_VERSION});
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value()) << stream.error().detail;
  EXPECT_EQ(echo(**stream, "still fine"), "still fine");
  start_good_server({.version_max = TLS1_1_VERSION});
  EXPECT_TRUE(connect_failure().contains("version")) << connect_failure();
}

TEST_F(TlsTest, ExpiredCertificateIsNamedWithItsDate) {
  start_server(root_.issue({.common_name = "old.example", .valid_until = -1h}));
  const std::string detail = connect_failure();
  EXPECT_TRUE(detail.starts_with("certificate \"CN=old.example\" has expired on 20")) << detail;
}

TEST_F(TlsTest, CertificateOfTheFutureIsNamedWithItsDate) {
  start_server(root_.issue({.valid_from = 1h}));
  const std::string detail = connect_failure();
  EXPECT_TRUE(detail.starts_with("certificate \"CN=Test leaf\" is not valid before 20")) << detail;
}

TEST_F(TlsTest, WrongNameIsToldWithTheRightOnes) {
  start_server(root_.issue({.names = {"a.example", "10.1.2.3", "b.example"}}));
  EXPECT_EQ(connect_failure(),
            "name localhost does not match (certificate is for a.example, 10.1.2.3, b.example)");
}

TEST_F(TlsTest, UnknownAuthorityIsNamed) {
  const Authority stranger = make_ca("Stranger");
  start_server(stranger.issue({}));
  EXPECT_EQ(connect_failure(),
            "issuer \"CN=Stranger\" of certificate \"CN=Test leaf\" is not trusted");
}

TEST_F(TlsTest, MissingIntermediateIsNamed) {
  Identity identity = intermediate_.issue({});
  identity.chain_pem = identity.certificate_pem;
  start_server(identity);
  EXPECT_EQ(connect_failure(),
            "issuer \"CN=Test intermediate\" of certificate \"CN=Test leaf\" is not trusted");
}

TEST_F(TlsTest, SystemTrustDoesNotKnowTheTestsRoot) {
  start_good_server();
  const auto context = network().make_tls_context({.trust = Trust::system});
  ASSERT_TRUE(context.has_value());
  context_ = *context;
  EXPECT_TRUE(connect_failure().ends_with("is not trusted")) << connect_failure();
}

TEST_F(TlsTest, BothTrustsTheOwnAuthorityToo) {
  start_good_server();
  make_context({.trust = Trust::both, .ca_certificates_pem = root_.certificate_pem()});
  EXPECT_TRUE(connect().has_value());
}

TEST_F(TlsTest, ServersOwnCertificateMayBeTrustedAsItStands) {
  const Identity identity = intermediate_.issue({});
  start_server(identity);
  make_context({.trust = Trust::own, .ca_certificates_pem = identity.certificate_pem});
  EXPECT_TRUE(connect().has_value());
}

TEST_F(TlsTest, AddressAsNameIsCheckedAndNotSentAsServerName) {
  start_server(root_.issue({.names = {"127.0.0.1"}}));
  ASSERT_TRUE(connect("127.0.0.1").has_value());
  EXPECT_EQ(last_visit().server_name, "");
  EXPECT_EQ(connect_failure("127.0.0.2"),
            "name 127.0.0.2 does not match (certificate is for 127.0.0.1)");
}

TEST_F(TlsTest, DotAtTheEndOfANameIsNotSent) {
  start_good_server();
  ASSERT_TRUE(connect("localhost.").has_value());
  EXPECT_EQ(last_visit().server_name, "localhost");
}

TEST_F(TlsTest, WildcardsCoverOneWholeLabel) {
  start_server(root_.issue({.names = {"*.example.com"}}));
  EXPECT_TRUE(connect("api.example.com").has_value());
  EXPECT_TRUE(connect_failure("a.b.example.com").contains("does not match"));
  EXPECT_TRUE(connect_failure("example.com").contains("does not match"));
}

TEST_F(TlsTest, ClientShowsItsCertificateAndTheIntermediatesButNotTheRoot) {
  const Identity client = intermediate_.issue({.common_name = "Client"});
  start_good_server({.client_ca_pem = root_.certificate_pem()});
  make_context({.trust = Trust::own,
                .ca_certificates_pem = root_.certificate_pem(),
                .client_certificate_pem = client.chain_pem + root_.certificate_pem(),
                .client_key_pem = client.key_pem});
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(echo(**stream, "known"), "known");
  const std::vector<std::string> expected = {support::fingerprint_of(client.certificate_pem),
                                             support::fingerprint_of(intermediate_.certificate())};
  EXPECT_EQ(last_visit().client_chain, expected);
}

TEST_F(TlsTest, ServerThatDemandsACertificateSaysSo) {
  start_good_server({.client_ca_pem = root_.certificate_pem()});
  // In TLS 1.3 the client is done before the server has looked: its first read fails.
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  std::byte buffer[16];
  const Result<std::size_t> count = read_some(**stream, buffer);
  ASSERT_FALSE(count.has_value());
  EXPECT_EQ(count.error().code, ErrorCode::tls_failed);
  EXPECT_TRUE(count.error().detail.contains("certificate required")) << count.error().detail;
}

TEST_F(TlsTest, ProtocolIsWhatTheServerPrefersOfOurs) {
  start_good_server({.alpn = {"http/1.1", "h2"}});
  make_context({.trust = Trust::own,
                .ca_certificates_pem = root_.certificate_pem(),
                .alpn = {"h2", "http/1.1"}});
  const auto both = connect();
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ((*both)->application_protocol(), "http/1.1");

  start_good_server();
  const auto none = connect();
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ((*none)->application_protocol(), "");
}

TEST_F(TlsTest, SmallRecordsThatCameTogetherAreReadTogetherAndTheirEndIsTold) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  ASSERT_TRUE(write_text(**stream, "crumbs").has_value());
  std::vector<std::byte> buffer(4096);
  EXPECT_EQ(*read_some(**stream, buffer), TlsTestServer::kCrumbsCount);
  EXPECT_EQ(*read_some(**stream, buffer), 0U);
}

TEST_F(TlsTest, AConnectionMayOfferOtherProtocolsThanItsContext) {
  start_good_server({.alpn = {"h2", "http/1.1"}});
  make_context(
      {.trust = Trust::own, .ca_certificates_pem = root_.certificate_pem(), .alpn = {"http/1.1"}});
  ConnectOutcome outcome;
  outcome.operation = network().connect({.endpoint = server_->endpoint(),
                                         .tls = context_.get(),
                                         .server_name = "localhost",
                                         .alpn = {"h2", "http/1.1"}},
                                        outcome.callback());
  ASSERT_TRUE(run_until([&] { return outcome.is_done; }));
  ASSERT_TRUE(outcome.result.has_value());
  EXPECT_EQ((*outcome.result)->application_protocol(), "h2");
}

TEST_F(TlsTest, TlsMayBeginOnAConnectionThatIsThere) {
  start_good_server({.alpn = {"h2"}});
  for (const std::string& name : {"localhost", "other.example"}) {
    make_context();
    ConnectOutcome plain;
    plain.operation =
        network().connect({.endpoint = server_->endpoint(), .server_name = {}}, plain.callback());
    ASSERT_TRUE(run_until([&] { return plain.is_done; }));
    ASSERT_TRUE(plain.result.has_value());
    ConnectOutcome outcome;
    outcome.operation = network().start_tls(std::move(*plain.result),
                                            {.endpoint = server_->endpoint(),
                                             .tls = context_.get(),
                                             .server_name = name,
                                             .alpn = {"h2"}},
                                            outcome.callback());
    EXPECT_FALSE(outcome.is_done);
    ASSERT_TRUE(run_until([&] { return outcome.is_done; }));
    ASSERT_EQ(outcome.result.has_value(), name == "localhost");
    if (outcome.result) {
      EXPECT_EQ((*outcome.result)->application_protocol(), "h2");
      EXPECT_EQ(echo(**outcome.result, "over TLS"), "over TLS");
    } else {
      EXPECT_EQ(outcome.result.error().code, ErrorCode::tls_failed);
    }
  }
}

TEST_F(TlsTest, SecondConnectionResumesTheFirst) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    start_good_server({.version_max = version});
    make_context();
    for (int i = 0; i < 3; ++i) {
      const auto stream = connect();
      ASSERT_TRUE(stream.has_value());
      EXPECT_EQ(echo(**stream, "hello"), "hello");
    }
    ASSERT_EQ(server_->visits().size(), 3U);
    EXPECT_FALSE(server_->visits()[0].resumed);
    EXPECT_TRUE(server_->visits()[1].resumed);
    EXPECT_TRUE(server_->visits()[2].resumed);
  }
}

TEST_F(TlsTest, SessionIsNotResumedUnderAnotherNameOrByAnotherContext) {
  start_server(root_.issue({.names = {"localhost", "other.example"}}));
  make_context();
  EXPECT_EQ(echo(**connect(), "first"), "first");
  EXPECT_EQ(echo(**connect("other.example"), "second"), "second");
  make_context();
  EXPECT_EQ(echo(**connect(), "third"), "third");
  for (const TlsVisit& visit : server_->visits()) EXPECT_FALSE(visit.resumed);
}

TEST_F(TlsTest, SessionDoesNotOpenTheDoorOfAServerWithAnotherCertificate) {
  start_good_server();
  make_context();
  EXPECT_EQ(echo(**connect(), "first"), "first");
  // The same context, another server: its ticket means nothing there, the certificate is checked.
  start_server(make_ca("Stranger").issue({}));
  EXPECT_TRUE(connect_failure().ends_with("is not trusted"));
}

TEST_F(TlsTest, FarewellIsTheEndAndSilenceIsAReset) {
  start_good_server();
  const auto polite = connect();
  ASSERT_TRUE(polite.has_value());
  EXPECT_TRUE(write_text(**polite, "close").has_value());
  std::byte buffer[16];
  EXPECT_EQ(read_some(**polite, buffer).value(), 0U);
  EXPECT_EQ(read_some(**polite, buffer).value(), 0U);

  const auto rude = connect();
  ASSERT_TRUE(rude.has_value());
  EXPECT_TRUE(write_text(**rude, "drop").has_value());
  const Result<std::size_t> count = read_some(**rude, buffer);
  ASSERT_FALSE(count.has_value());
  EXPECT_EQ(count.error().code, ErrorCode::connection_reset);
}

TEST_F(TlsTest, MuchDataComesThroughSmallBuffers) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  EXPECT_TRUE(write_text(**stream, "flood").has_value());
  std::size_t total = 0;
  std::vector<std::byte> buffer(1000);
  while (total < TlsTestServer::kFloodBytes) {
    const Result<std::size_t> count = read_some(**stream, buffer);
    ASSERT_TRUE(count.has_value());
    ASSERT_EQ(buffer[*count - 1], std::byte{'f'});
    total += *count;
  }
  EXPECT_EQ(total, TlsTestServer::kFloodBytes);
}

TEST_F(TlsTest, BigWriteWaitsForTheReader) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  // The server echoes as it reads, so it stops reading when nobody reads the echo.
  const std::string big(10 << 20, 'b');
  WriteOutcome write;
  (*stream)->write(as_bytes(big), write.callback());
  settle();
  EXPECT_FALSE(write.is_done) << "ten megabytes fit into the sockets";
  std::size_t total = 0;
  std::vector<std::byte> buffer(1 << 16);
  while (total < big.size()) {
    const Result<std::size_t> count = read_some(**stream, buffer);
    ASSERT_TRUE(count.has_value()) << count.error().detail;
    total += *count;
  }
  ASSERT_TRUE(run_until([&] { return write.is_done; }));
  EXPECT_TRUE(write.result.has_value());
  EXPECT_EQ(total, big.size());
}

TEST_F(TlsTest, NewKeysInTheMiddleAreNotNoticed) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(echo(**stream, "update"), "update");
  EXPECT_EQ(echo(**stream, "after"), "after");
}

TEST_F(TlsTest, IdleConnectionWithTicketsWaitingIsIdle) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  EXPECT_TRUE(last_visit().handshake_done);
  settle();  // The session tickets of TLS 1.3 are on the socket now.
  EXPECT_TRUE((*stream)->is_idle_and_open());
  EXPECT_EQ(echo(**stream, "still good"), "still good");
  EXPECT_TRUE((*stream)->is_idle_and_open());

  EXPECT_TRUE(write_text(**stream, "unread").has_value());
  EXPECT_TRUE(run_until([&] { return !(*stream)->is_idle_and_open(); }));
  // Looking has taken nothing.
  std::byte buffer[16];
  EXPECT_EQ(read_some(**stream, buffer).value(), 6U);
  EXPECT_TRUE((*stream)->is_idle_and_open());

  EXPECT_TRUE(write_text(**stream, "close").has_value());
  EXPECT_TRUE(run_until([&] { return !(*stream)->is_idle_and_open(); }));
}

TEST_F(TlsTest, ReadAndWriteMayBeUnderWayTogether) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  std::byte buffer[16];
  ReadOutcome read;
  (*stream)->read(buffer, read.callback());
  settle();
  EXPECT_FALSE(read.is_done);
  EXPECT_TRUE(write_text(**stream, "both").has_value());
  ASSERT_TRUE(run_until([&] { return read.is_done; }));
  EXPECT_EQ(as_text(std::span(buffer).first(read.result.value())), "both");
}

TEST_F(TlsTest, DestroyedStreamNeverCallsBack) {
  start_good_server();
  auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  std::byte buffer[16];
  ReadOutcome read;
  WriteOutcome write;
  (*stream)->read(buffer, read.callback());
  (*stream)->write(as_bytes("bye"), write.callback());
  stream->reset();
  settle();
  EXPECT_FALSE(read.is_done);
  EXPECT_FALSE(write.is_done);
}

TEST_F(TlsTest, HandshakeUnderWayCanBeDestroyed) {
  make_context();
  std::vector<std::unique_ptr<Stream>> accepted;
  const auto listener = network().listen(
      loopback(0), [&](std::unique_ptr<Stream> stream) { accepted.push_back(std::move(stream)); });
  ConnectOutcome outcome;
  outcome.operation = network().connect({.endpoint = (*listener)->local_endpoint(),
                                         .tls = context_.get(),
                                         .server_name = "localhost"},
                                        outcome.callback());
  ASSERT_TRUE(run_until([&] { return !accepted.empty() && !accepted[0]->is_idle_and_open(); }));
  outcome.operation.reset();
  settle();
  EXPECT_FALSE(outcome.is_done);
}

TEST_F(TlsTest, ServerThatClosesOrSpeaksPlainDuringTheHandshakeIsTold) {
  make_context();
  std::string answer;
  std::unique_ptr<Stream> far;
  const auto listener = network().listen(loopback(0), [&](std::unique_ptr<Stream> stream) {
    far = std::move(stream);
    if (answer.empty()) far.reset();
    if (far) far->write(as_bytes(answer), [](Result<void>) {});
  });
  const auto attempt = [&] {
    ConnectOutcome outcome;
    outcome.operation = network().connect({.endpoint = (*listener)->local_endpoint(),
                                           .tls = context_.get(),
                                           .server_name = "localhost"},
                                          outcome.callback());
    EXPECT_TRUE(run_until([&] { return outcome.is_done; }));
    return outcome.result.error();
  };
  const Error closed = attempt();
  EXPECT_EQ(closed.code, ErrorCode::connection_reset);
  EXPECT_TRUE(closed.detail.starts_with("during the TLS handshake: ")) << closed.detail;
  answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  const Error plain = attempt();
  EXPECT_EQ(plain.code, ErrorCode::tls_failed);
  EXPECT_EQ(plain.detail, "wrong version number");
}

TEST_F(TlsTest, NameThatNoServerCanHaveFailsInALaterTurn) {
  start_good_server();
  EXPECT_EQ(connect_failure(""), "not a server name: ");
}

TEST_F(TlsTest, StreamOutlivesItsContext) {
  start_good_server();
  const auto stream = connect();
  ASSERT_TRUE(stream.has_value());
  context_.reset();
  EXPECT_EQ(echo(**stream, "orphan"), "orphan");
}

TEST_F(TlsTest, NothingIsLeftInTheErrorQueue) {
  start_server(make_ca("Stranger").issue({}));
  EXPECT_NE(connect_failure(), "it connected");
  EXPECT_EQ(ERR_peek_error(), 0U);
}

struct BadContext {
  std::string_view what;
  TlsOptions options;
  std::string_view detail;
};

TEST_F(TlsTest, ContextSaysWhichPartOfWhichPemIsWrong) {
  const Identity client = intermediate_.issue({.common_name = "Client"});
  const Identity other = intermediate_.issue({.common_name = "Other"});
  const std::string root = root_.certificate_pem();
  const std::string truncated = root + client.certificate_pem.substr(0, 200);
  const std::string garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const BadContext rows[] = {
      {"no ca", {.trust = Trust::own}, "ca_certificates: holds no PEM certificate"},
      {"truncated ca",
       {.trust = Trust::both, .ca_certificates_pem = truncated},
       "ca_certificates: certificate 2 of 2 is not whole or not a certificate"},
      {"end without beginning",
       {.trust = Trust::own, .ca_certificates_pem = root + root.substr(40)},
       "ca_certificates: certificate 2 of 2 is not whole or not a certificate"},
      {"garbage ca",
       {.trust = Trust::own, .ca_certificates_pem = garbage},
       "ca_certificates: certificate 1 of 1 is not whole or not a certificate"},
      {"key without certificate",
       {.client_key_pem = client.key_pem},
       "client_certificate: holds no PEM certificate"},
      {"certificate without key",
       {.client_certificate_pem = client.chain_pem},
       "client_key: not an unencrypted PEM private key"},
      {"another's key",
       {.client_certificate_pem = client.chain_pem, .client_key_pem = other.key_pem},
       "client_key: does not belong to the first certificate, \"CN=Client\""},
      {"intermediate first",
       {.client_certificate_pem = intermediate_.certificate_pem() + client.certificate_pem,
        .client_key_pem = client.key_pem},
       "client_key: does not belong to the first certificate, \"CN=Test intermediate\""},
      {"truncated intermediate",
       {.client_certificate_pem = client.chain_pem.substr(0, client.chain_pem.size() - 60),
        .client_key_pem = client.key_pem},
       "client_certificate: certificate 2 of 2 is not whole or not a certificate"},
      {"empty alpn", {.alpn = {""}}, "alpn: a name has 1 to 255 bytes"},
  };
  for (const BadContext& row : rows) {
    SCOPED_TRACE(row.what);
    const auto context = network().make_tls_context(row.options);
    ASSERT_FALSE(context.has_value());
    EXPECT_EQ(context.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(context.error().detail.starts_with(row.detail)) << context.error().detail;
  }
}

TEST(SystemTrust, FileMayStandForTheSystemsPlaces) {
  const auto missing = SystemTrust::load("/nowhere/at/all.pem");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::bad_config);
  EXPECT_TRUE(missing.error().detail.contains("/nowhere/at/all.pem"));
}

TEST(TlsSessions, OldestServerIsForgottenFirst) {
  TlsSessions sessions;
  const auto key = [](std::size_t i) { return "host" + std::to_string(i) + ":443"; };
  for (std::size_t i = 0; i <= TlsSessions::kSessionsMax; ++i) {
    sessions.put(key(i), SslSessionPointer(SSL_SESSION_new()));
  }
  EXPECT_EQ(sessions.size(), TlsSessions::kSessionsMax);
  EXPECT_FALSE(sessions.contains(key(0)));
  EXPECT_TRUE(sessions.contains(key(1)));
  EXPECT_TRUE(sessions.contains(key(TlsSessions::kSessionsMax)));
}

}  // namespace
}  // namespace eilpost::env

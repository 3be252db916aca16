// Goal: with a proxy, every connection goes through it, to the address that was checked. Method: as
// sender_test.cpp; the proxy answers CONNECT and then is the receiver itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "deliver/sender.h"
#include "env/sim/sim_env.h"
#include "env/sim/sim_peer.h"

namespace eilpost::deliver {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class ProxySenderTest : public testing::Test {
 protected:
  ProxySenderTest() {
    env_.internet().set_name("hooks.example", {address_});
    env_.internet().set_name("proxy.example", {proxy_address_});
  }
  Outcome send() {
    const std::optional<Outcome> outcome = env_.finish(sender_.send(request_, 5s));
    EXPECT_TRUE(outcome.has_value()) << "send() did not end";
    return outcome.value_or(Outcome{.kind = OutcomeKind::token});
  }
  void let_through() {
    peer_.next({.bytes = "HTTP/1.1 200 Connection established\r\n\r\n"});
    peer_.next({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  }

  env::SimEnv env_{/*seed=*/1, {.network_delay = {}}};
  env::Address address_ = env_.internet().new_address();
  env::Address proxy_address_ = env_.internet().new_address();
  env::SimPeer peer_{env_.outside(), env::Endpoint{proxy_address_, 3128}, "\r\n\r\n"};
  http::AddressRules rules_;
  http::Proxy proxy_ = *http::parse_proxy("http://ann:hunter2@proxy.example:3128");
  Sender sender_{env_.lane(0), rules_, *env_.lane(0).network().make_tls_context({}), &proxy_};
  OutboundRequest request_{.method = HttpMethod::get, .url = "https://hooks.example/in"};
};

TEST_F(ProxySenderTest, HttpsAndHttpGoThroughToTheCheckedAddress) {
  env_.internet().set_tls({address_, 443}, {.names = {"hooks.example"}});
  const std::string host = env::to_string(address_);
  let_through();
  EXPECT_EQ(send().answer, "ok");
  request_.url = "http://hooks.example:8080/in";
  let_through();
  EXPECT_EQ(send().answer, "ok");
  ASSERT_EQ(peer_.received().size(), 4U);
  EXPECT_THAT(peer_.received()[0], StartsWith("CONNECT " + host + ":443 HTTP/1.1\r\n"));
  EXPECT_THAT(peer_.received()[0], HasSubstr("Proxy-Authorization: Basic "));
  EXPECT_THAT(peer_.received()[1], StartsWith("GET /in HTTP/1.1\r\nHost: hooks.example\r\n"));
  EXPECT_THAT(peer_.received()[1], testing::Not(HasSubstr("Proxy-Authorization")));
  EXPECT_THAT(peer_.received()[2], StartsWith("CONNECT " + host + ":8080 HTTP/1.1\r\n"));
}

TEST_F(ProxySenderTest, TheConnectionThroughItIsUsedAgain) {
  env_.internet().set_tls({address_, 443}, {.names = {"hooks.example"}});
  let_through();
  EXPECT_EQ(send().answer, "ok");
  peer_.next({.bytes = "HTTP/1.1 204 No Content\r\n\r\n"});
  EXPECT_EQ(send().status, 204);
  EXPECT_EQ(peer_.accepted_count(), 1U);
}

TEST_F(ProxySenderTest, TheCertificateIsStillThatOfTheName) {
  env_.internet().set_tls({address_, 443}, {.names = {"other.example"}});
  let_through();
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::tls);
  EXPECT_THAT(outcome.detail, HasSubstr("hooks.example"));
}

TEST_F(ProxySenderTest, AddressesThatAreNotAllowedAreNotAskedFor) {
  request_.url = "https://10.1.2.3/in";
  EXPECT_EQ(send().kind, OutcomeKind::blocked_address);
  env_.internet().set_name("hooks.example", {env::Address{.bytes = {127, 0, 0, 1}}});
  request_.url = "https://hooks.example/in";
  EXPECT_EQ(send().kind, OutcomeKind::blocked_address);
  EXPECT_EQ(peer_.accepted_count(), 0U);
}

TEST_F(ProxySenderTest, ARefusalOfTheProxySaysSo) {
  peer_.next({.bytes = "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"});
  Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::connect);
  EXPECT_FALSE(outcome.request_sent);
  EXPECT_THAT(outcome.detail, HasSubstr("The proxy http://proxy.example:3128 answered 407"));

  env_.internet().set_reach(proxy_address_, env::SimReach::refused);
  outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::connect);
  EXPECT_THAT(outcome.detail, HasSubstr("The proxy http://proxy.example:3128 was not reached"));

  env_.internet().remove_name("proxy.example");
  outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::connect);
  EXPECT_THAT(outcome.detail, HasSubstr("was not reached"));
}

}  // namespace
}  // namespace eilpost::deliver

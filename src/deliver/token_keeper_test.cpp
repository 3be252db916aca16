// Goal:   one request for a token however many wait, none too early, none too often, and no refresh
//         token used before it is durable.
// Method: a TokenKeeper on lane 0 of a simulated world without delays; the token end point is a
//         SimPeer that answers raw bytes, the store a map that can fail.

#include "deliver/token_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "base/parse.h"
#include "env/sim/sim_env.h"
#include "env/sim/sim_peer.h"
#include "model/limits.h"
#include "oauth/settings_digest.h"

namespace eilpost::deliver {
namespace {

using namespace std::chrono_literals;
using env::SimAnswer;
using testing::HasSubstr;

std::size_t frame_request(std::string_view text) {
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const std::string_view rest = text.substr(text.find(kLength) + kLength.size());
  const auto length = parse_integer<std::size_t>(rest.substr(0, rest.find('\r'))).value_or(0);
  const std::size_t size = head + 4 + length;
  return text.size() >= size ? size : 0;
}

SimAnswer answer(std::string_view status, std::string_view body, std::string_view headers = "") {
  std::string bytes = "HTTP/1.1 ";
  bytes += status;
  bytes += "\r\nContent-Type: application/json\r\n";
  bytes += headers;
  bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  bytes += body;
  return {.bytes = std::move(bytes)};
}

SimAnswer token(std::string_view text, std::string_view more = R"(,"expires_in":3600)") {
  std::string body = R"({"token_type":"Bearer","access_token":")";
  body += text;
  body += '"';
  body += more;
  body += '}';
  return answer("200 OK", body);
}

class MemoryStore final : public TokenStore {
 public:
  void load(DestinationId /*destination*/, env::Loop& loop,
            std::move_only_function<void(Result<std::optional<KeptTokens>>)> done) override {
    ++loads_count;
    Result<std::optional<KeptTokens>> result = kept;
    if (fails) result = fail(ErrorCode::disk_failed, "load");
    loop.post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }
  void save(DestinationId /*destination*/, KeptTokens tokens, env::Loop& loop,
            std::move_only_function<void(Result<void>)> done) override {
    Result<void> result;
    if (fails) {
      result = fail(ErrorCode::disk_full, "save");
    } else {
      kept = std::move(tokens);
    }
    loop.post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  std::optional<KeptTokens> kept;
  bool fails = false;
  int loads_count = 0;
};

class TokenKeeperTest : public testing::Test {
 protected:
  TokenKeeperTest() {
    env_.internet().set_name("id.example", {address_});
    restart();
    use(settings_);
  }

  void restart() { keeper_ = std::make_unique<TokenKeeper>(parts(), DestinationId{1}); }

  TokenKeeper::Parts parts() {
    return {.loop = env_.lane(0),
            .address_rules = rules_,
            .tls_context = *env_.lane(0).network().make_tls_context({.alpn = {"http/1.1"}}),
            .store = &store_,
            .random = random_,
            .counters = counters_};
  }

  void use(const OAuth& settings) {
    keeper_->use({.settings = std::make_shared<const OAuth>(settings), .version = ++version_});
  }

  // The token, or what went wrong.
  std::string get() {
    const Instant started = env_.clock().now();
    const auto got = env_.finish(keeper_->get());
    took_ = env_.clock().now() - started;
    if (!got) return "get() did not end";
    if (*got) return **got;
    EXPECT_EQ(got->error().kind, OutcomeKind::token);
    EXPECT_FALSE(got->error().success);
    EXPECT_FALSE(got->error().request_sent);
    retry_after_ = got->error().retry_after.value_or(-1s);
    return got->error().detail;
  }

  std::string exchange(std::string code) {
    const auto failure = env_.finish(keeper_->exchange({.refresh_token = "",
                                                        .code = std::move(code),
                                                        .code_verifier = "v3rifier",
                                                        .redirect_uri = "r"}));
    return failure ? failure->value_or("") : "exchange() did not end";
  }

  [[nodiscard]] std::size_t requests_count() const { return peer_.received().size(); }
  [[nodiscard]] std::string last_body() const {
    const std::string& last = peer_.received().back();
    return last.substr(last.find("\r\n\r\n") + 4);
  }

  env::SimEnv env_{/*seed=*/1, {.network_delay = {}}};
  env::Address address_ = env_.internet().new_address();
  env::SimPeer peer_{env_.outside(), env::Endpoint{address_, 80}, frame_request};
  http::AddressRules rules_;
  MemoryStore store_;
  Random random_{1};
  TokenCounters counters_;
  OAuth settings_{.token_url = "http://id.example/token",
                  .client_id = "shop",
                  .client_secret = "cl1ent-s3cret"};
  std::uint32_t version_ = 0;
  std::unique_ptr<TokenKeeper> keeper_;
  Duration took_{};
  Duration retry_after_{};
};

TEST_F(TokenKeeperTest, ATokenIsAskedForOnceAndUsedUntilShortlyBeforeItsEnd) {
  peer_.next(token("first"));
  peer_.next(token("second"));
  EXPECT_EQ(get(), "first");
  EXPECT_EQ(last_body(), "grant_type=client_credentials");
  env_.advance(59min - 1s);
  EXPECT_EQ(get(), "first");
  env_.advance(1s);
  EXPECT_EQ(get(), "second");
  EXPECT_EQ(requests_count(), 2U);
  EXPECT_EQ(counters_.fetched.load(), 2U);
  EXPECT_EQ(counters_.failed.load(), 0U);
}

TEST_F(TokenKeeperTest, AShortLifeHasAShortMargin) {
  peer_.always(token("short", R"(,"expires_in":100)"));
  EXPECT_EQ(get(), "short");
  env_.advance(89s);
  EXPECT_EQ(get(), "short");
  EXPECT_EQ(requests_count(), 1U);
  env_.advance(1s);
  (void)get();
  EXPECT_EQ(requests_count(), 2U);
}

TEST_F(TokenKeeperTest, WithoutALifeATokenLastsUntilItIsRefused) {
  peer_.next(token("endless", ""));
  EXPECT_EQ(get(), "endless");
  env_.advance(24h * 40);
  EXPECT_EQ(get(), "endless");
  peer_.next(token("next", ""));
  EXPECT_TRUE(keeper_->reject("endless"));
  EXPECT_EQ(get(), "next");
}

TEST_F(TokenKeeperTest, TheLifeCountsFromWhenItWasAskedFor) {
  SimAnswer slow = token("slow", R"(,"expires_in":100)");
  slow.delay = 9s;
  peer_.always(slow);
  EXPECT_EQ(get(), "slow");
  EXPECT_EQ(took_, Duration(9s));
  env_.advance(80s);
  EXPECT_EQ(get(), "slow");
  EXPECT_EQ(requests_count(), 1U);
  env_.advance(1s);
  (void)get();
  EXPECT_EQ(requests_count(), 2U);
}

Task<void> get_into(TokenKeeper& keeper, std::vector<std::string>& got) {
  const auto token = co_await keeper.get();
  got.push_back(token ? *token : token.error().detail);
}

TEST_F(TokenKeeperTest, AHundredWhoWaitShareOneRequest) {
  SimAnswer slow = token("shared");
  slow.delay = 3s;
  peer_.always(slow);
  std::vector<std::string> got;
  TaskSet tasks;
  for (int i = 0; i < 100; ++i) tasks.spawn(get_into(*keeper_, got));
  env_.advance(4s);
  EXPECT_EQ(got, std::vector<std::string>(100, "shared"));
  EXPECT_EQ(requests_count(), 1U);
}

TEST_F(TokenKeeperTest, AHundredWhoWaitShareOneFailure) {
  peer_.always(answer("500 Broken", ""));
  std::vector<std::string> got;
  TaskSet tasks;
  for (int i = 0; i < 100; ++i) tasks.spawn(get_into(*keeper_, got));
  env_.run_ready();
  EXPECT_EQ(got, std::vector<std::string>(100, "The token end point answered 500."));
  EXPECT_EQ(requests_count(), 1U);
}

TEST_F(TokenKeeperTest, OneWhoGoesAwayTakesNothingFromTheOthers) {
  SimAnswer slow = token("shared");
  slow.delay = 3s;
  peer_.always(slow);
  std::vector<std::string> got;
  auto first = std::make_unique<TaskSet>();
  TaskSet second;
  first->spawn(get_into(*keeper_, got));
  second.spawn(get_into(*keeper_, got));
  env_.advance(1s);
  first.reset();
  env_.advance(3s);
  EXPECT_EQ(got, std::vector<std::string>{"shared"});
  EXPECT_EQ(requests_count(), 1U);
}

TEST_F(TokenKeeperTest, AFailingEndPointIsAskedAfterOneSecondDoublingToAMinute) {
  peer_.always(
      answer("400 Bad", R"({"error":"invalid_client","error_description":"cl1ent-s3cret"})"));
  for (const Duration wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const std::size_t before = requests_count();
    EXPECT_EQ(get(), "The token end point answered 400: invalid_client \"••••\".");
    EXPECT_EQ(requests_count(), before + 1);
    EXPECT_EQ(retry_after_, wait);
    env_.advance(wait - 1ms);
    EXPECT_EQ(get(), "The token end point answered 400: invalid_client \"••••\".");
    EXPECT_EQ(requests_count(), before + 1) << "too early";
    EXPECT_EQ(retry_after_, Duration(1ms));
    env_.advance(1ms);
  }
  peer_.always(token("healed"));
  EXPECT_EQ(get(), "healed");
  EXPECT_EQ(counters_.failed.load(), 8U);
}

TEST_F(TokenKeeperTest, ItsRetryAfterIsHonoured) {
  peer_.next(answer("503 Busy", "", "Retry-After: 120\r\n"));
  peer_.always(token("later"));
  EXPECT_THAT(get(), HasSubstr("answered 503"));
  EXPECT_EQ(retry_after_, Duration(120s));
  env_.advance(119s);
  EXPECT_THAT(get(), HasSubstr("answered 503"));
  env_.advance(1s);
  EXPECT_EQ(get(), "later");
}

TEST_F(TokenKeeperTest, ASilentEndPointHasTenSeconds) {
  peer_.always({});
  EXPECT_EQ(get(),
            "The token end point gave no answer: No answer within 10000 ms, waiting for the "
            "answer.");
  EXPECT_EQ(took_, Duration(10s));
}

TEST_F(TokenKeeperTest, AnAddressThatIsNotAllowedIsNotAsked) {
  settings_.token_url = "http://127.0.0.1/token";
  use(settings_);
  EXPECT_THAT(get(), HasSubstr("The address is not allowed"));
}

TEST_F(TokenKeeperTest, WhileItCannotBeRenewedATokenLastsToItsVeryEnd) {
  peer_.next(token("old"));
  peer_.always(answer("500 Broken", ""));
  EXPECT_EQ(get(), "old");
  env_.advance(59min);
  EXPECT_EQ(get(), "old");
  EXPECT_EQ(requests_count(), 2U);
  env_.advance(1min);
  EXPECT_EQ(get(), "The token end point answered 500.");
}

TEST_F(TokenKeeperTest, ARefusedTokenIsRenewedOnceForAllThatSentIt) {
  peer_.next(token("first"));
  peer_.next(token("second"));
  EXPECT_EQ(get(), "first");
  EXPECT_TRUE(keeper_->reject("first"));
  EXPECT_TRUE(keeper_->reject("first"));
  EXPECT_EQ(get(), "second");
  EXPECT_TRUE(keeper_->reject("first"));
  EXPECT_EQ(get(), "second");
  EXPECT_EQ(requests_count(), 2U);
}

TEST_F(TokenKeeperTest, AReceiverThatRefusesEveryTokenCausesFewRequests) {
  peer_.always(token("again"));
  EXPECT_EQ(get(), "again");
  for (const Duration wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_TRUE(keeper_->reject("again"));
    EXPECT_EQ(get(), "again");
    env_.advance(wait - 1ms);
    EXPECT_FALSE(keeper_->reject("again"));
    env_.advance(1ms);
  }
  keeper_->accept();
  EXPECT_TRUE(keeper_->reject("again"));
  EXPECT_EQ(get(), "again");
  keeper_->accept();
  EXPECT_TRUE(keeper_->reject("again"));
}

TEST_F(TokenKeeperTest, ATokenSurvivesARestart) {
  peer_.next(token("kept"));
  EXPECT_EQ(get(), "kept");
  restart();
  use(settings_);
  env_.advance(59min - 1s);
  EXPECT_EQ(get(), "kept");
  EXPECT_EQ(requests_count(), 1U);
  peer_.next(token("new"));
  env_.advance(1s);
  EXPECT_EQ(get(), "new");
}

TEST_F(TokenKeeperTest, ACalendarThatWasSetBackMakesNoTokenLiveLonger) {
  store_.kept = KeptTokens{.settings_digest = oauth::settings_digest(settings_),
                           .access_token = "future",
                           .refresh_token = "",
                           .obtained_at = env_.clock().wall_now() + 24h,
                           .life = 1h};
  EXPECT_EQ(get(), "future");
  env_.advance(59min);
  peer_.next(token("new"));
  EXPECT_EQ(get(), "new");
}

TEST_F(TokenKeeperTest, TokensOfOtherSettingsAreNotUsed) {
  peer_.next(token("reader"));
  peer_.next(token("writer"));
  EXPECT_EQ(get(), "reader");
  settings_.scope = "write";
  use(settings_);
  EXPECT_EQ(get(), "writer");
  EXPECT_EQ(last_body(), "grant_type=client_credentials&scope=write");
  settings_.scope = "";
  restart();
  use(settings_);
  peer_.next(token("reader2"));
  EXPECT_EQ(get(), "reader2");
}

TEST_F(TokenKeeperTest, ANewClientSecretEndsTheWaitingAndNoToken) {
  peer_.next(answer("401 No", R"({"error":"invalid_client"})"));
  EXPECT_THAT(get(), HasSubstr("invalid_client"));
  peer_.next(token("good"));
  settings_.client_secret = "right";
  use(settings_);
  EXPECT_EQ(get(), "good");
  settings_.client_secret = "another";
  use(settings_);
  EXPECT_EQ(get(), "good");
  EXPECT_EQ(requests_count(), 2U);
}

TEST_F(TokenKeeperTest, SettingsOfAnOlderVersionDoNotComeBack) {
  peer_.always(token("any"));
  OAuth newer = settings_;
  newer.scope = "new";
  use(newer);
  keeper_->use({.settings = std::make_shared<const OAuth>(settings_), .version = 1});
  EXPECT_EQ(get(), "any");
  EXPECT_THAT(last_body(), HasSubstr("scope=new"));
}

TEST_F(TokenKeeperTest, SettingsThatChangeDuringARequestCountAtOnce) {
  SimAnswer slow = token("old");
  slow.delay = 2s;
  peer_.next(slow);
  peer_.next(token("new"));
  std::vector<std::string> got;
  TaskSet tasks;
  tasks.spawn(get_into(*keeper_, got));
  env_.advance(1s);
  settings_.scope = "new";
  use(settings_);
  env_.advance(5s);
  EXPECT_EQ(got, std::vector<std::string>{"new"});
}

TEST_F(TokenKeeperTest, ARotatedRefreshTokenIsDurableBeforeItIsUsed) {
  settings_.grant = OAuthGrant::refresh_token;
  settings_.refresh_token = "r1";
  use(settings_);
  peer_.next(token("a1", R"(,"expires_in":100,"refresh_token":"r2")"));
  store_.fails = true;
  // It cannot be read whether there is a newer one: nothing is asked.
  EXPECT_THAT(get(), HasSubstr("cannot be read back"));
  EXPECT_EQ(requests_count(), 0U);
  store_.fails = false;
  env_.advance(1s);
  std::vector<std::string> got;
  TaskSet tasks;
  tasks.spawn(get_into(*keeper_, got));
  ASSERT_TRUE(env_.run_until([&] { return requests_count() == 1; }, 1s));
  store_.fails = true;
  env_.run_ready();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got[0], HasSubstr("must be saved before it is used"));
  EXPECT_THAT(last_body(), HasSubstr("refresh_token=r1"));
  // The end point is not asked again: what it gave is saved first.
  env_.advance(2s);
  EXPECT_THAT(get(), HasSubstr("must be saved before it is used"));
  EXPECT_EQ(requests_count(), 1U);
  store_.fails = false;
  env_.advance(10s);
  EXPECT_EQ(get(), "a1");
  EXPECT_EQ(requests_count(), 1U);
  ASSERT_TRUE(store_.kept.has_value());
  EXPECT_EQ(store_.kept->refresh_token, "r2");

  restart();
  use(settings_);
  peer_.next(token("a2"));
  env_.advance(100s);
  EXPECT_EQ(get(), "a2");
  EXPECT_EQ(last_body(), "grant_type=refresh_token&refresh_token=r2");
  EXPECT_EQ(store_.kept->refresh_token, "r2");
}

TEST_F(TokenKeeperTest, WithoutARotationATokenThatCannotBeSavedIsUsed) {
  settings_.grant = OAuthGrant::refresh_token;
  settings_.refresh_token = "r1";
  use(settings_);
  SimAnswer slow = token("a1");
  slow.delay = 1s;
  peer_.next(slow);
  std::vector<std::string> got;
  TaskSet tasks;
  tasks.spawn(get_into(*keeper_, got));
  ASSERT_TRUE(env_.run_until([&] { return requests_count() == 1; }, 1s));
  store_.fails = true;
  env_.advance(2s);
  EXPECT_EQ(got, std::vector<std::string>{"a1"});
}

TEST_F(TokenKeeperTest, ADestinationThatNobodyConnectedSaysSo) {
  settings_.grant = OAuthGrant::authorization_code;
  use(settings_);
  EXPECT_THAT(get(), HasSubstr("Nobody has connected this destination yet"));
  EXPECT_EQ(requests_count(), 0U);
  peer_.next(token("a1", R"(,"expires_in":100,"refresh_token":"r1")"));
  EXPECT_EQ(exchange("c0de"), "");
  EXPECT_EQ(last_body(),
            "grant_type=authorization_code&code=c0de&redirect_uri=r&code_verifier=v3rifier");
  EXPECT_EQ(get(), "a1");
  env_.advance(100s);
  peer_.next(token("a2", R"(,"expires_in":100)"));
  EXPECT_EQ(get(), "a2");
  EXPECT_EQ(last_body(), "grant_type=refresh_token&refresh_token=r1");
  env_.advance(100s);
  peer_.next(answer("400 Bad", R"({"error":"invalid_grant"})"));
  EXPECT_THAT(get(), HasSubstr("invalid_grant. To connect it again, open the page"));
}

TEST_F(TokenKeeperTest, ACodeThatIsRefusedTakesNoTokenAway) {
  settings_.grant = OAuthGrant::authorization_code;
  use(settings_);
  peer_.next(token("a1"));
  EXPECT_EQ(exchange("c0de"), "");
  peer_.next(answer("400 Bad", R"({"error":"invalid_grant","error_description":"c0de?"})"));
  EXPECT_THAT(exchange("c0de"), HasSubstr("invalid_grant \"••••?\""));
  EXPECT_EQ(get(), "a1");
  // Nothing renews it: a 401 must not cost the only token there is.
  EXPECT_FALSE(keeper_->reject("a1"));
  env_.advance(1h);
  EXPECT_THAT(get(), HasSubstr("no refresh token was given"));
}

}  // namespace
}  // namespace eilpost::deliver

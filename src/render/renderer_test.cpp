// Goal: the whole request: URL, headers, signature, limits, masks; and that nothing an event holds
//       can break it.

#include "render/renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/hmac.h"
#include "render/mask.h"
#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const OutboundRequest& request) {
  std::vector<std::string> lines;
  for (const OutboundHeader& header : request.headers) {
    lines.push_back(header.name + ": " + header.value);
  }
  return lines;
}

std::string header_of(const OutboundRequest& request, std::string_view name) {
  for (const OutboundHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "none";
}

std::string signature(std::string_view secret, std::string_view message) {
  const auto key = decode_base64(secret.substr(6));
  return "v1," + encode_base64(crypto::HmacSha256(*key).sign(as_bytes(message)));
}

TEST(Renderer, HeadersStandInTheirOrder) {
  RenderFixture fixture;
  fixture.choose("nps");
  fixture.is_test = true;
  fixture.destination.request.headers = {{.name = "X-Team", .value = "{{wm.userVars.plan}} team"}};
  fixture.destination.authentication = {.type = Authentication::Type::bearer, .token = "tok"};
  const OutboundRequest request = fixture.render().value();
  EXPECT_EQ(request.method, HttpMethod::post);
  EXPECT_EQ(request.url, "https://api.example.com/v1/events");
  EXPECT_EQ(request.body, R"({"nps":9})");
  EXPECT_THAT(
      lines_of(request),
      ElementsAre("Content-Type: application/json", "User-Agent: Eilpost/0.1", "X-Team: pro team",
                  "Authorization: Bearer tok", "webhook-id: dlv_0000000000001-0",
                  "webhook-timestamp: 1795510801",
                  "webhook-signature: " + signature(fixture.destination.signing.secret,
                                                    R"(dlv_0000000000001-0.1795510801.{"nps":9})"),
                  "webhook-test: true"));
}

// The example of the Standard Webhooks specification.
TEST(Renderer, SignatureIsThatOfStandardWebhooks) {
  EXPECT_EQ(signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                      R"(msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Renderer, BothSecretsSignWhileTheOldOneIsValid) {
  RenderFixture fixture;
  fixture.choose("nps");
  auto& signing = fixture.destination.signing;
  signing.previous_secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string message = R"(dlv_0000000000001-0.1795510801.{"nps":9})";
  const std::string fresh = signature(signing.secret, message);
  signing.previous_until = fixture.attempt_at + std::chrono::milliseconds(1);
  EXPECT_EQ(header_of(fixture.render().value(), "webhook-signature"),
            fresh + " " + signature(signing.previous_secret, message));
  signing.previous_until = fixture.attempt_at;
  EXPECT_EQ(header_of(fixture.render().value(), "webhook-signature"), fresh);
}

TEST(Renderer, KeysOfManyDestinationsAreNotMixedUp) {
  RenderFixture fixture;
  fixture.choose("nps");
  Random random(3);
  std::vector<std::pair<std::string, std::shared_ptr<const CompiledDestination>>> destinations;
  const auto webhook = compile(fixture.webhook, built_in_catalog(), fixture.problems);
  for (int i = 0; i < 600; ++i) {
    Bytes key(24);
    for (std::byte& byte : key) byte = static_cast<std::byte>(random.below(256));
    fixture.destination.signing.secret = "whsec_" + encode_base64(key);
    destinations.emplace_back(fixture.destination.signing.secret,
                              compile(fixture.destination, fixture.problems));
  }
  for (int i = 0; i < 3000; ++i) {
    auto& [secret, destination] = destinations[random.below(destinations.size())];
    if (random.chance(1, 10)) {  // another key, perhaps at the address of the one before
      secret = destinations[random.below(destinations.size())].first;
      fixture.destination.signing.secret = secret;
      destination = nullptr;
      destination = compile(fixture.destination, fixture.problems);
    }
    const auto request = render({.webhook = *webhook,
                                 .destination = *destination,
                                 .document = fixture.document,
                                 .delivery_id = "d",
                                 .attempt_at = fixture.attempt_at},
                                *fixture.scratch);
    EXPECT_EQ(header_of(request.value(), "webhook-signature"),
              signature(secret, R"(d.1795510801.{"nps":9})"));
  }
}

TEST(Renderer, WithoutSigningTheIdStays) {
  RenderFixture fixture;
  fixture.destination.signing = {.scheme = Signing::Scheme::none};
  EXPECT_THAT(lines_of(fixture.render().value()),
              ElementsAre("Content-Type: application/json", "User-Agent: Eilpost/0.1",
                          "webhook-id: dlv_0000000000001-0", "webhook-timestamp: 1795510801"));
}

TEST(Renderer, NothingIsSentUnsignedForWantOfASecret) {
  RenderFixture fixture;
  fixture.destination.signing.secret = "";
  EXPECT_THAT(fixture.render().error().detail, HasSubstr("no signing secret yet"));
  fixture.options.mask_secrets = true;
  EXPECT_EQ(header_of(fixture.render().value(), "webhook-signature"), "v1,••••");
}

TEST(Renderer, OwnTypeAndAgentReplaceOurs) {
  RenderFixture fixture;
  fixture.destination.signing = {.scheme = Signing::Scheme::none};
  fixture.destination.request.headers = {{.name = "content-type", .value = "text/x"},
                                         {.name = "USER-AGENT", .value = "me"}};
  EXPECT_THAT(lines_of(fixture.render().value()),
              ElementsAre("content-type: text/x", "USER-AGENT: me",
                          "webhook-id: dlv_0000000000001-0", "webhook-timestamp: 1795510801"));
}

TEST(Renderer, HeadersHoldNoLineBreaksAndAreLeftOutWithoutValue) {
  RenderFixture fixture;
  fixture.document = make_document(R"({"evil":"a\r\nX-Evil: 1\u0000","blank":" \n "})");
  fixture.choose("evil");
  fixture.destination.signing = {.scheme = Signing::Scheme::none};
  fixture.destination.request.headers = {{.name = "X-A", .value = "<{{evil}}>"},
                                         {.name = "X-B", .value = "{{absent}}"},
                                         {.name = "X-C", .value = "{{blank}}"},
                                         {.name = "X-D", .value = "{{absent | default('d')}}"},
                                         {.name = "X-E", .value = "{{#if absent}}e{{/if}}"},
                                         {.name = "X-F", .value = "team {{absent}}"},
                                         {.name = "X-G", .value = ""}};
  const auto lines = lines_of(fixture.render().value());
  EXPECT_THAT(lines, ElementsAre("Content-Type: application/json", "User-Agent: Eilpost/0.1",
                                 "X-A: <a  X-Evil: 1 >", "X-D: d", "X-F: team",
                                 "X-G: ", "webhook-id: dlv_0000000000001-0",
                                 "webhook-timestamp: 1795510801"));
}

TEST(Renderer, HeadersHaveALimit) {
  RenderFixture fixture;
  fixture.document = make_document(R"({"t":")" + std::string(9000, 'x') + R"("})");
  fixture.choose("absent");
  fixture.destination.request.headers = {{.name = "X-A", .value = "{{t}}"}};
  EXPECT_THAT(fixture.render().error().detail, HasSubstr("The headers have"));
}

TEST(Renderer, DestinationsSeeTheFinalNamesOfTheWebhook) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "user_id");
  fixture.choose("wm.userVars.*", "vars.*");
  fixture.add_static("team", "blue");
  fixture.destination.request.url = "https://a.example/{{user_id}}/{{vars.plan}}/{{webhook.id}}";
  fixture.destination.request.headers = {{.name = "X-Team", .value = "{{team}}"},
                                         {.name = "X-All", .value = "{{properties}}"}};
  const OutboundRequest request = fixture.render().value();
  EXPECT_EQ(request.url, "https://a.example/u%2F1%20%C3%A4/pro/" + to_string(WebhookId{7}));
  EXPECT_EQ(header_of(request, "X-Team"), "blue");
  EXPECT_EQ(header_of(request, "X-All"), request.body);
}

TEST(Renderer, ValuesInUrlsAreOneSegment) {
  RenderFixture fixture;
  fixture.choose("nps");
  const auto url_with = [&](std::string_view value, std::string url) {
    fixture.document = make_document(Json{{"v", value}}.dump());
    fixture.destination.request.url = std::move(url);
    return fixture.url();
  };
  EXPECT_EQ(url_with("a/b?c#d&e=f", "https://a.example/x/{{v}}/y?q={{v}}&r=1"),
            "https://a.example/x/a%2Fb%3Fc%23d%26e%3Df/y?q=a%2Fb%3Fc%23d%26e%3Df&r=1");
  EXPECT_EQ(url_with("@evil.example", "https://a.example/{{v}}"),
            "https://a.example/%40evil.example");
  EXPECT_THAT(url_with("..", "https://a.example/x/{{v}}/y"),
              HasSubstr("error: A value would make"));
  EXPECT_THAT(url_with(".", "https://a.example/x/{{v}}"), HasSubstr("error: A value would make"));
  EXPECT_THAT(url_with(".", "https://a.example/x/.{{v}}?z"),
              HasSubstr("error: A value would make"));
  EXPECT_THAT(url_with(".", "https://a.example/{{v}}%2E/"), HasSubstr("error: A value would make"));
  EXPECT_EQ(url_with("...", "https://a.example/{{v}}"), "https://a.example/...");
  EXPECT_EQ(url_with("..", "https://a.example/a{{v}}"), "https://a.example/a..");
  EXPECT_EQ(url_with("..", "https://a.example/?a={{v}}"), "https://a.example/?a=..");
  EXPECT_EQ(url_with("%2e%2e", "https://a.example/{{v}}"), "https://a.example/%252e%252e");
}

TEST(Renderer, MissingOrEmptyInAUrlSendsNothing) {
  RenderFixture fixture;
  const auto url_of = [&](std::string url) {
    fixture.destination.request.url = std::move(url);
    return fixture.url();
  };
  EXPECT_EQ(url_of("https://a.example/members/{{absent}}"),
            "error: The URL needs {{absent}}, but it is missing, so nothing was sent. Add a "
            "condition that it exists, or a filter such as default('unknown').");
  EXPECT_THAT(url_of("https://a.example/{{nothing}}"), HasSubstr("{{nothing}}, but it is missing"));
  EXPECT_THAT(url_of("https://a.example/?a={{empty}}"), HasSubstr("{{empty}}, but it is empty"));
  EXPECT_EQ(url_of("https://a.example/{{absent | default('x y')}}"), "https://a.example/x%20y");
  EXPECT_EQ(url_of("https://a.example/?a={{absent | default('')}}"), "https://a.example/?a=");
  EXPECT_EQ(url_of("https://a.example/{{oId}}/{{yes}}/{{tags}}"),
            "https://a.example/152605/true/%5B%22a%22%2C%22b%22%5D");
  EXPECT_EQ(url_of("https://a.example/x#part"), "https://a.example/x");
}

TEST(Renderer, GetAndDeleteSendTheirPropertiesInTheQuery) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "user id");
  fixture.webhook.properties[0].as = "user";
  fixture.choose("tags");
  fixture.choose("wm.userVars", "v");
  fixture.choose("absent", "gone", Missing::null);
  fixture.add_static("t", "a&b");
  const std::string pairs =
      "user=u%2F1%20%C3%A4&tags=%5B%22a%22%2C%22b%22%5D&v.plan=pro&v.seats=12&v.trial=false&"
      "t=a%26b";
  for (const auto method : {HttpMethod::get, HttpMethod::delete_}) {
    fixture.destination.request.method = method;
    fixture.destination.request.url = "https://a.example/x";
    const OutboundRequest request = fixture.render().value();
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.url, "https://a.example/x?" + pairs);
    EXPECT_EQ(request.body, "");
    EXPECT_EQ(header_of(request, "Content-Type"), "none");
    EXPECT_EQ(header_of(request, "webhook-signature"),
              signature(fixture.destination.signing.secret, "dlv_0000000000001-0.1795510801."));
  }
  fixture.destination.request.url = "https://a.example/x?a=1";
  EXPECT_EQ(fixture.url(), "https://a.example/x?a=1&" + pairs);
  fixture.destination.request.url = "https://a.example/x?";
  EXPECT_EQ(fixture.url(), "https://a.example/x?" + pairs);
  fixture.webhook.static_properties.clear();
  fixture.webhook.properties = {{.property = "absent", .as = "", .missing = std::nullopt}};
  fixture.destination.request.url = "https://a.example/x";
  EXPECT_EQ(fixture.url(), "https://a.example/x");
}

TEST(Renderer, UrlsHaveALimit) {
  RenderFixture fixture;
  fixture.document = make_document(R"({"t":")" + std::string(9000, 'x') + R"("})");
  fixture.choose("absent");
  fixture.destination.request.url = "https://a.example/{{t}}";
  EXPECT_THAT(fixture.url(), HasSubstr("error: The URL has 9018 bytes; at most 8192 are sent."));
}

TEST(Renderer, TheInboxHasAUrlThatNoNetworkReaches) {
  RenderFixture fixture;
  fixture.destination.platform = "inbox";
  fixture.destination.request.url = "";
  fixture.destination.inbox_token = "abc";
  EXPECT_EQ(fixture.url(), "http://inbox.invalid/inbox/abc");
}

TEST(Renderer, ABrokenDocumentIsAnErrorNotACrash) {
  RenderFixture fixture;
  for (const std::string_view bad : {"", "{", "[]", "{}", R"({"event":1,"data":2})"}) {
    fixture.document = bad;
    EXPECT_THAT(fixture.render().error().detail, HasSubstr("The event cannot be read")) << bad;
  }
}

TEST(Renderer, PreviewsShowNoSecret) {
  RenderFixture fixture;
  fixture.choose("nps");
  fixture.options.mask_secrets = true;
  fixture.destination.request.url = "https://hooks.slack.com/services/T0/B0/hunter2?token=hunter2";
  fixture.destination.request.headers = {{.name = "api-key", .value = "hunter2"},
                                         {.name = "X-Auth-Token", .value = "hunter2"},
                                         {.name = "Idempotency-Key", .value = "shown"}};
  fixture.destination.authentication = {
      .type = Authentication::Type::basic, .username = "u", .password = "hunter2"};
  const OutboundRequest request = fixture.render().value();
  std::string all = request.url + request.body;
  for (const std::string& line : lines_of(request)) all += line + "\n";
  EXPECT_THAT(all, Not(HasSubstr("hunter2")));
  EXPECT_THAT(all, Not(HasSubstr(encode_base64(as_bytes("u:hunter2")))));
  EXPECT_EQ(request.url, "https://hooks.slack.com/services/••••?token=••••");
  EXPECT_EQ(header_of(request, "Authorization"), "Basic ••••");
  EXPECT_EQ(header_of(request, "webhook-signature"), "v1,••••");
  EXPECT_EQ(header_of(request, "Idempotency-Key"), "shown");
}

TEST(Mask, KnowsTheSecretPartsOfUrls) {
  EXPECT_EQ(
      mask_url("https://prod-1.westeurope.logic.azure.com:443/workflows/a?api-version=1&sig=x"),
      "https://prod-1.westeurope.logic.azure.com:443/workflows/a?api-version=1&sig=••••");
  EXPECT_EQ(mask_url("https://acme.webhook.office.com/webhookb2/x/y"),
            "https://acme.webhook.office.com/webhookb2/••••");
  EXPECT_EQ(mask_url("https://www.google-analytics.com/mp/collect?measurement_id=G&api_secret=s"),
            "https://www.google-analytics.com/mp/collect?measurement_id=G&api_secret=••••");
  EXPECT_EQ(mask_url("https://a.example/x?monkey=1&b&key="),
            "https://a.example/x?monkey=1&b&key=••••");
  EXPECT_EQ(mask_url("https://evilhooks.slack.com.example/services/x"),
            "https://evilhooks.slack.com.example/services/x");
}

TEST(Renderer, OriginsTellWhereEveryPropertyComesFrom) {
  RenderFixture fixture;
  std::vector<Origin> origins;
  fixture.options.origins = &origins;
  fixture.choose("wm.euId", "user");
  fixture.choose("absent", "gone");
  fixture.choose("wm.userVars.*", "v.*");
  fixture.add_static("s", "{{oName}}");
  (void)fixture.body();
  std::vector<std::string> lines;
  for (const Origin& origin : origins) {
    lines.push_back(origin.name + "<" + origin.property + (origin.missing ? " missing" : ""));
  }
  EXPECT_THAT(lines, ElementsAre("gone<absent missing", "user<wm.euId", "v.plan<wm.userVars.*",
                                 "v.seats<wm.userVars.*", "v.trial<wm.userVars.*", "s<"));
}

// Texts that break careless writers.
std::string nasty_text(Random& random) {
  constexpr std::string_view kPieces[] = {
      "\"",        "\\",       "{{",     "}}",     "{{nps}}", "\n",     "\r\n",   "\t",
      "\x01",      "\x1f",     "\x7f",   "\u2028", "\u2029",  "\u00e4", "\u20ac", "\U0001F600",
      "</script>", "' OR 1=1", "%2e%2e", "..",     "/",       "?",      "#",      "&",
      "=",         "+",        " ",      "null",   "\\u0000", "a",      "0",      ",",
      ":",         "[",        "]",      "{",      "}"};
  std::string text;
  const std::uint64_t count = random.below(12);
  for (std::uint64_t i = 0; i < count; ++i) text += kPieces[random.below(std::size(kPieces))];
  return text;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by depth.
Json nasty_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return random.chance(1, 2);
    case 2:
      return static_cast<std::int64_t>(random.next());
    case 3:
      return random.next();
    case 4: {
      const std::uint64_t numerator = random.below(1000);
      return static_cast<double>(numerator) / static_cast<double>(1 + random.below(1000));
    }
    case 5:
    case 6:
      return nasty_text(random);
    case 7: {
      Json list = Json::array();
      const std::uint64_t count = random.below(4);
      for (std::uint64_t i = 0; i < count; ++i) list.push_back(nasty_value(random, depth - 1));
      return list;
    }
    default: {
      Json object = Json::object();
      const std::uint64_t count = random.below(5);
      for (std::uint64_t i = 0; i < count; ++i) {
        constexpr std::string_view kKeys[] = {"a",     "b",          "a.b", "b.a",
                                              "event", "created_at", "wm",  ""};
        const bool known = random.chance(1, 2);
        std::string key =
            known ? std::string(kKeys[random.below(std::size(kKeys))]) : nasty_text(random);
        object[std::move(key)] = nasty_value(random, depth - 1);
      }
      return object;
    }
  }
}

// True if no object has a key twice.
bool has_unique_keys(const std::string& text) {
  std::vector<std::set<std::string>> open;
  bool unique = true;
  const auto callback = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end) open.pop_back();
    if (event == Event::key)
      unique = open.back().insert(parsed.get<std::string>()).second && unique;
    return true;
  };
  const auto parsed = nlohmann::json::parse(text, callback, /*allow_exceptions=*/false);
  return !parsed.is_discarded() && unique;
}

TEST(RendererProperty, WhateverTheEventHoldsTheBodyIsValidJson) {
  const auto scratch = make_scratch();
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RenderFixture fixture;
    Json data = Json::object();
    for (const std::string_view key : {"nps", "oName", "wm", "tags", "a", "a.b"}) {
      if (random.chance(3, 4)) data[std::string(key)] = nasty_value(random, 4);
    }
    fixture.document = make_document(to_text(data));
    fixture.webhook.missing = random.chance(1, 2) ? Missing::null : Missing::leave_out;
    if (random.chance(2, 3)) {
      fixture.choose("a.*", "x.*");
      fixture.choose("wm");
      fixture.choose("*.a", "list");
      fixture.choose("oName", "x.a");
    }
    fixture.add_static("text", "{{oName}} \"{{nps}}\" {{#each tags}}{{this}}{{this.a}}{{/each}}");
    fixture.add_static("typed", "{{wm}}");
    constexpr Body::Format kFormats[] = {Body::Format::flat, Body::Format::nested,
                                         Body::Format::envelope, Body::Format::template_};
    fixture.webhook.body.format = kFormats[random.below(4)];
    fixture.webhook.body.underscores = random.chance(1, 3);
    fixture.webhook.body.template_json =
        Json{{"t", "{{oName}}{{a.b | json}}"},
             {"v", "{{a}}"},
             {"all", "{{properties}}"},
             {"...", "{{properties}}"},
             {"text", "own"},
             {"list", Json::array({"{{absent}}", "{{x.a | default('none')}}"})}};
    fixture.destination.request.headers = {{.name = "X-A", .value = "{{oName}} {{wm}}"}};
    fixture.scratch = scratch;
    const auto first = fixture.render();
    if (!first) continue;  // names may collide with limits of a header
    EXPECT_TRUE(has_unique_keys(first->body)) << first->body;
    for (const OutboundHeader& header : first->headers) {
      EXPECT_EQ(header.value.find_first_of("\r\n"), std::string::npos);
    }
    const auto second = fixture.render();
    EXPECT_EQ(first->body, second->body);
    EXPECT_EQ(lines_of(*first), lines_of(*second));
    fixture.scratch = make_scratch();
    EXPECT_EQ(first->body, fixture.render()->body);
    fixture.scratch = scratch;
  }
}

TEST(RendererProperty, NoValueLeavesItsPlaceInTheUrl) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RenderFixture fixture;
    fixture.choose("absent");
    fixture.document = make_document(to_text(Json{{"v", nasty_value(random, 2)}}));
    fixture.destination.request.url = "https://a.example/one/{{v}}/two?three={{v}}&four=4";
    const auto request = fixture.render();
    if (!request) continue;
    const std::string& url = request->url;
    EXPECT_TRUE(url.starts_with("https://a.example/one/")) << url;
    EXPECT_TRUE(url.ends_with("&four=4")) << url;
    EXPECT_EQ(std::ranges::count(url, '/'), 5) << url;
    EXPECT_EQ(std::ranges::count(url, '?'), 1) << url;
    EXPECT_EQ(std::ranges::count(url, '='), 2) << url;
    EXPECT_EQ(url.find_first_of(" #\\\"<>\r\n"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace eilpost::render

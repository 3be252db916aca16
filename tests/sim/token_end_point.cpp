#include "token_end_point.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/parse.h"
#include "model/limits.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kForEver = 24h * 365;

std::string response(std::string_view status, std::string_view more, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, more, body.size(),
                     body);
}

std::string json_response(const Json& json) {
  return response("200 OK", "Content-Type: application/json\r\n", to_text(json));
}

// A field of a form; nothing here needs to be encoded.
std::string field(const std::string& form, std::string_view name) {
  const std::string key = std::string(name) + "=";
  for (std::size_t at = 0; at < form.size();) {
    const std::size_t end = std::min(form.find('&', at), form.size());
    if (std::string_view(form).substr(at).starts_with(key)) {
      return form.substr(at + key.size(), end - at - key.size());
    }
    at = end + 1;
  }
  return {};
}

}  // namespace

Json oauth_json(ClientBook& client) {
  client.secret = fmt::format("cl1ent-s3cret-{}", client.number);
  client.refresh_tokens = {fmt::format("refr3sh-{}-0", client.number)};
  Json json = {{"type", "oauth2"},
               {"token_url", TokenEndPoint::url()},
               {"grant", client.refreshes ? "refresh_token" : "client_credentials"},
               {"client_id", client.id()},
               {"client_secret", client.secret}};
  if (client.secret_in_form) json["client_authentication"] = "client_secret_post";
  if (client.refreshes) json["refresh_token"] = client.refresh_tokens.front();
  return json;
}

TokenEndPoint::TokenEndPoint(Parts parts, std::uint64_t seed)
    : parts_(std::move(parts)), random_(seed) {
  address_ = parts_.env.internet().new_address();
  auto listener = parts_.env.outside().network().listen(
      endpoint(), [this](std::unique_ptr<env::Stream> stream) { adopt(std::move(stream)); });
  EILPOST_ASSERT(listener.has_value());
  listener_ = std::move(*listener);
  parts_.env.internet().set_name("id.example", {address_});
}

void TokenEndPoint::set_reach(env::SimReach reach) {
  parts_.env.internet().set_reach(address_, reach);
  note_silence();
}

void TokenEndPoint::note_silence() {
  for (const Open& open : open_) {
    open.ask->is_silenced = open.ask->is_silenced || open.stream->is_silent();
  }
}

void TokenEndPoint::calm_down() {
  is_calm_ = true;
  set_reach(env::SimReach::normal);
}

Task<void> TokenEndPoint::serve(std::unique_ptr<env::Stream> stream) {
  auto& sim = static_cast<env::SimStream&>(*stream);
  std::string buffered;
  for (bool goes_on = true; goes_on;) {
    RawRequest request;
    const bool is_whole = co_await read_raw_request(sim, buffered, request, OnBytes::read);
    if (!is_whole) co_return;
    TokenAsk& ask = note(request);
    ask.is_silenced = sim.is_silent();
    open_.push_back({.ask = &ask, .stream = &sim});
    goes_on = co_await respond(sim, ask);
    ask.ended = parts_.env.clock().now();
    std::erase_if(open_, [&ask](const Open& open) { return open.ask == &ask; });
  }
}

TokenAsk& TokenEndPoint::note(const RawRequest& request) {
  TokenAsk ask{.client = field(request.body, "client_id"),
               .secret = field(request.body, "client_secret"),
               .grant = field(request.body, "grant_type"),
               .refresh_token = field(request.body, "refresh_token"),
               .arrived = parts_.env.clock().now(),
               .ended = {}};
  const std::string basic = request.header("authorization");
  if (basic.starts_with("Basic ")) {
    const auto pair = decode_base64(std::string_view(basic).substr(6));
    const std::string text(pair ? as_text(*pair) : std::string_view());
    ask.client = text.substr(0, text.find(':'));
    ask.secret = text.substr(std::min(text.size(), ask.client.size() + 1));
    ask.is_secret_in_form = false;
  }
  parts_.trace.note("id: {} asks for a token with `{}`", ask.client, ask.refresh_token);
  parts_.books.token_asks.push_back(std::move(ask));
  parts_.on_ask(parts_.books.token_asks.back());
  return parts_.books.token_asks.back();
}

TokenEndPoint::Trouble TokenEndPoint::choose() {
  const bool is_well = is_calm_ || random_.below(100) >= parts_.options.token_trouble_percent;
  return is_well ? Trouble::none : static_cast<Trouble>(1 + random_.below(kTroublesCount - 1));
}

std::string TokenEndPoint::give(TokenAsk& ask) {
  ClientBook& client = parts_.books.clients.at(ask.client);
  const Instant now = parts_.env.clock().now();
  TokenBook token{.access = fmt::format("acc3ss-{}-{}", client.number, client.tokens.size()),
                  .given = now,
                  .life = {}};
  Json json = {{"access_token", token.access}, {"token_type", "Bearer"}};
  const std::uint64_t kind = is_calm_ ? 0 : random_.below(5);
  if (kind <= 1) token.life = 1h;
  if (kind == 2) token.life = std::chrono::seconds(1 + random_.below(5));
  if (kind == 3) token.life = std::chrono::seconds(1 + random_.below(120));
  if (token.life) {
    json["expires_in"] = std::chrono::duration_cast<std::chrono::seconds>(*token.life).count();
  }
  token.refresh = client.place_of(ask.refresh_token).value_or(0);
  if (client.refreshes && random_.chance(3, 4)) {
    token.refresh = client.refresh_tokens.size();
    client.refresh_tokens.push_back(fmt::format("refr3sh-{}-{}", client.number, token.refresh));
    json["refresh_token"] = client.refresh_tokens.back();
  }
  parts_.books.secrets.insert(token.access);
  parts_.books.secrets.insert(client.refresh_tokens.back());
  ask.given_refresh = token.refresh;
  client.tokens.push_back(std::move(token));
  return json_response(json);
}

Task<bool> TokenEndPoint::respond(env::SimStream& stream, TokenAsk& ask) {
  const Trouble trouble = choose();
  switch (trouble) {
    case Trouble::none:
      break;
    case Trouble::unavailable: {
      const std::string wait =
          random_.chance(1, 2) ? "" : fmt::format("Retry-After: {}\r\n", random_.below(120));
      co_return co_await write_text(stream, response("503 No", wait, "down"));
    }
    case Trouble::page:
      co_return co_await write_text(
          stream, response("200 OK", "Content-Type: text/html\r\n", "<html>Sign in</html>"));
    case Trouble::refusal: {
      const Json json = {{"error", "invalid_client"},
                         {"error_description", "not " + ask.secret + ask.refresh_token}};
      co_return co_await write_text(
          stream, response("400 No", "Content-Type: application/json\r\n", to_text(json)));
    }
    case Trouble::wrong_kind:
      co_return co_await write_text(
          stream, json_response({{"access_token", "wr0ng"}, {"token_type", "mac"}}));
    case Trouble::late: {
      const Duration delay = std::chrono::milliseconds(random_.below(14'000));
      const bool is_there = co_await wait_open(parts_.env, stream, delay);
      if (!is_there) co_return false;
      break;
    }
    case Trouble::hang:
      co_return co_await wait_open(parts_.env, stream, kForEver);
    case Trouble::reset:
      (void)give(ask);
      ask.given_refresh.reset();
      stream.reset();
      co_return false;
    case Trouble::half: {
      const std::string whole = give(ask);
      ask.given_refresh.reset();
      (void)co_await write_text(stream, whole.substr(0, random_.below(whole.size())));
      co_return false;
    }
  }
  std::string answer = give(ask);
  co_return co_await write_text(stream, std::move(answer));
}

}  // namespace eilpost::sim

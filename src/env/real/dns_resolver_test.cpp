// Goal:   names become addresses as DNS says, and failures say why.
// Method: a small DNS server on the loop's own thread answers from a table, or keeps silent.

#include "env/real/dns_resolver.h"

#include <algorithm>
#include <map>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "env/real/loop_fixture.h"
#include "env/real/socket_address.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::size_t kHeaderBytes = 12;

struct Answer {
  int response_code = 0;  // 2 server failure, 3 no such name, 5 refused
  bool is_silent = false;
  std::vector<std::string> addresses;
  std::uint32_t ttl = 60;
};

class DnsServer final : public Watch {
 public:
  DnsServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    SocketAddress address = to_socket_address(loopback(0));
    EXPECT_EQ(bind(socket_.get(), address.get(), address.size_bytes), 0);
    EXPECT_EQ(getsockname(socket_.get(), address.get(), &address.size_bytes), 0);
    endpoint_ = to_endpoint(address);
  }

  void watch(Reactor& reactor) { ASSERT_TRUE(reactor.add(socket_.get(), EPOLLIN, *this)); }
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  [[nodiscard]] int questions_count() const { return questions_count_; }

  std::map<std::string, Answer> answers;  // other names do not exist

  void on_events(std::uint32_t) override {
    char packet[512];
    SocketAddress from;
    const ssize_t size =
        recvfrom(socket_.get(), packet, sizeof packet, 0, from.get(), &from.size_bytes);
    if (size < static_cast<ssize_t>(kHeaderBytes)) return;
    ++questions_count_;
    const std::string reply = reply_to({packet, static_cast<std::size_t>(size)});
    if (reply.empty()) return;
    sendto(socket_.get(), reply.data(), reply.size(), 0, from.get(), from.size_bytes);
  }

 private:
  static void put16(std::string& text, std::uint32_t value) {
    text += static_cast<char>(value >> 8U & 255U);
    text += static_cast<char>(value & 255U);
  }

  std::string reply_to(const std::string& query) {
    std::string name;
    std::size_t at = kHeaderBytes;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += length + 1;
    }
    const std::size_t question_end = at + 5;
    if (question_end > query.size()) return {};
    const auto type = static_cast<std::uint16_t>(query[at + 2]);  // all of ours are below 256
    const auto found = answers.find(name);
    const Answer answer = found == answers.end() ? Answer{.response_code = 3} : found->second;
    if (answer.is_silent) return {};

    std::string records;
    std::uint32_t count = 0;
    for (const std::string& text : answer.addresses) {
      const Address address = parse_address(text).value();
      if ((type == kTypeA && address.is_v6) || (type == kTypeAaaa && !address.is_v6)) continue;
      if (type != kTypeA && type != kTypeAaaa) continue;
      put16(records, 0xC000U | kHeaderBytes);  // the name of the question
      put16(records, type);
      put16(records, 1);
      put16(records, answer.ttl >> 16U);
      put16(records, answer.ttl & 0xFFFFU);
      const std::uint32_t size = address.is_v6 ? 16 : 4;
      put16(records, size);
      records.append(reinterpret_cast<const char*>(address.bytes.data()), size);
      ++count;
    }
    std::string reply = query.substr(0, 2);
    put16(reply, 0x8180U | static_cast<std::uint32_t>(answer.response_code));
    put16(reply, 1);
    put16(reply, count);
    put16(reply, 0);
    put16(reply, 0);
    return reply + query.substr(kHeaderBytes, question_end - kHeaderBytes) + records;
  }

  Descriptor socket_;
  Endpoint endpoint_;
  int questions_count_ = 0;
};

struct WithServer {
  DnsServer server;
};

class DnsTest : protected WithServer, public LoopFixture {
 protected:
  DnsTest()
      : LoopFixture({.servers = {server.endpoint()},
                     .timeout = std::chrono::milliseconds(50),
                     .tries = 2}) {
    server.watch(loop_.reactor());
  }

  Result<Resolved> resolve(std::string_view host) {
    std::optional<Result<Resolved>> outcome;
    const auto operation = network().resolve(
        host, [&](Result<Resolved> result) { outcome.emplace(std::move(result)); });
    EXPECT_FALSE(outcome.has_value()) << "the callback came before resolve() returned";
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }

  std::string failure(std::string_view host) {
    const Result<Resolved> result = resolve(host);
    if (result) return "it was resolved";
    EXPECT_EQ(result.error().code, ErrorCode::name_not_resolved);
    return result.error().detail;
  }

  static std::vector<std::string> sorted_texts(const Resolved& resolved) {
    std::vector<std::string> texts;
    texts.reserve(resolved.addresses.size());
    for (const Address& address : resolved.addresses) texts.push_back(to_string(address));
    std::ranges::sort(texts);
    return texts;
  }
};

TEST_F(DnsTest, BothFamiliesAreFoundWithTheSmallestTimeToLive) {
  server.answers["a.test.example"] = {.addresses = {"192.0.2.1", "192.0.2.2", "2001:db8::1"},
                                      .ttl = 300};
  const Result<Resolved> result = resolve("a.test.example");
  ASSERT_TRUE(result.has_value()) << result.error().detail;
  EXPECT_EQ(sorted_texts(*result),
            (std::vector<std::string>{"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
  EXPECT_EQ(result->time_to_live, 300s);
}

TEST_F(DnsTest, OneFamilyIsEnough) {
  server.answers["v4.test.example"] = {.addresses = {"192.0.2.7"}};
  server.answers["v6.test.example"] = {.addresses = {"2001:db8::7"}};
  EXPECT_EQ(sorted_texts(resolve("v4.test.example").value()),
            std::vector<std::string>{"192.0.2.7"});
  EXPECT_EQ(sorted_texts(resolve("v6.test.example").value()),
            std::vector<std::string>{"2001:db8::7"});
}

TEST_F(DnsTest, TimeToLiveStaysWithinItsLimits) {
  server.answers["short.test.example"] = {.addresses = {"192.0.2.1"}, .ttl = 0};
  server.answers["long.test.example"] = {.addresses = {"192.0.2.1"}, .ttl = 1000000};
  EXPECT_EQ(resolve("short.test.example")->time_to_live, DnsResolver::kTimeToLiveMin);
  EXPECT_EQ(resolve("long.test.example")->time_to_live, DnsResolver::kTimeToLiveMax);
}

TEST_F(DnsTest, FailureSaysWhy) {
  server.answers["broken.test.example"] = {.response_code = 2};
  server.answers["refused.test.example"] = {.response_code = 5};
  server.answers["empty.test.example"] = {};
  EXPECT_EQ(failure("missing.test.example"),
            "missing.test.example: there is no such name (NXDOMAIN)");
  const std::string server_failure =
      "server failure: each DNS server failed, refused or could not be reached";
  EXPECT_EQ(failure("broken.test.example"), "broken.test.example: " + server_failure);
  EXPECT_EQ(failure("refused.test.example"), "refused.test.example: " + server_failure);
  EXPECT_EQ(failure("empty.test.example"), "empty.test.example: the name has no address");
}

TEST_F(DnsTest, SilentServerEndsInATimeOutAfterTheTries) {
  server.answers["silent.test.example"] = {.is_silent = true};
  const Instant start = loop_.clock().now();
  EXPECT_EQ(failure("silent.test.example"),
            "silent.test.example: time-out: no DNS server answered");
  EXPECT_GE(loop_.clock().now() - start, 100ms);
  EXPECT_EQ(server.questions_count(), 4);  // two tries for each family
}

TEST_F(DnsTest, TextAddressesResolveToThemselvesWithoutAQuestion) {
  for (const std::string_view text : {"192.0.2.9", "2001:db8::9", "127.0.0.1"}) {
    const Result<Resolved> result = resolve(text);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(sorted_texts(*result), std::vector<std::string>{std::string(text)});
    EXPECT_GT(result->time_to_live, 0s);
  }
  EXPECT_EQ(server.questions_count(), 0);
}

TEST_F(DnsTest, HostsFileIsHonoured) {
  const Result<Resolved> result = resolve("localhost");
  ASSERT_TRUE(result.has_value()) << result.error().detail;
  const std::vector<std::string> texts = sorted_texts(*result);
  EXPECT_TRUE(std::ranges::find(texts, "127.0.0.1") != texts.end());
  EXPECT_EQ(server.questions_count(), 0);
}

TEST_F(DnsTest, NamesThatCannotBeAreRefused) {
  EXPECT_TRUE(failure("").contains("not a valid name"));
  EXPECT_TRUE(failure(std::string_view("a\0b.test.example", 16)).contains("not a valid name"));
  EXPECT_NE(failure(std::string(300, 'a') + ".example"), "it was resolved");
  EXPECT_NE(failure("a..example"), "it was resolved");
  // The loose forms of an address are not addresses here, whatever a resolver thinks of them.
  EXPECT_NE(failure("127.1"), "it was resolved");
  EXPECT_NE(failure("0x7f000001"), "it was resolved");
}

TEST_F(DnsTest, ManyNamesAreResolvedAtOnce) {
  constexpr int names_count = 100;
  std::vector<std::unique_ptr<Operation>> operations;
  int right = 0;
  for (int i = 0; i < names_count; ++i) {
    const std::string host = "host" + std::to_string(i) + ".test.example";
    const std::string address = "192.0.2." + std::to_string(i);
    server.answers[host] = {.addresses = {address}};
    operations.push_back(network().resolve(host, [&right, address](Result<Resolved> result) {
      right += to_string(result.value().addresses.front()) == address ? 1 : 0;
    }));
  }
  EXPECT_TRUE(run_until([&] { return right == names_count; }));
}

TEST_F(DnsTest, DestroyedLookupNeverCallsBack) {
  server.answers["a.test.example"] = {.addresses = {"192.0.2.1"}};
  server.answers["silent.test.example"] = {.is_silent = true};
  bool called = false;
  for (const std::string_view host : {"a.test.example", "silent.test.example", "192.0.2.1"}) {
    auto witness = std::make_shared<int>(0);
    auto operation =
        network().resolve(host, [&called, witness](Result<Resolved>) { called = true; });
    operation.reset();
    EXPECT_EQ(witness.use_count(), 1) << "the callback is kept";
  }
  settle();
  EXPECT_EQ(failure("silent.test.example"),
            "silent.test.example: time-out: no DNS server answered");
  EXPECT_FALSE(called);
}

TEST_F(DnsTest, CallbackMayDestroyItsOperation) {
  server.answers["a.test.example"] = {.addresses = {"192.0.2.1"}};
  std::unique_ptr<Operation> operation;
  bool called = false;
  operation = network().resolve("a.test.example", [&](Result<Resolved>) {
    operation.reset();
    called = true;
  });
  EXPECT_TRUE(run_until([&] { return called; }));
}

TEST(DnsResolver, EndsWhileQuestionsAreOpen) {
  DnsServer server;
  RealLoop loop({.name = "test",
                 .dns = {.servers = {server.endpoint()}},
                 .system_trust = SystemTrust::load("").value()});
  bool called = false;
  auto operation =
      loop.network().resolve("silent.test.example", [&](Result<Resolved>) { called = true; });
  loop.run_turn(1ms);
  operation.reset();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace eilpost::env

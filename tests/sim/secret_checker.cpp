// Signatures, and what no log line may say.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/encoding.h"
#include "checkers.h"
#include "crypto/hmac.h"
#include "model/limits.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

class SignedAndSecret final : public Checker {
 public:
  explicit SignedAndSecret(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "8 secrets: every signature verifies, and no log line holds a secret";
  }
  void request_seen(const SeenBook& seen, const RawRequest& request) override {
    const DestinationBook* destination =
        bench_.books.destination_by_number(seen.destination_number);
    if (destination == nullptr || destination->rotations_unknown > 1) return;
    const Instant now = bench_.server.env().clock().now();
    // What replaced the secret that is known here may stand alone by now.
    const bool is_known = destination->rotations_unknown == 0 ||
                          (now - destination->unknown_since < 23h &&
                           !bench_.books.has_jumped_since(destination->unknown_since));
    if (!is_known) return;
    const std::string signatures = request.header("webhook-signature");
    const std::string timestamp = request.header("webhook-timestamp");
    const std::string message = request.header("webhook-id") + "." + timestamp + "." + request.body;
    const bool is_good = std::ranges::any_of(destination->secrets, [&](const SecretBook& book) {
      if (book.replaced_at && now - *book.replaced_at > 24h + 1min) return false;
      const auto key = decode_base64(std::string_view(book.secret).substr(6));
      if (!key) return false;
      crypto::HmacSha256 hmac(*key);
      return signatures.contains("v1," + encode_base64(hmac.sign(as_bytes(message))));
    });
    if (!is_good) {
      bench_.judge.broken(promise(), "{} came with the signature `{}`", seen.webhook_id,
                          signatures);
    }
    const WallTime wall = bench_.server.env().clock().wall_now();
    const auto sent = std::chrono::seconds(std::strtoll(timestamp.c_str(), nullptr, 10));
    const auto age = wall.time_since_epoch() - sent;
    // A token may have been waited for, twice.
    const Duration timeout = milliseconds(bench_.options.timeout_ms);
    const Duration waited = bench_.options.oauth ? 2 * limits::kTokenTimeout + timeout : Duration{};
    const Duration allowed = timeout + waited + 2s;
    const bool is_calendar_even = !bench_.books.has_jumped_since(now - allowed);
    if (is_calendar_even && (age < -1s || age > allowed)) {
      bench_.judge.broken(promise(), "{} came with the time {}", seen.webhook_id, timestamp);
    }
  }
  void log_line(std::string_view line) override {
    for (const std::string& secret : bench_.books.secrets) {
      if (line.contains(secret)) bench_.judge.broken(promise(), "a log line says: {}", line);
    }
  }

 private:
  Bench bench_;
};

}  // namespace

std::unique_ptr<Checker> make_secret_checker(const Bench& bench) {
  return std::make_unique<SignedAndSecret>(bench);
}

}  // namespace eilpost::sim

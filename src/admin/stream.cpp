#include "admin/stream.h"

#include <algorithm>
#include <coroutine>
#include <fmt/format.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "store/records.h"

namespace eilpost::admin {
namespace {

constexpr Duration kKeepAliveEvery = std::chrono::seconds(15);

std::string line_of(const store::Entry& entry) {
  if (const auto* accepted = std::get_if<store::AcceptedEntry>(&entry)) {
    const Event& event = accepted->event;
    const Json json = {{"id", event.id},
                       {"type", event.type},
                       {"user", event.user},
                       {"received_at", format_iso_time(event.received_at)},
                       {"deliveries_count", accepted->owed.size()}};
    return fmt::format("event: event\ndata: {}\n\n", to_text(json));
  }
  if (const auto* attempt = std::get_if<Attempt>(&entry)) {
    Json json = {{"delivery", to_string(attempt->delivery)}};
    json.update(to_json(*attempt));
    return fmt::format("event: attempt\ndata: {}\n\n", to_text(json));
  }
  const auto& settled = std::get<store::Settled>(entry);
  const Json json = {{"delivery", to_string(settled.delivery)},
                     {"state", "failed"},
                     {"reason", to_string(settled.reason)},
                     {"at", format_iso_time(settled.at)}};
  return fmt::format("event: settled\ndata: {}\n\n", to_text(json));
}

// Waits until it is woken or the time has come.
class Waiting {
 public:
  Waiting(env::Loop& loop, std::function<void()>& wake) : loop_(loop), wake_(wake) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { end(); }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    is_waiting_ = true;
    const auto resume = [this, handle] {
      end();
      handle.resume();
    };
    timer_ = loop_.timers().call_at(loop_.clock().now() + kKeepAliveEvery, resume);
    wake_ = resume;
  }
  void await_resume() const noexcept {}

 private:
  void end() {
    if (!std::exchange(is_waiting_, false)) return;
    loop_.timers().cancel(timer_);
    wake_ = nullptr;
  }

  env::Loop& loop_;
  std::function<void()>& wake_;
  env::TimerId timer_{};
  bool is_waiting_ = false;
};

}  // namespace

void Stream::publish(const store::Followed& followed) {
  const std::lock_guard lock(mutex_);
  if (followers_.empty()) return;
  for (const store::FollowedRecord& record : followed.records) {
    const std::string line = line_of(store::to_entry(record));
    for (const auto& follower : followers_) {
      follower->lines.push_back(line);
      if (follower->lines.size() <= kLinesMax) continue;
      follower->lines.pop_front();
      ++follower->lost_count;
    }
  }
  wake_all();
}

void Stream::end() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  wake_all();
}

bool Stream::is_over() {
  const std::lock_guard lock(mutex_);
  return is_over_;
}

void Stream::wake_all() {
  for (const auto& follower : followers_) {
    if (std::exchange(follower->is_wake_posted, true)) continue;
    follower->loop.post([this, follower] {
      {
        const std::lock_guard inner(mutex_);
        follower->is_wake_posted = false;
      }
      const std::function<void()> wake = follower->wake;  // It clears the one it came from.
      if (wake) wake();
    });
  }
}

std::string Stream::take(Follower& follower) {
  const std::lock_guard lock(mutex_);
  std::string text;
  if (follower.lost_count > 0) {
    text = fmt::format("event: lost\ndata: {{\"count\":{}}}\n\n",
                       std::exchange(follower.lost_count, 0));
  }
  for (const std::string& line : follower.lines) text += line;
  follower.lines.clear();
  return text;
}

Task<void> Stream::follow(env::Loop& loop, http::Responder& responder) {
  // Removed when the Task ends, also by being destroyed.
  struct Registered {
    Stream& stream;
    std::shared_ptr<Follower> follower;
    ~Registered() {
      const std::lock_guard lock(stream.mutex_);
      std::erase(stream.followers_, follower);
      follower->wake = nullptr;
    }
  };
  const Registered registered{.stream = *this, .follower = std::make_shared<Follower>(loop)};
  bool is_refused = false;
  {
    const std::lock_guard lock(mutex_);
    is_refused = is_over_ || followers_.size() >= kFollowersMax;
    if (!is_refused) followers_.push_back(registered.follower);
  }
  if (is_refused) {
    http::Response refusal =
        problem(503, "too_many_followers", "Too many follow the stream, or the server stops.");
    (void)co_await responder.respond(std::move(refusal));
    co_return;
  }
  http::Response head{
      .headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
  const Result<void> begun = co_await responder.begin_stream(std::move(head));
  if (!begun) co_return;
  std::string text = ": following\n\n";
  while (true) {
    const Result<void> written = co_await responder.write_chunk(text);
    if (!written) co_return;
    text = take(*registered.follower);
    if (!text.empty()) continue;
    if (is_over()) co_return;
    co_await Waiting(loop, registered.follower->wake);
    text = take(*registered.follower);
    if (text.empty()) text = is_over() ? ": the server stops\n\n" : ": still here\n\n";
  }
}

}  // namespace eilpost::admin

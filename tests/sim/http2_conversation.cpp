#include "http2_conversation.h"

#include <utility>

#include "model/limits.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kEndlessBytes = 4UL * 1024 * 1024;  // more than anybody reads

http::Http2Peer::Settings draw_settings(Random& random) {
  if (!random.chance(1, 3)) return {};
  const auto streams = static_cast<std::uint32_t>(1 + random.below(4));
  return {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}};
}

RawRequest to_raw(const http::Http2Peer::Request& request) {
  RawRequest raw;
  raw.head = "\r\n";
  for (const http::Header& header : request.headers) {
    if (header.name == ":path") raw.target = header.value;
    raw.head += header.name + ": " + header.value + "\r\n";
  }
  raw.body = request.body;
  return raw;
}

}  // namespace

Http2Conversation::Http2Conversation(Receiver& receiver, env::SimStream& stream)
    : receiver_(receiver), stream_(stream), peer_(draw_settings(receiver.random())) {}

Http2Conversation::~Http2Conversation() {
  tasks_.cancel_all();
  while (!open_.empty()) end(open_.begin()->first);
}

Task<void> Http2Conversation::run(std::string buffered) {
  const bool breaks = !receiver_.is_calm() && receiver_.choose() == Behaviour::reset_before;
  if (breaks) {
    stream_.reset();
    co_return;
  }
  for (;;) {
    const bool is_understood = feed(buffered);
    if (!is_understood || is_over_) co_return;
    tasks_.spawn(flush());
    buffered.clear();
    const bool is_there = co_await read_more(stream_, buffered);
    if (!is_there || is_over_) co_return;
  }
}

// False if the conversation is over.
bool Http2Conversation::feed(const std::string& bytes) {
  if (!peer_.feed(bytes)) {
    receiver_.parts().on_fault("it broke the rules of HTTP/2");
    return false;
  }
  for (; resets_noted_ < peer_.resets().size(); ++resets_noted_) {
    end(peer_.resets()[resets_noted_].first);
  }
  // A place in the list moves when more come.
  for (std::size_t i = 0; i < peer_.requests().size(); ++i) {
    const Request& request = peer_.requests()[i];
    const bool is_refused = last_taken_ && request.stream_id > *last_taken_;
    if (is_refused || !request.is_whole || taken_.contains(request.stream_id)) continue;
    if (!take(request)) return false;
  }
  return true;
}

bool Http2Conversation::take(const Request& request) {
  if (refuses(request)) return true;
  taken_.insert(request.stream_id);
  const RawRequest raw = to_raw(request);
  open_[request.stream_id] = &receiver_.begin(raw, stream_);
  tasks_.spawn(respond(request.stream_id));
  return !is_over_;
}

// Says that it surely does nothing about the request, which is not seen then.
bool Http2Conversation::refuses(const Request& request) {
  Random& random = receiver_.random();
  const WorldOptions& options = receiver_.parts().options;
  const bool is_wanted = options.http_2_refuses && !receiver_.is_calm() && random.chance(1, 6);
  if (!is_wanted) return false;
  receiver_.parts().trace.note("{}: a stream of HTTP/2 is refused", receiver_.name());
  switch (random.below(8)) {
    case 0:
      receiver_.require_http_1_1();
      taken_.insert(request.stream_id);
      peer_.reset(request.stream_id, NGHTTP2_HTTP_1_1_REQUIRED);
      return true;
    case 1:
    case 2:
      if (taken_.empty() || *taken_.rbegin() < request.stream_id) {
        go_away();
        return true;
      }
      break;
    default:
      break;
  }
  taken_.insert(request.stream_id);
  peer_.reset(request.stream_id, NGHTTP2_REFUSED_STREAM);
  return true;
}

// Says honestly what it has taken.
void Http2Conversation::go_away() {
  last_taken_ = taken_.empty() ? 0 : *taken_.rbegin();
  peer_.go_away(*last_taken_);
}

Duration Http2Conversation::thinking_time(std::optional<Behaviour> how) {
  Random& random = receiver_.random();
  const bool is_slow = how == Behaviour::slow || how == Behaviour::drip;
  if (is_slow) return std::chrono::milliseconds(random.below(8000));
  return how ? Duration{} : std::chrono::microseconds(random.below(3000));
}

Task<void> Http2Conversation::respond(std::int32_t stream_id) {
  SeenBook& seen = *open_.at(stream_id);
  if (!seen.is_token_good) {
    answer(stream_id, 401);
    co_return;
  }
  const std::optional<Behaviour> how = receiver_.choose();
  const Duration thinking = thinking_time(how);
  if (thinking > Duration{}) co_await sleep(receiver_.parts().env, thinking);
  if (is_over_ || !open_.contains(stream_id)) co_return;
  if (how) {
    respond_badly(stream_id, seen, *how);
  } else if (const auto complaint = receiver_.complain(seen)) {
    answer(stream_id, complaint->status, {}, complaint->body);
  } else {
    answer_ok(stream_id);
  }
}

void Http2Conversation::respond_badly(std::int32_t stream_id, SeenBook& seen, Behaviour how) {
  switch (how) {
    case Behaviour::error_500:
      return answer(stream_id, 500, {}, "bad");
    case Behaviour::too_many_429: {
      const std::uint64_t seconds = receiver_.random().below(600);
      return answer(stream_id, 429, {{"retry-after", std::to_string(seconds)}});
    }
    case Behaviour::redirect:
      return answer(stream_id, 302, {{"location", "http://elsewhere.example/"}});
    case Behaviour::gone_410:
      return answer(stream_id, 410);
    case Behaviour::slow:
    case Behaviour::drip:
      return answer_ok(stream_id);
    case Behaviour::hang:
      return;
    case Behaviour::reset_before:
    case Behaviour::reset_after:
      if (receiver_.random().chance(1, 2)) return break_off();
      peer_.reset(stream_id, NGHTTP2_INTERNAL_ERROR);
      tasks_.spawn(flush());
      return end(stream_id);
    case Behaviour::half_answer:  // Its head, and no more.
      seen.status = 200;
      seen.is_success = !receiver_.parts().options.answer_rules;
      peer_.send_headers(stream_id, 200);
      tasks_.spawn(flush());
      return;
    case Behaviour::garbage:
      return break_off();
    case Behaviour::closes:
      answer_ok(stream_id);
      go_away();
      tasks_.spawn(flush());
      return;
    case Behaviour::endless_body:
      seen.status = 200;
      seen.is_success = !receiver_.parts().options.answer_rules;
      peer_.answer(stream_id, 200, {}, std::string(long_bytes(), 'x'));
      tasks_.spawn(flush());
      if (long_bytes() < kEndlessBytes) end(stream_id);
      return;
  }
}

// An attempt with its answer must fit into a segment, and those of a world are small.
std::size_t Http2Conversation::long_bytes() const {
  const std::uint64_t segment_bytes = receiver_.parts().options.config.segment_bytes;
  return segment_bytes < 4 * limits::kAnswerBytesFailure ? segment_bytes / 4 : kEndlessBytes;
}

void Http2Conversation::answer_ok(std::int32_t stream_id) {
  const std::string_view text = receiver_.good_answer();
  open_.at(stream_id)->is_success = text == "ok";
  answer(stream_id, 200, {}, std::string(text));
}

void Http2Conversation::answer(std::int32_t stream_id, int status, const http::Headers& headers,
                               std::string body) {
  open_.at(stream_id)->status = status;
  unwritten_.push_back(open_.at(stream_id));
  peer_.answer(stream_id, status, headers, std::move(body));
  tasks_.spawn(flush());
  end(stream_id);
}

void Http2Conversation::break_off() {
  is_over_ = true;
  // The connection takes the answers of other streams with it.
  for (SeenBook* const seen : unwritten_) seen->may_be_unheard = true;
  stream_.reset();
}

// One write at a time; what comes up meanwhile goes with the next.
Task<void> Http2Conversation::flush() {
  if (is_writing_) co_return;
  is_writing_ = true;
  while (!is_over_) {
    std::string output = peer_.take();
    if (output.empty()) break;
    const std::size_t count = unwritten_.size();
    const bool is_written = co_await write_text(stream_, std::move(output));
    if (!is_written) break;
    unwritten_.erase(unwritten_.begin(), unwritten_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  is_writing_ = false;
}

void Http2Conversation::end(std::int32_t stream_id) {
  const auto found = open_.find(stream_id);
  if (found == open_.end()) return;
  receiver_.end(*found->second);
  open_.erase(found);
}

}  // namespace eilpost::sim

#pragma once
// A server of HTTP/2 for tests, as bytes in and bytes out: keeps what it receives and does only
// what it is told.
//
// Threads: one.

#include <algorithm>
#include <cstdint>
#include <map>
#include <nghttp2/nghttp2.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "http/message.h"

namespace eilpost::http {

class Http2Peer final {
 public:
  struct Request {
    std::int32_t stream_id = 0;
    Headers headers;
    std::string body;
    bool is_whole = false;
  };
  using Settings = std::vector<nghttp2_settings_entry>;

  explicit Http2Peer(const Settings& settings = {}) {
    nghttp2_session_callbacks* callbacks = nullptr;
    EILPOST_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    EILPOST_ASSERT(nghttp2_session_server_new(&session_, callbacks, this) == 0);
    nghttp2_session_callbacks_del(callbacks);
    send_settings(settings);
  }
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;
  ~Http2Peer() { nghttp2_session_del(session_); }

  // False if the client broke the rules.
  bool feed(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return nghttp2_session_mem_recv(session_, data, bytes.size()) ==
           static_cast<ssize_t>(bytes.size());
  }
  // What it has to send.
  [[nodiscard]] std::string take() {
    std::string out;
    const std::uint8_t* bytes = nullptr;
    while (true) {
      const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
      EILPOST_ASSERT(count >= 0);
      if (count == 0) return out;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    }
  }

  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  // Streams that the client reset, and why.
  [[nodiscard]] const std::vector<std::pair<std::int32_t, std::uint32_t>>& resets() const {
    return resets_;
  }
  [[nodiscard]] std::size_t pings_count() const { return pings_count_; }
  [[nodiscard]] std::size_t pongs_count() const { return pongs_count_; }
  // Frames that it had to refuse, such as those of more streams than its settings allow.
  [[nodiscard]] std::size_t refused_frames_count() const { return refused_frames_count_; }
  [[nodiscard]] bool got_go_away() const { return got_go_away_; }
  [[nodiscard]] std::uint32_t client_setting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_, id);
  }

  void send_settings(const Settings& settings) {
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  // The whole response. `body` nothing: headers only.
  void answer(std::int32_t stream_id, int status, const Headers& headers = {},
              std::string body = {}, const Headers& trailers = {}) {
    bodies_[stream_id] = {.rest = std::move(body), .trailers = trailers};
    const nghttp2_data_provider provider{.source = {.ptr = nullptr}, .read_callback = read_body};
    const bool has_body = !bodies_[stream_id].rest.empty() || !trailers.empty();
    const std::string status_text = std::to_string(status);
    const std::vector<nghttp2_nv> block = block_of(headers, status_text);
    nghttp2_submit_response(session_, stream_id, block.data(), block.size(),
                            has_body ? &provider : nullptr);
  }
  // Headers alone; the stream goes on.
  void send_headers(std::int32_t stream_id, int status, const Headers& headers = {}) {
    const std::string status_text = std::to_string(status);
    const std::vector<nghttp2_nv> block = block_of(headers, status_text);
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream_id, nullptr, block.data(),
                           block.size(), nullptr);
  }
  void reset(std::int32_t stream_id, std::uint32_t error_code) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id, error_code);
  }
  void go_away(std::int32_t last_stream_id, std::uint32_t error_code = NGHTTP2_NO_ERROR) {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream_id, error_code, nullptr, 0);
  }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

 private:
  struct Body {
    std::string rest;
    Headers trailers;
  };

  static Http2Peer& of(void* user_data) { return *static_cast<Http2Peer*>(user_data); }
  static nghttp2_nv nv(const std::string& name, const std::string& value) {
    auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    return {name_bytes, value_bytes, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }
  static std::vector<nghttp2_nv> block_of(const Headers& headers, const std::string& status) {
    static const std::string kStatus = ":status";
    std::vector<nghttp2_nv> block;
    if (!status.empty()) block.push_back(nv(kStatus, status));
    for (const Header& header : headers) block.push_back(nv(header.name, header.value));
    return block;
  }
  Request* find(std::int32_t stream_id) {
    for (Request& request : requests_) {
      if (request.stream_id == stream_id) return &request;
    }
    return nullptr;
  }
  static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    of(user_data).requests_.push_back({.stream_id = frame->hd.stream_id});
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                       std::uint8_t, void* user_data) {
    of(user_data)
        .find(frame->hd.stream_id)
        ->headers.push_back({std::string(reinterpret_cast<const char*>(name), name_bytes),
                             std::string(reinterpret_cast<const char*>(value), value_bytes)});
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                     const std::uint8_t* bytes, std::size_t size, void* user_data) {
    of(user_data).find(stream_id)->body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2Peer& peer = of(user_data);
    const bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      peer.resets_.emplace_back(frame->hd.stream_id, frame->rst_stream.error_code);
    }
    if (frame->hd.type == NGHTTP2_PING) ++(is_ack ? peer.pongs_count_ : peer.pings_count_);
    if (frame->hd.type == NGHTTP2_GOAWAY) peer.got_go_away_ = true;
    const bool is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (is_message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      peer.find(frame->hd.stream_id)->is_whole = true;
    }
    return 0;
  }
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user_data) {
    ++of(user_data).refused_frames_count_;
    return 0;
  }
  static ssize_t read_body(nghttp2_session* session, std::int32_t stream_id, std::uint8_t* target,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* user_data) {
    Body& body = of(user_data).bodies_[stream_id];
    const std::size_t count = std::min(size, body.rest.size());
    std::copy_n(body.rest.data(), count, reinterpret_cast<char*>(target));
    body.rest.erase(0, count);
    if (!body.rest.empty()) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!body.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp2_nv> block = block_of(body.trailers, "");
      nghttp2_submit_trailer(session, stream_id, block.data(), block.size());
    }
    return static_cast<ssize_t>(count);
  }

  nghttp2_session* session_ = nullptr;
  std::vector<Request> requests_;
  std::vector<std::pair<std::int32_t, std::uint32_t>> resets_;
  std::map<std::int32_t, Body> bodies_;
  std::size_t pings_count_ = 0;
  std::size_t pongs_count_ = 0;
  std::size_t refused_frames_count_ = 0;
  bool got_go_away_ = false;
};

}  // namespace eilpost::http

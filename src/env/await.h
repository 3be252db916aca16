#pragma once
// Awaits the callbacks of env/ in a coroutine:
//
//   const Result<std::size_t> count = co_await read(stream, buffer);
//   const Result<void> written = co_await write(stream, bytes);
//   Result<Resolved> resolved = co_await resolve(network, "example.com");
//   Result<std::unique_ptr<Stream>> stream = co_await connect(network, options);
//
// Destroying the waiting Task withdraws the operation.

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "env/network.h"

namespace eilpost::env {

class [[nodiscard]] Read {
 public:
  Read(Stream& stream, std::span<std::byte> buffer) : stream_(stream), buffer_(buffer) {}
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  ~Read() {
    if (waiting_) stream_.cancel_read();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiting_ = true;
    stream_.read(buffer_, [this, handle](Result<std::size_t> result) {
      waiting_ = false;
      result_ = std::move(result);
      handle.resume();
    });
  }
  Result<std::size_t> await_resume() { return std::move(result_); }

 private:
  Stream& stream_;
  std::span<std::byte> buffer_;
  Result<std::size_t> result_{0U};
  bool waiting_ = false;
};

class [[nodiscard]] Write {
 public:
  Write(Stream& stream, ByteView bytes) : stream_(stream), bytes_(bytes) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() {
    if (waiting_) stream_.cancel_write();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiting_ = true;
    stream_.write(bytes_, [this, handle](Result<void> result) {
      waiting_ = false;
      result_ = std::move(result);
      handle.resume();
    });
  }
  Result<void> await_resume() { return std::move(result_); }

 private:
  Stream& stream_;
  ByteView bytes_;
  Result<void> result_;
  bool waiting_ = false;
};

// Waits for an Operation; `Begin` starts it: std::unique_ptr<Operation>(callback taking Result<T>).
template <class T, class Begin>
class [[nodiscard]] OperationAwaiter {
 public:
  explicit OperationAwaiter(Begin begin) : begin_(std::move(begin)) {}
  OperationAwaiter(const OperationAwaiter&) = delete;
  OperationAwaiter& operator=(const OperationAwaiter&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    operation_ = begin_([this, handle](Result<T> result) {
      result_.emplace(std::move(result));
      handle.resume();
    });
  }
  Result<T> await_resume() { return std::move(*result_); }

 private:
  Begin begin_;
  std::optional<Result<T>> result_;
  std::unique_ptr<Operation> operation_;
};

inline Read read(Stream& stream, std::span<std::byte> buffer) {
  return {stream, buffer};
}

inline Write write(Stream& stream, ByteView bytes) {
  return {stream, bytes};
}

inline auto resolve(Network& network, std::string host) {
  auto begin = [&network, host = std::move(host)](auto done) {
    return network.resolve(host, std::move(done));
  };
  return OperationAwaiter<Resolved, decltype(begin)>(std::move(begin));
}

inline auto connect(Network& network, ConnectOptions options) {
  auto begin = [&network, options = std::move(options)](auto done) mutable {
    return network.connect(std::move(options), std::move(done));
  };
  return OperationAwaiter<std::unique_ptr<Stream>, decltype(begin)>(std::move(begin));
}

inline auto start_tls(Network& network, std::unique_ptr<Stream> stream, ConnectOptions options) {
  auto begin = [&network, stream = std::move(stream),
                options = std::move(options)](auto done) mutable {
    return network.start_tls(std::move(stream), std::move(options), std::move(done));
  };
  return OperationAwaiter<std::unique_ptr<Stream>, decltype(begin)>(std::move(begin));
}

}  // namespace eilpost::env

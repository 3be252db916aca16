#pragma once
// Small words for talking to the system: an owned file descriptor, the text of an errno.

#include <string>

namespace eilpost::env {

// Owns a file descriptor; closes it. -1: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool valid() const { return value_ >= 0; }
  int release() {
    const int value = value_;
    value_ = -1;
    return value;
  }
  void close();

 private:
  int value_ = -1;
};

// "Connection refused". Threads: any.
[[nodiscard]] std::string reason_of(int error_number);

// Shows in tools like top; at most 15 characters are kept.
void name_this_thread(const std::string& name);

}  // namespace eilpost::env

#pragma once
// Collects the headers of a message that comes in pieces.

#include <cstddef>
#include <string_view>

#include "http/message.h"

namespace eilpost::http {

// Fills Headers and uses the memory of earlier ones again.
class HeaderSink {
 public:
  explicit HeaderSink(Headers& headers) : headers_(headers) {}

  void clear();
  // Pieces of the next header's name, then end_name(), then pieces of its value, then end_value(),
  // which trims the white space at its end.
  void add_name(std::string_view bytes);
  [[nodiscard]] bool end_name();  // False if the name is empty.
  void add_value(std::string_view bytes);
  void end_value();
  [[nodiscard]] std::size_t size() const { return headers_.size(); }

 private:
  Headers& headers_;
  Headers spare_;
  bool in_name_ = false;
};

}  // namespace eilpost::http

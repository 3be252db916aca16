#include "http/header_sink.h"

#include <utility>

namespace eilpost::http {

void HeaderSink::clear() {
  for (Header& header : headers_) spare_.push_back(std::move(header));
  headers_.clear();
  in_name_ = false;
}

void HeaderSink::add_name(std::string_view bytes) {
  if (!in_name_) {
    in_name_ = true;
    if (spare_.empty()) {
      headers_.emplace_back();
    } else {
      headers_.push_back(std::move(spare_.back()));
      spare_.pop_back();
      headers_.back().name.clear();
      headers_.back().value.clear();
    }
  }
  headers_.back().name.append(bytes);
}

bool HeaderSink::end_name() {
  const bool is_named = in_name_ && !headers_.back().name.empty();
  in_name_ = false;
  return is_named;
}

void HeaderSink::add_value(std::string_view bytes) {
  headers_.back().value.append(bytes);
}

void HeaderSink::end_value() {
  std::string& value = headers_.back().value;
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
}

}  // namespace eilpost::http

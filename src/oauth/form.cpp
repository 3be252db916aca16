#include "oauth/form.h"

#include "http/percent.h"

namespace eilpost::oauth {

std::string encode_form_value(std::string_view value) {
  return http::encode_query_value(value);
}

void append_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty() && !form.ends_with('?') && !form.ends_with('&')) form += '&';
  form += encode_form_value(name);
  form += '=';
  form += encode_form_value(value);
}

}  // namespace eilpost::oauth

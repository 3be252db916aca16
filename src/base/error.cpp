#include "base/error.h"

#include "base/assert.h"

namespace eilpost {

std::string_view name_of(ErrorCode code) {
  switch (code) {
#define EILPOST_ERROR_NAME(name, number, text) \
  case ErrorCode::name:                        \
    return #name;
    EILPOST_ERRORS(EILPOST_ERROR_NAME)
#undef EILPOST_ERROR_NAME
  }  // No default: the compiler warns about a missing case.
  assert_failed("unknown ErrorCode");
}

std::string_view text_of(ErrorCode code) {
  switch (code) {
#define EILPOST_ERROR_TEXT(name, number, text) \
  case ErrorCode::name:                        \
    return text;
    EILPOST_ERRORS(EILPOST_ERROR_TEXT)
#undef EILPOST_ERROR_TEXT
  }
  assert_failed("unknown ErrorCode");
}

}  // namespace eilpost

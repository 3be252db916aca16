#pragma once
// Result<T>: a value or an Error. The only way in which our functions report failure.
//
//   Result<Bytes> read_page(PageId id);
//
//   Result<void> copy(PageId from, PageId to) {
//     EILPOST_ASSIGN_OR_RETURN(const Bytes page, read_page(from));
//     EILPOST_RETURN_IF_ERROR(write_page(to, page));
//     return {};
//   }
//
// In coroutines use the twins EILPOST_CO_ASSIGN_OR_RETURN and EILPOST_CO_RETURN_IF_ERROR; name an
// awaited result before you look at it.

#include <expected>
#include <string>
#include <utility>

#include "base/error.h"

namespace eilpost {

template <class T>
using Result = std::expected<T, Error>;

// `return fail(ErrorCode::disk_full, "journal");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string detail = {}) {
  return std::unexpected(Error{.code = code, .detail = std::move(detail)});
}

}  // namespace eilpost

#define EILPOST_CONCAT_INNER(a, b) a##b
#define EILPOST_CONCAT(a, b) EILPOST_CONCAT_INNER(a, b)

#define EILPOST_RETURN_IF_ERROR_WITH(keyword, expression)                            \
  do {                                                                               \
    auto eilpost_result = (expression);                                              \
    if (!eilpost_result) keyword std::unexpected(std::move(eilpost_result).error()); \
  } while (false)

#define EILPOST_ASSIGN_OR_RETURN_WITH(keyword, result, declaration, expression) \
  auto result = (expression);                                                   \
  if (!result) keyword std::unexpected(std::move(result).error());              \
  declaration = std::move(result).value()

#define EILPOST_RETURN_IF_ERROR(expression) EILPOST_RETURN_IF_ERROR_WITH(return, expression)
#define EILPOST_CO_RETURN_IF_ERROR(expression) EILPOST_RETURN_IF_ERROR_WITH(co_return, expression)
#define EILPOST_ASSIGN_OR_RETURN(declaration, expression)                                       \
  EILPOST_ASSIGN_OR_RETURN_WITH(return, EILPOST_CONCAT(eilpost_result_, __LINE__), declaration, \
                                      expression)
#define EILPOST_CO_ASSIGN_OR_RETURN(declaration, expression)                                       \
  EILPOST_ASSIGN_OR_RETURN_WITH(co_return, EILPOST_CONCAT(eilpost_result_, __LINE__), declaration, \
                                expression)

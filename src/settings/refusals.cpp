#include "settings/refusals.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace eilpost::settings {
namespace {

constexpr std::size_t kUsersNamedMax = 10;

}  // namespace

Refusal refuse(int status, std::string code, std::string detail) {
  return Refusal(Refused{
      .status = status, .code = std::move(code), .detail = std::move(detail), .errors = {}});
}

Refusal refuse_absent(std::string_view what) {
  return refuse(404, "not_found", fmt::format("There is no such {}.", what));
}

Refusal refuse_invalid(Problems problems) {
  std::string detail = problems.errors.size() == 1
                           ? problems.errors.front().detail
                           : fmt::format("{} things are wrong.", problems.errors.size());
  return Refusal(Refused{.status = 422,
                         .code = "invalid",
                         .detail = std::move(detail),
                         .errors = std::move(problems.errors)});
}

Refusal refuse_in_use(std::string_view what, const std::vector<const Webhook*>& users) {
  std::vector<std::string> names;
  std::vector<Problem> errors;
  for (const Webhook* user : users) {
    std::string name = fmt::format("\"{}\" ({})", user->name, to_string(user->id));
    errors.push_back(
        {.code = "in_use", .detail = fmt::format("The webhook {} uses it.", name), .pointer = ""});
    if (names.size() < kUsersNamedMax) names.push_back(std::move(name));
  }
  if (users.size() > names.size()) {
    names.push_back(fmt::format("{} more", users.size() - names.size()));
  }
  return Refusal(
      Refused{.status = 409,
              .code = "in_use",
              .detail = fmt::format("{} is used by {} webhook{}: {}.", what, users.size(),
                                    users.size() == 1 ? "" : "s", fmt::join(names, ", ")),
              .errors = std::move(errors)});
}

Refusal refuse_failed(const Error& error) {
  const int status = error.code == ErrorCode::disk_full ? 507 : 500;
  return refuse(status, std::string(name_of(error.code)),
                fmt::format("{} Nothing was saved.", text_of(error.code)));
}

std::optional<Refused> check_version(IfVersion if_version, std::uint32_t version) {
  if (!if_version || *if_version == version) return std::nullopt;
  return Refused{
      .status = 412,
      .code = "stale_version",
      .detail = fmt::format("It was changed meanwhile: its version is {}, not {}. Read it "
                            "again, and then change it.",
                            version, *if_version),
      .errors = {}};
}

}  // namespace eilpost::settings

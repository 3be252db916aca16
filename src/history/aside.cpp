#include "history/aside.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

#include "base/parse.h"

namespace eilpost::history {
namespace {

constexpr std::string_view kSuffix = ".corrupt";
constexpr std::string_view kLogSuffix = "-wal";  // SQLite's

// A file that was set aside.
struct Kept {
  std::string of;  // its name before
  std::uint64_t number = 1;

  auto operator<=>(const Kept&) const = default;
  [[nodiscard]] std::string name() const {
    return number == 1 ? fmt::format("{}{}", of, kSuffix)
                       : fmt::format("{}{}-{}", of, kSuffix, number);
  }
};

std::optional<Kept> parse(std::string_view name) {
  if (name.ends_with(kLogSuffix)) name.remove_suffix(kLogSuffix.size());
  const std::size_t at = name.rfind(kSuffix);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = name.substr(at + kSuffix.size());
  Kept kept{.of = std::string(name.substr(0, at))};
  if (rest.empty()) return kept;
  const auto number = parse_integer<std::uint64_t>(rest.substr(1));
  if (!rest.starts_with('-') || !number) return std::nullopt;
  kept.number = *number;
  return kept;
}

Result<void> rename_if_there(env::Directory& directory, std::string_view from,
                             std::string_view to) {
  Result<void> done = directory.rename(from, to);
  if (!done && done.error().code == ErrorCode::not_found) return {};
  return done;
}

// How the next file that was called `name` is called, and which then are too many.
struct Plan {
  std::string name;
  std::vector<std::string> dropped;
};

Plan plan_for(std::string_view name, const std::vector<std::string>& names) {
  std::vector<Kept> kept;
  for (const std::string& other : names) {
    if (const auto found = parse(other)) kept.push_back(*found);
  }
  std::ranges::sort(kept);
  const auto same = std::ranges::unique(kept);  // A file and its log are one.
  kept.erase(same.begin(), same.end());
  Kept next{.of = std::string(name)};
  for (const Kept& other : kept) {
    if (other.of == name) next.number = other.number + 1;
  }
  Plan plan{.name = next.name(), .dropped = {}};
  for (std::size_t i = 0; i + kAsideMax < kept.size() + 1; ++i) {
    plan.dropped.push_back(kept[i].name());
  }
  return plan;
}

std::string log_of(std::string_view name) {
  return fmt::format("{}{}", name, kLogSuffix);
}

Result<void> carry_out(env::Directory& directory, std::string_view name, const Plan& plan) {
  EILPOST_RETURN_IF_ERROR(rename_if_there(directory, name, plan.name));
  return rename_if_there(directory, log_of(name), log_of(plan.name));
}

Result<void> remove_with_log(env::Directory& directory, const std::string& name) {
  EILPOST_RETURN_IF_ERROR(directory.remove(name));
  return directory.remove(log_of(name));
}

}  // namespace

Result<void> set_aside_file(env::Directory& directory, std::string_view name, const Error& error,
                            const std::function<void(std::string_view)>& on_trouble) {
  const Result<std::vector<std::string>> names = directory.list();
  Plan plan;
  if (names) plan = plan_for(name, *names);
  Result<void> done = names ? carry_out(directory, name, plan) : std::unexpected(names.error());
  if (!done) {
    on_trouble(fmt::format("History file {} cannot be set aside: {}", name, done.error().detail));
    return done;
  }
  on_trouble(fmt::format("History file {} was set aside as {}: {}", name, plan.name, error.detail));
  for (const std::string& dropped : plan.dropped) {
    const Result<void> removed = remove_with_log(directory, dropped);
    on_trouble(removed ? fmt::format("{} was removed: {} files that were set aside are kept.",
                                     dropped, kAsideMax)
                       : fmt::format("{} cannot be removed: {}", dropped, removed.error().detail));
  }
  return {};
}

}  // namespace eilpost::history

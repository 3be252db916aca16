// Since when destinations fail: what must outlive the program, so that the days are counted whole.

#include "settings/sqlite_settings.h"

namespace eilpost::settings {

Result<Settings::FailingDestinations> SqliteSettings::failing_destinations() {
  EILPOST_ASSIGN_OR_RETURN(const std::vector<StoredFailing> stored, store_->all_failing());
  FailingDestinations all;
  for (const StoredFailing& each : stored) {
    const std::optional<DestinationId> id = parse_id<DestinationId>(each.id);
    if (id && destinations_.contains(*id)) all.emplace_back(*id, each.since);
  }
  return all;
}

Result<void> SqliteSettings::note_failing(DestinationId id, std::optional<WallTime> since) {
  if (!destinations_.contains(id)) return {};
  return since ? store_->put_failing(to_string(id), *since) : store_->remove_failing(to_string(id));
}

}  // namespace eilpost::settings

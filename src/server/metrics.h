#pragma once
// What /metrics says: Prometheus' text format, version 0.0.4.
//
// Threads: any.

#include <string>

#include "history/history.h"
#include "pipeline/pipeline.h"
#include "server/disk_watch.h"
#include "store/store.h"

namespace eilpost::server {

class Metrics final {
 public:
  Metrics(const pipeline::Pipeline& pipeline, store::Store& store, history::History& history,
          const DiskWatch& disk_watch)
      : pipeline_(pipeline), store_(store), history_(history), disk_watch_(disk_watch) {}

  [[nodiscard]] std::string text() const;

 private:
  const pipeline::Pipeline& pipeline_;
  store::Store& store_;
  history::History& history_;
  const DiskWatch& disk_watch_;
};

}  // namespace eilpost::server

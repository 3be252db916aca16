#pragma once
// What /metrics says: Prometheus' text format, version 0.0.4.
//
// Threads: any.

#include <string>

#include "history/history.h"
#include "pipeline/pipeline.h"
#include "store/store.h"

namespace eilpost::server {

class Metrics final {
 public:
  Metrics(const pipeline::Pipeline& pipeline, store::Store& store, history::History& history)
      : pipeline_(pipeline), store_(store), history_(history) {}

  [[nodiscard]] std::string text() const;

 private:
  const pipeline::Pipeline& pipeline_;
  store::Store& store_;
  history::History& history_;
};

}  // namespace eilpost::server

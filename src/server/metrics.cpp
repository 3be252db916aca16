#include "server/metrics.h"

#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eilpost::server {
namespace {

using Families = std::vector<prometheus::MetricFamily>;

void add(Families& families, const char* name, const char* help, prometheus::MetricType type,
         double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  families.push_back({name, help, type, {std::move(metric)}});
}

void add_counter(Families& families, const char* name, const char* help, std::uint64_t value) {
  add(families, name, help, prometheus::MetricType::Counter, static_cast<double>(value));
}

void add_gauge(Families& families, const char* name, const char* help, std::uint64_t value) {
  add(families, name, help, prometheus::MetricType::Gauge, static_cast<double>(value));
}

struct Labelled {
  const char* name;
  const char* help;
  const char* label;
};

// One counter a label's value; all of them, so that a rate can be told from the first one on.
template <class Labels, class Values, class ToText>
void add_labelled(Families& families, const Labelled& about, const Labels& labels,
                  const Values& values, ToText to_text) {
  prometheus::MetricFamily family{about.name, about.help, prometheus::MetricType::Counter, {}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    prometheus::ClientMetric metric;
    metric.label = {{about.label, to_text(labels[i])}};
    metric.counter.value = static_cast<double>(values[i]);
    family.metric.push_back(std::move(metric));
  }
  families.push_back(std::move(family));
}

void add_attempt_durations(Families& families, const pipeline::Figures& figures) {
  prometheus::ClientMetric metric;
  prometheus::ClientMetric::Histogram& histogram = metric.histogram;
  for (std::size_t i = 0; i < figures.attempt_durations.size(); ++i) {
    histogram.sample_count += figures.attempt_durations[i];
    const bool is_last = i == pipeline::kDurationBoundsMs.size();
    histogram.bucket.push_back(
        {.cumulative_count = histogram.sample_count,
         .upper_bound = is_last ? std::numeric_limits<double>::infinity()
                                : static_cast<double>(pipeline::kDurationBoundsMs[i]) / 1000});
  }
  histogram.sample_sum = static_cast<double>(figures.attempt_duration_ms) / 1000;
  families.push_back({"eilpost_attempt_duration_seconds",
                      "From the start of an attempt to its outcome.",
                      prometheus::MetricType::Histogram,
                      {std::move(metric)}});
}

void add_figures(Families& families, const pipeline::Figures& figures) {
  add_labelled(families,
               {.name = "eilpost_ingest_requests_refused_total",
                .help = "Requests of /v1/events answered 4xx or 5xx.",
                .label = "status"},
               pipeline::kRefusalStatuses, figures.requests_refused,
               [](int status) { return status == 0 ? "other" : std::to_string(status); });
  add_labelled(
      families,
      {.name = "eilpost_attempts_ended_total",
       .help = "Attempts by what came of them: the class of the answer, or why there was none.",
       .label = "outcome"},
      pipeline::kAttemptOutcomes, figures.attempts_ended,
      [](std::string_view outcome) { return std::string(outcome); });
  add_attempt_durations(families, figures);
}

void add_pipeline(Families& families, const pipeline::Counters& counters) {
  add_counter(families, "eilpost_events_accepted_total", "Events made durable and answered 202.",
              counters.events_accepted);
  add_counter(families, "eilpost_events_repeated_total", "Events recognised as repeats.",
              counters.events_repeated);
  add_counter(families, "eilpost_events_rejected_total",
              "Events refused in requests with partial=1.", counters.events_rejected);
  add_counter(families, "eilpost_deliveries_owed_total", "Deliveries that came to be.",
              counters.deliveries_owed);
  add_counter(families, "eilpost_deliveries_delivered_total", "Deliveries that ended delivered.",
              counters.deliveries_delivered);
  add_counter(families, "eilpost_deliveries_failed_total", "Deliveries that ended failed.",
              counters.deliveries_failed);
  add_counter(families, "eilpost_attempts_total", "Requests made for deliveries.",
              counters.attempts);
  add_counter(families, "eilpost_attempts_succeeded_total", "Attempts that succeeded.",
              counters.attempts_succeeded);
  add_gauge(families, "eilpost_attempts_in_flight", "Attempts under way.",
            counters.attempts_in_flight);
  add_gauge(families, "eilpost_destinations_paused",
            "Destinations that failed so often that they are tried only now and then.",
            counters.destinations_paused);
  add_gauge(families, "eilpost_deliveries_oldest_owed_age_seconds",
            "Since the oldest delivery that is owed was accepted; 0: none is owed.",
            static_cast<std::uint64_t>(counters.oldest_owed_age.count()));
  add_counter(families, "eilpost_token_requests_total", "Requests to OAuth token end points.",
              counters.tokens_fetched);
  add_counter(families, "eilpost_token_requests_failed_total",
              "Requests to OAuth token end points that brought no token.", counters.tokens_failed);
  add_figures(families, counters.figures);
}

}  // namespace

std::string Metrics::text() const {
  Families families;
  add_pipeline(families, pipeline_.counters());
  const store::Usage journal = store_.usage();
  add_gauge(families, "eilpost_deliveries_unsettled", "Deliveries owed.", journal.unsettled_count);
  add_gauge(families, "eilpost_journal_bytes", "Bytes of the journal on disk.",
            journal.journal_bytes);
  add_gauge(families, "eilpost_journal_segments", "Segments of the journal.",
            journal.segments_count);
  add_counter(families, "eilpost_journal_frames_total", "Commits since the start.",
              journal.frames_count);
  add_counter(families, "eilpost_journal_written_bytes_total", "Bytes written since the start.",
              journal.written_bytes);
  add_gauge(families, "eilpost_journal_full", "1 while the disk is too full for new events.",
            journal.is_full ? 1 : 0);
  const history::History::Usage history = history_.usage();
  add_gauge(families, "eilpost_history_bytes", "Bytes of the delivery log on disk.", history.bytes);
  add_gauge(families, "eilpost_history_files", "Files of the delivery log.", history.files_count);
  add_gauge(families, "eilpost_disk_bytes",
            "Bytes of the journal and the delivery log on disk, with all that belongs to them.",
            disk_watch_.bytes());
  add_gauge(families, "eilpost_disk_bytes_max",
            "The bound on eilpost_disk_bytes: there, ingest answers 429. 0: none.",
            disk_watch_.bytes_max());
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace eilpost::server

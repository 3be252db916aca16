#pragma once
// From one parsed event of a sender to an Event: checks everything and writes the canonical
// document in one walk.
//
// Threads: one at a time; it keeps memory from event to event.

#include <chrono>
#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/limits.h"
#include "model/problem.h"
#include "model/source.h"

namespace eilpost::ingest {

// What the events of one request have in common.
struct EventContext {
  const Source& source;
  const Catalog& catalog;
  WallTime received_at;
  // Added to the client's times: how much its clock is behind ours.
  std::chrono::milliseconds skew{};
  // Canonical data larger than this is refused.
  std::size_t data_bytes_max = 0;
  std::size_t depth_max = limits::kEventDepthMax;
  std::size_t properties_max = limits::kEventPropertiesMax;
  bool takes_operations = false;  // Eilpost's own events, too: no sender may give them
};

class EventBuilder {
 public:
  explicit EventBuilder(std::uint64_t seed) : random_(seed) {}

  // Nothing if anything is wrong: then at least one problem was added, at most
  // kProblemsPerEventMax; pointers begin at the event, `index` is not set.
  [[nodiscard]] std::optional<Event> build(const EventContext& context,
                                           simdjson::dom::element element,
                                           std::vector<Problem>& problems);

  static constexpr std::size_t kProblemsPerEventMax = 100;

 private:
  using Element = simdjson::dom::element;
  using Object = simdjson::dom::object;
  using Node = DeclarationTrie::Node;

  struct Attribute {
    std::string_view name;
    Element value;
  };
  // A step into a value: a key, or an index if `key` has no data.
  struct Step {
    std::string_view key;
    std::size_t index = 0;
  };
  // What is being written: how deep, and what is declared there.
  struct Place {
    const Node* node = nullptr;
    std::size_t depth = 0;
    bool inside_array = false;
  };

  void read_attributes(Object event);
  void read_attribute(std::string_view name, Element value);
  [[nodiscard]] std::string_view text_of(const std::optional<Element>& value) const;
  bool check_id();
  bool check_type(const Catalog& catalog);
  bool find_user();
  bool check_user(std::string_view user, std::string_view pointer);
  bool read_time();

  void write_attributes(std::string_view id, std::string_view time);
  void write_data();
  void write_wm_member(Element value, Place place);
  void write_wm(Object wm, Place place);
  void write_user();
  void write_env();
  void write_env_name();
  void write_wm_missing(bool has_user, bool has_env, bool has_env_name);
  void write_members(Object object, Place place);
  void write_member(std::string_view key, Element value, Place place);
  void write_value(Element value, Place place);
  void write_elements(simdjson::dom::array array, Place place);
  void separate();

  bool check_keys(Object object);
  void check_value(const Node* node, Element value);
  bool enter(Place& place);

  [[nodiscard]] std::string pointer() const;
  void report(std::string_view code, std::string_view detail) {
    report_at(code, detail, pointer());
  }
  void report_at(std::string_view code, std::string_view detail, std::string_view pointer);
  [[nodiscard]] bool ok() const { return problems_->size() == problems_before_; }

  Random random_;

  // Of the event under way.
  const EventContext* context_ = nullptr;
  std::vector<Problem>* problems_ = nullptr;
  std::size_t problems_before_ = 0;
  const EventType* type_ = nullptr;
  bool has_type_member_ = false;  // a null one counts as missing
  std::optional<Element> id_, type_code_, subject_, time_, data_;
  std::vector<Attribute> attributes_;  // the others
  std::string_view user_;
  WallTime happened_at_;
  std::string_view client_time_;  // of a time that was clamped
  std::size_t properties_count_ = 0;
  std::vector<Step> path_;
  std::vector<std::string_view> keys_;
  std::string out_;

  // Of the request under way.
  WallTime received_at_;
  std::string received_at_text_;
};

}  // namespace eilpost::ingest

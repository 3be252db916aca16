#pragma once
// What a destination makes of an answer: when it is a success, when it is final, and which events
// of a batch it refused (SPEC "Destinations").

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/json.h"

namespace eilpost {

// "204" or "2xx". Invariants: 100 <= first <= last <= 599.
struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;

  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

// What must hold of an answer's body, else it is no success.
struct AnswerBodyRule {
  enum class Kind : std::uint8_t {
    equals,            // the body is `text`, but for white space around it
    contains,          // it holds `text`
    does_not_contain,  // it does not
    pointer,           // it is JSON and has `value` at the JSON Pointer `text`
  };

  Kind kind = Kind::equals;
  std::string text;
  Json value;
};

// How an answer says that it took some events of a batch and refused others.
struct PartialRule {
  enum class Rest : std::uint8_t {
    delivered,  // what the answer does not name was taken
    again,      // nothing was taken: what it does not name is sent again
  };

  std::vector<StatusRange> statuses;
  // JSON Pointers into the answer at which the refused ones are named; a step `*` stands for every
  // element or member.
  std::vector<std::string> failed;
  // Empty: they are named by their index in the batch. Else by the value that the event's part of
  // the batch has at this JSON Pointer.
  std::string named_by;
  Rest rest = Rest::delivered;
};

struct SuccessRule {
  std::vector<StatusRange> statuses = {StatusRange{}};
  std::optional<AnswerBodyRule> body;
  std::optional<PartialRule> partial;

  // Any 2xx, whatever its body.
  [[nodiscard]] bool is_plain() const {
    return !body && !partial && statuses.size() == 1 && statuses.front() == StatusRange{};
  }
  [[nodiscard]] bool reads_body() const { return body || partial; }
};

}  // namespace eilpost

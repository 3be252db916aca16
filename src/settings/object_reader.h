#pragma once
// Reads the fields of one JSON object, reporting all that is wrong: wrong types, unknown fields.
//
//   ObjectReader reader(json, "/request", problems);
//   if (const auto url = reader.text("url")) request.url = *url;
//   reader.finish();
//
// Ownership: the JSON and the Problems must outlive it.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/json.h"
#include "model/problem.h"

namespace eilpost::settings {

struct IntegerRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

class ObjectReader {
 public:
  // If `json` is no object, that is reported and every field is absent.
  ObjectReader(const Json& json, std::string pointer, Problems& problems);

  // The field, whatever it is; null pointer if it is absent. Makes the field a known one.
  [[nodiscard]] const Json* find(std::string_view key);
  // The same, but null counts as absent.
  [[nodiscard]] const Json* given(std::string_view key);

  // Nothing if the field is absent or null, or of another type, which is reported.
  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, IntegerRange range);
  [[nodiscard]] const Json* array(std::string_view key);
  [[nodiscard]] const Json* object(std::string_view key);

  // A text that must be there, not blank, and have at most limits::kNameBytesMax bytes.
  [[nodiscard]] std::string name(std::string_view key);

  // These fields are known and not read.
  void ignore(std::initializer_list<std::string_view> keys);
  // Reports the fields that nobody asked for, each with the known one that is most like it.
  void finish();

  [[nodiscard]] bool is_object() const { return is_object_; }
  [[nodiscard]] std::string pointer(std::string_view key) const;
  void error(std::string code, std::string detail, std::string_view key);
  void wrong_type(std::string_view key, std::string_view wanted);

 private:
  const Json& json_;
  const std::string pointer_;
  Problems& problems_;
  const bool is_object_;
  std::vector<std::string> known_;
};

// Nothing if `json` is no integer of this range.
[[nodiscard]] std::optional<std::int64_t> integer_in(const Json& json, IntegerRange range);

// `key` as a part of a JSON Pointer.
[[nodiscard]] std::string escape_pointer(std::string_view key);

// The one of `words` that a misspelt word was perhaps meant to be; empty if none is near.
[[nodiscard]] std::string_view closest_word(std::string_view word,
                                            const std::vector<std::string>& words);

// What a JSON value is, for sentences: "a text", "an array".
[[nodiscard]] std::string_view describe_type(const Json& json);

// Whether one pointer is the other or lies within it.
[[nodiscard]] bool is_related(std::string_view pointer, std::string_view other);

// Adds what `found` has to `problems`, but for errors at a place that has one already: they follow
// from it.
void add_independent(Problems found, Problems& problems);

}  // namespace eilpost::settings

#include "model/json.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <vector>

#include "base/utf8.h"

namespace eilpost {
namespace {

// Sees a text before it becomes a value: says where it is wrong, too deep, or has a key twice.
class Check final : public nlohmann::json_sax<Json> {
 public:
  explicit Check(std::size_t depth_max) : depth_max_(depth_max) {}

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }

  bool start_object(std::size_t /*count*/) override { return enter(); }
  bool start_array(std::size_t /*count*/) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& key) override {
    if (keys_.back().insert(key).second) return true;
    problem_ = fmt::format("the key \"{}\" stands twice in one object", key);
    return false;
  }

  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& error) override {
    position_ = position;
    problem_ = reason_of(error.what());
    return false;
  }

  // Where the text is wrong: the number of bytes read, if known, and why.
  [[nodiscard]] std::optional<std::size_t> position() const { return position_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool enter() {
    keys_.emplace_back();
    if (keys_.size() <= depth_max_) return true;
    problem_ = fmt::format("it is nested deeper than {} levels", depth_max_);
    return false;
  }

  bool leave() {
    keys_.pop_back();
    return true;
  }

  // From "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while
  // parsing value - invalid literal; last read: 'x'" the reason alone.
  static std::string reason_of(std::string_view message) {
    if (const std::size_t dash = message.find(" - "); dash != std::string_view::npos) {
      message.remove_prefix(dash + 3);
      message = message.substr(0, message.find("; last read"));
    } else if (const std::size_t bracket = message.find("] "); bracket != std::string_view::npos) {
      message.remove_prefix(bracket + 2);
    }
    return is_valid_utf8(message) ? std::string(message) : "invalid text";
  }

  std::size_t depth_max_;
  std::vector<std::set<std::string>> keys_;  // of each object and array that is open
  std::optional<std::size_t> position_;
  std::string problem_;
};

std::string place_of(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 if there is none
  return fmt::format("line {}, column {}", line,
                     std::max<std::size_t>(before.size() - line_begin, 1));
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t depth_max) {
  Check check(depth_max);
  if (!Json::sax_parse(text, &check)) {
    const std::string place =
        check.position() ? fmt::format(" at {}", place_of(text, *check.position())) : "";
    return fail(ErrorCode::bad_input, fmt::format("not valid JSON{}: {}", place, check.problem()));
  }
  Json json = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail(ErrorCode::bad_input, "not valid JSON");
  return json;
}

std::string to_text(const Json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace eilpost

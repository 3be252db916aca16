#include "model/event_document.h"

#include <utility>

namespace eilpost {
namespace {

std::unexpected<Error> not_canonical(std::string_view why) {
  return fail(ErrorCode::bad_input, "not an event document: " + std::string(why));
}

}  // namespace

Result<EventDocument> EventDocument::parse(simdjson::dom::parser& parser, std::string_view text) {
  return read(parser.parse(text.data(), text.size()));
}

Result<EventDocument> EventDocument::parse(simdjson::dom::parser& parser,
                                           simdjson::dom::document& target, std::string_view text) {
  return read(parser.parse_into_document(target, text.data(), text.size()));
}

Result<EventDocument> EventDocument::read(
    simdjson::simdjson_result<simdjson::dom::element> parsed) {
  simdjson::dom::element root;
  if (const auto error = std::move(parsed).get(root)) {
    return not_canonical(simdjson::error_message(error));
  }
  simdjson::dom::object members;
  if (root.get(members) != simdjson::SUCCESS) return not_canonical("it is no object");

  EventDocument result;
  auto member = members.begin();
  const auto end = members.end();
  if (member == end || member.key() != "event" ||
      member.value().get(result.event_) != simdjson::SUCCESS) {
    return not_canonical("its first member must be the object \"event\"");
  }
  result.event_element_ = member.value();
  ++member;
  if (member == end || member.key() != "created_at" || !member.value().is_int64()) {
    return not_canonical("its second member must be the integer \"created_at\"");
  }
  result.created_at_ = member.value();
  ++member;
  if (member == end || member.key() != "data" ||
      member.value().get(result.data_) != simdjson::SUCCESS) {
    return not_canonical("its third member must be the object \"data\"");
  }
  ++member;
  if (member != end) return not_canonical("it has more than three members");
  return result;
}

}  // namespace eilpost

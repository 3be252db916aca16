#include "pipeline/exchange.h"

#include <string>

#include "base/utf8.h"
#include "deliver/judge.h"
#include "model/limits.h"

namespace eilpost::pipeline {
namespace {

bool has_own_rules(const Destination& destination) {
  return !destination.success.is_plain() || !destination.final_statuses.empty();
}

Outcome put_into_inbox(LaneContext& context, const OutboundRequest& request,
                       const Destination& destination) {
  const InboxAnswer answer =
      context.inbox.put(destination.inbox_token, {.received_at = context.loop.clock().wall_now(),
                                                  .method = std::string(to_string(request.method)),
                                                  .target = request.url,
                                                  .headers = request.headers,
                                                  .body = request.body});
  const bool is_success = answer.status / 100 == 2;
  return {
      .kind = OutcomeKind::answered,
      .status = answer.status,
      .success = is_success,
      .request_sent = true,
      .detail = is_success ? "" : "The inbox was told to answer " + std::to_string(answer.status),
      .answer = answer.body,
      .answer_content_type = "text/plain"};
}

}  // namespace

Task<Outcome> send_request(LaneContext& context, deliver::Sender& sender,
                           const OutboundRequest& request, const LiveDestination& live) {
  const Destination& destination = live.destination;
  if (!live.tls_problem.empty()) {
    co_return Outcome{.kind = OutcomeKind::tls, .detail = live.tls_problem};
  }
  if (destination.platform == "inbox") co_return put_into_inbox(context, request, destination);
  const auto use =
      destination.success.reads_body() ? deliver::AnswerUse::rule : deliver::AnswerUse::log;
  co_return co_await sender.send(request, destination.request.timeout, live.tls_context, use);
}

void judge(const Destination& destination, Outcome& outcome) {
  if (!has_own_rules(destination)) return;
  deliver::judge(destination.success, destination.final_statuses, outcome);
  if (outcome.answer.size() > limits::kAnswerBytesFailure) {
    outcome.answer.resize(truncate_to_bytes(outcome.answer, limits::kAnswerBytesFailure).size());
  }
}

}  // namespace eilpost::pipeline

// Schemas of what happened: events, deliveries, attempts, previews, figures; and of refusals.

#include "admin/openapi_schemas.h"

namespace eilpost::admin {

const std::string_view kLogSchemas = R"json({
"ProblemPart": {
  "code": "string: Stable.", "detail": "string: What is wrong, and what would be right.",
  "pointer": "string: JSON Pointer (RFC 6901) of the place.",
  "index?": "integer: Of the event in the request."},
"Problem": {
  "type": "string", "title": "string", "status": "integer", "code": "string: Stable.",
  "detail": "string", "parameter?": "string: Of the query, if it is one that is wrong.",
  "errors?": "[#ProblemPart]: All that is wrong inside the request."},

"CloudEvent": {
  "type": "string: Code of the event type.",
  "id?": "string: Made if there is none; a repeat is not delivered again.",
  "time?": "string: RFC 3339, with an offset.", "subject?": "string: The end user.",
  "data?": "object|null", "...": true},
"Accepted": {
  "accepted": "integer: Durable, and not seen before.", "duplicates": "integer",
  "rejected?": "[#ProblemPart]: With partial=1."},

"Event": {
  "sequence": "string: Its place in the log.", "id": "string", "type": "string", "user": "string",
  "environment": "integer: Its number.", "source": "string|null: Its id.", "time": "time",
  "received_at": "time", "deliveries_count": "integer",
  "document?": "object|null: The event as it is rendered from, when one is read."},

"DeliveryState": "enum pending retrying held delivered failed",
"FailReason": [
  "enum attempts_used_up final_status webhook_deleted destination_deleted backlog_full expired",
  "erased damaged rejected record_lost"],
"OutcomeKind": "enum answered dns connect tls timeout reset too_large blocked_address token render",
"Delivery": {
  "id": "string", "event_id": "string", "event_type": "string", "user": "string",
  "webhook": "string", "webhook_version": "integer", "destination": "string",
  "state": "#DeliveryState",
  "reason": "#FailReason|null: Why it failed; record_lost: it may have been delivered.",
  "attempts_count": "integer", "next_attempt_at": "time|null",
  "last_outcome": "#OutcomeKind|null", "last_status": "integer|null", "accepted_at": "time",
  "settled_at": "time|null", "replay_of": "string|null: Id of the delivery that it sends again.",
  "backfill_of": "string|null: Sequence of the stored event that a backfill sends.",
  "webhook_id": "string: The header webhook-id of its requests."},
"Request": {"method": "string", "url": "string", "headers": "[#Header]", "body": "string"},
"Attempt": {
  "number": "integer", "started_at": "time", "duration_ms": "integer",
  "webhook_version": "integer", "destination_version": "integer", "outcome": "#OutcomeKind",
  "status": "integer|null", "success": "boolean",
  "perhaps_delivered": "boolean: No answer came, but the receiver may have acted on it.",
  "detail": "string|null", "answer": "string: The beginning of the body.",
  "answer_content_type": "string",
  "state": "#DeliveryState", "next_attempt_at": "time|null",
  "batch": "#AttemptBatch|null: With which others it was sent.",
  "request?": "#Request|null: Made again, secrets masked; of a batch with this event's part of it.",
  "request_is_exact?": "boolean: Its body is that which was sent."},
"AttemptBatch": {
  "id": "string: The header webhook-id of the request.", "deliveries_count": "integer"},
"Replayed": {"id": "string: Of the new delivery.", "replay_of": "string"},
"Backfilled": {"count": "integer: How many are wanted.", "backfilled?": "integer"},
"ReplayedMany": {"count": "integer: How many match.", "replayed?": "integer"},

"Preview": {
  "conditions": "[#ConditionResult]", "wanted": "boolean", "event": "object",
  "request": "#Request|null", "render_error": "string|null", "properties": "[#Origin]",
  "warnings": "[#ProblemPart]"},
"ConditionResult": {"pointer": "string: Into the webhook's conditions.", "result": "boolean"},
"Origin": {"name": "string", "property": "string|null", "missing": "boolean"},
"TestResult": {
  "id": "string", "duration_ms": "integer", "request": "#Request|null", "outcome": "#OutcomeKind",
  "status": "integer|null", "success": "boolean", "perhaps_delivered": "boolean",
  "detail": "string|null", "answer": "string", "answer_content_type": "string"},
"Test": {
  "id": "string", "event_type": "string", "webhook": "string|null: Null: a draft.",
  "destination": "string|null", "started_at": "time", "duration_ms": "integer",
  "outcome": "#OutcomeKind", "status": "integer|null", "success": "boolean",
  "perhaps_delivered": "boolean", "detail": "string|null", "answer": "string",
  "answer_content_type": "string"},

"InboxRequest": {
  "number": "integer", "received_at": "time", "from_outside": "boolean", "method": "string",
  "target": "string", "headers": "[#Header]", "body": "string"},
"InboxAnswer": {"status": "integer", "body": "string"},
"InboxPage": {"data": "[#InboxRequest]", "next_cursor": "string|null", "answer": "#InboxAnswer"},

"Stats": {
  "from": "time", "until": "time",
  "event_types": "[#EventTypeCount]",
  "since_start": {
    "events_accepted": "integer", "events_repeated": "integer", "deliveries_owed": "integer",
    "deliveries_delivered": "integer", "deliveries_failed": "integer", "attempts": "integer"},
  "deliveries_unsettled": "integer: Owed now."},
"EventTypeCount": {
  "event_type": "string", "events": "integer", "unwanted": "integer: That no webhook wanted."}
})json";

}  // namespace eilpost::admin

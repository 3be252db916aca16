// Schemas of what people set up: webhooks, destinations, sources, event types, keys.

#include "admin/openapi_schemas.h"

namespace eilpost::admin {

const std::string_view kSettingsSchemas = R"json({
"Texts": {"en": "string", "de": "string"},
"PropertyType": ["enum string integer number boolean array object id scalar any:",
  "`id` is a string or an integer, `scalar` a string, a number or a boolean."],
"PropertyDeclaration": {
  "path": "string: A dotted path into the event; may end in `*`.", "type": "#PropertyType",
  "description": "#Texts"},
"EventType": {
  "code": "string", "group": "string: Code of the group.", "label": "#Texts",
  "description": "#Texts",
  "properties": "[#PropertyDeclaration]: Those that this type adds to the common ones.",
  "sample": "object|null: An event as a sender writes it.",
  "custom": "boolean: Made by an administrator.",
  "version?": "integer"},
"EventTypeDraft": {
  "code": "string: custom.[a-z0-9_]{1,64}", "label": "#Texts", "description?": "#Texts",
  "properties?": "[#PropertyDraft]", "sample?": "object", "...": true},
"EventTypeChange": {
  "label?": "any: Texts by language, merged (RFC 7396).", "description?": "any",
  "properties?": "[#PropertyDraft]|null", "sample?": "object|null", "...": true},
"PropertyDraft": {
  "path": "string", "type?": "#PropertyType", "description?": {"en?": "string", "de?": "string"}},
"EventGroup": {"code": "string", "label": "#Texts"},
"EventTypePage": {
  "data": "[#EventType]", "next_cursor": "string|null",
  "groups": "[#EventGroup]: In the order in which people know them.",
  "common_properties": "[#PropertyDeclaration]: Those of every event, whatever its type."},

"Item": {
  "type": "string", "id": "string|integer", "name": "string", "parent": "string|integer|null",
  "last_seen_at": "time|null: Null: declared, but not seen in an event yet."},
"SeenProperty": {"path": "string", "type": "string", "count": "integer"},
"SeenValue": {"value": "any", "count": "integer", "last_seen_at": "time"},

"Environment": {"id": "integer", "name": "string", "built_in": "boolean", "created_at?": "time"},

"Source": {
  "id": "string", "name": "string", "environment": "string",
  "allowed_origins": "[string]|null: Of pages that may send; null: any, none in it: no browser.",
  "enabled": "boolean", "key_hint": "string: The key's last characters.",
  "version": "integer", "created_at": "time", "updated_at": "time"},
"SourceWithKey": {
  "id": "string", "name": "string", "environment": "string", "allowed_origins": "[string]|null",
  "enabled": "boolean", "key_hint": "string", "version": "integer", "created_at": "time",
  "updated_at": "time", "key": "string: Shown this once."},
"SourceDraft": {
  "name": "string", "environment": "string: Its name.", "allowed_origins?": "[string]|null",
  "enabled?": "boolean", "...": true},
"SourceChange": {
  "name?": "string", "environment?": "string", "allowed_origins?": "[string]|null",
  "enabled?": "boolean", "...": true},

"Operator": [
  "enum is is_not contains does_not_contain starts_with ends_with matches in not_in greater_than",
  "greater_or_equal less_than less_or_equal between exists does_not_exist"],
"Condition": "#All|#Any|#Not|#Comparison",
"All": {"all": "[#Condition]"},
"Any": {"any": "[#Condition]"},
"Not": {"not": "#Condition"},
"Comparison": {
  "property": "string", "operator": "#Operator",
  "value?": "any: A list for in and not_in, [low, high] for between; none for exists.",
  "ignore_case?": "boolean"},
"Missing": "enum leave_out null: What is sent for a property that the event lacks.",
"Property": {
  "property": "string: A path; may end in `*`.", "as?": "string", "missing?": "#Missing"},
"StaticProperty": {"name": "string", "value": "string|number|boolean: Text may hold placeholders."},
"Body": {
  "format?": "enum destination flat nested envelope form template",
  "keys?": "enum dots underscores", "template?": "any: JSON whose texts may hold placeholders."},
"Webhook": {
  "id": "string", "name": "string", "enabled": "boolean",
  "event": "string|[string]: A type's code, a group such as survey.*, or a list of both.",
  "environments": "[string]", "conditions": "#Condition|null: Null: every event.",
  "properties": "[#Property]: What is sent, in this order; empty: all.",
  "static_properties": "[#StaticProperty]", "missing": "#Missing", "body": "#Body",
  "destination": "string: Its id.", "version": "integer", "created_at": "time",
  "updated_at": "time",
  "warnings?": "[#ProblemPart]: Of a change: what was saved though it looks wrong."},
"WebhookDraft": {
  "name": "string", "enabled?": "boolean", "event": "string|[string]", "environments?": "[string]",
  "conditions?": "#Condition|null", "properties?": "[string|#Property]",
  "static_properties?": "[#StaticProperty]", "missing?": "#Missing", "body?": "#Body|null",
  "destination": "string", "...": true},
"WebhookChange": {
  "name?": "string", "enabled?": "boolean", "event?": "string|[string]",
  "environments?": "[string]|null", "conditions?": "#Condition|null",
  "properties?": "[string|#Property]|null", "static_properties?": "[#StaticProperty]|null",
  "missing?": "#Missing|null", "body?": "any: Merged (RFC 7396).", "destination?": "string",
  "...": true},
"WebhookVersion": {"version": "integer", "author": "string", "at": "time", "webhook": "#Webhook"},

"Header": {"name": "string", "value": "string"},
"Secret": {"set": "boolean: There is one; it is never shown."},
"SecretText": "string|#Secret: As answered, it keeps what is there.",
"RequestSettings": {
  "method": "enum GET POST PUT PATCH DELETE", "url": "string|null: Null: of an inbox.",
  "headers": "[#Header]", "timeout_ms": "integer"},
"AuthenticationNone": {"type": "enum none"},
"AuthenticationBearer": {"type": "enum bearer", "token": "#SecretText"},
"AuthenticationBasic": {"type": "enum basic", "username": "string", "password": "#SecretText"},
"OAuthGrant": "enum client_credentials refresh_token authorization_code",
"ClientAuthentication": "enum client_secret_basic client_secret_post private_key_jwt",
"JwtAlgorithm": "enum RS256 PS256 ES256 ES384 EdDSA",
"AuthenticationOAuth2": {
  "type": "enum oauth2", "grant": "#OAuthGrant", "token_url": "string",
  "authorize_url?": "string: Of the grant authorization_code.", "client_id": "string",
  "client_authentication": "#ClientAuthentication", "client_secret?": "#SecretText",
  "private_key?": "#SecretText", "key_id?": "string|null", "algorithm?": "#JwtAlgorithm",
  "scope": "string|null", "audience": "string|null", "parameters": "object",
  "refresh_token?": "#SecretText: Of the grant refresh_token.", "tls": "#Tls|null"},
"AuthenticationPlain": "#AuthenticationNone|#AuthenticationBearer|#AuthenticationBasic",
"Authentication": "#AuthenticationPlain|#AuthenticationOAuth2",
"AuthorizationPage": {
  "url": "string: To open in a browser.", "redirect_uri": "string: To register at the provider.",
  "expires_at": "time: Until then the provider must have sent the browser back."},
"SigningNone": {"scheme": "enum none"},
"SigningStandardWebhooks": {
  "scheme": "enum standard-webhooks", "secret": "#SecretText: Shown when it was made, then never.",
  "previous_until?": "time: Until then the secret before signs too."},
"SigningEd25519": {
  "scheme": "enum standard-webhooks-ed25519",
  "secret": "#SecretText: The private key; never shown.",
  "public_key": "string: whpk_…, what receivers verify with.", "previous_public_key?": "string",
  "previous_until?": "time"},
"SigningGithub": {
  "scheme": "enum github", "secret": "#SecretText", "previous_until?": "time"},
"SignedContent": "enum body timestamp.body id.timestamp.body",
"SigningHmac": {
  "scheme": "enum hmac", "secret": "#SecretText", "header": "string", "prefix": "string",
  "algorithm": "enum sha256 sha512 sha1", "encoding": "enum hex base64",
  "content": "#SignedContent", "previous_until?": "time"},
"SigningSecret": {
  "scheme": "enum secret", "secret": "#SecretText: Sent as it is.", "header": "string",
  "prefix": "string", "previous_until?": "time"},
"SigningStandard": "#SigningNone|#SigningStandardWebhooks|#SigningEd25519",
"Signing": "#SigningStandard|#SigningGithub|#SigningHmac|#SigningSecret",
"AnswerRule": {
  "equals?": "any: The body's text; with a pointer: the value there.", "contains?": "string",
  "does_not_contain?": "string", "pointer?": "string: A JSON Pointer into the body."},
"PartialRule": {
  "statuses": "[string]", "failed": "[string]: JSON Pointers to what an answer refuses.",
  "named_by?": "string|null: Null: by its index in the batch.", "rest?": "enum delivered again"},
"Success": {
  "statuses": "[string]: Such as 2xx, 204, 200-204.", "body": "#AnswerRule|null",
  "partial?": "#PartialRule: How an answer takes some events of a batch and refuses others."},
"SuccessDraft": {
  "statuses?": "[string|integer]|null", "body?": "#AnswerRule|null",
  "partial?": "#PartialRule|null"},
"Certificate": {
  "field": "enum ca_certificates client_certificate", "subject": "string", "issuer": "string",
  "not_before": "time", "not_after": "time"},
"Tls": {
  "ca_certificates": "string|null: PEM, each with all that leads to a root.",
  "trust": "enum own both: With own CAs: only these, or what the machine trusts, too.",
  "client_certificate": "string|null: PEM, the leaf and its issuers.",
  "client_key": "#SecretText|null", "expires_at": "time|null: Of the first that expires.",
  "certificates": "[#Certificate]"},
"TlsDraft": {
  "ca_certificates?": "string|null", "trust?": "enum own both|null",
  "client_certificate?": "string|null", "client_key?": "#SecretText|null",
  "client_pkcs12?": "string|null: A .p12 file in base64; becomes certificate and key.",
  "client_pkcs12_password?": "string|null", "...": true},
"Retry": {"delays_ms": "[integer]", "jitter": "number"},
"Batch": {
  "events_max": "integer", "bytes_max": "integer|null", "wait_ms": "integer",
  "template": "any: JSON with {{events}} where the events stand; null: a list of the bodies.",
  "join": "string|null: JSON Pointer to a list in the body whose elements come together."},
"BatchDraft": {
  "events_max?": "integer", "bytes_max?": "integer|null", "wait_ms?": "integer", "template?": "any",
  "join?": "string|null"},
"RateLimit": {
  "requests": "integer: 1 to 1000000, begun.", "per_ms": "integer: 1 to 86400000."},
"DeliverySettings": {
  "concurrency": "integer",
  "rate_limit": "#RateLimit|null: For any stretch of that length.",
  "ordering": "enum none per_user",
  "backlog_max": "integer", "retry": "#Retry", "batch": "#Batch"},
"Health": {
  "waiting": "integer", "retrying": "integer", "held": "integer", "in_flight": "integer",
  "last_success_at": "time|null", "last_failure_at": "time|null", "last_error": "string|null",
  "failing_since": "time|null: Nothing succeeded since then; five days of it disable it.",
  "paused_until": "time|null"},
"PlatformName": [
  "enum custom inbox slack teams mixpanel ga4 heap amplitude segment mailchimp hubspot brevo"],
"Choice": {"value": "any", "label": "#Texts"},
"FormField": {
  "name": "string", "type?": "enum text choice number boolean property list: Text if absent.",
  "label": "#Texts", "help": "#Texts", "link?": "string: Where to look it up.",
  "required?": "boolean", "default?": "any", "choices?": "[#Choice]",
  "open?": "boolean: Of a choice: other values are taken too.",
  "form?": "enum url digits word: What the text, or each entry of the list, is made of."},
"Platform": {
  "platform": "#PlatformName", "name": "string", "summary": "#Texts", "documentation": "string",
  "fields": "[#FormField]", "secrets": "[#FormField]",
  "prescribes": "object: What a destination of it has, unless it says otherwise."},
"DestinationState": "enum active paused disabled",
"Destination": {
  "id": "string", "name": "string", "platform": "#PlatformName",
  "fields": "object: Values for {{field.name}}.",
  "secrets": "object: For {{secret.name}}: {\"set\":true} each.",
  "request": "#RequestSettings", "body": "#Body|null: For webhooks that leave it to it.",
  "success": "#Success",
  "final_statuses": "[integer|string]: They fail a delivery at once.",
  "authentication": "#Authentication", "tls": "#Tls",
  "signing": "#Signing", "delivery": "#DeliverySettings",
  "inbox_token?": "string: Of an inbox: its page is /inbox/{token}.",
  "state": "#DestinationState", "state_reason": "string|null", "state_since": "time",
  "version": "integer", "created_at": "time", "updated_at": "time",
  "health?": "#Health: When it is read.",
  "webhooks?": "[string]: Ids of those that use it, when it is read.",
  "warnings?": "[#ProblemPart]: Certificates that expire within 30 days or have expired."},
"RequestDraft": {
  "method?": "enum GET POST PUT PATCH DELETE", "url?": "string|null", "headers?": "[#Header]",
  "timeout_ms?": "integer: 1000 to 30000."},
"AuthenticationDraft": {
  "type?": "enum none bearer basic oauth2", "token?": "#SecretText|null", "username?": "string",
  "password?": "#SecretText|null", "grant?": "#OAuthGrant", "token_url?": "string",
  "authorize_url?": "string|null", "client_id?": "string",
  "client_authentication?": "#ClientAuthentication", "client_secret?": "#SecretText|null",
  "private_key?": "#SecretText|null", "key_id?": "string|null", "algorithm?": "#JwtAlgorithm|null",
  "scope?": "string|null", "audience?": "string|null", "parameters?": "object|null",
  "refresh_token?": "#SecretText|null", "tls?": "#TlsDraft|null"},
"SigningDraft": {
  "scheme?": [
    "enum none standard-webhooks standard-webhooks-ed25519 github hmac secret"],
  "secret?": "#SecretText|null", "header?": "string", "prefix?": "string",
  "algorithm?": "enum sha256 sha512 sha1", "encoding?": "enum hex base64",
  "content?": "#SignedContent", "previous_until?": "time", "public_key?": "string",
  "previous_public_key?": "string"},
"DeliveryDraft": {
  "concurrency?": "integer", "rate_limit?": "#RateLimit|null", "ordering?": "enum none per_user",
  "backlog_max?": "integer", "retry?": {"delays_ms?": "[integer]", "jitter?": "number"},
  "batch?": "#BatchDraft|null"},
"DestinationDraft": {
  "name": "string", "platform": "#PlatformName", "fields?": "object|null",
  "secrets?": "object|null: Texts by name.", "request?": "#RequestDraft", "body?": "#Body|null",
  "success?": "#SuccessDraft|null", "final_statuses?": "[integer|string]|null",
  "authentication?": "#AuthenticationDraft|null", "tls?": "#TlsDraft|null",
  "signing?": "#SigningDraft|null",
  "delivery?": "#DeliveryDraft|null", "...": true},
"DestinationChange": {
  "name?": "string", "platform?": "#PlatformName", "fields?": "object|null",
  "secrets?": "object|null: Null for a name removes that one.", "request?": "object|null",
  "body?": "any", "success?": "any", "final_statuses?": "[integer|string]|null",
  "authentication?": "object|null", "tls?": "object|null", "signing?": "object|null",
  "delivery?": "object|null",
  "...": true},
"DestinationVersion": {
  "version": "integer", "author": "string", "at": "time", "destination": "#Destination"},

"Role": "enum viewer editor admin",
"ApiKey": {
  "id": "string", "name": "string", "role": "#Role", "key_hint": "string",
  "expires_at": "time|null", "created_at": "time"},
"ApiKeyWithKey": {
  "id": "string", "name": "string", "role": "#Role", "key_hint": "string",
  "expires_at": "time|null", "created_at": "time", "key": "string: Shown this once."},
"ApiKeyDraft": {"name": "string", "role?": "#Role", "expires_at?": "time|null", "...": true},
"AuditEntry": {
  "number": "integer", "at": "time", "author": "string", "action": "string",
  "kind": "string: What was changed.", "id": "string", "name": "string"}
})json";

}  // namespace eilpost::admin

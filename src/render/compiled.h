#pragma once
// Webhooks and destinations, compiled: everything that does not depend on the event is done.
//
// Invariants: immutable once compile() has returned it.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "model/event_document.h"
#include "model/webhook.h"
#include "presets/preset.h"
#include "render/batch.h"
#include "render/renderer.h"
#include "render/scratch.h"
#include "render/template.h"

namespace eilpost::render {

// A final name that is known before the event is: with its hash and as the key of a JSON object.
struct FixedName {
  std::string text;
  std::string key_json;
  std::uint64_t hash = 0;
};
[[nodiscard]] FixedName make_fixed_name(std::string_view name);

struct CompiledChoice {
  std::size_t slot = 0;
  std::string property;
  FixedName name;
  bool null_if_missing = false;
  bool has_wildcard = false;
  // Of a wildcard whose name has wildcards too: the texts around them. Else all matches become one
  // array.
  std::vector<std::string> name_parts;
};

struct CompiledStatic {
  FixedName name;
  std::optional<Constant> constant;  // a number, a boolean or a text without placeholders
  TextTemplate text;                 // else
};

// A node of a body template.
struct TemplateNode {
  enum class Kind : std::uint8_t {
    constant,  // `json` as it is
    text,
    object,
    array,
  };
  struct Member {
    std::string key_json;    // `"name":`
    bool is_merged = false;  // the key "...": its value's members are added to the object around it
    std::unique_ptr<TemplateNode> node;
  };

  Kind kind = Kind::constant;
  std::string json;
  TextTemplate text;
  std::vector<Member> members;
  std::vector<std::string> keys;  // of an object that merges: its own keys, sorted; they win
  std::vector<TemplateNode> items;
};

class CompiledWebhook {
 public:
  std::string id;
  std::string name;
  PropertyTrie trie;
  bool sends_all = false;
  std::vector<CompiledChoice> chosen;
  std::vector<CompiledStatic> statics;
  bool null_if_missing = false;
  bool underscores = false;
  Body::Format format = Body::Format::flat;
  TemplateNode body;                 // of format template_
  std::vector<std::string> secrets;  // names that its texts use; sorted
};

// A URL in pieces: text as it is, and placeholders that are encoded.
struct UrlTemplate {
  struct Piece {
    std::string literal;
    std::string masked{};  // what people see in its place; empty: the same
    std::optional<Expression> expression;
    bool in_path = false;
  };
  std::vector<Piece> pieces;
  bool has_query = false;
  bool has_path_placeholders = false;
};

struct CompiledHeader {
  std::string name;
  TextTemplate value;
};

// A signature other than Standard Webhooks' HMAC.
struct OtherSigning {
  std::string header;           // "X-Signature"
  std::string previous_header;  // of the secret before, while both are valid
  std::string prefix;
  Signing::Digest digest = Signing::Digest::sha256;
  Signing::Encoding encoding = Signing::Encoding::hex;
  Signing::Content content = Signing::Content::body;
  std::string secret;
  std::string previous_secret;
  std::optional<crypto::Ed25519KeyPair> pair;
  std::optional<crypto::Ed25519KeyPair> previous_pair;
};

// A field or secret of a destination, ready to be sent.
struct CompiledValue {
  std::string name;  // "field.region", "secret.api_key"
  Constant constant;
  std::vector<Constant> items;  // of a list
  std::vector<Value> list;      // the same as values
  bool is_list = false;
  bool is_secret = false;

  [[nodiscard]] Value get() const {
    return is_list ? Value::of(std::span<const Value>(list)) : constant.get();
  }
};

// What a destination prescribes for webhooks of body format `destination`.
struct CompiledBody {
  Body::Format format = Body::Format::flat;
  TemplateNode template_node;  // of format template_
};

class CompiledDestination {
 public:
  [[nodiscard]] const CompiledValue* find_value(std::string_view name) const;

  HttpMethod method = HttpMethod::post;
  PropertyTrie trie;
  const presets::Preset* preset = nullptr;  // what its platform would refuse; null: nothing
  std::vector<Field> fields;                // of a preset
  std::vector<CompiledValue> values;
  UrlTemplate url;
  std::optional<CompiledBody> body;
  std::optional<CompiledBatch> batch;  // several events in a request
  std::vector<CompiledHeader> headers;
  bool has_content_type = false;
  bool has_user_agent = false;
  std::string authorization;              // the header's value; empty: none
  std::string_view authorization_scheme;  // "Bearer" or "Basic", for masking
  Signing::Scheme signing = Signing::Scheme::none;
  std::shared_ptr<const SigningKey> key;  // none until a secret has been made
  std::shared_ptr<const SigningKey> previous_key;
  WallTime previous_until;
  std::shared_ptr<const OtherSigning> other_signing;  // of the other schemes
};

}  // namespace eilpost::render

#pragma once
// Request headers: a destination's own, authentication, signing.

#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/outbound.h"
#include "model/problem.h"
#include "render/compiled.h"
#include "render/evaluate.h"

namespace eilpost::render {

inline constexpr std::string_view kUserAgent = "Eilpost/0.1";
// Ours come on top of a destination's own: type, agent, authorization, five of signing.
inline constexpr std::size_t kOwnHeaders = 8;
inline constexpr std::string_view kMask = "••••";

// Compile a destination's headers, authentication and signing into `compiled`.
void compile_headers(const Destination& destination, const TemplateScope& scope,
                     CompiledDestination& compiled, Problems& problems);
void compile_authentication(const Authentication& authentication, CompiledDestination& compiled,
                            Problems& problems);
void compile_signing(const Destination& destination, CompiledDestination& compiled,
                     Problems& problems);
// Whether a header is set by the connection or by signing, or is harmful.
[[nodiscard]] bool is_forbidden_header(std::string_view name);

// Writes headers one after the other into a vector whose memory is used again.
class HeaderWriter {
 public:
  // `count_guess`: about how many there will be.
  HeaderWriter(std::vector<OutboundHeader>& headers, std::size_t count_guess) : headers_(headers) {
    headers_.reserve(count_guess);
  }

  // What is there already stays, and others come behind it.
  void keep_all() { count_ = headers_.size(); }
  // The value's place; valid until the next call.
  std::string& add(std::string_view name);
  void add(std::string_view name, std::string_view value) { add(name).assign(value); }
  void drop_last() { --count_; }
  // Call it once at the end. Errors: the limits of limits.h.
  [[nodiscard]] Rendered<void> finish();

 private:
  std::vector<OutboundHeader>& headers_;
  std::size_t count_ = 0;
};

// The destination's own headers. One whose value is missing or empty is left out; control
// characters within a value, such as line breaks, become blanks.
[[nodiscard]] Rendered<void> write_own_headers(Evaluation& evaluation, HeaderWriter& writer);

// webhook-id, webhook-timestamp and, if the destination signs, webhook-signature over
// "id.timestamp.body".
[[nodiscard]] Rendered<void> write_signing_headers(Evaluation& evaluation, std::string_view body,
                                                   HeaderWriter& writer);

}  // namespace eilpost::render

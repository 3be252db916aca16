#pragma once
// Shows what an inbox has received: a page for a person, JSON for a program (Accept).

#include <string_view>
#include <vector>

#include "http/message.h"
#include "pipeline/inbox.h"

namespace eilpost::server {

// `requests` newest first.
[[nodiscard]] http::Response inbox_page(const http::Request& request, std::string_view token,
                                        const std::vector<pipeline::InboxRequest>& requests);

}  // namespace eilpost::server

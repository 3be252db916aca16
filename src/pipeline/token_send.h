#pragma once
// A request that carries an access token (authentication oauth2).

#include "base/task.h"
#include "deliver/sender.h"
#include "deliver/token_keeper.h"
#include "model/delivery.h"
#include "model/outbound.h"
#include "pipeline/lane_context.h"
#include "pipeline/snapshot.h"

namespace eilpost::pipeline {

[[nodiscard]] deliver::TokenKeeper::Parts token_parts(LaneContext& context);

// The destination's settings count from now on, unless the keeper has newer ones.
void use_newest(deliver::TokenKeeper& keeper, const LiveDestination& destination);

// Like send_request(), with the keeper's token. If the receiver answers 401 the token is renewed
// and the request sent once more. Writes the token into `request`.
// REQUIRES: the references live until the Task ends; the destination's authentication is oauth2.
[[nodiscard]] Task<Outcome> send_with_token(LaneContext& context, deliver::Sender& sender,
                                            deliver::TokenKeeper& keeper, OutboundRequest& request,
                                            const LiveDestination& destination);

}  // namespace eilpost::pipeline

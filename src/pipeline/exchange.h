#pragma once
// One request to a destination, and what its answer means for the event that it carried.

#include "base/task.h"
#include "deliver/sender.h"
#include "model/outbound.h"
#include "pipeline/lane_context.h"
#include "pipeline/snapshot.h"

namespace eilpost::pipeline {

// Over the network, or into the inbox of this process. A success is any 2xx: the destination's own
// rules are for judge(). REQUIRES: the references live until the Task ends.
[[nodiscard]] Task<Outcome> send_request(LaneContext& context, deliver::Sender& sender,
                                         const OutboundRequest& request,
                                         const LiveDestination& destination);

// By the destination's rules, for a request that carried one event.
void judge(const Destination& destination, Outcome& outcome);

}  // namespace eilpost::pipeline

// The queue id in a server's reply to the end of the data: by it the journeys of two hosts are joined. Servers say it in their
// own words ("queued as 4Xyz", "id=1tAB-…", "<id> Message accepted for delivery"), which no standard settles.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::relay {

// Empty: there is none in it that can be told. `text`: the reply without code and enhanced code.
std::string NextQueueId(Octets text);

}  // namespace glasspost::relay

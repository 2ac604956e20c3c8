// The experiment with a server of our own: it is started on loopback, one message is sent to it and fetched from it by our own
// clients, and the two conversations are written as captures.
#pragma once

#include <string>
#include <vector>

#include "analysis/journey.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/randomness.h"

namespace glasspost::lab {

struct LabResult {
  std::string send;                              // "…/send.pcapng"
  std::string login;                             // "…/login.pcapng"
  std::vector<analysis::JourneyRecord> journey;  // of the message that was sent
};

// `folder` is made if it is not there; what it has of an earlier run is replaced. The server's data lies in a folder beside the
// captures and is new each time.
Expected<LabResult> RunOnce(const std::string& folder, const Clock& clock, Randomness& randomness);

// The message of the experiment: an attachment, a Chinese subject. With CRLF.
std::string ExperimentMessage(const std::string& date);

}  // namespace glasspost::lab

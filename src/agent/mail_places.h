// Where a writer that was killed had put its messages (the places of agent/mail_writer.h): which of them are there.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::agent {

// How many of these places, from the first, have their messages, in full and on the disk, if their writer was killed and the
// machine ran on since: as they came there one after another, all up to the last that is found (who reads mail may have taken
// others away). What an mbox has of the last one in part is cut off if nothing else can have written it. No place, or none of
// ours: not there.
Expected<std::size_t> PlacesKept(const std::vector<std::string>& places);

}  // namespace glasspost::agent

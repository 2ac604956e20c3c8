// How a conversation with a POP3 server ended, as an exit status of <sysexits.h>.
#pragma once

#include "wire/pop3/client_session.h"

namespace glasspost::cli {

int Pop3Status(pop3::ClientOutcome::Kind kind);

}  // namespace glasspost::cli

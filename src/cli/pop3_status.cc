#include "cli/pop3_status.h"

#include <sysexits.h>

namespace glasspost::cli {

int Pop3Status(pop3::ClientOutcome::Kind kind) {
  using Kind = pop3::ClientOutcome::Kind;
  switch (kind) {
    case Kind::kDone:
      return EX_OK;
    case Kind::kLoginRefused:
    case Kind::kNoMechanism:
      return EX_NOPERM;
    case Kind::kNoTls:
    case Kind::kTlsFailed:
    case Kind::kInjected:
    case Kind::kImpostor:
    case Kind::kNonsense:
    case Kind::kTooMuch:
      return EX_PROTOCOL;
    case Kind::kRefused:
      return EX_UNAVAILABLE;
    case Kind::kLoginLater:
    case Kind::kTimedOut:
    case Kind::kLost:
      break;
  }
  return EX_TEMPFAIL;
}

}  // namespace glasspost::cli

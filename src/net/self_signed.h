// The key and certificate that a server makes for itself where it was given none: ECDSA on P-256, signed by itself, for names
// that the server knows to be its own. Clients that verify will not trust it; the connection is encrypted all the same.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/tls_context.h"

namespace glasspost::net {

struct SelfSignedOptions {
  std::vector<std::string> names;  // DNS names and addresses; the first is the subject's; at least one
  int days = 3650;
};

// Makes both files, with mode 0600, unless both are there and the certificate is still good: for the first name, and not run out.
// Each is written whole beside its place first; a power loss leaves neither of them torn, nor a certificate beside another's key.
// Gives whether they are new. A certificate that cannot be read is left as it is.
Expected<bool> EnsureSelfSigned(const KeyPairFiles& files, const SelfSignedOptions& options, const Clock& clock);

}  // namespace glasspost::net

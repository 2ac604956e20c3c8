// What must not be told of a login, also where a server says it back. It is masked in the server's words before they are put into
// ours: a mask in our own words would be what tells the secret.
#pragma once

#include "base/redaction.h"
#include "wire/sasl/client.h"

namespace glasspost::agent {

// `credentials` null: nothing.
inline Secrets SecretsOf(const sasl::Credentials* credentials) {
  Secrets secrets;
  if (credentials == nullptr) return secrets;
  secrets.SetUser(credentials->user);
  for (const std::string* secret : {&credentials->password, &credentials->token})
    if (!secret->empty()) secrets.Remember(*secret);
  return secrets;
}

}  // namespace glasspost::agent

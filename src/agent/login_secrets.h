// What must not be told of a login, also where a server says it back.
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

// The directory of well-known providers: what stands in providers.toml, which is built into the program.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/account.h"
#include "base/error.h"

namespace glasspost::agent {

// What a provider wants beyond name and password.
enum class Need : std::uint8_t { kAppPassword, kAuthorizationCode, kSwitchOn, kOauth, kBridge, kNoPop3, kPaid };
std::string_view Name(Need need);  // as in the file: "app-password"

struct Provider {
  std::string id;
  std::string name;     // in English
  std::string chinese;  // the same
  std::vector<std::string> words;
  std::vector<std::string> domains;
  bool local_user = false;          // one logs in with what stands before the @
  std::vector<ServerAddress> pop3;  // the best first
  std::vector<ServerAddress> imap;
  std::vector<ServerAddress> smtp;
  std::vector<Need> needs;
  std::string catch_english;
  std::string catch_chinese;
  std::string source;  // URL
  int year = 0;

  const std::vector<ServerAddress>& At(Service service) const;
  bool Needs(Need need) const;
  // The first that has TLS; null: none.
  const ServerAddress* Best(Service service) const;
};

// All of them, in the order of the file. Made once; any thread.
std::span<const Provider> Providers();

// Of another text of that form, `name` for the error, which has line and column. What is missing is an error, too.
Expected<std::vector<Provider>> ReadProviders(Octets toml, const std::string& name);

// By mail domain, in A-label form; null: none. Domains belong to one provider at most.
const Provider* FindByDomain(Octets domain);
// What a person means: an address, a domain (also of a server), an id, a name or a word of one; case does not matter. Exact ones
// alone if there are any, otherwise those that have it somewhere in a name.
std::vector<const Provider*> FindProviders(Octets asked);

}  // namespace glasspost::agent

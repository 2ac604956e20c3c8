#include "relay/next_id.h"

#include "base/ascii.h"

namespace glasspost::relay {
namespace {

constexpr std::size_t kIdOctets = 64;  // more is no queue id

bool IsIdOctet(char c) { return IsAlpha(c) || IsDigit(c) || c == '-' || c == '_' || c == '.' || c == '/'; }

Octets WordAt(Octets text) {
  std::size_t n = 0;
  while (n < text.size() && IsIdOctet(text[n])) ++n;
  while (n > 0 && text[n - 1] == '.') --n;
  return text.substr(0, n);
}

bool HasDigit(Octets word) {
  for (const char c : word)
    if (IsDigit(c)) return true;
  return false;
}

// What follows `mark`, without regard to case.
Octets After(Octets text, Octets mark) {
  for (std::size_t at = 0; at + mark.size() <= text.size(); ++at)
    if (EqualsNoCase(text.substr(at, mark.size()), mark)) return WordAt(Trim(text.substr(at + mark.size())));
  return {};
}

}  // namespace

std::string NextQueueId(Octets text) {
  text = text.substr(0, text.find('\n'));
  Octets id;
  // Postfix, Haraka and Glasspost; Exim; qmail; Exchange names its own number beside the Message-ID.
  for (const Octets mark : {Octets("queued as "), Octets(" id="), Octets(" qp "), Octets("InternalId=")}) {
    id = After(text, mark);
    if (!id.empty()) break;
  }
  // Sendmail and OpenSMTPD: the first word of "ID Message accepted for delivery".
  if (id.empty() && !After(text, " message accepted").empty()) id = WordAt(text);
  if (id.empty() || id.size() > kIdOctets || !HasDigit(id)) return {};
  return std::string(id);
}

}  // namespace glasspost::relay

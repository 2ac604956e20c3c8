// What the observers of SMTP, POP3 and IMAP do alike with secrets: a slip (a line that is no command of the protocol, and yet
// carries a password: "XPASS secret", "PASS:secret", "AUTHPLAIN AGFsaWNl…", credentials alone) is hidden before it is taken
// apart, and an exchange is told without the secrets that are known by then.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/octets.h"
#include "base/redaction.h"
#include "wire/exchange.h"

namespace glasspost::sasl {

// A row of a protocol's table of the words that carry a secret.
struct SecretWord {
  std::string_view word;
  // So many words of its argument come before the secret and may be told: a user name, a mechanism.
  std::uint8_t told = 0;
};

// Where in `line`, which is no command, the secret begins; npos where nothing in it looks like one. Known by one of the first
// words: a word of the table, with an X before it or with one slip of a finger in it (then the secret begins after it); any other
// word that has one of the table's in it, or PLAIN's credentials in base64 (RFC 4616 §2; then it begins with that word). The
// line's size where only the word is there: the secret may follow.
std::size_t FindSlip(Octets line, std::span<const SecretWord> words);
// The same where a secret is due, so that any line may be one: all of it, unless a word of the table begins it.
std::size_t FindDueSecret(Octets line, std::span<const SecretWord> words);

// How the line may be told: all from `at` on masked, and remembered. `length`: how long the line really was if it is cut, else
// its size.
std::string HideFrom(Octets line, std::size_t at, std::size_t length, Secrets& secrets);

// The rest of a line whose beginning is lost, before anybody has logged in: its last word may be a password, or base64 say one.
// Nothing of it is told; remembered so that nobody else tells it.
void RememberTail(Octets tail, Secrets& secrets);

// `composed`: the argument is of the observer's making, and what was secret in it is masked already.
void Redact(Exchange& exchange, const Secrets& secrets, bool composed);
void Redact(Envelope& envelope, const Secrets& secrets);

}  // namespace glasspost::sasl

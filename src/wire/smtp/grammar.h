// SMTP and LMTP commands (RFC 5321 §4.1, RFC 2033): octets of a line into typed values and back. Lax, so that a listener can tell
// what it saw; `Command::fault` is the strict verdict that a server needs. Views point into the line that was parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/field.h"
#include "base/octets.h"

namespace glasspost::smtp {

enum class Verb : std::uint8_t {
  kUnknown,
  kHelo,
  kEhlo,
  kLhlo,  // RFC 2033 §4.1
  kMail,
  kRcpt,
  kData,
  kBdat,  // RFC 3030 §2
  kRset,
  kVrfy,
  kExpn,
  kHelp,
  kNoop,
  kQuit,
  kStartTls,  // RFC 3207 §4
  kAuth,      // RFC 4954 §4
  kEtrn,      // RFC 1985 §5
  kTurn,      // RFC 821 §3.8
  kAtrn,      // RFC 2645 §5
  kSend,      // RFC 821 §3.4
  kSoml,
  kSaml,
  kBurl,     // RFC 4468 §3
  kXclient,  // Postfix: the server begins anew, for another client
  kXforward,
  // No commands, but what an exchange may carry instead.
  kDataBlock,   // "."
  kAuthAnswer,  // "*"
};
inline constexpr int kVerbCount = static_cast<int>(Verb::kAuthAnswer) + 1;
std::string_view Name(Verb verb);  // "MAIL"; empty for kUnknown
Verb VerbOf(Octets word);          // without regard to case

// What is wrong with a command, the first thing only.
enum class Fault : std::uint8_t {
  kNone,
  kUnknownVerb,
  kLeadingSpace,
  kMissingArgument,
  kUnexpectedArgument,
  kMissingFromOrTo,  // "MAIL <a@b>"
  kSpaceAfterColon,  // "MAIL FROM: <a@b>"
  kNoAngleBrackets,  // "MAIL FROM:a@b"
  kUnclosedBracket,
  kBadLocalPart,
  kLocalPartTooLong,  // over 64 octets, RFC 5321 §4.5.3.1.1
  kBadDomain,
  kDomainTooLong,  // over 255 octets, RFC 5321 §4.5.3.1.2
  kPathTooLong,    // over 256 octets, RFC 5321 §4.5.3.1.3
  kBadParameter,
  kDuplicateParameter,
  kBadParameterValue,
  kTooManyParameters,
  kBadChunkSize,
  kBadMechanism,
  kBadOctet,  // control characters, or 8-bit octets that are no UTF-8
};
std::string_view Text(Fault fault);  // "no angle brackets"

// Reverse-path or forward-path (RFC 5321 §4.1.2).
struct Path {
  bool present = false;
  bool brackets = false;
  Octets text;          // between the brackets, source route included
  Octets source_route;  // "@a,@b", without the colon
  Octets local_part;    // as written, with its quotes
  Octets domain;        // name, or address literal with its brackets; empty for <> and <Postmaster>
  bool null() const { return present && text.empty(); }
  bool postmaster() const;
  bool address_literal() const { return !domain.empty() && domain.front() == '['; }
};

struct Parameter {
  Octets name;
  Octets value;
  bool has_value = false;
};

struct Command {
  Verb verb = Verb::kUnknown;
  Octets word;      // the verb as it was typed
  Octets argument;  // the rest of the line
  Octets domain;    // HELO, EHLO, LHLO
  Path path;        // MAIL, RCPT, SEND, SOML, SAML
  std::vector<Parameter> parameters;
  std::optional<std::uint64_t> chunk_size;  // BDAT: what could be read as a size, also where the rest is wrong
  Octets chunk_text;                        // the octets of that number
  bool last = false;                        // BDAT … LAST
  Octets last_text;
  Octets mechanism;                        // AUTH
  std::optional<Octets> initial_response;  // AUTH; "=" is an empty one
  Fault fault = Fault::kNone;

  bool strict_ok() const { return fault == Fault::kNone; }
  const Parameter* Find(Octets name) const;  // by its name, without regard to case
  void Clear();                              // keeps the memory
};

struct GrammarLimits {
  // Stops a command line from becoming thousands of parameters.
  std::size_t parameters = 32;
  // "MAIL FROM: <a@b>", "RCPT TO:c@d": no faults for a server that forgives them; all else in them is judged as strictly.
  bool lenient_paths = false;
};

// `line` without its line end.
void ParseCommand(Octets line, Command& command, const GrammarLimits& limits = {});
// The path after "FROM:" or "TO:" at the front of `text`; what follows it (parameters) is left in `text`.
Fault ParsePath(Octets& text, Path& path);
// Could this line, seen after octets were lost, be a command? Stricter than ParseCommand: text of a message must not pass.
bool LooksLikeCommand(Octets line);
// Could it be an answer to a challenge: base64 in one line, "*" or "=" (RFC 4954 §4)?
bool LooksLikeAnswer(Octets line);
bool IsDomain(Octets text);          // RFC 5321 §4.1.2 Domain, U-labels (RFC 6531) included
bool IsAddressLiteral(Octets text);  // "[192.0.2.1]", "[IPv6:2001:db8::1]", RFC 5321 §4.1.3
bool IsLocalPart(Octets text);       // Dot-string or Quoted-string

// The line with CRLF, from the typed values: verb, domain, path, parameters, chunk size, mechanism; `argument` where the verb
// has no typed argument.
void AppendCommand(std::string& out, const Command& command);

// RFC 3461 §4: xtext, in ORCPT, ENVID and AUTH=.
std::optional<std::string> DecodeXtext(Octets text);
std::string EncodeXtext(Octets text);

template <class V>
void ReportCommand(Octets line, const Command& c, std::size_t offset, V& visitor) {
  if constexpr (V::kWanted) {
    const auto report = [&](Field field, Octets part) {
      if (part.data() == nullptr) return;
      const auto at = offset + static_cast<std::size_t>(part.data() - line.data());
      Report(visitor, field, at, part.size(), part);
    };
    report(Field::kSmtpCommandLine, line);
    report(Field::kSmtpReqCommand, c.word);
    if (!c.argument.empty()) report(Field::kSmtpReqParameter, c.argument);
    if (!c.domain.empty()) report(Field::kSmtpDomain, c.domain);
    if (c.path.present) {
      report(Field::kSmtpPath, c.path.text);
      if (!c.path.source_route.empty()) report(Field::kSmtpSourceRoute, c.path.source_route);
      if (!c.path.local_part.empty()) report(Field::kSmtpLocalPart, c.path.local_part);
      if (!c.path.domain.empty()) report(Field::kSmtpPathDomain, c.path.domain);
    }
    for (const Parameter& p : c.parameters) {
      report(Field::kSmtpEsmtpParameter, p.name);
      if (p.has_value) report(Field::kSmtpEsmtpValue, p.value);
    }
    const auto at = [&](Octets part) { return offset + static_cast<std::size_t>(part.data() - line.data()); };
    if (c.chunk_size) Report(visitor, Field::kSmtpChunkSize, at(c.chunk_text), c.chunk_text.size(), *c.chunk_size);
    if (c.last) Report(visitor, Field::kSmtpChunkLast, at(c.last_text), c.last_text.size(), std::uint64_t{1});
    if (!c.mechanism.empty()) report(Field::kSmtpAuthMechanism, c.mechanism);
    if (c.initial_response) report(Field::kSmtpAuthInitial, *c.initial_response);
  }
}

}  // namespace glasspost::smtp

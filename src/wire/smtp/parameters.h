// What MAIL and RCPT may carry (RFC 1870, RFC 6152, RFC 6531, RFC 3461, RFC 4954), and which extensions a server offers
// (RFC 5321 §4.1.1.1): typed values, read from a Command or a reply and written back. Used by server and client alike.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/octets.h"
#include "wire/smtp/grammar.h"

namespace glasspost::smtp {

enum class Body : std::uint8_t { kUnsaid, kSevenBit, kEightBitMime };
enum class Return : std::uint8_t { kUnsaid, kFull, kHeaders };  // RFC 3461 §4.3

// RFC 3461 §4.1: NOTIFY. No bit set: nothing was said (failure, and perhaps delay).
struct Notify {
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;
  bool said() const { return never || success || failure || delay; }
  bool operator==(const Notify&) const = default;
};

// Views point into the command's line. An ENVID of more than 100 octets (RFC 3461 §4.4) or an ORCPT of more than 500 (§4.2) is a
// bad value.
struct MailParameters {
  std::optional<std::uint64_t> size;
  Body body = Body::kUnsaid;
  bool smtputf8 = false;
  Return ret = Return::kUnsaid;
  Octets envid;  // xtext, as written
  Octets auth;   // xtext, as written; "<>" is possible
};
struct RcptParameters {
  Notify notify;
  Octets orcpt;  // "rfc822;xtext", as written
};

// The extensions of one server: what it says to EHLO.
struct Extensions {
  bool pipelining = false;
  bool size = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool chunking = false;
  bool binary_mime = false;  // never offered here
  bool enhanced_status_codes = false;
  bool dsn = false;
  bool starttls = false;
  bool auth = false;
  std::uint64_t size_limit = 0;              // 0: none said
  std::vector<std::string> mechanisms = {};  // upper case
};
// Of the lines of a reply to EHLO or LHLO, the first of which is the greeting. Also "AUTH=LOGIN", as old servers write it.
Extensions ParseExtensions(std::span<const std::string> lines);

// What is wrong with a command's parameters for a server that offers `offered`.
enum class ParameterFault : std::uint8_t { kNone, kUnknown, kBadValue };
ParameterFault ReadMail(const Command& command, const Extensions& offered, MailParameters& out);
ParameterFault ReadRcpt(const Command& command, const Extensions& offered, RcptParameters& out);

// "SUCCESS,FAILURE"; nothing where nothing was said.
std::string NotifyValue(const Notify& notify);

// Octets over 127 in it.
bool IsEightBit(Octets text);

}  // namespace glasspost::smtp

#include "wire/smtp/parameters.h"

#include "base/ascii.h"

namespace glasspost::smtp {
namespace {

constexpr std::size_t kEnvidOctets = 100;  // RFC 3461 §4.4
constexpr std::size_t kOrcptOctets = 500;  // RFC 3461 §4.2

Octets TakeWord(Octets& text, char separator) {
  const std::size_t end = text.find(separator);
  const Octets word = text.substr(0, end);
  text.remove_prefix(end == Octets::npos ? text.size() : end + 1);
  return word;
}

Notify ParseNotify(Octets value) {
  Notify notify;
  while (!value.empty()) {
    const Octets word = TakeWord(value, ',');
    notify.never |= EqualsNoCase(word, "NEVER");
    notify.success |= EqualsNoCase(word, "SUCCESS");
    notify.failure |= EqualsNoCase(word, "FAILURE");
    notify.delay |= EqualsNoCase(word, "DELAY");
  }
  return notify;
}

// Is the parameter one that this server knows at this command?
bool IsOffered(const Parameter& p, Verb verb, const Extensions& offered) {
  const auto is = [&](Octets name) { return EqualsNoCase(p.name, name); };
  if (verb == Verb::kRcpt) return offered.dsn && (is("NOTIFY") || is("ORCPT"));
  if (is("SIZE")) return offered.size;
  if (is("BODY")) return offered.eight_bit_mime && (offered.binary_mime || !EqualsNoCase(p.value, "BINARYMIME"));
  if (is("SMTPUTF8")) return offered.smtputf8;
  if (is("RET") || is("ENVID")) return offered.dsn;
  return is("AUTH") && offered.auth;
}

// Unknown names come first: to them the answer is 555, whatever else is wrong (RFC 5321 §4.1.1.11).
ParameterFault Check(const Command& command, const Extensions& offered) {
  for (const Parameter& p : command.parameters)
    if (!IsOffered(p, command.verb, offered)) return ParameterFault::kUnknown;
  return command.strict_ok() ? ParameterFault::kNone : ParameterFault::kBadValue;
}

}  // namespace

ParameterFault ReadMail(const Command& command, const Extensions& offered, MailParameters& out) {
  out = {};
  const ParameterFault fault = Check(command, offered);
  if (fault != ParameterFault::kNone) return fault;
  for (const Parameter& p : command.parameters) {
    const auto is = [&](Octets name) { return EqualsNoCase(p.name, name); };
    if (is("SIZE")) out.size = ParseNumber(p.value);
    if (is("BODY")) out.body = EqualsNoCase(p.value, "7BIT") ? Body::kSevenBit : Body::kEightBitMime;
    if (is("SMTPUTF8")) out.smtputf8 = true;
    if (is("RET")) out.ret = EqualsNoCase(p.value, "FULL") ? Return::kFull : Return::kHeaders;
    if (is("ENVID")) out.envid = p.value;
    if (is("AUTH")) out.auth = p.value;
  }
  return out.envid.size() > kEnvidOctets ? ParameterFault::kBadValue : ParameterFault::kNone;
}

ParameterFault ReadRcpt(const Command& command, const Extensions& offered, RcptParameters& out) {
  out = {};
  const ParameterFault fault = Check(command, offered);
  if (fault != ParameterFault::kNone) return fault;
  for (const Parameter& p : command.parameters) {
    if (EqualsNoCase(p.name, "NOTIFY")) out.notify = ParseNotify(p.value);
    if (EqualsNoCase(p.name, "ORCPT")) out.orcpt = p.value;
  }
  return out.orcpt.size() > kOrcptOctets ? ParameterFault::kBadValue : ParameterFault::kNone;
}

Extensions ParseExtensions(std::span<const std::string> lines) {
  Extensions e;
  for (const std::string& line : lines.subspan(lines.empty() ? 0 : 1)) {
    Octets rest = Trim(line);
    // "AUTH=LOGIN" is how servers wrote it before RFC 2554.
    const bool old_auth = StartsWithNoCase(rest, "AUTH=");
    const Octets word = TakeWord(rest, old_auth ? '=' : ' ');
    const auto is = [&](Octets name) { return EqualsNoCase(word, name); };
    e.pipelining |= is("PIPELINING");
    e.eight_bit_mime |= is("8BITMIME");
    e.smtputf8 |= is("SMTPUTF8");
    e.chunking |= is("CHUNKING");
    e.binary_mime |= is("BINARYMIME");
    e.enhanced_status_codes |= is("ENHANCEDSTATUSCODES");
    e.dsn |= is("DSN");
    e.starttls |= is("STARTTLS");
    if (is("SIZE")) {
      e.size = true;
      e.size_limit = ParseNumber(Trim(rest)).value_or(0);
    }
    if (!is("AUTH")) continue;
    e.auth = true;
    while (!rest.empty()) {
      const Octets name = TakeWord(rest, ' ');
      if (!name.empty()) e.mechanisms.push_back(UpperCase(name));
    }
  }
  return e;
}

std::string NotifyValue(const Notify& notify) {
  if (notify.never) return "NEVER";
  std::string out;
  const auto word = [&](bool said, const char* text) {
    if (said) (out += out.empty() ? "" : ",") += text;
  };
  word(notify.success, "SUCCESS");
  word(notify.failure, "FAILURE");
  word(notify.delay, "DELAY");
  return out;
}

bool IsEightBit(Octets text) {
  for (const char c : text)
    if (static_cast<std::uint8_t>(c) > 127) return true;
  return false;
}

}  // namespace glasspost::smtp

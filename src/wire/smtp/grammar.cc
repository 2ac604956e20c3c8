#include "wire/smtp/grammar.h"

#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"

namespace glasspost::smtp {
namespace {

constexpr std::array<std::string_view, kVerbCount> kNames = {
    "",         "HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY",    "EXPN",     "HELP", "NOOP", "QUIT",
    "STARTTLS", "AUTH", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML", "BURL", "XCLIENT", "XFORWARD", ".",    "*"};
constexpr int kCommandCount = static_cast<int>(Verb::kXforward) + 1;

// A word of up to 8 letters as one number, upper case.
constexpr std::uint64_t Pack(Octets word) {
  std::uint64_t packed = 0;
  for (const char c : word) packed = packed << 8 | static_cast<std::uint8_t>(ToUpper(c));
  return packed;
}
constexpr auto kPacked = [] {
  std::array<std::uint64_t, kCommandCount> packed{};
  for (std::size_t i = 1; i < packed.size(); ++i) packed[i] = Pack(kNames[i]);
  return packed;
}();

constexpr bool IsSpace(char c) { return c == ' ' || c == '\t'; }
Octets TakeWord(Octets& text) {
  std::size_t end = 0;
  while (end < text.size() && !IsSpace(text[end])) ++end;
  const Octets word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}
std::size_t SkipSpaces(Octets& text) {
  std::size_t n = 0;
  while (n < text.size() && IsSpace(text[n])) ++n;
  text.remove_prefix(n);
  return n;
}

bool IsAtext(char c) {
  return IsAlpha(c) || IsDigit(c) || static_cast<std::uint8_t>(c) > 127 || Octets("!#$%&'*+-/=?^_`{|}~").find(c) != Octets::npos;
}

void Note(Command& command, Fault fault) {
  if (command.fault == Fault::kNone) command.fault = fault;
}

// How many octets from the front are the path's: to the bracket's end, or to the first space, quotes respected.
std::size_t PathLength(Octets text, bool brackets, bool& closed) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (brackets && c == '>') {
      closed = true;
      return i;
    } else if (!brackets && IsSpace(c)) {
      return i;
    }
  }
  closed = !brackets;
  return text.size();
}

// The '@' before the domain: the last one outside quotes.
std::size_t AtSign(Octets mailbox) {
  std::size_t at = Octets::npos;
  bool quoted = false;
  for (std::size_t i = 0; i < mailbox.size(); ++i) {
    if (quoted && mailbox[i] == '\\') {
      ++i;
    } else if (mailbox[i] == '"') {
      quoted = !quoted;
    } else if (mailbox[i] == '@' && !quoted) {
      at = i;
    }
  }
  return at;
}

Fault JudgePath(const Path& path) {
  if (path.text.empty() || path.postmaster()) return Fault::kNone;
  if (path.text.size() + 2 > 256) return Fault::kPathTooLong;
  if (path.local_part.size() > 64) return Fault::kLocalPartTooLong;
  if (!IsLocalPart(path.local_part)) return Fault::kBadLocalPart;
  if (path.domain.size() > 255) return Fault::kDomainTooLong;
  if (!(path.address_literal() ? IsAddressLiteral(path.domain) : IsDomain(path.domain))) return Fault::kBadDomain;
  return Fault::kNone;
}

bool IsParameterName(Octets name) {
  if (name.empty() || !(IsAlpha(name[0]) || IsDigit(name[0]))) return false;
  for (const char c : name)
    if (!IsAlpha(c) && !IsDigit(c) && c != '-') return false;
  return true;
}

// What is known of a parameter's value (RFC 1870 §6, RFC 6152 §3, RFC 3461 §4, RFC 2852 §4, RFC 6710 §4).
bool IsValueOf(const Parameter& p, Verb verb) {
  const auto is = [&](Octets name) { return EqualsNoCase(p.name, name); };
  const auto one_of = [&](std::initializer_list<Octets> words) {
    for (const Octets w : words)
      if (EqualsNoCase(p.value, w)) return true;
    return false;
  };
  if (is("SIZE")) return verb == Verb::kMail && p.value.size() <= 20 && ParseNumber(p.value);
  if (is("BODY")) return verb == Verb::kMail && one_of({"7BIT", "8BITMIME", "BINARYMIME"});
  if (is("SMTPUTF8") || is("REQUIRETLS")) return !p.has_value;
  if (is("RET")) return verb == Verb::kMail && one_of({"FULL", "HDRS"});
  if (is("ENVID") || is("AUTH")) return verb == Verb::kMail && !p.value.empty() && DecodeXtext(p.value).has_value();
  if (is("ORCPT")) {
    const std::size_t semicolon = p.value.find(';');
    return verb == Verb::kRcpt && semicolon != Octets::npos && semicolon > 0 && DecodeXtext(p.value.substr(semicolon + 1));
  }
  if (is("NOTIFY")) {
    if (verb != Verb::kRcpt || EqualsNoCase(p.value, "NEVER")) return verb == Verb::kRcpt;
    Octets rest = p.value;
    for (bool more = true; more;) {
      const std::size_t comma = rest.find(',');
      more = comma != Octets::npos;
      const Octets word = rest.substr(0, comma);
      if (!EqualsNoCase(word, "SUCCESS") && !EqualsNoCase(word, "FAILURE") && !EqualsNoCase(word, "DELAY")) return false;
      if (more) rest.remove_prefix(comma + 1);
    }
    return true;
  }
  if (is("MT-PRIORITY")) {
    const Octets digits = !p.value.empty() && p.value[0] == '-' ? p.value.substr(1) : p.value;
    return digits.size() == 1 && IsDigit(digits[0]);
  }
  if (is("BY")) {
    const std::size_t semicolon = p.value.find(';');
    if (semicolon == Octets::npos || semicolon + 1 == p.value.size()) return false;
    Octets digits = p.value.substr(0, semicolon);
    if (!digits.empty() && digits[0] == '-') digits.remove_prefix(1);
    return digits.size() <= 9 && ParseNumber(digits);
  }
  return !p.has_value || !p.value.empty();
}

void ParseParameters(Octets text, Command& command, const GrammarLimits& limits) {
  while (true) {
    const std::size_t spaces = SkipSpaces(text);
    if (text.empty()) {
      if (spaces > 0) Note(command, Fault::kBadParameter);
      return;
    }
    if (spaces != 1) Note(command, Fault::kBadParameter);
    const Octets word = TakeWord(text);
    if (command.parameters.size() == limits.parameters) return Note(command, Fault::kTooManyParameters);
    Parameter p;
    const std::size_t equals = word.find('=');
    p.name = word.substr(0, equals);
    p.has_value = equals != Octets::npos;
    if (p.has_value) p.value = word.substr(equals + 1);
    if (!IsParameterName(p.name)) Note(command, Fault::kBadParameter);
    if (command.Find(p.name) != nullptr) Note(command, Fault::kDuplicateParameter);
    if (!IsValueOf(p, command.verb)) Note(command, Fault::kBadParameterValue);
    command.parameters.push_back(p);
  }
}

void ParseMailOrRcpt(Command& command, const GrammarLimits& limits) {
  Octets text = command.argument;
  const Octets preposition = command.verb == Verb::kRcpt ? "TO" : "FROM";
  if (StartsWithNoCase(text, preposition)) {
    text.remove_prefix(preposition.size());
    if (SkipSpaces(text) > 0) Note(command, Fault::kMissingFromOrTo);
    if (!text.empty() && text.front() == ':') {
      text.remove_prefix(1);
    } else {
      Note(command, Fault::kMissingFromOrTo);
    }
  } else {
    Note(command, Fault::kMissingFromOrTo);
  }
  if (SkipSpaces(text) > 0 && !limits.lenient_paths) Note(command, Fault::kSpaceAfterColon);
  if (text.empty()) return Note(command, Fault::kMissingArgument);
  Fault fault = ParsePath(text, command.path);
  if (fault == Fault::kNoAngleBrackets && limits.lenient_paths) fault = JudgePath(command.path);
  if (fault != Fault::kNone) Note(command, fault);
  if (command.path.null() && command.verb == Verb::kRcpt) Note(command, Fault::kBadLocalPart);
  ParseParameters(text, command, limits);
}

// RFC 3030 §2: BDAT SP chunk-size [SP "LAST"]
void ParseBdat(Command& command) {
  Octets text = command.argument;
  const Octets size = TakeWord(text);
  command.chunk_size = ParseNumber(size);
  command.chunk_text = size;
  // More than any stream can hold: the arithmetic behind it stays far from its end.
  if (!command.chunk_size || *command.chunk_size > (std::uint64_t{1} << 62)) Note(command, Fault::kBadChunkSize);
  if (text.empty()) return;
  const std::size_t spaces = SkipSpaces(text);
  command.last = EqualsNoCase(text, "LAST");
  if (command.last) command.last_text = text;
  if (!command.last || spaces != 1) Note(command, text.empty() ? Fault::kUnexpectedArgument : Fault::kBadParameter);
}

void ParseAuth(Command& command) {
  Octets text = command.argument;
  command.mechanism = TakeWord(text);
  if (command.mechanism.empty()) return Note(command, Fault::kMissingArgument);
  bool good = command.mechanism.size() <= 20;
  for (const char c : command.mechanism) good = good && (IsAlpha(c) || IsDigit(c) || c == '-' || c == '_');
  if (!good) Note(command, Fault::kBadMechanism);
  if (text.empty()) return;
  if (SkipSpaces(text) != 1 || text.empty()) Note(command, Fault::kBadParameterValue);
  if (text.empty()) return;
  command.initial_response = text;
  if (text != "=" && !DecodeBase64(text)) Note(command, Fault::kBadParameterValue);
}

void ParseArgument(Command& command, const GrammarLimits& limits) {
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo: {
      Octets text = command.argument;
      command.domain = TakeWord(text);
      if (command.domain.empty()) return Note(command, Fault::kMissingArgument);
      if (!text.empty()) return Note(command, Fault::kUnexpectedArgument);
      if (!IsDomain(command.domain) && !IsAddressLiteral(command.domain)) Note(command, Fault::kBadDomain);
      return;
    }
    case Verb::kMail:
    case Verb::kRcpt:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      return ParseMailOrRcpt(command, limits);
    case Verb::kBdat:
      return ParseBdat(command);
    case Verb::kAuth:
      return ParseAuth(command);
    case Verb::kData:
    case Verb::kRset:
    case Verb::kQuit:
    case Verb::kStartTls:
    case Verb::kTurn:
      if (!command.argument.empty()) Note(command, Fault::kUnexpectedArgument);
      return;
    case Verb::kVrfy:
    case Verb::kExpn:
    case Verb::kEtrn:
    case Verb::kBurl:
    case Verb::kXclient:
    case Verb::kXforward:
      if (command.argument.empty()) Note(command, Fault::kMissingArgument);
      return;
    case Verb::kUnknown:
      return Note(command, Fault::kUnknownVerb);
    default:
      return;
  }
}

}  // namespace

std::string_view Name(Verb verb) { return kNames[static_cast<std::size_t>(verb)]; }

Verb VerbOf(Octets word) {
  if (word.size() < 4 || word.size() > 8) return Verb::kUnknown;
  const std::uint64_t packed = Pack(word);
  for (std::size_t i = 1; i < kPacked.size(); ++i)
    if (kPacked[i] == packed) return static_cast<Verb>(i);
  return Verb::kUnknown;
}

std::string_view Text(Fault fault) {
  static constexpr std::string_view kTexts[] = {"",
                                                "unknown command",
                                                "space before the command",
                                                "argument missing",
                                                "argument not expected",
                                                "FROM: or TO: missing",
                                                "space after the colon",
                                                "no angle brackets",
                                                "angle bracket not closed",
                                                "bad local part",
                                                "local part too long",
                                                "bad domain",
                                                "domain too long",
                                                "path too long",
                                                "bad parameter",
                                                "parameter given twice",
                                                "bad parameter value",
                                                "too many parameters",
                                                "bad chunk size",
                                                "bad mechanism name",
                                                "bad octet"};
  return kTexts[static_cast<std::size_t>(fault)];
}

bool Path::postmaster() const { return domain.empty() && EqualsNoCase(local_part, "Postmaster"); }

const Parameter* Command::Find(Octets name) const {
  for (const Parameter& p : parameters)
    if (EqualsNoCase(p.name, name)) return &p;
  return nullptr;
}

void Command::Clear() {
  verb = Verb::kUnknown;
  word = argument = domain = mechanism = {};
  path = {};
  parameters.clear();
  chunk_size.reset();
  chunk_text = last_text = {};
  last = false;
  initial_response.reset();
  fault = Fault::kNone;
}

void ParseCommand(Octets line, Command& command, const GrammarLimits& limits) {
  command.Clear();
  Octets text = line;
  if (SkipSpaces(text) > 0) Note(command, Fault::kLeadingSpace);
  command.word = TakeWord(text);
  command.verb = VerbOf(command.word);
  SkipSpaces(text);
  command.argument = text;
  bool eight_bit = false;
  for (const char c : line) {
    const auto octet = static_cast<std::uint8_t>(c);
    eight_bit |= octet > 127;
    if (octet < ' ' || octet == 127) Note(command, Fault::kBadOctet);
  }
  if (eight_bit && !IsUtf8(line)) Note(command, Fault::kBadOctet);
  ParseArgument(command, limits);
}

Fault ParsePath(Octets& text, Path& path) {
  Fault fault = Fault::kNone;
  path = {};
  path.present = true;
  path.brackets = !text.empty() && text.front() == '<';
  if (path.brackets) text.remove_prefix(1);
  bool closed = false;
  const std::size_t length = PathLength(text, path.brackets, closed);
  path.text = text.substr(0, length);
  text.remove_prefix(length);
  if (path.brackets && closed) text.remove_prefix(1);
  if (!path.brackets) fault = Fault::kNoAngleBrackets;
  if (!closed) fault = Fault::kUnclosedBracket;
  Octets mailbox = path.text;
  const std::size_t colon = mailbox.find(':');
  if (mailbox.starts_with('@') && colon != Octets::npos) {
    path.source_route = mailbox.substr(0, colon);
    mailbox.remove_prefix(colon + 1);
  }
  const std::size_t at = AtSign(mailbox);
  path.local_part = mailbox.substr(0, at);
  if (at != Octets::npos) path.domain = mailbox.substr(at + 1);
  return fault == Fault::kNone ? JudgePath(path) : fault;
}

bool LooksLikeCommand(Octets line) {
  Octets text = line;
  const Octets word = TakeWord(text);
  const bool spaced = !text.empty();
  SkipSpaces(text);
  const auto one_word = [&] { return !text.empty() && text.find(' ') == Octets::npos; };
  switch (VerbOf(word)) {
    case Verb::kUnknown:
      return false;
    case Verb::kMail:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      return StartsWithNoCase(text, "FROM:");
    case Verb::kRcpt:
      return StartsWithNoCase(text, "TO:");
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
    case Verb::kEtrn:
      return one_word();
    case Verb::kData:
    case Verb::kRset:
    case Verb::kQuit:
    case Verb::kStartTls:
    case Verb::kTurn:
      return !spaced;
    case Verb::kBdat: {
      const Octets size = TakeWord(text);
      return ParseNumber(size) && (text.empty() || EqualsNoCase(Trim(text), "LAST"));
    }
    case Verb::kAuth: {
      const Octets mechanism = TakeWord(text);
      for (const char c : mechanism)
        if (c != ToUpper(c) && c != ToLower(c)) return false;
      return !mechanism.empty() && mechanism.size() <= 20 && (text.empty() || text.substr(1).find(' ') == Octets::npos);
    }
    case Verb::kHelp:
      return text.empty() || (one_word() && VerbOf(text) != Verb::kUnknown);
    case Verb::kXclient:
    case Verb::kXforward:
      return text.find('=') != Octets::npos;
    default:
      return true;
  }
}

bool LooksLikeAnswer(Octets line) { return line == "*" || line == "=" || (line.size() >= 4 && DecodeBase64(line)); }

bool IsDomain(Octets text) {
  if (text.empty() || text.size() > 255) return false;
  constexpr int kLabelOctets = 63;  // RFC 1035 §2.3.4
  bool label_start = true;
  int label = 0;
  char before = '.';
  for (const char c : text) {
    if (c == '.') {
      if (label_start || before == '-') return false;
      label_start = true;
      label = 0;
    } else {
      if (++label > kLabelOctets && static_cast<std::uint8_t>(c) < 0x80) return false;
      const bool letter = IsAlpha(c) || IsDigit(c) || static_cast<std::uint8_t>(c) > 127;
      if (!letter && (label_start || c != '-')) return false;
      label_start = false;
    }
    before = c;
  }
  return !label_start && before != '-';
}

namespace {

bool IsIpv4(Octets text) {
  int parts = 1, value = -1;
  for (const char c : text) {
    if (c == '.') {
      if (value < 0) return false;
      ++parts;
      value = -1;
    } else if (!IsDigit(c) || (value = (value < 0 ? 0 : value) * 10 + (c - '0')) > 255) {
      return false;
    }
  }
  return parts == 4 && value >= 0;
}

// Groups between colons, none of them empty, are added to `groups`; no text is no groups.
bool CountGroups(Octets text, bool may_end_as_ipv4, int& groups) {
  for (bool more = !text.empty(); more;) {
    const std::size_t colon = text.find(':');
    const Octets group = text.substr(0, colon);
    more = colon != Octets::npos;
    if (!more && may_end_as_ipv4 && IsIpv4(group)) {
      groups += 2;
    } else if (group.empty() || group.size() > 4 || group.find_first_not_of("0123456789abcdefABCDEF") != Octets::npos) {
      return false;
    } else {
      ++groups;
    }
    if (more) text.remove_prefix(colon + 1);
  }
  return true;
}

// RFC 4291 §2.2: eight groups, or fewer with one "::" among them; the last two may be written as an IPv4 address.
bool IsIpv6(Octets text) {
  int groups = 0;
  const std::size_t gap = text.find("::");
  if (gap == Octets::npos) return CountGroups(text, true, groups) && groups == 8;
  return CountGroups(text.substr(0, gap), false, groups) && CountGroups(text.substr(gap + 2), true, groups) && groups < 8;
}

}  // namespace

bool IsAddressLiteral(Octets text) {
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
  const Octets inside = text.substr(1, text.size() - 2);
  if (StartsWithNoCase(inside, "IPv6:")) return IsIpv6(inside.substr(5));
  if (IsIpv4(inside)) return true;
  // "[tag:content]", RFC 5321 §4.1.3 General-address-literal
  const std::size_t colon = inside.find(':');
  if (colon == 0 || colon == Octets::npos || colon + 1 == inside.size() || inside[colon - 1] == '-') return false;
  for (const char c : inside.substr(0, colon))
    if (!IsAlpha(c) && !IsDigit(c) && c != '-') return false;
  for (const char c : inside.substr(colon + 1))
    if (c <= ' ' || c > '~' || c == '[' || c == ']' || c == '\\') return false;
  return true;
}

bool IsLocalPart(Octets text) {
  if (text.empty()) return false;
  if (text.front() == '"') {
    if (text.size() < 2) return false;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') return i + 1 == text.size();
      if (text[i] == '\\' && ++i == text.size()) return false;
      if (static_cast<std::uint8_t>(text[i]) < ' ' || text[i] == 127) return false;
    }
    return false;
  }
  bool atom = false;
  for (const char c : text) {
    if (c == '.') {
      if (!atom) return false;
      atom = false;
    } else if (!IsAtext(c)) {
      return false;
    } else {
      atom = true;
    }
  }
  return atom;
}

void AppendCommand(std::string& out, const Command& command) {
  out += command.verb == Verb::kUnknown ? command.word : Name(command.verb);
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      (out += ' ') += command.domain;
      break;
    case Verb::kMail:
    case Verb::kRcpt:
    case Verb::kSend:
    case Verb::kSoml:
    case Verb::kSaml:
      out += command.verb == Verb::kRcpt ? " TO:<" : " FROM:<";
      (out += command.path.text) += '>';
      for (const Parameter& p : command.parameters) {
        (out += ' ') += p.name;
        if (p.has_value) (out += '=') += p.value;
      }
      break;
    case Verb::kBdat:
      out += ' ' + std::to_string(command.chunk_size.value_or(0));
      if (command.last) out += " LAST";
      break;
    case Verb::kAuth:
      (out += ' ') += command.mechanism;
      if (command.initial_response) (out += ' ') += *command.initial_response;
      break;
    default:
      if (!command.argument.empty()) (out += ' ') += command.argument;
  }
  out += "\r\n";
}

std::optional<std::string> DecodeXtext(Octets text) {
  const auto hex = [](char c) { return IsDigit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] <= ' ' || text[i] > '~' || text[i] == '=') return {};
    if (text[i] != '+') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return {};
    out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
    i += 2;
  }
  return out;
}

std::string EncodeXtext(Octets text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c <= '~' && c != '+' && c != '=') {
      out += c;
    } else {
      const auto octet = static_cast<std::uint8_t>(c);
      out += '+';
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    }
  }
  return out;
}

}  // namespace glasspost::smtp

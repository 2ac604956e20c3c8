#include "wire/pop3/grammar.h"

#include <array>

namespace glasspost::pop3 {
namespace {

constexpr std::array<std::string_view, kCommandCount> kNames = {"",     "USER", "PASS", "APOP", "AUTH", "STAT",
                                                                "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP",
                                                                "UIDL", "QUIT", "CAPA", "STLS", "UTF8", "LANG"};

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::string_view Name(Command command) { return kNames[static_cast<std::size_t>(command)]; }

Command CommandOf(Octets verb) {
  if (verb.size() != 4 && verb.size() != 3) return Command::kUnknown;
  for (std::size_t i = 1; i < kNames.size(); ++i)
    if (EqualsNoCase(verb, kNames[i])) return static_cast<Command>(i);
  return Command::kUnknown;
}

detail::Parts detail::Split(Octets line) {
  Parts p;
  while (p.verb_at < line.size() && IsBlank(line[p.verb_at])) ++p.verb_at;
  std::size_t end = p.verb_at;
  while (end < line.size() && (IsAlpha(line[end]) || IsDigit(line[end]))) ++end;
  // What is glued to a verb ("PASS:secret") is an argument, so that it is treated as one.
  if (end == p.verb_at)
    while (end < line.size() && !IsBlank(line[end])) ++end;
  p.line.verb = line.substr(p.verb_at, end - p.verb_at);
  p.line.command = CommandOf(p.line.verb);
  p.argument_at = end < line.size() && IsBlank(line[end]) ? end + 1 : end;
  p.line.argument = line.substr(p.argument_at);
  if (p.line.command == Command::kPass) return p;  // spaces may belong to the password (RFC 1939 §7)
  p.line.argument = Trim(p.line.argument);
  if (!p.line.argument.empty()) p.argument_at = static_cast<std::size_t>(p.line.argument.data() - line.data());
  return p;
}

CommandLine ParseCommand(Octets line) { return detail::Split(line).line; }

std::string ToOctets(const CommandLine& line) {
  std::string out(line.command == Command::kUnknown ? line.verb : Name(line.command));
  if (!line.argument.empty()) out.append(" ").append(line.argument);
  return out.append("\r\n");
}

std::string_view Name(Status status) {
  static constexpr std::string_view kStatus[] = {"", "+OK", "-ERR", "+"};
  return kStatus[static_cast<int>(status)];
}

detail::StatusParts detail::SplitStatus(Octets line, bool challenge) {
  StatusParts p;
  if (line.empty() || (line.front() != '+' && line.front() != '-')) return p;
  if (StartsWithNoCase(line, "+OK")) {
    p.line.status = Status::kOk;
  } else if (StartsWithNoCase(line, "-ERR")) {
    p.line.status = Status::kErr;
  } else if (line.front() == '+' && (challenge || line.size() == 1 || line[1] == ' ')) {
    p.line.status = Status::kContinue;
  } else {
    return p;
  }
  p.text_at = Name(p.line.status).size();
  if (p.text_at < line.size() && IsBlank(line[p.text_at])) ++p.text_at;
  p.line.text = line.substr(p.text_at);
  const std::size_t close = p.line.text.find(']');
  if (p.line.status != Status::kContinue && p.line.text.starts_with('[') && close != Octets::npos)
    p.line.code = p.line.text.substr(1, close - 1);
  return p;
}

StatusLine ParseStatus(Octets line, bool challenge) { return detail::SplitStatus(line, challenge).line; }

std::string ToOctets(const StatusLine& line) {
  std::string out(Name(line.status));
  if (!line.text.empty() || line.status == Status::kContinue) out.append(" ").append(line.text);
  return out.append("\r\n");
}

std::optional<ListingLine> ParseListing(Octets line) {
  line = Trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const auto number = ParseNumber(line.substr(0, end));
  if (!number || end == Octets::npos) return {};
  Octets rest = Trim(line.substr(end));
  rest = rest.substr(0, rest.find_first_of(" \t"));  // RFC 1939 §5: more may follow the size
  return ListingLine{*number, rest};
}

std::optional<std::uint64_t> PrintedSize(Octets text) {
  std::size_t at = 0;
  while (at < text.size() && !IsDigit(text[at])) ++at;
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end == at) return {};
  const Octets word = Trim(text.substr(end));
  if (!StartsWithNoCase(word, "octet") && !StartsWithNoCase(word, "byte")) return {};
  return ParseNumber(text.substr(at, end - at));
}

}  // namespace glasspost::pop3

#include "wire/imap/grammar.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::imap {
namespace {

// Takes a word off the front, and one space after it.
Octets TakeWord(Octets& text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  const Octets word = text.substr(0, space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return word;
}

constexpr Octets kDataWords[] = {"ACL",    "ANNOTATION", "BAD",      "BYE",       "CAPABILITY", "ENABLED",   "ESEARCH",
                                 "EXISTS", "EXPUNGE",    "FETCH",    "FLAGS",     "GENURLAUTH", "ID",        "LANGUAGE",
                                 "LIST",   "LISTRIGHTS", "LSUB",     "METADATA",  "MYRIGHTS",   "NAMESPACE", "NO",
                                 "OK",     "PREAUTH",    "QUOTA",    "QUOTAROOT", "RECENT",     "SEARCH",    "SORT",
                                 "STATUS", "THREAD",     "URLFETCH", "VANISHED",  "XLIST"};

bool EndsWithNoCase(Octets text, Octets end) {
  return text.size() >= end.size() && EqualsNoCase(text.substr(text.size() - end.size()), end);
}

std::size_t FindNoCase(Octets text, Octets what, std::size_t from = 0) {
  for (std::size_t i = from; i + what.size() <= text.size(); ++i)
    if (EqualsNoCase(text.substr(i, what.size()), what)) return i;
  return Octets::npos;
}

// The number at the beginning of `text`.
std::optional<std::uint64_t> LeadingNumber(Octets text) {
  std::size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  return ParseNumber(text.substr(0, n));
}

}  // namespace

bool IsTag(Octets text) {
  if (text.empty()) return false;
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '{' && c != '%' && c != '*' && c != '"' && c != '\\' && c != '+';
  });
}

std::optional<Command> ParseCommand(Octets line) {
  Command c;
  Octets rest = line;
  c.tag = TakeWord(rest);
  if (EqualsNoCase(c.tag, "LOGIN") || EqualsNoCase(c.tag, "AUTHENTICATE")) {
    c.name = c.tag;
    c.tag = {};
    c.arguments = rest;
    c.rule = FindRule(c.name);
    return c;
  }
  if (!IsTag(c.tag)) return {};
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));  // one space is right, clients in the wild send more
  c.name = TakeWord(rest);
  if (c.name.empty()) return {};
  if (EqualsNoCase(c.name, "UID")) {
    const char* start = c.name.data();
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const Octets second = TakeWord(rest);
    if (!second.empty()) c.name = Octets(start, static_cast<std::size_t>(second.data() + second.size() - start));
  }
  c.arguments = rest;
  c.rule = FindRule(c.name);
  return c;
}

Response ParseResponse(Octets line) {
  Response r;
  Octets rest = line;
  if (line == "+" || line.starts_with("+ ")) {
    r.kind = Kind::kContinuation;
    r.text = line.substr(std::min<std::size_t>(2, line.size()));
    return r;
  }
  if (line.starts_with("* ")) {
    rest.remove_prefix(2);
    r.word = TakeWord(rest);
    if (!r.word.empty() && std::ranges::all_of(r.word, IsDigit)) {
      r.number = r.word;
      r.word = TakeWord(rest);
    }
    r.text = rest;
    if (!r.word.empty()) r.kind = Kind::kUntagged;
    return r;
  }
  r.tag = TakeWord(rest);
  r.word = TakeWord(rest);
  r.text = rest;
  if (IsTag(r.tag) && IsStatus(r.word, false))
    r.kind = Kind::kTagged;
  else
    r.tag = r.word = {}, r.text = line;
  return r;
}

bool IsStatus(Octets word, bool untagged) {
  if (EqualsNoCase(word, "OK") || EqualsNoCase(word, "NO") || EqualsNoCase(word, "BAD")) return true;
  return untagged && (EqualsNoCase(word, "BYE") || EqualsNoCase(word, "PREAUTH"));
}

bool IsKnownData(const Response& r) {
  if (r.kind != Kind::kUntagged) return false;
  const bool counted = r.word == "EXISTS" || r.word == "EXPUNGE" || r.word == "FETCH" || r.word == "RECENT";
  if (counted == r.number.empty()) return false;
  return std::ranges::find(kDataWords, r.word) != std::end(kDataWords);
}

std::optional<Literal> FindLiteral(Octets tail) {
  constexpr std::size_t kLongestMarker = 24;  // "~{18446744073709551615+}"
  if (tail.size() < 3 || tail.back() != '}') return {};
  const std::size_t from = tail.size() > kLongestMarker ? tail.size() - kLongestMarker : 0;
  const std::size_t open = tail.rfind('{');
  if (open == Octets::npos || open < from) return {};
  Octets digits = tail.substr(open + 1, tail.size() - open - 2);
  Literal literal;
  if (!digits.empty() && (digits.back() == '+' || digits.back() == '-')) {
    literal.synchronising = false;
    digits.remove_suffix(1);
  }
  const auto n = ParseNumber(digits);
  if (!n) return {};
  literal.octets = *n;
  literal.marker = tail.size() - open;
  if (open > 0 && tail[open - 1] == '~') ++literal.marker;
  return literal;
}

std::optional<MessageItem> FindMessageItem(Octets before) {
  MessageItem item;
  if (!before.empty() && before.back() == ' ') before.remove_suffix(1);
  if (!before.empty() && before.back() == '>') {
    constexpr std::size_t kLongestPlace = 22;  // "<18446744073709551615>"
    const std::size_t from_end = before.size() - std::min(before.size(), kLongestPlace);
    const std::size_t at = before.substr(from_end).rfind('<');
    if (at == Octets::npos) return {};
    const std::size_t open = from_end + at;
    const auto from = ParseNumber(before.substr(open + 1, before.size() - open - 2));
    if (!from) return {};
    item = {*from, true};
    before = before.substr(0, open);
    if (!EndsWithNoCase(before, "BODY[]")) return {};
  }
  for (const Octets name : {Octets("BODY[]"), Octets("RFC822")}) {
    if (!EndsWithNoCase(before, name)) continue;
    const Octets rest = before.substr(0, before.size() - name.size());
    if (!rest.empty() && (rest.back() == ' ' || rest.back() == '(')) return item;
  }
  return {};
}

std::optional<std::uint64_t> RequestedOctets(Octets arguments, std::uint64_t from) {
  for (std::size_t at = 0; (at = arguments.find("[]<", at)) != Octets::npos; at += 3) {
    const Octets rest = arguments.substr(at + 3);
    const std::size_t dot = rest.find_first_not_of("0123456789");
    if (dot == Octets::npos || rest[dot] != '.' || ParseNumber(rest.substr(0, dot)) != from) continue;
    return LeadingNumber(rest.substr(dot + 1));
  }
  return {};
}

std::optional<std::uint64_t> FindSize(Octets text) {
  static constexpr Octets kName = "RFC822.SIZE ";
  const std::size_t at = FindNoCase(text, kName);
  if (at == Octets::npos) return {};
  return LeadingNumber(text.substr(at + kName.size()));
}

bool SameShape(Octets tag, Octets other) {
  if (tag == other) return true;
  const auto letters = [](Octets t) {
    while (!t.empty() && IsDigit(t.back())) t.remove_suffix(1);
    return t;
  };
  const Octets a = letters(tag);
  const Octets b = letters(other);
  return a == b && a.size() < tag.size() && b.size() < other.size();
}

}  // namespace glasspost::imap

// IMAP's lines (RFC 9051 §9, RFC 3501 §9): the client's tag and command, the server's three kinds of line, and the marker by
// which a line announces a literal (RFC 9051 §4.3, RFC 7888 non-synchronising, RFC 3516 literal8). Nothing is copied: views into
// the line.
#pragma once

#include <cstdint>
#include <optional>

#include "base/field.h"
#include "base/octets.h"
#include "wire/imap/rules.h"

namespace glasspost::imap {

// RFC 9051 §9 `tag`: any ASTRING-CHAR except "+".
bool IsTag(Octets text);

struct Command {
  Octets tag;
  Octets name;                 // as the client wrote it; with "UID" before it, both words and what lies between
  Octets arguments;            // rest of the line
  const Rule* rule = nullptr;  // nothing: unknown command
};
// Nothing if the line has no tag and no command. A LOGIN or AUTHENTICATE without a tag is taken for itself, not for a tag: what
// follows it may be a password.
std::optional<Command> ParseCommand(Octets line);

enum class Kind : std::uint8_t { kUntagged, kContinuation, kTagged, kMalformed };
struct Response {
  Kind kind = Kind::kMalformed;
  Octets tag;     // kTagged
  Octets word;    // "OK", "FETCH": the status of a tagged or status response, else the name of the data
  Octets number;  // "12" in "* 12 FETCH"; else empty
  Octets text;    // what follows
};
Response ParseResponse(Octets line);
// OK, NO, BAD; with `untagged` also BYE and PREAUTH.
bool IsStatus(Octets word, bool untagged);
// A word that untagged data begins with in some standard, in capitals as servers write it: tells a server's line from a line of a
// message ("* No more of this").
bool IsKnownData(const Response& response);

struct Literal {
  std::uint64_t octets = 0;
  bool synchronising = true;  // {n}: the sender waits for "+"
  std::size_t marker = 0;     // octets of the marker itself
};
// The literal that a line ending in `tail` announces.
std::optional<Literal> FindLiteral(Octets tail);

// The part of a FETCH response before a value, when that value is a whole message: it ends in "BODY[]", "BODY[]<n>" or "RFC822".
struct MessageItem {
  std::uint64_t from = 0;  // BODY[]<from>
  bool partial = false;
};
std::optional<MessageItem> FindMessageItem(Octets before_value);
// How many octets of the message the client asked for at most (`BODY[]<0.4096>`, RFC 9051 §6.4.5): nothing if it asked for all.
std::optional<std::uint64_t> RequestedOctets(Octets fetch_arguments, std::uint64_t from);
// RFC822.SIZE in a FETCH response.
std::optional<std::uint64_t> FindSize(Octets text);

// A quoted string at the beginning of `text`: calls each(Octets) for its octets without the escapes; 0 if there is none, else its
// length with both quotes (or all of `text` if it never ends).
template <class Each>
std::size_t ReadQuoted(Octets text, Each&& each) {
  if (text.empty() || text.front() != '"') return 0;
  std::size_t from = 1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i > from) each(text.substr(from, i - from));
      return i + 1;
    }
    if (text[i] != '\\' || i + 1 == text.size()) continue;
    if (i > from) each(text.substr(from, i - from));
    from = ++i;
  }
  if (text.size() > from) each(text.substr(from));
  return text.size();
}

// Do two tags look as if one client had made them: the same letters, then a number?
bool SameShape(Octets tag, Octets other);

// The fields of one line, for a packet tree; `base` is the line's offset in what the visitor counts from.
template <class V>
void DissectLine(Direction direction, Octets line, std::size_t base, V& visitor) {
  const auto report = [&](Field field, Octets part) {
    if (!part.empty()) Report(visitor, field, base + static_cast<std::size_t>(part.data() - line.data()), part.size(), part);
  };
  if (direction == Direction::kToServer) {
    if (const auto command = ParseCommand(line)) {
      report(Field::kImapRequestTag, command->tag);
      report(Field::kImapRequestCommand, command->name);
      report(Field::kImapRequestArgument, command->arguments);
    }
    return;
  }
  const Response r = ParseResponse(line);
  report(Field::kImapResponseTag, r.tag);
  report(r.kind == Kind::kTagged ? Field::kImapResponseStatus : Field::kImapResponseCommand, r.word);
  report(Field::kImapResponseText, r.text);
}

}  // namespace glasspost::imap

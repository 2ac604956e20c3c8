// Literals of both directions, and the messages in them.
#include <algorithm>

#include "base/ascii.h"
#include "wire/imap/observer.h"

namespace glasspost::imap {

void ImapObserver::BeginLiteral(Direction d, const Literal& literal, Use use, const Origin& origin) {
  Side& s = side(d);
  s.in_literal = true;
  s.literal_begun = false;
  s.literal_left = s.literal_octets = literal.octets;
  s.literal_sync = literal.synchronising;
  s.literal_text.clear();
  s.use = use;
  if (use == Use::kText && literal.octets > limits_.literal_shown) s.use = Use::kSkip;
  if (literal.octets == 0) EndLiteral(d, origin);
}

void ImapObserver::TakeLiteral(Direction d, Octets& octets, const Origin& origin) {
  Side& s = side(d);
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(s.literal_left, octets.size()));
  const Octets part = octets.substr(0, n);
  octets.remove_prefix(n);
  s.literal_begun = true;
  if (s.use == Use::kMessage) {
    if (!s.message_open) OpenMessage(d);
    s.message_at = origin;
    if (options_.message_octets) sink_.OnMessageOctets(d, part);
  } else if (s.use == Use::kText) {
    s.literal_text += part;
  }
  if (s.owner != nullptr) {
    Exchange& x = s.owner->exchange;
    Touch(d == Direction::kToServer ? x.request.span : x.reply.span, s, s.offset, n, origin);
  }
  s.offset += n;
  s.literal_left -= n;
  if (s.literal_left == 0) EndLiteral(d, origin);
}

// A gap while a literal is under way: how much of it is missing is known, and where the dialogue goes on after it.
void ImapObserver::SkipLiteral(Direction d, std::uint64_t& length, const Origin& origin) {
  Side& s = side(d);
  const std::uint64_t n = std::min(s.literal_left, length);
  s.literal_begun = true;
  if (s.use == Use::kMessage) {
    if (!s.message_open) OpenMessage(d);
    sink_.OnMessageGap(d, n);
    s.message_gap = true;
  } else {
    s.use = Use::kSkip;
  }
  if (s.owner != nullptr) {
    Exchange& x = s.owner->exchange;
    (d == Direction::kToServer ? x.request.cut : x.reply.cut) = true;
  }
  s.offset += n;
  s.literal_left -= n;
  length -= n;
  if (s.literal_left == 0) EndLiteral(d, origin);
}

void ImapObserver::EndLiteral(Direction d, const Origin& origin) {
  Side& s = side(d);
  s.in_literal = false;
  s.literal_left = 0;
  s.continued = true;
  // An empty literal is an empty message when it is fetched; with APPEND it withdraws the command (RFC 3502 §6.3.11).
  if (s.use == Use::kMessage && s.literal_octets == 0 && d == Direction::kToClient) OpenMessage(d), s.message_at = origin;
  CloseMessage(d, false);
  if (s.use != Use::kText || s.owner == nullptr || s.literal_text.find_first_of(Octets("\r\n\0", 3)) != Octets::npos) return;
  if (d == Direction::kToClient) {
    AppendReply(*s.owner, s.literal_text, false, false);
  } else if (s.owner->secret) {
    secrets_.RememberText(s.literal_text);
  } else if (!s.owner->literals.empty()) {
    std::string& argument = s.owner->exchange.request.argument;
    const std::size_t before = argument.size();
    AppendArgument(*s.owner, s.literal_text, false, origin);
    s.owner->literals.back().kept = argument.size() - before;
  }
}

void ImapObserver::OpenMessage(Direction d) {
  Side& s = side(d);
  s.message_open = true;
  s.message_gap = false;
  static const Envelope kNone;
  sink_.OnMessageStart(d, s.owner_number, kNone);
}

void ImapObserver::CloseMessage(Direction d, bool cut_short) {
  Side& s = side(d);
  if (!s.message_open) return;
  s.message_open = false;
  const bool whole = !cut_short && !s.message_gap && s.message_whole;
  sink_.OnMessageEnd(d, MessageEnd{.truncated = !whole, .complete_start = s.item.from == 0, .origin = s.message_at});
}

// Of a FETCH: is it all of the message? A part is, if it begins at its beginning and the server had no more to give than was
// asked. `size`: the message's, where the response tells it.
bool ImapObserver::IsWholeMessage(const Side& s, std::uint64_t octets, std::optional<std::uint64_t> size) const {
  if (!s.item.partial) return true;
  if (s.item.from != 0) return false;
  if (size == octets) return true;
  return s.owner != nullptr && s.owner->asked && octets < *s.owner->asked;
}

// A short message may come as a quoted string (RFC 9051 §9 `nstring`).
void ImapObserver::TellQuotedMessages(Octets piece, const Origin& origin) {
  const auto has = [&](Octets what) { return piece.find(what) != Octets::npos; };
  if (!has("[] \"") && !has("> \"") && !has("822 \"")) return;
  Side& s = server();
  const auto size = FindSize(piece);
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (piece[i] != '"') continue;
    const auto item = FindMessageItem(piece.substr(0, i));
    std::uint64_t octets = 0;
    const std::size_t length = ReadQuoted(piece.substr(i), [&](Octets part) { octets += part.size(); });
    if (item) {
      s.item = *item;
      s.message_whole = IsWholeMessage(s, octets, size);
      OpenMessage(Direction::kToClient);
      s.message_at = origin;
      ReadQuoted(piece.substr(i), [&](Octets part) {
        if (options_.message_octets) sink_.OnMessageOctets(Direction::kToClient, part);
      });
      CloseMessage(Direction::kToClient, i + length == piece.size());
    }
    i += length - 1;
  }
}

}  // namespace glasspost::imap

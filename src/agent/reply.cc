#include "agent/reply.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::agent {
namespace {

constexpr Octets kReplyMarks[] = {"re", "aw", "sv", "回复", "答复", "回覆"};
constexpr Octets kForwardMarks[] = {"fwd", "fw", "wg", "转发", "轉寄"};
constexpr Octets kColons[] = {":", "："};

// Octets of "Re: ", "Re[2]: ", "回复：" at the beginning; 0 if there is none.
template <std::size_t N>
std::size_t MarkLength(Octets text, const Octets (&marks)[N]) {
  for (const Octets mark : marks) {
    if (!StartsWithNoCase(text, mark)) continue;
    std::size_t at = mark.size();
    if (text.substr(at).starts_with('[')) at = std::min(text.find(']', at), text.size() - 1) + 1;
    for (const Octets colon : kColons) {
      if (!text.substr(at).starts_with(colon)) continue;
      at += colon.size();
      return at + std::min(text.substr(at).find_first_not_of(' '), text.size() - at);
    }
  }
  return 0;
}

template <std::size_t N>
std::string Marked(Octets subject, const Octets (&marks)[N], Octets mark) {
  subject = Trim(subject);
  while (const std::size_t n = MarkLength(subject, marks)) subject.remove_prefix(n);
  return std::string(mark) + std::string(subject);
}

bool SameAddress(Octets a, Octets b) { return EqualsNoCase(a, b); }

bool IsOwn(const mime::Mailbox& mailbox, const std::vector<std::string>& own) {
  return std::ranges::any_of(own, [&](const std::string& mine) { return SameAddress(mine, mailbox.address); });
}

std::vector<mime::Mailbox> MailboxesOf(const std::optional<Octets>& value) {
  std::vector<mime::Mailbox> all;
  if (!value) return all;
  all = mime::ParseAddresses(*value, ReplyLimits::kRecipients);
  std::erase_if(all, [](const mime::Mailbox& m) { return !m.address.contains('@'); });
  return all;
}

void AddOnce(std::vector<mime::Mailbox>& into, const std::vector<mime::Mailbox>& others, const mime::Mailbox& mailbox) {
  const auto same = [&](const mime::Mailbox& m) { return SameAddress(m.address, mailbox.address); };
  if (!std::ranges::any_of(into, same) && !std::ranges::any_of(others, same)) into.push_back(mailbox);
}

std::string Joined(const std::vector<std::string>& ids) {
  std::string all;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids.size() > ReplyLimits::kReferences && i > 0 && i <= ids.size() - ReplyLimits::kReferences) continue;
    all += (all.empty() ? "" : " ") + ids[i];
  }
  return all;
}

}  // namespace

std::vector<std::string> MessageIds(Octets value) {
  std::vector<std::string> ids;
  for (std::size_t at = value.find('<'); at != Octets::npos; at = value.find('<', at + 1)) {
    const std::size_t end = value.find_first_of("<>", at + 1);
    if (end == Octets::npos) break;
    const Octets id = value.substr(at, end + 1 - at);
    const bool good = id.back() == '>' && id.size() > 2 && id.size() <= ReplyLimits::kIdOctets &&
                      std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
    if (good) ids.emplace_back(id);
  }
  return ids;
}

ReplyHeader ReplyTo(Octets header, Octets self, const std::vector<std::string>& own, bool all) {
  mime::HeaderDecoder decoder;
  decoder.Parse(header);
  const mime::HeaderSummary& fields = decoder.summary();
  ReplyHeader reply;
  const std::vector<mime::Mailbox> from = MailboxesOf(fields.from), to = MailboxesOf(fields.to), cc = MailboxesOf(fields.cc);
  reply.to = MailboxesOf(fields.reply_to);
  const bool to_oneself =
      !from.empty() && std::ranges::all_of(from, [&](const mime::Mailbox& m) { return SameAddress(m.address, self); });
  if (reply.to.empty()) reply.to = to_oneself && !to.empty() ? to : from;
  if (all) {
    for (const auto* others : {&to, &cc})
      for (const mime::Mailbox& mailbox : *others)
        if (!SameAddress(mailbox.address, self) && !IsOwn(mailbox, own)) AddOnce(reply.cc, reply.to, mailbox);
  }
  reply.subject = ReplySubject(fields.subject.value_or(Octets()));

  std::vector<std::string> thread, answered;
  const auto ids = fields.message_id ? MessageIds(*fields.message_id) : std::vector<std::string>();
  for (const mime::HeaderField& field : decoder.fields()) {
    if (thread.empty() && EqualsNoCase(field.name, "References")) thread = MessageIds(field.value);
    if (answered.empty() && EqualsNoCase(field.name, "In-Reply-To")) answered = MessageIds(field.value);
  }
  // RFC 5322 §3.6.4: without References what it answers stands for them, if that is one.
  if (thread.empty() && answered.size() == 1) thread = answered;
  if (ids.empty()) return reply;
  reply.in_reply_to = ids.front();
  std::erase(thread, ids.front());
  thread.push_back(ids.front());
  reply.references = Joined(thread);
  return reply;
}

std::string ReplySubject(Octets subject) { return Marked(subject, kReplyMarks, "Re: "); }
std::string ForwardSubject(Octets subject) { return Marked(subject, kForwardMarks, "Fwd: "); }

std::string Quoted(Octets text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Octets line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "-- ") break;
    out += line.empty() || line.front() == '>' ? ">" : "> ";
    out += line;
    out += '\n';
  }
  while (out.ends_with("\n>\n")) out.resize(out.size() - 2);
  return out;
}

}  // namespace glasspost::agent

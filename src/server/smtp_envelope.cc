#include "server/smtp_envelope.h"

#include <algorithm>

#include "base/ascii.h"
#include "server/trace.h"
#include "store/mailboxes.h"

namespace glasspost::server {
namespace {

std::string Unquoted(Octets local) {
  if (local.size() < 2 || local.front() != '"' || local.back() != '"') return std::string(local);
  std::string out;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    out.push_back(local[i]);
  }
  return out;
}

// RFC 5321 §4.1.2, RFC 6531 §3.3: an atom needs no quotes.
bool IsDotString(Octets local) {
  if (local.empty() || local.front() == '.' || local.back() == '.' || local.find("..") != Octets::npos) return false;
  return std::ranges::all_of(local, [](char c) {
    return IsAlpha(c) || IsDigit(c) || static_cast<unsigned char>(c) >= 0x80 || Octets("!#$%&'*+-/=?^_`{|}~.").contains(c);
  });
}

// Decodes "+41" (RFC 3461 §4); what is damaged stays as it is.
std::string FromXtext(Octets text) {
  const auto digit = [](char c) { return IsDigit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

store::AddressName AddressOf(const smtp::Path& path, const std::string& default_domain, const std::string& our_literal) {
  store::AddressName name{Unquoted(path.local_part), std::string(path.domain)};
  if (path.domain.empty() || (path.address_literal() && !our_literal.empty() && EqualsNoCase(path.domain, our_literal)))
    name.domain = default_domain;
  for (char& c : name.domain) c = ToLower(c);
  return name;
}

std::string PathText(const store::AddressName& name) {
  if (IsDotString(name.local)) return name.Text();
  std::string out = "\"";
  for (const char c : name.local) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"@" + name.domain;
}

void SmtpEnvelope::Begin(Octets reverse_path, const smtp::MailParameters& parameters) {
  Clear();
  reverse_path_ = reverse_path;
  envid_ = FromXtext(parameters.envid);
  ret_ = static_cast<std::uint8_t>(parameters.ret);
  smtputf8_ = parameters.smtputf8;
  size_ = parameters.size.value_or(0);
}

void SmtpEnvelope::Clear() { *this = {}; }

std::size_t SmtpEnvelope::targets() const {
  std::size_t count = 0;
  for (const EnvelopeRecipient& r : recipients_) count += r.mailboxes.size() + r.forwards.size() + (r.elsewhere ? 1 : 0);
  return count;
}

bool SmtpEnvelope::MakeRoom(std::uint64_t octets) {
  std::size_t full = 0;
  std::size_t all = 0;
  for (EnvelopeRecipient& r : recipients_) {
    const auto is_full = [&](const store::LocalTarget& t) { return t.quota != 0 && t.used + octets > t.quota; };
    const auto begin = std::ranges::remove_if(r.mailboxes, [&](const store::LocalTarget& t) {
                         if (!is_full(t)) return false;
                         r.forwards.push_back(t.name);
                         return true;
                       }).begin();
    full += static_cast<std::size_t>(r.mailboxes.end() - begin);
    r.mailboxes.erase(begin, r.mailboxes.end());
    all += r.mailboxes.size() + r.forwards.size() + (r.elsewhere ? 1 : 0);
  }
  return full == 0 || full < all;
}

store::NewEntry SmtpEnvelope::MakeEntry(const EnvelopeRecipient& recipient, const store::AddressName& to, Timestamp now) const {
  store::NewEntry entry;
  entry.recipient = recipient.elsewhere ? recipient.path : PathText(to);
  entry.destination = to.domain;
  entry.orcpt = recipient.orcpt;
  entry.notify = recipient.notify;
  entry.due = now;
  return entry;
}

// A mailbox gets the message once, however many of the recipients lead to it.
void SmtpEnvelope::PlanMailboxes(const EnvelopeRecipient& recipient, const std::string& header_lines, store::Plan& plan) const {
  for (const store::LocalTarget& target : recipient.mailboxes) {
    if (std::ranges::any_of(plan.mailboxes, [&](const auto& m) { return m.mailbox == target.mailbox; })) continue;
    plan.mailboxes.push_back(
        {target.mailbox, ReturnPathField(reverse_path_) + DeliveredToField(target.name.Text()) + header_lines, 0});
    plan.enforce_quota |= target.quota > 0;
    store::JourneyEvent event;
    event.time = plan.arrived;
    event.kind = static_cast<int>(JourneyKind::kMailbox);
    event.recipient = recipient.path;
    AppendDetail(event.detail, "account", target.name.Text());
    plan.events.push_back(std::move(event));
  }
}

store::Plan SmtpEnvelope::MakePlan(Timestamp now, bool eight_bit, const std::string& header_lines) const {
  store::Plan plan;
  plan.arrived = now;
  plan.envelope = {reverse_path_, envid_, ret_, eight_bit, smtputf8_, now};
  for (const EnvelopeRecipient& recipient : recipients_) {
    PlanMailboxes(recipient, header_lines, plan);
    const auto enqueue = [&](const store::AddressName& to) {
      plan.entries.push_back(MakeEntry(recipient, to, now));
      store::JourneyEvent event;
      event.time = now;
      event.kind = static_cast<int>(JourneyKind::kQueued);
      event.recipient = plan.entries.back().recipient;
      AppendDetail(event.detail, "destination", to.domain);
      plan.events.push_back(std::move(event));
    };
    if (recipient.elsewhere) enqueue({{}, recipient.domain});
    // Somewhere else, too, the message goes once, unless someone asked for a report by the name that he wrote.
    for (const store::AddressName& to : recipient.forwards) {
      const store::NewEntry wanted = MakeEntry(recipient, to, now);
      const auto same = [&](const store::NewEntry& e) {
        return e.recipient == wanted.recipient && e.orcpt == wanted.orcpt && e.notify == wanted.notify;
      };
      if (std::ranges::none_of(plan.entries, same)) enqueue(to);
    }
  }
  return plan;
}

void SmtpEnvelope::MarkUtf8(store::Plan& plan, Octets header) {
  if (!plan.envelope.smtputf8) return;
  const bool utf8 = smtp::IsEightBit(header);
  for (store::LocalDelivery& m : plan.mailboxes)
    if (utf8 || smtp::IsEightBit(m.prefix)) m.flags |= store::kUtf8Header;
}

}  // namespace glasspost::server

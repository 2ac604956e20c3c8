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

store::JourneyEvent EventOf(JourneyKind kind, const std::string& recipient, const store::Plan& plan) {
  store::JourneyEvent event;
  event.time = plan.arrived;
  event.kind = static_cast<int>(kind);
  event.recipient = recipient;
  return event;
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

// A mailbox gets the message once, however many of the recipients lead to it; the journey names each of them.
void SmtpEnvelope::PlanMailboxes(const EnvelopeRecipient& recipient, const std::string& header_lines, store::Plan& plan,
                                 FirstOf& first) const {
  for (const store::LocalTarget& target : recipient.mailboxes) {
    const auto [known, fresh] = first.emplace(target.mailbox, &recipient);
    if (!fresh && known->second->path == recipient.path) continue;
    store::JourneyEvent event = EventOf(JourneyKind::kMailbox, recipient.path, plan);
    AppendDetail(event.detail, "account", target.name.Text());
    if (!fresh) AppendDetail(event.detail, "same_copy", known->second->path);
    plan.events.push_back(std::move(event));
    if (!fresh) continue;
    plan.mailboxes.push_back(
        {target.mailbox, ReturnPathField(reverse_path_) + DeliveredToField(target.name.Text()) + header_lines, 0});
    plan.enforce_quota |= target.quota > 0;
  }
}

void SmtpEnvelope::Enqueue(const EnvelopeRecipient& recipient, const store::AddressName& to, store::Plan& plan) const {
  plan.entries.push_back(MakeEntry(recipient, to, plan.arrived));
  store::JourneyEvent event = EventOf(JourneyKind::kQueued, plan.entries.back().recipient, plan);
  AppendDetail(event.detail, "destination", to.domain);
  plan.events.push_back(std::move(event));
}

// Somewhere else, too, the message goes once, unless someone asked for a report by the name that he wrote.
void SmtpEnvelope::PlanForwards(const EnvelopeRecipient& recipient, store::Plan& plan) const {
  const auto is_itself = [&](const store::AddressName& to) { return PathText(to) == recipient.path; };
  if (!std::ranges::all_of(recipient.forwards, is_itself)) {
    std::string all;
    for (const store::LocalTarget& target : recipient.mailboxes) all += (all.empty() ? "" : ", ") + PathText(target.name);
    for (const store::AddressName& to : recipient.forwards) all += (all.empty() ? "" : ", ") + PathText(to);
    store::JourneyEvent event = EventOf(JourneyKind::kExpanded, recipient.path, plan);
    AppendDetail(event.detail, "to", Octets(all).substr(0, store::JourneyLimits::kKeyOctets));
    plan.events.push_back(std::move(event));
  }
  for (const store::AddressName& to : recipient.forwards) {
    const store::NewEntry wanted = MakeEntry(recipient, to, plan.arrived);
    const auto same = [&](const store::NewEntry& e) {
      return e.recipient == wanted.recipient && e.orcpt == wanted.orcpt && e.notify == wanted.notify;
    };
    if (std::ranges::none_of(plan.entries, same)) Enqueue(recipient, to, plan);
  }
}

store::Plan SmtpEnvelope::MakePlan(Timestamp now, bool eight_bit, const std::string& header_lines) const {
  store::Plan plan;
  plan.arrived = now;
  plan.envelope = {reverse_path_, envid_, ret_, eight_bit, smtputf8_, now};
  FirstOf first;
  for (const EnvelopeRecipient& recipient : recipients_) {
    PlanMailboxes(recipient, header_lines, plan, first);
    if (recipient.elsewhere) Enqueue(recipient, {{}, recipient.domain}, plan);
    PlanForwards(recipient, plan);
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

#include "cli/outgoing.h"

#include <algorithm>
#include <cstdio>

#include "agent/account.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "cli/sendmail_message.h"
#include "net/host_name.h"
#include "net/system_clock.h"
#include "server/smtp_envelope.h"
#include "wire/mime/compose.h"
#include "wire/mime/message_scan.h"
#include "wire/smtp/parameters.h"

namespace glasspost::cli {
namespace {

// The address with its domain in A-labels, if only the domain is beyond ASCII.
std::string Plain(const std::string& address) {
  const std::size_t at = address.rfind('@');
  if (!smtp::IsEightBit(address) || smtp::IsEightBit(Octets(address).substr(0, at))) return address;
  const auto domain = net::AsciiDomain(Octets(address).substr(at + 1));
  return domain ? address.substr(0, at + 1) + *domain : address;
}

// As it stands in a path: the reader of headers takes the quotes away that a local part may need (RFC 5321 §4.1.2).
std::string AsPath(const std::string& address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos || agent::SplitAddress(address)) return address;
  return server::PathText({address.substr(0, at), address.substr(at + 1)});
}

std::string DrawMessageId(Octets sender) {
  const std::string drawn = SystemRandomness().Draw(16);
  const std::size_t at = sender.rfind('@');
  const Octets domain = at == Octets::npos ? Octets("localhost") : sender.substr(at + 1);
  return "<" + Hex(AsBytes(drawn)) + "@" + std::string(domain) + ">";
}

// What RFC 5322 §3.6 wants of every message, and this one lacks.
std::string MissingFields(const mime::MessageScan& scan, Octets sender, std::string& message_id) {
  std::string missing;
  if (!scan.has_message_id()) {
    message_id = DrawMessageId(sender);
    missing += "Message-ID: " + message_id + "\r\n";
  }
  if (!scan.has_date()) {
    missing += "Date: ";
    AppendRfc5322(missing, net::SystemClock().Now());
    missing += "\r\n";
  }
  return missing;
}

// The header, read line by line, and where the body begins.
Expected<SendmailHead> ReadHead(Octets& text) {
  SendmailHead head;
  SendmailHead::State state = SendmailHead::State::kMore;
  while (state == SendmailHead::State::kMore && !text.empty()) {
    const Octets row = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(row.size());
    state = head.TakeLine(row);
  }
  if (state == SendmailHead::State::kTooLong) return Fail("has too long a header, or too many recipients", "the message");
  if (state == SendmailHead::State::kMore) head.End();
  return head;
}

}  // namespace

OutgoingSource::OutgoingSource(const Outgoing& message) : message_(message), text_(message.text) {
  if (message_.composed) message_.composed->Rewind();
}

smtp::MessageSource::Piece OutgoingSource::Read() { return message_.composed ? message_.composed->Read() : text_.Read(); }

Expected<std::vector<mime::Mailbox>> ParseMailboxes(const std::vector<std::string>& texts, const std::string& origin) {
  std::vector<mime::Mailbox> all;
  for (const std::string& text : texts) {
    // What a line end hides behind it is not looked for: it is not given out as if it were not there.
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; }))
      return Fail("is no address", origin + " " + text);
    auto found = mime::ParseAddresses(text);
    if (found.empty()) return Fail("is no address", origin + " " + text);
    for (mime::Mailbox& mailbox : found) {
      mailbox.address = AsPath(mailbox.address);
      if (!agent::SplitAddress(mailbox.address)) return Fail("is no address", origin + " " + text);
      mailbox.address = Plain(mailbox.address);
      all.push_back(std::move(mailbox));
    }
  }
  return all;
}

void MakePlain(std::vector<mime::Mailbox>& mailboxes) {
  for (mime::Mailbox& mailbox : mailboxes) mailbox.address = Plain(mailbox.address);
}

mime::Mailbox AuthorOfReports(const std::string& own_address) {
  if (!own_address.empty()) return {.name = {}, .address = own_address};
  return {.name = "Mail Delivery System", .address = "MAILER-DAEMON@" + net::ThisHost()};
}

Expected<std::string> ReadWhole(const std::string& file, std::size_t most) {
  const std::string name = file == "-" ? "standard input" : file;
  std::FILE* const in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) return Fail("cannot be opened", name);
  std::string text;
  char buffer[65536];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, in)) {
    text.append(buffer, n);
    if (text.size() > most) break;
  }
  const bool failed = std::ferror(in) != 0;
  if (in != stdin) std::fclose(in);
  if (failed) return Fail("cannot be read", name);
  if (text.size() > most) return Fail("has more than " + std::to_string(most >> 20) + " MiB", name);
  return text;
}

void AddRecipients(std::vector<mime::Mailbox>& all, const std::vector<mime::Mailbox>& more) {
  const auto same = [](const mime::Mailbox& a, const mime::Mailbox& b) {
    const std::size_t at = a.address.rfind('@'), other = b.address.rfind('@');
    return a.address.substr(0, at) == b.address.substr(0, other) &&
           EqualsNoCase(Octets(a.address).substr(at + 1), Octets(b.address).substr(other + 1));
  };
  for (const mime::Mailbox& one : more)
    if (std::ranges::none_of(all, [&](const mime::Mailbox& known) { return same(known, one); })) all.push_back(one);
}

Expected<Outgoing> Compose(const agent::Draft& draft, std::vector<mime::Mailbox> recipients) {
  auto composed = agent::ComposedMessage::Make(draft, SystemRandomness());
  if (!composed) return std::unexpected(composed.error());
  return OutgoingOf(std::move(*composed), draft, std::move(recipients));
}

Outgoing OutgoingOf(std::unique_ptr<agent::ComposedMessage> composed, const agent::Draft& draft,
                    std::vector<mime::Mailbox> recipients) {
  Outgoing out;
  out.composed = std::move(composed);
  out.recipients = std::move(recipients);
  out.reverse_path = draft.from.address;
  out.message_id = out.composed->message_id();
  out.size = out.composed->size();
  out.utf8 = out.eight_bit = out.composed->utf8();
  return out;
}

Expected<Outgoing> ReadMessage(const std::string& text, const std::string& from, const std::string& own_address,
                               bool header_recipients, std::vector<mime::Mailbox> recipients) {
  // A bare CR is no line end (RFC 5321 §2.3.8): were it made one, it would end fields and header that nobody else ends there.
  std::string clean = text;
  for (std::size_t at = clean.find('\r'); at != std::string::npos; at = clean.find('\r', at + 1))
    if (at + 1 == clean.size() || clean[at + 1] != '\n') clean[at] = ' ';
  Octets rest = clean;
  const auto head = ReadHead(rest);
  if (!head) return std::unexpected(head.error());
  const bool null_path = from == kNullPath;
  std::string author = "From: " + (from.empty() ? own_address : from) + "\n";
  if (null_path) {
    const mime::Mailbox reporter = AuthorOfReports(own_address);
    author = FromField(reporter.name, reporter.address);
  }
  Outgoing out;
  out.text = agent::WithCrlf(head->Text(author) + head->first_line() + std::string(rest));
  mime::MessageScan scan;
  scan.OnOctets(out.text);
  const std::string block(scan.header());
  mime::HeaderDecoder decoder;
  decoder.Parse(block);
  const bool own_words = from.empty() || null_path;
  const auto mailbox = mime::ParseMailbox(own_words ? decoder.summary().from.value_or(Octets()) : Octets(from));
  if (!mailbox || !agent::SplitAddress(mailbox->address))
    return Fail("names no sender, or several", "From", "say --from ADDRESS");
  out.reverse_path = Plain(mailbox->address);
  if (scan.has_message_id()) out.message_id = std::string(decoder.summary().message_id.value_or(Octets()));
  out.text.insert(0, MissingFields(scan, out.reverse_path, out.message_id));
  if (null_path) out.reverse_path.clear();
  out.utf8 = smtp::IsEightBit(block);
  out.eight_bit = smtp::IsEightBit(out.text);
  out.size = out.text.size();
  out.recipients = std::move(recipients);
  if (header_recipients) {
    const std::vector<std::string> to = head->Recipients();
    if (to.size() > SendmailHeadLimits::kRecipients) return Fail("names more than 1,000 recipients", "the header");
    auto named = ParseMailboxes(to, "To, Cc, Bcc:");
    if (!named) return std::unexpected(named.error());
    AddRecipients(out.recipients, *named);
  }
  return out;
}

}  // namespace glasspost::cli

#include "relay/dsn.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_text.h"
#include "wire/mime/quoted_printable.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/parameters.h"

namespace glasspost::relay {
namespace {

constexpr std::size_t kLine = 76;          // octets after which a text is folded
constexpr std::size_t kDiagnostic = 2000;  // octets of a reply that are told
constexpr std::size_t kHardLine = 900;     // octets after which it is folded without a space, too (RFC 5322 §2.1.1: 998)

// Without what could end the line; octets above 127 only where the form of the report has room for them.
std::string Clean(Octets text, bool utf8) {
  std::string out;
  for (const char c : text.substr(0, kDiagnostic)) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else if (c != '\r') {
      out += octet < ' ' || octet == 0x7f || (octet > 0x7f && !utf8) ? '?' : c;
    }
  }
  return out;
}

// Appends `text` in lines of about kLine octets, each but the first after `indent`.
void AppendFolded(std::string& out, Octets text, std::string_view indent, std::size_t column) {
  while (column + text.size() > kLine) {
    const std::size_t room = column < kLine ? kLine - column : 0;
    std::size_t at = text.rfind(' ', room);
    if (at == Octets::npos || at == 0) at = text.find(' ', std::max<std::size_t>(room, 1));
    const bool torn = at == Octets::npos ? text.size() > kHardLine : at > kHardLine;
    if (torn) at = kHardLine;
    if (at == Octets::npos) break;
    out.append(text.substr(0, at)).append("\r\n").append(indent);
    text.remove_prefix(torn ? at : at + 1);
    column = indent.size();
  }
  out += text;
}

void AppendField(std::string& out, std::string_view name, Octets value) {
  (out += name) += ": ";
  AppendFolded(out, value, "  ", name.size() + 2);
  out += "\r\n";
}

std::string Date(Timestamp time) {
  std::string text;
  AppendRfc5322(text, time);
  return text;
}

std::string Diagnostic(const NoticeRecipient& r, bool utf8) {
  return std::string(r.smtp ? "smtp; " : "x-glasspost; ") + Clean(r.diagnostic, utf8);
}

std::string AddressType(Octets address) { return smtp::IsEightBit(address) ? "utf-8; " : "rfc822; "; }

// RFC 3464 §2.3.1: as the sender wrote it, decoded.
std::string Original(const NoticeRecipient& r, bool utf8) {
  const std::size_t semicolon = r.orcpt.find(';');
  if (semicolon == std::string::npos || semicolon == 0) return {};
  const auto decoded = smtp::DecodeXtext(Octets(r.orcpt).substr(semicolon + 1));
  if (!decoded) return {};
  return Clean(r.orcpt.substr(0, semicolon), false) + "; " + Clean(*decoded, utf8);
}

std::string StatusPart(const NoticeFacts& facts, bool utf8) {
  std::string out;
  if (!facts.envid.empty()) AppendField(out, "Original-Envelope-Id", Clean(facts.envid, utf8));
  AppendField(out, "Reporting-MTA", "dns; " + facts.host);
  AppendField(out, "X-Glasspost-Queue-ID", facts.queue_id);
  AppendField(out, "Arrival-Date", Date(facts.arrived));
  for (const NoticeRecipient& r : facts.recipients) {
    out += "\r\n";
    if (const std::string original = Original(r, utf8); !original.empty()) AppendField(out, "Original-Recipient", original);
    AppendField(out, "Final-Recipient", AddressType(r.address) + Clean(r.address, utf8));
    AppendField(out, "Action", Name(r.action));
    AppendField(out, "Status", r.status);
    if (!r.remote.empty()) AppendField(out, "Remote-MTA", "dns; " + Clean(r.remote, utf8));
    if (!r.diagnostic.empty()) AppendField(out, "Diagnostic-Code", Diagnostic(r, utf8));
    if (r.last_attempt != 0) AppendField(out, "Last-Attempt-Date", Date(r.last_attempt));
    if (r.will_retry_until != 0) AppendField(out, "Will-Retry-Until", Date(r.will_retry_until));
  }
  return out;
}

std::string_view Opening(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kFailed:
      return "Your message could not be delivered to the recipients below, and no\r\n"
             "further attempt will be made.\r\n";
    case NoticeKind::kDelayed:
      return "Your message has not been delivered to the recipients below yet.\r\n"
             "You need not send it again: further attempts will be made.\r\n";
    case NoticeKind::kSuccess:
      break;
  }
  return "You asked to be told when your message arrives.\r\n";
}

std::string_view Words(Action action) {
  switch (action) {
    case Action::kFailed:
      return "not delivered";
    case Action::kDelayed:
      return "not delivered yet";
    case Action::kDelivered:
      return "laid into the mailbox";
    case Action::kRelayed:
      break;
  }
  return "handed to the next host, which will not report any further";
}

std::string HumanPart(const NoticeFacts& facts, bool utf8) {
  std::string out = "This is the mail system at " + facts.host + ".\r\n\r\n";
  out += Opening(facts.kind);
  for (const NoticeRecipient& r : facts.recipients) {
    out += "\r\n<" + Clean(r.address, utf8) + ">: ";
    AppendFolded(out, Words(r.action), "    ", r.address.size() + 4);
    out += "\r\n";
    if (!r.diagnostic.empty()) {
      std::string said = r.remote.empty() ? "" : "The host " + Clean(r.remote, utf8) + (r.smtp ? " said: " : ": ");
      said += Clean(r.diagnostic, utf8);
      out += "    ";
      AppendFolded(out, said, "    ", 4);
      out += "\r\n";
    }
    if (r.will_retry_until != 0) out += "    It will be tried until " + Date(r.will_retry_until) + ".\r\n";
  }
  out += facts.whole ? "\r\nYour message is attached.\r\n" : "\r\nThe header of your message is attached.\r\n";
  return out;
}

std::string_view Subject(const NoticeFacts& facts) {
  switch (facts.kind) {
    case NoticeKind::kFailed:
      return "Your message could not be delivered";
    case NoticeKind::kDelayed:
      return "Your message is delayed";
    case NoticeKind::kSuccess:
      break;
  }
  const bool delivered =
      std::ranges::any_of(facts.recipients, [](const NoticeRecipient& r) { return r.action == Action::kDelivered; });
  return delivered ? "Your message was delivered" : "Your message was handed on";
}

// A part's header; its encoding is named only if it is not 7bit.
void BeginPart(std::string& out, std::string_view boundary, std::string_view type, std::string_view encoding) {
  out += fmt::format("--{}\r\nContent-Type: {}\r\n", boundary, type);
  if (!encoding.empty()) out += fmt::format("Content-Transfer-Encoding: {}\r\n", encoding);
  out += "\r\n";
}

// Encoded if it is not plain ASCII.
void AppendPart(std::string& out, std::string_view boundary, std::string_view type, Octets text) {
  const bool encode = smtp::IsEightBit(text);
  BeginPart(out, boundary, type, encode ? "quoted-printable" : "");
  out += encode ? mime::QuotedPrintable(text) : std::string(text);
  out += "\r\n";
}

void AppendHeader(std::string& out, const NoticeFacts& facts, const Notice& notice, std::string_view boundary) {
  AppendField(out, "Date", Date(facts.now));
  AppendField(out, "From", "Mail system <MAILER-DAEMON@" + facts.host + ">");
  AppendField(out, "To", "<" + Clean(facts.to, true) + ">");
  AppendField(out, "Subject", Subject(facts));
  AppendField(out, "Message-ID", notice.message_id);
  // RFC 3834 §5.1.7: so that no one answers it by machine.
  AppendField(out, "Auto-Submitted", "auto-replied");
  AppendField(out, "MIME-Version", "1.0");
  out += fmt::format("Content-Type: multipart/report; report-type={};\r\n  boundary=\"{}\"\r\n",
                     notice.smtputf8 ? "global-delivery-status" : "delivery-status", boundary);
  if (notice.eight_bit) out += "Content-Transfer-Encoding: 8bit\r\n";
  out += "\r\nThis is a report in several parts (RFC 6522).\r\n\r\n";
}

}  // namespace

std::string_view Name(Action action) {
  static constexpr std::string_view kNames[] = {"failed", "delayed", "delivered", "relayed"};
  return kNames[static_cast<std::size_t>(action)];
}

Notice ComposeNotice(const NoticeFacts& facts, Octets header) {
  Notice notice;
  const auto eight = [](const NoticeRecipient& r) { return smtp::IsEightBit(r.address); };
  const bool utf8 = facts.message_smtputf8 || smtp::IsEightBit(facts.to) ||
                    std::any_of(facts.recipients.begin(), facts.recipients.end(), eight);
  notice.message_id = "<" + facts.notice_id + "@" + facts.host + ">";
  notice.smtputf8 = smtp::IsEightBit(facts.to);
  notice.eight_bit = notice.smtputf8 || (facts.whole && facts.message_eight_bit);
  // No line of the message can be the boundary: "=_" stands in none that is encoded, and the id is this report's own.
  const std::string boundary = "=_" + facts.notice_id + "." + facts.queue_id;
  AppendHeader(notice.head, facts, notice, boundary);
  AppendPart(notice.head, boundary, utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", HumanPart(facts, utf8));
  AppendPart(notice.head, boundary, utf8 ? "message/global-delivery-status" : "message/delivery-status", StatusPart(facts, utf8));
  if (facts.whole) {
    BeginPart(notice.head, boundary, facts.message_smtputf8 ? "message/global" : "message/rfc822",
              facts.message_eight_bit ? "8bit" : "");
  } else {
    AppendPart(notice.head, boundary, facts.message_smtputf8 ? "message/global-headers" : "text/rfc822-headers", header);
  }
  notice.tail = (facts.whole ? "\r\n--" : "--") + boundary + "--\r\n";
  return notice;
}

}  // namespace glasspost::relay

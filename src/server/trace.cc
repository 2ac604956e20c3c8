#include "server/trace.h"

#include "base/ascii.h"
#include "base/time_text.h"
#include "wire/mime/header.h"

namespace glasspost::server {
namespace {

// Addresses may hold UTF-8 (RFC 6531); nothing may hold a control character, and comments' and brackets' ends are ours.
void AppendSafe(std::string& out, Octets text, std::string_view forbidden = "()<>") {
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out.push_back(control || forbidden.find(c) != std::string_view::npos ? '?' : c);
  }
}

void AppendAddressLiteral(std::string& out, const Address& address) {
  out += address.is_v4() ? "[" : "[IPv6:";
  address.AppendText(out);
  out += ']';
}

std::string PathField(std::string_view name, Octets path) {
  std::string out(name);
  out += ": <";
  AppendSafe(out, path, "<>");
  out += ">\r\n";
  return out;
}

// Of a Received field.
void AppendEnd(std::string& out, Octets recipient, Timestamp time) {
  if (!recipient.empty()) {
    out += "\r\n\tfor <";
    AppendSafe(out, recipient, "<>");
    out += '>';
  }
  out += "; ";
  AppendRfc5322(out, time);
  out += "\r\n";
}

}  // namespace

std::string ReceivedField(const ReceivedFacts& facts) {
  std::string out = "Received: from ";
  out.reserve(320);
  if (facts.hello.empty()) {
    out += "unknown";
  } else {
    AppendSafe(out, facts.hello);
  }
  out += " (";
  AppendAddressLiteral(out, facts.client);
  out += ")\r\n";
  if (!facts.tls.empty()) out.append("\t(using ").append(facts.tls).append(")\r\n");
  out.append("\tby ").append(facts.host).append(" (Glasspost) with ").append(facts.with).append(" id ").append(facts.queue_id);
  AppendEnd(out, facts.recipient, facts.time);
  return out;
}

std::string LocalReceivedField(const LocalReceivedFacts& facts) {
  std::string out = "Received: by ";
  out.append(facts.host).append(" (Glasspost, from userid ").append(std::to_string(facts.user));
  out.append(")\r\n\tid ").append(facts.queue_id);
  AppendEnd(out, facts.recipient, facts.time);
  return out;
}

std::string ReturnPathField(Octets reverse_path) { return PathField("Return-Path", reverse_path); }

std::string DeliveredToField(Octets account) {
  std::string out = "Delivered-To: ";
  AppendSafe(out, account);
  out += "\r\n";
  return out;
}

std::string DateField(Timestamp time) {
  std::string out = "Date: ";
  AppendRfc5322(out, time);
  out += "\r\n";
  return out;
}

std::string MessageIdField(std::string_view queue_id, std::string_view host) {
  std::string out = "Message-ID: <";
  out.append(queue_id).append("@").append(host).append(">\r\n");
  return out;
}

std::size_t CountReceived(Octets header) {
  std::size_t count = 0;
  mime::FieldReader reader(header);
  mime::RawField field;
  while (reader.Next(field)) count += EqualsNoCase(field.name, "Received") ? 1 : 0;
  return count;
}

}  // namespace glasspost::server

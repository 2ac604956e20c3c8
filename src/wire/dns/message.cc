#include "wire/dns/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "wire/dns/decoder.h"

namespace glasspost::dns {
namespace {

bool SameQuestion(const Message& a, const Question& x, const Message& b, const Question& y) {
  return x.type == y.type && x.klass == y.klass && a.NameOctets(x.name) == b.NameOctets(y.name);
}

bool SameRecord(const Message& a, const Record& x, const Message& b, const Record& y) {
  return x.section == y.section && x.type == y.type && x.klass == y.klass && x.ttl == y.ttl && x.opaque == y.opaque &&
         a.NameOctets(x.name) == b.NameOctets(y.name) && a.Data(x) == b.Data(y);
}

bool HasParts(const Record& r, Part first, Part second = Part::kEnd) {
  const TypeInfo* info = r.opaque ? nullptr : FindType(r.type);
  return info != nullptr && info->parts[0].part == first && info->parts[1].part == second;
}

// The text of a fault before "at octet N"; `f.number` where it helps.
std::string What(const Fault& f) {
  switch (f.kind) {
    case FaultKind::kNone:
      return "no fault";
    case FaultKind::kShortHeader:
      return "the message ends within the header";
    case FaultKind::kEndsInName:
      return "the name is not complete";
    case FaultKind::kEndsInQuestion:
      return "the message ends before the question's type and class";
    case FaultKind::kEndsInRecord:
      return "the message ends before the record's type, class, TTL and length";
    case FaultKind::kEndsInData:
      return fmt::format("the message ends before the {} octets of data", f.number);
    case FaultKind::kMissing:
      return "is not there, but the header counts it";
    case FaultKind::kNameTooLong:
      return "the name is longer than 255 octets";
    case FaultKind::kLabelType:
      return fmt::format("0x{:02x} begins no kind of label", f.number);
    case FaultKind::kForwardPointer:
      return fmt::format("a compression pointer to octet {}, which is no earlier name", f.number);
    case FaultKind::kTooManyPointers:
      return "compression pointers go round in a loop";
    case FaultKind::kBadData:
      return "the data do not have the form of their type";
    case FaultKind::kBadOption:
      return fmt::format("EDNS option {} does not have the form of its code", f.number);
    case FaultKind::kSecondOpt:
      return "a second OPT record";
    case FaultKind::kTooLarge:
      return "the names unpack to more than can be";
    case FaultKind::kTrailing:
      return fmt::format("{} octets after the last record", f.number);
  }
  return {};
}

}  // namespace

std::string_view Name(Section section) {
  static constexpr std::string_view kNames[] = {"question", "answer", "authority", "additional"};
  return kNames[static_cast<int>(section)];
}

void Message::Clear() {
  id = flags = 0;
  counts = {};
  questions.clear();
  records.clear();
  storage.clear();
  edns = {};
  fault = {};
  cut = false;
  length = 0;
}

void Message::SetRcode(std::uint16_t rcode) {
  flags = static_cast<std::uint16_t>((flags & ~0xf) | (rcode & 0xf));
  if (!edns.present) return;
  std::uint32_t& ttl = records[edns.record].ttl;
  ttl = (ttl & 0x00ffffff) | static_cast<std::uint32_t>(rcode >> 4) << 24;
}

void Message::AddQuestionOctets(Octets name, std::uint16_t type, std::uint16_t klass) {
  Question q;
  q.name = {static_cast<std::uint32_t>(storage.size()), static_cast<std::uint16_t>(name.size())};
  storage += name;
  q.type = type;
  q.klass = klass;
  questions.push_back(q);
  counts[0] = static_cast<std::uint16_t>(questions.size());
}

bool Message::AddQuestion(Octets name, std::uint16_t type, std::uint16_t klass) {
  std::string octets;
  if (!ParseName(name, octets)) return false;
  AddQuestionOctets(octets, type, klass);
  return true;
}

bool Message::AddRecordOctets(Section section, Octets name, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl,
                              Octets data) {
  if (data.size() > kMaxMessage || section == Section::kQuestion) return false;
  Record r;
  r.name = {static_cast<std::uint32_t>(storage.size()), static_cast<std::uint16_t>(name.size())};
  storage += name;
  r.section = section;
  const TypeInfo* info = FindType(type);
  r.opaque = info == nullptr || info->opaque() || (data.empty() && opcode() == kOpcodeUpdate);
  r.type = type;
  r.klass = klass;
  r.ttl = ttl;
  r.data = static_cast<std::uint32_t>(storage.size());
  r.data_length = static_cast<std::uint32_t>(data.size());
  storage += data;
  records.push_back(r);
  ++counts[static_cast<std::size_t>(section)];
  return true;
}

bool Message::AddRecord(Section section, Octets name, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl, Octets data) {
  std::string octets;
  return ParseName(name, octets) && AddRecordOctets(section, octets, type, klass, ttl, data);
}

void Message::AddEdns(std::uint16_t udp_size, bool dnssec_ok, Octets options) {
  edns = {true, udp_size, 0, dnssec_ok, static_cast<std::uint32_t>(records.size())};
  AddRecord(Section::kAdditional, ".", kTypeOpt, udp_size, dnssec_ok ? 0x8000 : 0, options);
}

bool SameContent(const Message& a, const Message& b) {
  return a.id == b.id && a.flags == b.flags && a.edns == b.edns &&
         std::ranges::equal(a.questions, b.questions,
                            [&](const Question& x, const Question& y) { return SameQuestion(a, x, b, y); }) &&
         std::ranges::equal(a.records, b.records, [&](const Record& x, const Record& y) { return SameRecord(a, x, b, y); });
}

void Decode(Octets wire, std::size_t length, Message& message, const MessageLimits& limits) {
  NoFields none;
  Decoder<NoFields>(wire, length, message, limits, none).Run();
}

void AppendFault(std::string& out, const Fault& f) {
  if (f.kind == FaultKind::kNone) return;
  if (f.index != 0) fmt::format_to(std::back_inserter(out), "{} {}: ", Name(f.section), f.index);
  fmt::format_to(std::back_inserter(out), "{}, at octet {}", What(f), f.offset);
}

bool GetAddress(const Message& m, const Record& r, Address& address) {
  if (!HasParts(r, Part::kAddress4) && !HasParts(r, Part::kAddress6)) return false;
  const Bytes data = AsBytes(m.Data(r));
  if (data.size() != (r.type == kTypeA ? 4 : 16)) return false;
  address = r.type == kTypeA ? Address::V4(data.data()) : Address::V6(data.data());
  return true;
}

bool GetMx(const Message& m, const Record& r, MxData& mx) {
  const Octets data = m.Data(r);
  if (r.type != kTypeMx || r.opaque || data.size() < 3) return false;
  mx = {Load16(AsBytes(data).data()), data.substr(2)};
  return true;
}

bool GetSrv(const Message& m, const Record& r, SrvData& srv) {
  const Octets data = m.Data(r);
  if (r.type != kTypeSrv || r.opaque || data.size() < 7) return false;
  const std::uint8_t* p = AsBytes(data).data();
  srv = {Load16(p), Load16(p + 2), Load16(p + 4), data.substr(6)};
  return true;
}

bool GetName(const Message& m, const Record& r, Octets& name) {
  if (!HasParts(r, Part::kName) && !HasParts(r, Part::kPlainName)) return false;
  name = m.Data(r);
  return true;
}

bool SameName(Octets a, Octets b) { return EqualsNoCase(a, b); }

}  // namespace glasspost::dns

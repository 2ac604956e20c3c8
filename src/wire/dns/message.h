// A DNS message as values: RFC 1035 §4, with EDNS (RFC 6891), UPDATE's use of the sections (RFC 2136 §2) and opaque types (RFC
// 3597). Decoding goes as far as the octets make sense and says where and why it stopped; encoding compresses names.
//
// A Message owns everything: names and data lie uncompressed in one string, so that a Message that is used again allocates
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/octets.h"
#include "wire/dns/constants.h"

namespace glasspost::dns {

struct MessageLimits {
  // Octets of names and data after decompression: stops a 64 KiB message of pointers that unpacks to megabytes.
  std::size_t unpacked = 1 << 20;
  // Compression pointers in one name: stops chains of pointers to pointers; a name has at most 127 labels to share.
  int pointers = 127;
};

enum class Section : std::uint8_t { kQuestion, kAnswer, kAuthority, kAdditional };
std::string_view Name(Section section);  // "answer"

// Where in Message::storage a name lies: labels with their length octets, the root label at the end. One that could not be read
// to its end lacks the root label (and may hold nothing at all).
struct NameRef {
  std::uint32_t offset = 0;
  std::uint16_t length = 0;
};

struct Question {
  NameRef name;
  std::uint16_t type = 0;
  std::uint16_t klass = kClassIn;
  OctetRange wire;  // where it lay in the message that was decoded
};

struct Record {
  NameRef name;
  Section section = Section::kAnswer;
  bool opaque = false;  // the data are not what the type demands (then as they came), or the type is not known
  std::uint16_t type = 0;
  std::uint16_t klass = kClassIn;  // OPT: UDP payload size
  std::uint32_t ttl = 0;           // seconds; OPT: extended RCODE, version, flags
  std::uint32_t data = 0;          // in Message::storage
  std::uint32_t data_length = 0;
  OctetRange wire;       // where it lay in the message that was decoded
  OctetRange wire_data;  // its data there, maybe with compressed names
};

// What is wrong with a message; the first fault is kept.
enum class FaultKind : std::uint8_t {
  kNone,
  kShortHeader,      // fewer than 12 octets
  kEndsInName,       // the message (or the data) ends within a name
  kEndsInQuestion,   // … before type and class
  kEndsInRecord,     // … before type, class, TTL and length
  kEndsInData,       // … before RDLENGTH octets have come
  kMissing,          // fewer questions or records than the header claims
  kNameTooLong,      // more than 255 octets
  kLabelType,        // a length octet 64 … 191: no such label (RFC 6891 §5)
  kForwardPointer,   // a pointer that does not point to something before it (followed all the same)
  kTooManyPointers,  // a loop, or as good as one
  kBadData,          // the data do not have the form of their type
  kBadOption,        // an EDNS option does not have the form of its code
  kSecondOpt,        // more than one OPT (RFC 6891 §6.1.1)
  kTooLarge,         // unpacks to more than the limit
  kTrailing,         // octets after the last record
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  Section section = Section::kQuestion;
  std::uint16_t index = 0;   // from 1 within the section; 0: the header or the whole
  std::size_t offset = 0;    // octet of the message, from 0
  std::uint32_t number = 0;  // the pointer's target, the label's octet, the octets too many
  bool operator==(const Fault&) const = default;
};

struct Edns {
  bool present = false;
  std::uint16_t udp_size = 0;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  std::uint32_t record = 0;  // index in Message::records
  bool operator==(const Edns&) const = default;
};

struct Message {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;                // the header's second word as it is on the wire
  std::array<std::uint16_t, 4> counts{};  // as the header claims; Encode writes what is there
  std::vector<Question> questions;
  std::vector<Record> records;  // in the order of the message
  std::string storage;
  Edns edns;
  Fault fault;
  bool cut = false;        // not all of it was captured; no fault of the sender
  std::size_t length = 0;  // octets on the wire of the message that was decoded

  bool response() const { return (flags & kFlagQr) != 0; }
  bool truncated() const { return (flags & kFlagTc) != 0; }
  std::uint8_t opcode() const { return static_cast<std::uint8_t>(flags >> 11 & 0xf); }
  // With the upper octet that EDNS adds (RFC 6891 §6.1.3).
  std::uint16_t rcode() const {
    const std::uint32_t upper = edns.present ? records[edns.record].ttl >> 24 : 0;
    return static_cast<std::uint16_t>(upper << 4 | (flags & 0xf));
  }
  bool malformed() const { return fault.kind != FaultKind::kNone; }

  Octets NameOctets(NameRef name) const { return Octets(storage).substr(name.offset, name.length); }
  Octets Data(const Record& r) const { return Octets(storage).substr(r.data, r.data_length); }

  // Keeps the memory.
  void Clear();

  // Building. A name is given in zone-file form, relative to nothing ("example.test" and "example.test." are the same);
  // false if it is none. `data` are the octets of the record's data with its names uncompressed.
  void SetOpcode(std::uint8_t opcode) { flags = static_cast<std::uint16_t>((flags & ~0x7800) | (opcode & 0xf) << 11); }
  void SetRcode(std::uint16_t rcode);  // its upper bits go into the OPT record, which must be there
  bool AddQuestion(Octets name, std::uint16_t type, std::uint16_t klass = kClassIn);
  bool AddRecord(Section section, Octets name, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl, Octets data);
  // The same with a name in octets, as ParseName makes it. `name` and `data` must not be this message's own.
  void AddQuestionOctets(Octets name, std::uint16_t type, std::uint16_t klass = kClassIn);
  bool AddRecordOctets(Section section, Octets name, std::uint16_t type, std::uint16_t klass, std::uint32_t ttl, Octets data);
  // `options` as RFC 6891 §6.1.2 lays them out.
  void AddEdns(std::uint16_t udp_size, bool dnssec_ok, Octets options = {});
};

// The same header and the same questions and records, whatever their places in memory or on the wire. Names compare octet by
// octet.
bool SameContent(const Message& a, const Message& b);

// Replaces `message` by what `wire` holds. `length` is the message's whole length where not all of it was captured.
// Never fails: look at message.fault.
void Decode(Octets wire, std::size_t length, Message& message, const MessageLimits& limits = {});
inline void Decode(Octets wire, Message& message, const MessageLimits& limits = {}) {
  Decode(wire, wire.size(), message, limits);
}

// Appends the message with compressed names (or with every name written out); false, and `out` as it was, if it were longer than
// `limit` octets. Sections are written in their order; the counts are those of `questions` and `records`.
bool Encode(const Message& message, std::string& out, std::size_t limit = kMaxMessage, bool compress = true);

// Zone-file form (RFC 1035 §5.1, RFC 3597 §5): plain ASCII, no line ends, odd octets as \DDD.
// A name that could not be read to its end ends in "<broken>".
void AppendName(std::string& out, Octets name, bool final_dot);
void AppendQuestionText(std::string& out, const Message& m, const Question& q);  // "example.test. IN MX"
// "example.test. 3600 IN MX 10 mail.example.test."; OPT as a comment: "; EDNS: version 0, flags do, udp 1232".
void AppendRecordText(std::string& out, const Message& m, const Record& r);
void AppendRecordData(std::string& out, const Message& m, const Record& r);  // "10 mail.example.test."
// The same for data that lie elsewhere (names uncompressed).
void AppendDataText(std::string& out, std::uint16_t type, Octets data);
void AppendFlags(std::string& out, const Message& m);  // "qr aa rd ra"
// "answer 2: a compression pointer to octet 300, which is not before it, at octet 45"
void AppendFault(std::string& out, const Fault& fault);

// The other way: text to octets, appended to `out`; false (and `out` as it was) if the text is not of that form.
// `origin`, a name's octets: a name without the final dot goes on with it, and "@" stands for it; empty: every name is absolute.
bool ParseName(Octets text, std::string& out, Octets origin = {});
bool ParseData(std::uint16_t type, Octets text, std::string& out);

// Typed readings; false where the record is of another type or its data are broken.
bool GetAddress(const Message& m, const Record& r, Address& address);  // A, AAAA
struct MxData {
  std::uint16_t preference = 0;
  Octets exchange;  // a name's octets, into m.storage
  // "MX 0 .": the domain takes no mail (RFC 7505 §3).
  bool null() const { return exchange.size() == 1; }
};
bool GetMx(const Message& m, const Record& r, MxData& mx);
struct SrvData {
  std::uint16_t priority = 0, weight = 0, port = 0;
  Octets target;
};
bool GetSrv(const Message& m, const Record& r, SrvData& srv);
// The one name that the data consist of (NS, CNAME, PTR, DNAME …).
bool GetName(const Message& m, const Record& r, Octets& name);

// Names compare without case (RFC 4343 §3).
bool SameName(Octets a, Octets b);

}  // namespace glasspost::dns

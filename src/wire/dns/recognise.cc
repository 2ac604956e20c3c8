#include "wire/dns/recognise.h"

#include <algorithm>

#include "wire/dns/layout.h"
#include "wire/dns/message.h"

namespace glasspost::dns {
namespace {

constexpr std::uint16_t kMdnsPort = 5353, kLlmnrPort = 5355, kNetbiosPort = 137;

bool Either(std::uint16_t port, std::uint16_t a, std::uint16_t b) { return a == port || b == port; }

// Header bits and counts of a question or an answer as they are in practice: one question, few records, no reserved bit.
bool SoundHeader(Octets message) {
  if (message.size() < kHeaderSize) return false;
  const std::uint8_t* p = AsBytes(message).data();
  const std::uint16_t flags = Load16(p + 2);
  const std::uint16_t questions = Load16(p + 4), answers = Load16(p + 6), authority = Load16(p + 8), additional = Load16(p + 10);
  const unsigned opcode = flags >> 11 & 0xf;
  if ((flags & kFlagZ) != 0 || questions != 1) return false;
  if (opcode != kOpcodeQuery && opcode != kOpcodeNotify && opcode != kOpcodeUpdate) return false;
  if ((flags & kFlagQr) == 0) {
    if ((flags & (kFlagRa | kFlagTc | 0xf)) != 0) return false;
    if (opcode == kOpcodeQuery) return (flags & kFlagAa) == 0 && answers == 0 && authority <= 1 && additional <= 2;
  }
  // A record takes eleven octets at least.
  const std::size_t records = std::size_t{answers} + authority + additional;
  return (flags & 0xf) <= 11 && records * 11 <= message.size();
}

bool SoundQuestion(const Message& m) {
  const Question& q = m.questions[0];
  const bool known_class = q.klass == kClassIn || q.klass == kClassCh || q.klass == kClassHs || q.klass == kClassAny;
  return known_class && FindType(q.type) != nullptr;
}

bool Sound(Octets message) {
  if (!SoundHeader(message)) return false;
  Message m;
  Decode(message, m);
  if (m.malformed() || m.questions.size() != 1 || !SoundQuestion(m)) return false;
  return std::ranges::all_of(m.records, [](const Record& r) { return FindType(r.type) != nullptr; });
}

// Only the beginning of the message is there: the question must be sound, or be cut short itself.
bool SoundBeginning(Octets begin, std::size_t length) {
  if (!SoundHeader(begin)) return false;
  Message m;
  Decode(begin, length, m);
  return !m.malformed() && (m.questions.empty() || SoundQuestion(m));
}

}  // namespace

bool LooksLikeDns(Octets datagram, std::uint16_t source_port, std::uint16_t destination_port) {
  if (datagram.empty()) return false;
  if (Either(kPort, source_port, destination_port)) return true;
  if (Either(kMdnsPort, source_port, destination_port) || Either(kLlmnrPort, source_port, destination_port) ||
      Either(kNetbiosPort, source_port, destination_port)) {
    return false;
  }
  return Sound(datagram);
}

Likeness LooksLikeDnsStream(Octets first, std::uint16_t source_port, std::uint16_t destination_port) {
  const bool standard = Either(kPort, source_port, destination_port);
  if (first.size() >= 2) {
    const std::size_t length = Load16(AsBytes(first).data());
    // The least message is a header; that of a query has a question of five octets besides.
    if (length < (standard ? kHeaderSize : kHeaderSize + 5)) return Likeness::kNo;
    const Octets message = first.substr(2, length);
    if (message.size() >= kHeaderSize) {
      if (standard) {
        const std::uint8_t* p = AsBytes(message).data();
        // Every question takes five octets, every record eleven.
        const std::size_t least = kHeaderSize + 5u * Load16(p + 4) + 11u * (Load16(p + 6) + Load16(p + 8) + Load16(p + 10));
        const unsigned opcode = Load16(p + 2) >> 11 & 0xf;
        return opcode <= kOpcodeDso && least <= length ? Likeness::kYes : Likeness::kNo;
      }
      if (message.size() < length && !SoundBeginning(message, length)) return Likeness::kNo;
      if (message.size() < length) return message.size() > kHeaderSize + 5 ? Likeness::kYes : Likeness::kMore;
      return Sound(message) ? Likeness::kYes : Likeness::kNo;
    }
  }
  return Likeness::kMore;
}

}  // namespace glasspost::dns

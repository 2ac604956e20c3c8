// The octets in which a live conversation is kept: what a Teller hears, secrets masked before it came here, in records that can
// be written one by one and read back into any Teller. Little of what is said is said in many octets: 4 octets of beginning, then
// records of one octet type, a length, a body. Numbers are of 7 bits an octet, the lowest first; texts stand behind their length;
// times are told from the conversation's start.
//
// A reader passes over records of a type that it does not know. What changes a record's body gets another type, or the whole
// another version. There are no packets in it, so no frames, gaps or retransmissions; DNS is not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::analysis::events {

inline constexpr Octets kBeginning("GPE\x01", 4);  // the last octet is the version

enum class Record : std::uint8_t {
  kBegin = 1,          // who, when, how it is kept
  kProtocol = 2,       // it turned out to be another
  kExchange = 3,       //
  kMessageOctets = 4,  // of the message that is open in that direction
  kMessage = 5,        //
  kFinding = 6,        //
  kEnd = 7,            // what is known only then
};

// Stops a length that lies from being waited for: no record is longer (a message's header block is at most 256 KiB).
inline constexpr std::size_t kMaxRecord = std::size_t{1} << 20;

// Bits of kBegin's first octet.
inline constexpr std::uint64_t kHasBodies = 1, kHasSecrets = 2;

// Writes a record's body. The owner of the string keeps its memory.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void Number(std::uint64_t v) {
    if (v < 0x80) return out_.push_back(static_cast<char>(v));
    char octets[kMostOctets];
    std::size_t n = 0;
    for (; v >= 0x80; v >>= 7) octets[n++] = static_cast<char>(v | 0x80);
    octets[n++] = static_cast<char>(v);
    out_.append(octets, n);
  }
  void Signed(std::int64_t v) { Number(static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63)); }
  void Text(Octets text) {
    Number(text.size());
    out_.append(text);
  }
  // 0: none; else one more than the zigzag of the distance.
  void Time(Timestamp time, Timestamp start) {
    if (time == kNoTime) return Number(0);
    const std::int64_t d = time - start;
    Number((static_cast<std::uint64_t>(d) << 1 ^ static_cast<std::uint64_t>(d >> 63)) + 1);
  }
  template <class Range>
  void Texts(const Range& texts) {
    Number(texts.size());
    for (const auto& text : texts) Text(text);
  }

 private:
  static constexpr std::size_t kMostOctets = 10;  // of 64 bits, seven in each

  std::string& out_;
};

// Reads a record's body; what is not there makes it bad, and from then on everything is zero or empty. Views into the body.
class Reader {
 public:
  // Times beyond it are no times: keeps every difference of two of them within 64 bits.
  static constexpr Timestamp kLatest = Timestamp{1} << 62;

  explicit Reader(Octets body) : rest_(body) {}
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return Bad();
      const auto octet = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{octet & 0x7fu} << shift;
      if (octet < 0x80) return value;
    }
    return Bad();
  }
  std::int64_t Signed() {
    const std::uint64_t z = Number();
    return static_cast<std::int64_t>((z >> 1) ^ (~(z & 1) + 1));
  }
  Octets Text() {
    const std::uint64_t length = Number();
    if (length > rest_.size()) return Bad(), Octets();
    const Octets text = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(text.size());
    return text;
  }
  Timestamp Time(Timestamp start) {
    std::uint64_t z = Number();
    if (z == 0) return kNoTime;
    --z;
    const std::uint64_t time = static_cast<std::uint64_t>(start) + ((z >> 1) ^ (~(z & 1) + 1));
    if (time > static_cast<std::uint64_t>(kLatest)) return Bad(), kNoTime;
    return static_cast<Timestamp>(time);
  }
  // An enumerator or a small number below `end`.
  template <class T>
  T Below(std::uint64_t end) {
    const std::uint64_t n = Number();
    if (n >= end) return Bad(), T{};
    return static_cast<T>(n);
  }
  // A count of things that take at least one octet each.
  std::size_t Count() {
    const std::uint64_t n = Number();
    return n > rest_.size() ? static_cast<std::size_t>(Bad()) : static_cast<std::size_t>(n);
  }
  template <class Container>
  void Texts(Container& texts) {
    texts.clear();
    for (std::size_t n = Count(); n > 0 && ok_; --n) texts.emplace_back(Text());
  }
  // Whatever is left.
  Octets Rest() { return std::exchange(rest_, {}); }
  bool ok() const { return ok_; }

 private:
  std::uint64_t Bad() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  Octets rest_;
  bool ok_ = true;
};

}  // namespace glasspost::analysis::events

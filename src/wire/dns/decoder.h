// The decoder behind dns::Decode, with the field visitor (base/field.h): every octet of a sound message is reported under some
// field; a whole (name, record, option) before its parts. Offsets count from the message's first octet.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include "base/field.h"
#include "wire/dns/layout.h"
#include "wire/dns/message.h"

namespace glasspost::dns {

template <class V>
class Decoder {
 public:
  // All references outlive Run.
  Decoder(Octets wire, std::size_t length, Message& message, const MessageLimits& limits, V& visitor)
      : wire_(AsBytes(wire)), length_(std::max(length, wire.size())), m_(message), limits_(limits), visit_(visitor) {}

  void Run() {
    m_.Clear();
    m_.length = length_;
    if (Header() && Questions() && Records(Section::kAnswer, m_.counts[1]) && Records(Section::kAuthority, m_.counts[2]) &&
        Records(Section::kAdditional, m_.counts[3]))
      Rest();
    if (wire_.size() < length_) Excuse();
  }

 private:
  bool Fail(FaultKind kind, std::size_t offset, std::uint32_t number = 0) {
    if (m_.fault.kind == FaultKind::kNone) m_.fault = {kind, section_, index_, offset, number};
    return false;
  }

  // What the capture left out is not the sender's fault.
  void Excuse() {
    m_.cut = true;
    switch (m_.fault.kind) {
      case FaultKind::kShortHeader:
      case FaultKind::kEndsInName:
      case FaultKind::kEndsInQuestion:
      case FaultKind::kEndsInRecord:
      case FaultKind::kEndsInData:
      case FaultKind::kMissing:
        m_.fault = {};
        break;
      default:
        break;
    }
  }

  template <class T>
  void Tell(Field field, std::size_t offset, std::size_t length, const T& value) {
    Report(visit_, field, offset, length, value);
  }
  void TellNumber(Field field, std::size_t offset, std::size_t length, std::uint64_t value, NumberPlace place = {}) {
    ReportNumber(visit_, field, {offset, length}, value, place);
  }
  std::uint16_t At16(std::size_t at) const { return Load16(wire_.data() + at); }
  std::uint32_t At32(std::size_t at) const { return Load32(wire_.data() + at); }

  bool Header() {
    if (wire_.size() < kHeaderSize) {
      Tell(Field::kDnsData, 0, wire_.size(), std::uint64_t{wire_.size()});
      return Fail(FaultKind::kShortHeader, wire_.size());
    }
    m_.id = At16(0);
    m_.flags = At16(2);
    for (std::size_t i = 0; i < 4; ++i) m_.counts[i] = At16(4 + 2 * i);
    at_ = kHeaderSize;
    if constexpr (V::kWanted) TellHeader();
    return true;
  }

  void TellHeader() {
    TellNumber(Field::kDnsId, 0, 2, m_.id);
    TellNumber(Field::kDnsFlags, 2, 2, m_.flags);
    const auto bit = [&](Field field, std::uint16_t flag) {
      TellNumber(field, flag > 0xff ? 2 : 3, 1, (m_.flags & flag) != 0 ? 1 : 0, {std::countr_zero(flag) % 8, 1});
    };
    bit(Field::kDnsFlagResponse, kFlagQr);
    TellNumber(Field::kDnsFlagOpcode, 2, 1, m_.opcode(), {3, 0xf});
    bit(Field::kDnsFlagAuthoritative, kFlagAa);
    bit(Field::kDnsFlagTruncated, kFlagTc);
    bit(Field::kDnsFlagRecursionDesired, kFlagRd);
    bit(Field::kDnsFlagRecursionAvailable, kFlagRa);
    bit(Field::kDnsFlagZ, kFlagZ);
    bit(Field::kDnsFlagAuthenticated, kFlagAd);
    bit(Field::kDnsFlagCheckDisable, kFlagCd);
    TellNumber(Field::kDnsFlagRcode, 3, 1, m_.flags & 0xfu, {0, 0xf});
    TellNumber(Field::kDnsCountQueries, 4, 2, m_.counts[0]);
    TellNumber(Field::kDnsCountAnswers, 6, 2, m_.counts[1]);
    TellNumber(Field::kDnsCountAuthority, 8, 2, m_.counts[2]);
    TellNumber(Field::kDnsCountAdditional, 10, 2, m_.counts[3]);
  }

  bool Questions() {
    section_ = Section::kQuestion;
    for (index_ = 1; index_ <= m_.counts[0]; ++index_) {
      if (at_ >= wire_.size()) return Fail(FaultKind::kMissing, at_);
      const std::size_t start = at_;
      Question q;
      if (!Name(wire_.size(), q.name, Field::kDnsQueryName)) return false;
      if (wire_.size() - at_ < 4) return Fail(FaultKind::kEndsInQuestion, at_);
      q.type = At16(at_);
      q.klass = At16(at_ + 2);
      TellNumber(Field::kDnsQueryType, at_, 2, q.type);
      TellNumber(Field::kDnsQueryClass, at_ + 2, 2, q.klass);
      at_ += 4;
      q.wire = {start, at_ - start};
      m_.questions.push_back(q);
      if constexpr (V::kWanted) {
        text_.clear();
        AppendQuestionText(text_, m_, q);
        Tell(Field::kDnsQuestion, start, q.wire.length, Octets(text_));
      }
      if (index_ == 0xffff) break;
    }
    return true;
  }

  bool Records(Section section, std::uint16_t count) {
    section_ = section;
    for (index_ = 1; index_ <= count; ++index_) {
      if (at_ >= wire_.size()) return Fail(FaultKind::kMissing, at_);
      Record r;
      r.section = section;
      r.wire.offset = at_;
      if (!Name(wire_.size(), r.name, Field::kDnsRecordName)) return false;
      if (wire_.size() - at_ < 10) return Fail(FaultKind::kEndsInRecord, at_);
      r.type = At16(at_);
      r.klass = At16(at_ + 2);
      r.ttl = At32(at_ + 4);
      r.wire_data = {at_ + 10, At16(at_ + 8)};
      if constexpr (V::kWanted) TellFixed(r);
      at_ += 10;
      if (wire_.size() - at_ < r.wire_data.length) {
        return Fail(FaultKind::kEndsInData, at_, static_cast<std::uint32_t>(r.wire_data.length));
      }
      if (!Data(r)) return false;
      r.wire.length = at_ - r.wire.offset;
      if (r.type == kTypeOpt) TakeEdns(r);
      m_.records.push_back(r);
      if constexpr (V::kWanted) {
        text_.clear();
        AppendRecordText(text_, m_, r);
        Tell(Field::kDnsRecord, r.wire.offset, r.wire.length, Octets(text_));
      }
      if (index_ == 0xffff) break;
    }
    return true;
  }

  void TellFixed(const Record& r) {
    TellNumber(Field::kDnsRecordType, at_, 2, r.type);
    if (r.type == kTypeOpt) {
      TellNumber(Field::kDnsEdnsUdpSize, at_ + 2, 2, r.klass);
      TellNumber(Field::kDnsEdnsExtendedRcode, at_ + 4, 1, r.ttl >> 24);
      TellNumber(Field::kDnsEdnsVersion, at_ + 5, 1, r.ttl >> 16 & 0xff);
      TellNumber(Field::kDnsEdnsFlags, at_ + 6, 2, r.ttl & 0xffff);
      TellNumber(Field::kDnsEdnsDo, at_ + 6, 1, r.ttl >> 15 & 1, {7, 1});
    } else {
      TellNumber(Field::kDnsRecordClass, at_ + 2, 2, r.klass);
      TellNumber(Field::kDnsRecordTtl, at_ + 4, 4, r.ttl);
    }
    TellNumber(Field::kDnsRecordLength, at_ + 8, 2, r.wire_data.length);
  }

  void TakeEdns(const Record& r) {
    if (m_.edns.present) {
      Fail(FaultKind::kSecondOpt, r.wire.offset);
      return;
    }
    m_.edns = {true, r.klass, static_cast<std::uint8_t>(r.ttl >> 16), (r.ttl & 0x8000) != 0,
               static_cast<std::uint32_t>(m_.records.size())};
  }

  // DNS Stateful Operations carry TLVs after an empty header (RFC 8490 §5.4).
  void Rest() {
    if (at_ == wire_.size()) return;
    section_ = Section::kQuestion;
    index_ = 0;
    Tell(m_.opcode() == kOpcodeDso ? Field::kDnsData : Field::kDnsExtraneous, at_, wire_.size() - at_, wire_.subspan(at_));
    if (m_.opcode() != kOpcodeDso) Fail(FaultKind::kTrailing, at_, static_cast<std::uint32_t>(wire_.size() - at_));
  }

  // The name at at_, which must not go on past `end`. False only where nobody can know where it ends; otherwise at_ is behind it,
  // and what could be read of it is kept.
  bool Name(std::size_t end, NameRef& name, Field field) {
    const std::size_t start = at_;
    if (end - at_ >= 2 && wire_[at_] >= 0xc0) {
      const std::uint16_t target = At16(at_) & 0x3fff;
      for (std::size_t i = 0; i < seen_count_; ++i) {
        if (seen_[i].target != target) continue;
        at_ += 2;
        complete_ = true;
        name = seen_[i].name;
        if constexpr (V::kWanted) TellName(field, start, name);
        return true;
      }
    }
    name.offset = static_cast<std::uint32_t>(m_.storage.size());
    const bool known_end = ReadName(end);
    name.length = static_cast<std::uint16_t>(m_.storage.size() - name.offset);
    if (m_.storage.size() > limits_.unpacked) return Fail(FaultKind::kTooLarge, start);
    if (!known_end) {
      at_ = end;
      if constexpr (V::kWanted) TellName(field, start, name);
      return false;
    }
    Remember(start, name);
    if constexpr (V::kWanted) TellName(field, start, name);
    return true;
  }

  // Appends the labels to the storage. False: the end of the name on the wire is not known.
  bool ReadName(std::size_t end) {
    const std::size_t base = m_.storage.size();
    std::size_t at = at_;
    std::size_t run = at_;  // where the present run of labels began: a pointer must go before it (RFC 1035 §4.1.4)
    bool jumped = false;
    int pointers = 0;
    complete_ = false;
    for (;;) {
      if (at >= end) return Fail(FaultKind::kEndsInName, at) || jumped;
      const std::uint8_t c = wire_[at];
      if (c == 0) {
        m_.storage.push_back('\0');
        complete_ = true;
        if (!jumped) at_ = at + 1;
        return true;
      }
      if (c <= kMaxLabel) {
        if (end - at <= c) return Fail(FaultKind::kEndsInName, end) || jumped;
        if (m_.storage.size() - base + c + 2 > kMaxName) {
          Fail(FaultKind::kNameTooLong, at);
          return jumped || SkipName(at, end);
        }
        m_.storage.append(reinterpret_cast<const char*>(wire_.data()) + at, c + 1u);
        at += c + 1u;
        continue;
      }
      if (c < 0xc0) return Fail(FaultKind::kLabelType, at, c) || jumped;
      if (end - at < 2) return Fail(FaultKind::kEndsInName, end) || jumped;
      const std::uint16_t target = At16(at) & 0x3fff;
      if (!jumped) at_ = at + 2;
      jumped = true;
      if (++pointers > limits_.pointers) return Fail(FaultKind::kTooManyPointers, at, target) || jumped;
      if (target >= run || target < kHeaderSize) Fail(FaultKind::kForwardPointer, at, target);
      at = run = target;
      end = wire_.size();
    }
  }

  // Past a name that is too long to be one.
  bool SkipName(std::size_t at, std::size_t end) {
    while (at < end) {
      const std::uint8_t c = wire_[at];
      if (c == 0 || (c >= 0xc0 && end - at >= 2)) {
        at_ = at + (c == 0 ? 1 : 2);
        return true;
      }
      if (c > kMaxLabel || end - at <= c) return false;
      at += c + 1u;
    }
    return false;
  }

  // Most names of an answer are pointers to the same few places.
  void Remember(std::size_t start, NameRef name) {
    if (start > 0x3fff || seen_count_ == seen_.size() || m_.malformed()) return;
    if (wire_[start] >= 0xc0) {
      seen_[seen_count_++] = {static_cast<std::uint16_t>(At16(start) & 0x3fff), name};
    } else {
      seen_[seen_count_++] = {static_cast<std::uint16_t>(start), name};
    }
  }

  void TellName(Field field, std::size_t start, NameRef name) {
    text_.clear();
    AppendName(text_, m_.NameOctets(name), false);
    Tell(field, start, at_ - start, Octets(text_));
    for (std::size_t at = start; at < at_;) {
      const std::uint8_t c = wire_[at];
      if (c == 0) {
        TellNumber(Field::kDnsNameEnd, at++, 1, 0);
      } else if (c >= 0xc0 && at_ - at >= 2) {
        TellNumber(Field::kDnsNamePointer, at, 2, At16(at) & 0x3fffu, {0, 0x3fff});
        at += 2;
      } else if (c <= kMaxLabel && at_ - at > c) {
        TellNumber(Field::kDnsNameLabelLength, at, 1, c);
        Tell(Field::kDnsNameLabel, at + 1, c, AsOctets(wire_.subspan(at + 1, c)));
        at += c + 1u;
      } else {
        Tell(Field::kDnsData, at, at_ - at, wire_.subspan(at, at_ - at));
        return;
      }
    }
  }

  // The record's data, from at_. False: unpacked too large.
  bool Data(Record& r) {
    const std::size_t end = r.wire_data.offset + r.wire_data.length;
    r.data = static_cast<std::uint32_t>(m_.storage.size());
    const std::size_t seen_before = seen_count_;
    const TypeInfo* info = FindType(r.type);
    // A prerequisite or deletion of UPDATE has no data (RFC 2136 §2.4).
    const bool empty = r.wire_data.length == 0 && m_.opcode() == kOpcodeUpdate;
    r.opaque = info == nullptr || info->opaque() || empty;
    if (!r.opaque) {
      copied_ = at_;
      const std::size_t begin = at_;
      bool good = true;
      for (const PartInfo* p = info->parts; p->part != Part::kEnd && good; ++p) good = TakePart(*p, end);
      if (good && at_ != end) good = Fail(FaultKind::kBadData, at_);
      Flush();
      if (!good) {
        if (m_.fault.kind == FaultKind::kNone) Fail(FaultKind::kBadData, at_);
        m_.storage.resize(r.data);
        seen_count_ = seen_before;  // what these data added lay in what was just taken away
        r.opaque = true;
        at_ = begin;
      }
    }
    if (r.opaque) {
      m_.storage.append(AsOctets(wire_.subspan(at_, end - at_)));
      Tell(Field::kDnsData, at_, end - at_, wire_.subspan(at_, end - at_));
    }
    at_ = end;
    r.data_length = static_cast<std::uint32_t>(m_.storage.size() - r.data);
    if (m_.storage.size() > limits_.unpacked) return Fail(FaultKind::kTooLarge, r.wire_data.offset);
    return true;
  }

  // Data octets up to at_ go into the storage as they are.
  void Flush() {
    m_.storage.append(AsOctets(wire_.subspan(copied_, at_ - copied_)));
    copied_ = at_;
  }

  bool TakePart(PartInfo p, std::size_t end) {
    switch (p.part) {
      case Part::kName:
      case Part::kPlainName:
        return TakeName(p.field, end);
      case Part::kAddress4:
        return TakeOctets(p.field, 4, end);
      case Part::kAddress6:
        return TakeOctets(p.field, 16, end);
      case Part::kNumber8:
        return TakeNumber(p.field, 1, end);
      case Part::kNumber16:
      case Part::kType:
      case Part::kRcode:
        return TakeNumber(p.field, 2, end);
      case Part::kNumber32:
      case Part::kTime:
        return TakeNumber(p.field, 4, end);
      case Part::kNumber48:
        return TakeNumber(p.field, 6, end);
      case Part::kString:
      case Part::kTag:
      case Part::kHexCounted:
        return TakeCounted(p.field, 1, end);
      case Part::kBase32Counted:  // never empty (RFC 5155 §3.2), and as text nothing would be left of it
        if (at_ < end && wire_[at_] == 0) return Fail(FaultKind::kBadData, at_, 0);
        return TakeCounted(p.field, 1, end);
      case Part::kBase64Counted:
        return TakeCounted(p.field, 2, end);
      case Part::kStrings:
        do {
          if (!TakeCounted(p.field, 1, end)) return false;
        } while (at_ < end);
        return true;
      case Part::kText:
      case Part::kHex:
      case Part::kBase64:
        return TakeOctets(p.field, end - at_, end);
      case Part::kTypeBitmap:
        return TakeBitmap(p.field, end);
      case Part::kEui:
        return TakeOctets(p.field, p.field == Field::kDnsEui48 ? 6 : 8, end);
      case Part::kParameters:
        return TakeParameters(end);
      case Part::kOptions:
        return TakeOptions(end);
      case Part::kLocation:
        return TakeOctets(p.field, 16, end);
      case Part::kEnd:
        break;
    }
    return true;
  }

  bool TakeName(Field field, std::size_t end) {
    Flush();
    const std::size_t old = m_.storage.size();
    NameRef name;
    const bool known_end = Name(end, name, field);
    copied_ = at_;
    // A remembered name lies elsewhere in the storage; the data need their own copy.
    if (known_end && name.offset != old) {
      m_.storage.resize(old + name.length);
      std::memcpy(m_.storage.data() + old, m_.storage.data() + name.offset, name.length);
    }
    // Data with a broken name in them are shown as they came.
    return known_end && complete_;
  }

  bool TakeNumber(Field field, std::size_t size, std::size_t end) {
    if (end - at_ < size) return Fail(FaultKind::kBadData, end);
    if constexpr (V::kWanted) {
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < size; ++i) value = value << 8 | wire_[at_ + i];
      TellNumber(field, at_, size, value);
    }
    at_ += size;
    return true;
  }

  bool TakeOctets(Field field, std::size_t size, std::size_t end) {
    if (end - at_ < size) return Fail(FaultKind::kBadData, end);
    Tell(field, at_, size, wire_.subspan(at_, size));
    at_ += size;
    return true;
  }

  bool TakeCounted(Field field, std::size_t size, std::size_t end) {
    if (end - at_ < size) return Fail(FaultKind::kBadData, end);
    const std::size_t count = size == 1 ? wire_[at_] : At16(at_);
    if (end - at_ - size < count) return Fail(FaultKind::kBadData, at_, static_cast<std::uint32_t>(count));
    TellNumber(LengthField(field), at_, size, count);
    Tell(field, at_ + size, count, AsOctets(wire_.subspan(at_ + size, count)));
    at_ += size + count;
    return true;
  }

  // Windows of 256 types, ascending, 1 to 32 octets each (RFC 4034 §4.1.2).
  bool TakeBitmap(Field field, std::size_t end) {
    const std::size_t start = at_;
    int last = -1;
    while (at_ < end) {
      if (end - at_ < 2 || wire_[at_] <= last || wire_[at_ + 1] < 1 || wire_[at_ + 1] > 32 || end - at_ - 2 < wire_[at_ + 1]) {
        return Fail(FaultKind::kBadData, at_);
      }
      last = wire_[at_];
      at_ += 2u + wire_[at_ + 1];
    }
    if (at_ > start) Tell(field, start, at_ - start, wire_.subspan(start, at_ - start));
    return true;
  }

  // Keys ascending (RFC 9460 §2.2).
  bool TakeParameters(std::size_t end) {
    int last = -1;
    while (at_ < end) {
      if (end - at_ < 4 || At16(at_) <= last || end - at_ - 4 < At16(at_ + 2)) return Fail(FaultKind::kBadData, at_);
      last = At16(at_);
      const std::size_t size = At16(at_ + 2);
      TellNumber(Field::kDnsSvcbKey, at_, 2, At16(at_));
      TellNumber(Field::kDnsSvcbValueLength, at_ + 2, 2, size);
      Tell(Field::kDnsSvcbValue, at_ + 4, size, wire_.subspan(at_ + 4, size));
      at_ += 4 + size;
    }
    return true;
  }

  bool TakeOptions(std::size_t end) {
    while (at_ < end) {
      if (end - at_ < 4 || end - at_ - 4 < At16(at_ + 2)) return Fail(FaultKind::kBadData, at_);
      const std::uint16_t code = At16(at_);
      const std::size_t size = At16(at_ + 2);
      Tell(Field::kDnsOption, at_, 4 + size, wire_.subspan(at_, 4 + size));
      TellNumber(Field::kDnsOptionCode, at_, 2, code);
      TellNumber(Field::kDnsOptionLength, at_ + 2, 2, size);
      if constexpr (V::kWanted) TellOption(code, at_ + 4, size);
      if (!GoodOption(code, wire_.subspan(at_ + 4, size))) Fail(FaultKind::kBadOption, at_, code);
      at_ += 4 + size;
    }
    return true;
  }

  // A client subnet whose octets are not those of its prefix (RFC 7871 §6), a cookie of a wrong length (RFC 7873 §4).
  static bool GoodOption(std::uint16_t code, Bytes data) {
    if (code == 10) return data.size() == 8 || (data.size() >= 16 && data.size() <= 40);
    if (code != 8) return true;
    if (data.size() < 4) return false;
    const std::uint16_t family = Load16(data.data());
    const std::uint8_t prefix = data[2];
    if (family == 0) return prefix == 0 && data.size() == 4;  // "no address": what dig sends for +subnet=0
    if (family > 2 || prefix > (family == 1 ? 32 : 128) || data.size() - 4 != (prefix + 7u) / 8) return false;
    return prefix % 8 == 0 || (data.back() & 0xff >> prefix % 8) == 0;
  }

  void TellOption(std::uint16_t code, std::size_t at, std::size_t size) {
    if (code == 8 && size >= 4) {  // RFC 7871 §6
      TellNumber(Field::kDnsEcsFamily, at, 2, At16(at));
      TellNumber(Field::kDnsEcsSource, at + 2, 1, wire_[at + 2]);
      TellNumber(Field::kDnsEcsScope, at + 3, 1, wire_[at + 3]);
      Tell(Field::kDnsEcsAddress, at + 4, size - 4, wire_.subspan(at + 4, size - 4));
    } else if (code == 10 && size >= 8) {  // RFC 7873 §4
      Tell(Field::kDnsCookieClient, at, 8, wire_.subspan(at, 8));
      if (size > 8) Tell(Field::kDnsCookieServer, at + 8, size - 8, wire_.subspan(at + 8, size - 8));
    } else if (code == 15 && size >= 2) {  // RFC 8914 §2
      TellNumber(Field::kDnsExtendedErrorCode, at, 2, At16(at));
      Tell(Field::kDnsExtendedErrorText, at + 2, size - 2, AsOctets(wire_.subspan(at + 2, size - 2)));
    } else {
      Tell(Field::kDnsOptionData, at, size, wire_.subspan(at, size));
    }
  }

  struct Seen {
    std::uint16_t target;
    NameRef name;
  };

  Bytes wire_;
  std::size_t length_;
  Message& m_;
  const MessageLimits& limits_;
  V& visit_;
  std::size_t at_ = 0;
  std::size_t copied_ = 0;
  Section section_ = Section::kQuestion;
  std::uint16_t index_ = 0;
  std::array<Seen, 12> seen_;
  std::size_t seen_count_ = 0;
  bool complete_ = false;  // the latest name was read to its root label
  std::string text_;       // of fields
};

// Decode, telling every field.
template <class V>
void DecodeFields(Octets wire, std::size_t length, Message& message, V& visitor, const MessageLimits& limits = {}) {
  Decoder<V>(wire, length, message, limits, visitor).Run();
}

}  // namespace glasspost::dns

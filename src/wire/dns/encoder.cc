// From a Message to octets: RFC 1035 §4.1, names compressed as §4.1.4 says where RFC 3597 §4 lets them be.
#include <algorithm>
#include <array>

#include "wire/dns/layout.h"
#include "wire/dns/message.h"

namespace glasspost::dns {
namespace {

class Encoder {
 public:
  Encoder(const Message& m, std::string& out, bool compress) : m_(m), out_(out), base_(out.size()), compress_(compress) {}

  bool Run(std::size_t limit) {
    const auto count = [&](Section s) { return static_cast<std::size_t>(std::ranges::count(m_.records, s, &Record::section)); };
    const std::size_t counts[] = {m_.questions.size(), count(Section::kAnswer), count(Section::kAuthority),
                                  count(Section::kAdditional)};
    if (std::ranges::any_of(counts, [](std::size_t n) { return n > 0xffff; })) return false;
    Put16(m_.id);
    Put16(m_.flags);
    for (const std::size_t n : counts) Put16(static_cast<std::uint16_t>(n));
    for (const Question& q : m_.questions) {
      PutName(m_.NameOctets(q.name), true);
      Put16(q.type);
      Put16(q.klass);
      if (Size() > limit) return false;
    }
    for (const Section s : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
      for (const Record& r : m_.records) {
        if (r.section != s) continue;
        if (!PutRecord(r) || Size() > limit) return false;
      }
    }
    return Size() <= limit;
  }

 private:
  std::size_t Size() const { return out_.size() - base_; }
  void Put16(std::uint16_t v) {
    out_ += static_cast<char>(v >> 8);
    out_ += static_cast<char>(v);
  }

  bool PutRecord(const Record& r) {
    PutName(m_.NameOctets(r.name), true);
    Put16(r.type);
    Put16(r.klass);
    Put16(static_cast<std::uint16_t>(r.ttl >> 16));
    Put16(static_cast<std::uint16_t>(r.ttl));
    const std::size_t length_at = out_.size();
    Put16(0);
    PutData(r);
    const std::size_t length = out_.size() - length_at - 2;
    if (length > 0xffff) return false;
    out_[length_at] = static_cast<char>(length >> 8);
    out_[length_at + 1] = static_cast<char>(length);
    return true;
  }

  // Of the types whose names may be compressed, all begin with them but MX, which has two octets before.
  void PutData(const Record& r) {
    Octets data = m_.Data(r);
    const TypeInfo* info = r.opaque ? nullptr : FindType(r.type);
    if (info != nullptr) {
      for (const PartInfo* p = info->parts; p->part != Part::kEnd; ++p) {
        if (p->part == Part::kNumber16 && p[1].part == Part::kName && data.size() >= 2) {
          out_ += data.substr(0, 2);
          data.remove_prefix(2);
        } else if (p->part == Part::kName) {
          data.remove_prefix(PutName(data, true));
        } else {
          break;
        }
      }
    }
    out_ += data;
  }

  // Writes the name at the front of `name`, and tells how many octets of it that were.
  std::size_t PutName(Octets name, bool compress) {
    std::size_t at = 0;
    while (at < name.size() && name[at] != 0) {
      const std::size_t size = 1u + static_cast<std::uint8_t>(name[at]);
      const Octets suffix = name.substr(at);
      if (compress && compress_ && Point(suffix)) return at + EndOf(suffix);
      out_ += name.substr(at, size);
      at += size;
    }
    out_ += '\0';
    return std::min(at + 1, name.size());
  }

  static std::size_t EndOf(Octets name) {
    std::size_t at = 0;
    while (at < name.size() && name[at] != 0) at += 1u + static_cast<std::uint8_t>(name[at]);
    return std::min(at + 1, name.size());
  }

  // Writes a pointer to an earlier place with these labels; else remembers that they stand here now.
  bool Point(Octets suffix) {
    std::uint32_t hash = 2166136261u;
    for (const char c : suffix.substr(0, EndOf(suffix))) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
    std::uint16_t& slot = places_[(hash ^ hash >> 15) % places_.size()];
    if (slot != 0 && StandsAt(suffix, slot)) {
      Put16(static_cast<std::uint16_t>(0xc000 | slot));
      return true;
    }
    if (Size() <= 0x3fff) slot = static_cast<std::uint16_t>(Size());
    return false;
  }

  // Octet by octet: a name is not to change its case by being compressed.
  bool StandsAt(Octets name, std::size_t place) const {
    const Octets out = Octets(out_).substr(base_);
    std::size_t at = 0;
    for (;;) {
      if (place >= out.size() || at >= name.size()) return false;
      const auto c = static_cast<std::uint8_t>(out[place]);
      if (c >= 0xc0) {
        place = (c & 0x3fu) << 8 | static_cast<std::uint8_t>(out[place + 1]);
        continue;
      }
      if (out.substr(place, c + 1u) != name.substr(at, c + 1u)) return false;
      if (c == 0) return true;
      place += c + 1u;
      at += c + 1u;
    }
  }

  const Message& m_;
  std::string& out_;
  const std::size_t base_;
  const bool compress_;
  // By hash, the latest place of a name's tail; a collision only costs compression.
  std::array<std::uint16_t, 512> places_{};
};

}  // namespace

bool Encode(const Message& message, std::string& out, std::size_t limit, bool compress) {
  const std::size_t before = out.size();
  if (Encoder(message, out, compress).Run(limit)) return true;
  out.resize(before);
  return false;
}

}  // namespace glasspost::dns

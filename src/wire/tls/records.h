// The TLS record layer (RFC 8446 §5.1, RFC 5246 §6.2): recognising it, and splitting one direction's stream into records.
// Zero-copy: a record that lies whole in one input is a view into it; bodies that nobody wants are skipped, not gathered.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::tls {

enum ContentType : std::uint8_t { kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23, kHeartbeat = 24 };

inline constexpr std::size_t kRecordHeader = 5;
// RFC 5246 §6.2.3: 2^14 octets and at most 2048 for compression and cipher. Stops a forged length from swallowing a stream.
inline constexpr std::size_t kMaxRecordBody = 16384 + 2048;

struct RecordHeader {
  std::uint8_t type = 0;
  std::uint16_t version = 0;
  std::uint16_t length = 0;  // of the body
};

// Reads 5 octets. False: they are no record header (unknown content type, version not 3.x, more than kMaxRecordBody octets).
inline bool ParseRecordHeader(Bytes b, RecordHeader& h) {
  if (b.size() < kRecordHeader) return false;
  h = {b[0], Load16(&b[1]), Load16(&b[3])};
  return h.type >= kChangeCipherSpec && h.type <= kHeartbeat && h.version >= 0x0300 && h.version <= 0x0304 &&
         h.length <= kMaxRecordBody;
}

enum class Likeness : std::uint8_t { kNo, kMore, kYes };
inline constexpr std::size_t kEnoughToTell = 11;  // octets with which LooksLikeTls never answers kMore
// Whether the first octets of a direction begin TLS: a record with a ClientHello or ServerHello, an alert (a server that refuses
// at once), or a ClientHello in SSLv2's framing (RFC 5246 §E.2). kMore: so far yes, but too few octets to be sure.
Likeness LooksLikeTls(Octets first);

// SSLv2's framing of a ClientHello at the beginning of `b`: its whole length (header included), 0 if it is none. Needs 11 octets.
std::size_t Ssl2HelloLength(Bytes b);

// Whether more octets may still make a record (or, as `first`, SSLv2's hello) of `b`, which is none yet.
inline bool MayBegin(Bytes b, bool first) {
  return b.size() < kRecordHeader || (first && b.size() < kEnoughToTell && (b[0] & 0x80) != 0 && b[2] == 1);
}

// One direction's stream, cut into records. Sink: bool Wants(const RecordHeader&) says whether the body is to be gathered;
// void OnRecord(const RecordHeader&, Bytes record) gets a wanted record with its header (view good during the call);
// void OnSkipped(const RecordHeader&) is called for an unwanted one at its header; void OnSsl2Hello(Bytes) for SSLv2's
// ClientHello.
class RecordSplitter {
 public:
  // False: the stream is not (or no longer) TLS; it is ignored from there until Resync() finds a record again.
  template <class Sink>
  bool Feed(Octets input, Sink&& sink);
  // `length` octets are missing. A gap inside a body costs that record only; one that covers a header costs the place, which is
  // taken up again at the first input that begins like a record.
  void Skip(std::uint64_t length);
  bool lost() const { return lost_; }
  std::size_t held() const { return carry_.size(); }
  // Octets of a record whose end has not come.
  bool inside_record() const { return skip_ > 0 || !carry_.empty(); }

 private:
  template <class Sink>
  bool Begin(Octets& input, Sink&& sink);

  std::string carry_;       // header and body so far of a record that crosses inputs
  std::uint64_t skip_ = 0;  // octets of an unwanted or damaged body still to come
  std::size_t need_ = 0;    // whole length of the record in carry_, 0 until its header is known
  bool first_ = true;       // SSLv2's ClientHello can only come first
  bool ssl2_ = false;       // the record in carry_ is one
  bool lost_ = false;
  bool broken_ = false;  // lost without a gap: what came was no record
};

template <class Sink>
bool RecordSplitter::Feed(Octets input, Sink&& sink) {
  if (lost_ && !broken_) {
    RecordHeader h;
    if (!ParseRecordHeader(AsBytes(input), h)) return true;
    lost_ = false;
  }
  while (!input.empty() && !broken_) {
    if (skip_ > 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size()));
      input.remove_prefix(n);
      skip_ -= n;
      continue;
    }
    if (need_ == 0) {
      if (!Begin(input, sink)) return false;
      continue;
    }
    const std::size_t n = std::min(need_ - carry_.size(), input.size());
    carry_.append(input.substr(0, n));
    input.remove_prefix(n);
    if (carry_.size() < need_) break;
    RecordHeader h;
    if (ssl2_)
      sink.OnSsl2Hello(AsBytes(carry_));
    else if (ParseRecordHeader(AsBytes(carry_), h))
      sink.OnRecord(h, AsBytes(carry_));
    carry_.clear();
    need_ = 0;
    ssl2_ = false;
  }
  return !broken_;
}

// At a record's header: hands out a record that lies whole in `input`, or begins to gather or to skip.
template <class Sink>
bool RecordSplitter::Begin(Octets& input, Sink&& sink) {
  const std::size_t enough = first_ ? kEnoughToTell : kRecordHeader;
  Octets head = input;
  const std::size_t had = carry_.size();
  if (had > 0) {
    carry_.append(input.substr(0, std::min(enough - had, input.size())));
    head = carry_;
  }
  RecordHeader h;
  const bool plain = ParseRecordHeader(AsBytes(head), h);
  const std::size_t ssl2 = !plain && first_ ? Ssl2HelloLength(AsBytes(head)) : 0;
  if (!plain && ssl2 == 0) {
    if (!MayBegin(AsBytes(head), first_)) return lost_ = broken_ = true, false;
    if (had == 0) carry_ = input;
    input = {};
    return true;
  }
  first_ = false;
  ssl2_ = ssl2 > 0;
  need_ = ssl2_ ? ssl2 : kRecordHeader + h.length;
  if (!ssl2_ && !sink.Wants(h)) {
    sink.OnSkipped(h);
    skip_ = need_ - had;
    need_ = 0;
    carry_.clear();
    return true;
  }
  if (had == 0 && input.size() >= need_) {
    const Bytes record = AsBytes(input.substr(0, need_));
    input.remove_prefix(need_);
    need_ = 0;
    const bool old = ssl2_;
    ssl2_ = false;
    old ? sink.OnSsl2Hello(record) : sink.OnRecord(h, record);
    return true;
  }
  // The octets that were only looked at go back to `input`, from where Feed gathers them.
  carry_.resize(had);
  return true;
}

}  // namespace glasspost::tls

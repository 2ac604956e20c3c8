#include "wire/tls/records.h"

#include <algorithm>

namespace glasspost::tls {
namespace {

constexpr std::uint8_t kClientHelloType = 1;
constexpr std::uint8_t kServerHelloType = 2;
constexpr std::size_t kSsl2Fixed = 9;  // type, version and three lengths

}  // namespace

std::size_t Ssl2HelloLength(Bytes b) {
  if (b.size() < kEnoughToTell || (b[0] & 0x80) == 0 || b[2] != kClientHelloType) return 0;
  const std::size_t length = static_cast<std::size_t>((b[0] & 0x7f) << 8 | b[1]);
  const std::uint16_t version = Load16(&b[3]);
  if (version != 0x0002 && (version < 0x0300 || version > 0x0304)) return 0;
  const std::size_t suites = Load16(&b[5]);
  const std::size_t session = Load16(&b[7]);
  const std::size_t challenge = Load16(&b[9]);
  const bool sane = suites > 0 && suites % 3 == 0 && (session == 0 || session == 16) && challenge >= 16 && challenge <= 32;
  return sane && length == kSsl2Fixed + suites + session + challenge ? length + 2 : 0;
}

Likeness LooksLikeTls(Octets first) {
  const Bytes b = AsBytes(first);
  if (b.empty()) return Likeness::kMore;
  if ((b[0] & 0x80) != 0) {
    if (b.size() < kEnoughToTell) return b.size() < 3 || b[2] == kClientHelloType ? Likeness::kMore : Likeness::kNo;
    return Ssl2HelloLength(b) > 0 ? Likeness::kYes : Likeness::kNo;
  }
  if (b[0] != kHandshake && b[0] != kAlert) return Likeness::kNo;
  if (b.size() > 1 && b[1] != 3) return Likeness::kNo;
  if (b.size() > 2 && b[2] > 4) return Likeness::kNo;
  if (b.size() < kRecordHeader) return Likeness::kMore;
  const std::uint16_t length = Load16(&b[3]);
  if (b[0] == kAlert) {
    if (length != 2) return Likeness::kNo;
    if (b.size() < kRecordHeader + 2) return Likeness::kMore;
    return b[5] == 1 || b[5] == 2 ? Likeness::kYes : Likeness::kNo;
  }
  if (length == 0 || length > 16384) return Likeness::kNo;
  if (b.size() > 5 && b[5] != kClientHelloType && b[5] != kServerHelloType) return Likeness::kNo;
  // A hello has 24 bits of length, of which the first eight are never used: it would be over 64 KiB.
  if (b.size() > 6 && length > 1 && b[6] > 1) return Likeness::kNo;
  // Not even its header in the first record (some evade filters so): the next one goes on with it.
  if (length < 4) {
    const Bytes next = b.subspan(std::min(b.size(), std::size_t{kRecordHeader} + length));
    const bool other =
        (next.size() > 0 && next[0] != kHandshake) || (next.size() > 1 && next[1] != 3) || (next.size() > 2 && next[2] > 4);
    return other ? Likeness::kNo : next.size() < 3 ? Likeness::kMore : Likeness::kYes;
  }
  return b.size() < 7 ? Likeness::kMore : Likeness::kYes;
}

void RecordSplitter::Skip(std::uint64_t length) {
  if (lost_) return;
  first_ = ssl2_ = false;
  const std::uint64_t rest = need_ > 0 ? need_ - carry_.size() : skip_;
  const bool known = need_ > 0 || skip_ > 0;
  carry_.clear();
  need_ = 0;
  skip_ = 0;
  if (known && length <= rest)
    skip_ = rest - length;
  else
    lost_ = true;
}

}  // namespace glasspost::tls

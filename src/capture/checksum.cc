#include "capture/checksum.h"

namespace glasspost::capture {

std::string_view Name(ChecksumStatus status) {
  static constexpr std::string_view kNames[] = {"bad", "good", "not checkable", "not present", "illegal", "partial (offload)"};
  return kNames[static_cast<int>(status)];
}

std::string_view NameChinese(ChecksumStatus status) {
  static constexpr std::string_view kNames[] = {"错误", "正确", "无法校验", "未使用", "非法", "部分(网卡卸载)"};
  return kNames[static_cast<int>(status)];
}

std::uint64_t AddWords(std::uint64_t sum, Bytes data) {
  std::size_t i = 0;
  for (; i + 2 <= data.size(); i += 2) sum += Load16(data.data() + i);
  if (i < data.size()) sum += std::uint64_t{data[i]} << 8;
  return sum;
}

std::uint16_t Fold(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

ChecksumResult CheckIpv4Header(Bytes header) {
  constexpr std::size_t kAt = 10;
  const std::uint64_t sum = AddWords(0, header);
  const auto rest = static_cast<std::uint16_t>(~Fold(sum - Load16(header.data() + kAt)));
  return {Fold(sum) == 0xffff ? ChecksumStatus::kGood : ChecksumStatus::kBad, rest, true};
}

ChecksumResult CheckTransport(Bytes source, Bytes destination, std::uint8_t protocol, Bytes segment, std::size_t at) {
  constexpr std::uint8_t kUdpProtocol = 17;
  const std::uint16_t stored = Load16(segment.data() + at);
  const std::uint64_t addresses = AddWords(AddWords(0, source), destination) + protocol;
  const std::uint64_t pseudo = addresses + segment.size();
  const std::uint64_t sum = AddWords(pseudo, segment);
  ChecksumResult r;
  r.calculated = static_cast<std::uint16_t>(~Fold(sum - stored));
  r.known = true;
  if (protocol == kUdpProtocol) {
    if (r.calculated == 0) r.calculated = 0xffff;  // RFC 768: 0 says that there is none
    if (stored == 0) {
      r.status = source.size() == 4 ? ChecksumStatus::kNotPresent : ChecksumStatus::kIllegal;
      return r;
    }
  }
  if (Fold(sum) == 0xffff) {
    r.status = ChecksumStatus::kGood;
  } else if (stored == Fold(pseudo) || stored == Fold(addresses)) {  // the latter for segments that the card was to cut up
    r.status = ChecksumStatus::kPartial;
  } else {
    r.status = ChecksumStatus::kBad;
  }
  return r;
}

}  // namespace glasspost::capture

#include "capture/pcap_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace glasspost::capture {
namespace {

constexpr std::size_t kFileHeader = 24;
constexpr std::uint32_t kRecordHeader = 16;
constexpr std::uint32_t kModifiedRecordHeader = 24;  // and interface, protocol, packet type
constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::uint16_t kDgUxMajor = 543;  // written by tcpdump of DG/UX
constexpr std::int64_t kSecond = 1'000'000'000;

bool IsMagic(std::uint32_t v) { return v == kMicroseconds || v == kNanoseconds || v == kModified; }

template <bool kSwapped>
std::uint32_t Load(const std::uint8_t* p) {
  const auto v = LoadNative<std::uint32_t>(p);
  return kSwapped ? SwapOctets(v) : v;
}

}  // namespace

bool PcapReader::Recognizes(Bytes beginning) {
  if (beginning.size() < 4) return false;
  const auto magic = LoadNative<std::uint32_t>(beginning.data());
  return IsMagic(magic) || IsMagic(SwapOctets(magic));
}

std::optional<ReaderFault> PcapReader::ParseHeader(Bytes header) {
  auto magic = LoadNative<std::uint32_t>(header.data());
  if (!Recognizes(header)) return ReaderFault{0, "not a pcap file: unknown magic number", {}};
  swapped_ = !IsMagic(magic);
  if (swapped_) magic = SwapOctets(magic);
  fraction_ = magic == kNanoseconds ? 1 : 1000;
  record_header_ = magic == kModified ? kModifiedRecordHeader : kRecordHeader;
  auto major = LoadNative<std::uint16_t>(header.data() + 4);
  auto minor = LoadNative<std::uint16_t>(header.data() + 6);
  auto network = LoadNative<std::uint32_t>(header.data() + 20);
  if (swapped_) {
    major = SwapOctets(major);
    minor = SwapOctets(minor);
    network = SwapOctets(network);
  }
  if (major != 2 && major != kDgUxMajor)
    return ReaderFault{4, fmt::format("pcap version {}.{} is not known", major, minor),
                       "the file is damaged, or open it with the program that wrote it and save it as pcap"};
  // Early writers put the length on the wire before the captured length; with 2.3 some did and some did not.
  length_order_ = major == kDgUxMajor || minor < 3 ? LengthOrder::kWireFirst
                  : minor == 3                     ? LengthOrder::kMaybeWireFirst
                                                   : LengthOrder::kCapturedFirst;
  link_ = static_cast<LinkType>(network & 0xffff);  // the upper bits tell the octets of frame check sequence
  offset_ = kFileHeader;
  return {};
}

std::uint32_t PcapReader::CapturedLength(std::uint32_t first, std::uint32_t second) const {
  if (length_order_ == LengthOrder::kCapturedFirst) return first;
  if (length_order_ == LengthOrder::kWireFirst) return second;
  return std::min(first, second);
}

template <bool kSwapped>
ReaderProgress PcapReader::ParseRecords(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames) {
  const std::uint8_t* const begin = octets.data();
  const std::uint8_t* const end = begin + octets.size();
  const std::uint8_t* at = begin;
  const std::uint32_t header = record_header_;
  const std::uint32_t limit = limits_.packet_octets;
  const auto fraction = static_cast<std::int64_t>(fraction_);
  const LinkType link = link_;
  const bool captured_first = length_order_ == LengthOrder::kCapturedFirst;
  std::uint64_t count = 0;
  ReaderProgress progress;
  while (static_cast<std::size_t>(end - at) >= header) {
    const std::uint32_t first = Load<kSwapped>(at + 8);
    const std::uint32_t second = Load<kSwapped>(at + 12);
    const std::uint32_t captured = captured_first ? first : CapturedLength(first, second);
    if (captured > limit) [[unlikely]] {
      progress.fault = ReaderFault{offset_ + static_cast<std::uint64_t>(at - begin),
                                   fmt::format("packet length {} is beyond {}: the file is damaged here", captured, limit),
                                   "what came before it was read; copy the file again, or cut it at this place"};
      break;
    }
    if (static_cast<std::size_t>(end - at) - header < captured) break;
    const std::int64_t time = std::int64_t{Load<kSwapped>(at)} * kSecond + std::int64_t{Load<kSwapped>(at + 4)} * fraction;
    // Some writers state less than they captured; the octets are there, so they were on the wire.
    frames.push_back({number + ++count, time, link, std::max(first, second), Bytes(at + header, captured)});
    at += header + captured;
  }
  number += count;
  records_ += count;
  progress.consumed = static_cast<std::size_t>(at - begin);
  offset_ += progress.consumed;
  return progress;
}

ReaderProgress PcapReader::Parse(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames) {
  std::size_t header = 0;
  if (offset_ == 0) {
    if (octets.size() < kFileHeader) return {};
    if (auto fault = ParseHeader(octets.first(kFileHeader))) return {0, std::move(fault)};
    header = kFileHeader;
  }
  octets = octets.subspan(header);
  ReaderProgress progress = swapped_ ? ParseRecords<true>(octets, number, frames) : ParseRecords<false>(octets, number, frames);
  progress.consumed += header;
  return progress;
}

std::optional<ReaderFault> PcapReader::End(Bytes rest) const {
  if (offset_ == 0)
    return ReaderFault{0, fmt::format("the file ends inside its header, after {} of {} octets", rest.size(), kFileHeader),
                       "copy the file again"};
  if (rest.empty()) return {};
  if (rest.size() < record_header_)
    return ReaderFault{offset_,
                       fmt::format("the file ends inside the record header of its packet {}, after {} of {} octets", records_ + 1,
                                   rest.size(), record_header_),
                       "the capture was cut short; all packets before it were read"};
  const auto load = [&](std::size_t i) { return swapped_ ? Load<true>(rest.data() + i) : Load<false>(rest.data() + i); };
  return ReaderFault{offset_,
                     fmt::format("the file ends inside its packet {}, after {} of {} octets", records_ + 1, rest.size(),
                                 std::uint64_t{record_header_} + CapturedLength(load(8), load(12))),
                     "the capture was cut short; all packets before it were read"};
}

}  // namespace glasspost::capture

#include "capture/pcapng_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace glasspost::capture {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;  // the same in both octet orders
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kOldPacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kSecrets = 10;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kTlsKeyLog = 0x544c534b;  // "TLSK"

constexpr std::uint32_t kFrameOctets = 12;  // of every block: type, length, length again
constexpr std::uint32_t kSectionOctets = 28;
constexpr std::uint16_t kOptionTimeResolution = 9;
constexpr std::uint16_t kOptionTimeOffset = 14;

constexpr std::size_t Padded(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

bool IsLookedInto(std::uint32_t type) {
  return type == kSection || type == kInterface || type == kOldPacket || type == kSimplePacket || type == kEnhancedPacket ||
         type == kSecrets;
}

}  // namespace

bool PcapngReader::Recognizes(Bytes beginning) {
  return beginning.size() >= 4 && LoadNative<std::uint32_t>(beginning.data()) == kSection;
}

PcapngReader::Fault PcapngReader::Damaged(std::string what) const {
  return ReaderFault{block_offset_, std::move(what),
                     "the file is damaged here; what came before it was read: copy the file again, or cut it at this place"};
}

std::optional<PcapngReader::Block> PcapngReader::ParseBlockHeader(Bytes octets, Fault& fault) {
  block_offset_ = offset_;
  if (octets.size() < kFrameOctets) return {};
  const std::uint8_t* p = octets.data();
  Block block{LoadNative<std::uint32_t>(p), 0};
  if (block.type == kSection) {  // sets the octet order, also of its own length
    const auto magic = LoadNative<std::uint32_t>(p + 8);
    if (magic != kByteOrderMagic && magic != SwapOctets(kByteOrderMagic)) {
      fault = Damaged(fmt::format("a section header with the unknown byte-order magic {:08x}", magic));
      return {};
    }
    swapped_ = magic != kByteOrderMagic;
  } else if (!in_section_) {
    fault = Damaged("not a pcapng file: it does not begin with a section header");
    return {};
  } else {
    block.type = U32(p);
  }
  block.length = U32(p + 4);
  const std::uint32_t least = block.type == kSection ? kSectionOctets : kFrameOctets;
  if (block.length < least || block.length % 4 != 0) {
    fault = Damaged(fmt::format("block length {} is {}", block.length,
                                block.length < least ? "less than the block's own frame" : "no multiple of 4"));
    return {};
  }
  if (IsLookedInto(block.type) && block.length > limits_.block_octets) {
    fault = Damaged(fmt::format("block length {} is beyond {}", block.length, limits_.block_octets));
    return {};
  }
  return block;
}

ReaderProgress PcapngReader::Parse(Bytes octets, std::uint64_t& number, std::vector<RawFrame>& frames) {
  ReaderProgress progress;
  const auto take = [&](std::size_t n) {
    progress.consumed += n;
    offset_ += n;
  };
  const auto mismatch = [&](std::uint32_t length, std::uint32_t again) {
    return Damaged(fmt::format("the block's length is {} at its beginning and {} at its end", length, again));
  };
  while (!progress.fault) {
    Bytes rest = octets.subspan(progress.consumed);
    if (skipped_.length != 0) {
      const std::size_t skip = std::min<std::uint64_t>(skip_, rest.size());
      take(skip);
      skip_ -= skip;
      rest = rest.subspan(skip);
      if (skip_ > 0 || rest.size() < 4) break;
      if (const std::uint32_t again = U32(rest.data()); again != skipped_.length) {
        progress.fault = mismatch(skipped_.length, again);
        break;
      }
      take(4);
      skipped_ = {};
      continue;
    }
    const std::optional<Block> block = ParseBlockHeader(rest, progress.fault);
    if (!block) break;
    if (!IsLookedInto(block->type)) {
      skipped_ = *block;
      skip_ = block->length - kFrameOctets;
      take(8);
      continue;
    }
    if (rest.size() < block->length) break;
    if (const std::uint32_t again = U32(rest.data() + block->length - 4); again != block->length) {
      progress.fault = mismatch(block->length, again);
      break;
    }
    progress.fault = ParseBlock(*block, rest.subspan(8, block->length - kFrameOctets), number, frames);
    if (!progress.fault) take(block->length);
  }
  return progress;
}

PcapngReader::Fault PcapngReader::ParseBlock(const Block& block, Bytes body, std::uint64_t& number,
                                             std::vector<RawFrame>& frames) {
  switch (block.type) {
    case kEnhancedPacket:
      return ParseEnhanced(body, number, frames);
    case kSimplePacket:
      return ParseSimple(body, number, frames);
    case kOldPacket:
      return ParseOldPacket(body, number, frames);
    case kInterface:
      return ParseInterface(body);
    case kSecrets:
      return ParseSecrets(body);
    default:
      return ParseSection(body);
  }
}

PcapngReader::Fault PcapngReader::ParseSection(Bytes body) {
  const std::uint16_t major = U16(body.data() + 4);
  if (major != 1) return Damaged(fmt::format("pcapng version {}.{} is not known", major, U16(body.data() + 6)));
  in_section_ = true;
  interfaces_.clear();
  return {};
}

PcapngReader::Fault PcapngReader::ParseInterface(Bytes body) {
  if (body.size() < 8) return Damaged("an interface description that is too short");
  if (interfaces_.size() >= limits_.interfaces) return Damaged(fmt::format("more than {} interfaces", limits_.interfaces));
  Interface interface { static_cast<LinkType>(U16(body.data())), U32(body.data() + 4), TimeUnit() };
  std::uint8_t resolution = 6;
  std::int64_t offset = 0;
  for (Bytes options = body.subspan(8); options.size() >= 4;) {
    const std::uint16_t code = U16(options.data());
    const std::size_t length = U16(options.data() + 2);
    if (code == 0) break;
    if (Padded(length) > options.size() - 4) return Damaged("an option of an interface description runs over its end");
    const std::uint8_t* value = options.data() + 4;
    if (code == kOptionTimeResolution && length >= 1) resolution = *value;
    if (code == kOptionTimeOffset && length >= 8) {
      const auto v = LoadNative<std::uint64_t>(value);
      offset = static_cast<std::int64_t>(swapped_ ? SwapOctets(v) : v);
    }
    options = options.subspan(4 + Padded(length));
  }
  interface.time = TimeUnit(resolution, offset);
  interfaces_.push_back(interface);
  return {};
}

PcapngReader::Fault PcapngReader::AddFrame(std::uint32_t interface, std::uint64_t units, std::uint32_t wire, Bytes octets,
                                           std::uint32_t captured, std::uint64_t& number, std::vector<RawFrame>& frames) const {
  if (interface >= interfaces_.size())
    return Damaged(fmt::format("a packet of interface {}, which the section does not describe", interface));
  if (captured > limits_.packet_octets)
    return Damaged(fmt::format("packet length {} is beyond {}", captured, limits_.packet_octets));
  if (captured > octets.size())
    return Damaged(fmt::format("packet length {} is more than the {} octets of its block", captured, octets.size()));
  const Interface& from = interfaces_[interface];
  RawFrame& frame = frames.emplace_back();
  frame.number = ++number;
  frame.time = from.time.ToNanoseconds(units).value_or(0);
  frame.link = from.link;
  // Some writers state less than they captured; the octets are there, so they were on the wire.
  frame.wire_length = std::max(wire, captured);
  frame.octets = octets.first(captured);
  return {};
}

PcapngReader::Fault PcapngReader::ParseEnhanced(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames) {
  if (body.size() < 20) return Damaged("a packet block that is too short");
  const std::uint8_t* p = body.data();
  const std::uint64_t units = (std::uint64_t{U32(p + 4)} << 32) | U32(p + 8);
  return AddFrame(U32(p), units, U32(p + 16), body.subspan(20), U32(p + 12), number, frames);
}

PcapngReader::Fault PcapngReader::ParseOldPacket(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames) {
  if (body.size() < 20) return Damaged("a packet block that is too short");
  const std::uint8_t* p = body.data();  // interface, drops, and on as in the enhanced block
  const std::uint64_t units = (std::uint64_t{U32(p + 4)} << 32) | U32(p + 8);
  return AddFrame(U16(p), units, U32(p + 16), body.subspan(20), U32(p + 12), number, frames);
}

PcapngReader::Fault PcapngReader::ParseSimple(Bytes body, std::uint64_t& number, std::vector<RawFrame>& frames) {
  if (body.size() < 4) return Damaged("a packet block that is too short");
  if (interfaces_.empty()) return Damaged("a packet before any interface description");
  const std::uint32_t wire = U32(body.data());
  const std::uint32_t snap = interfaces_.front().snap_length;
  const Fault fault = AddFrame(0, 0, wire, body.subspan(4), snap == 0 ? wire : std::min(wire, snap), number, frames);
  if (!fault) frames.back().time = 0;  // it has none, whatever the interface's time offset
  return fault;
}

PcapngReader::Fault PcapngReader::ParseSecrets(Bytes body) {
  if (body.size() < 8) return Damaged("a decryption secrets block that is too short");
  const std::size_t length = U32(body.data() + 4);
  if (length > body.size() - 8)
    return Damaged(fmt::format("secrets length {} is more than the {} octets of its block", length, body.size() - 8));
  if (U32(body.data()) != kTlsKeyLog || length == 0) return {};
  const Octets text = AsOctets(body.subspan(8, length));
  if (length + 1 > limits_.secret_octets - tls_secrets_.size()) {
    tls_secrets_cut_ = true;
    return {};
  }
  tls_secrets_ += text;
  if (text.back() != '\n') tls_secrets_ += '\n';
  return {};
}

std::optional<ReaderFault> PcapngReader::End(Bytes rest) const {
  const std::string remedy = "the capture was cut short; all packets before it were read";
  if (skipped_.length != 0)
    return ReaderFault{block_offset_, fmt::format("the file ends inside a block of {} octets", skipped_.length), remedy};
  if (rest.empty() && in_section_) return {};
  if (rest.size() < kFrameOctets)
    return ReaderFault{offset_, fmt::format("the file ends inside a block header, after {} octets of it", rest.size()), remedy};
  return ReaderFault{
      offset_, fmt::format("the file ends inside a block, after {} of {} octets", rest.size(), U32(rest.data() + 4)), remedy};
}

}  // namespace glasspost::capture

// For tests and fuzz targets: builds pcap and pcapng octets of every kind, and feeds a reader in pieces.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/octets.h"
#include "capture/raw_frame.h"
#include "capture/reader.h"

namespace glasspost::capture::support {

// Appends numbers in one octet order.
class OctetBuilder {
 public:
  explicit OctetBuilder(bool big = false) : big_(big) {}
  OctetBuilder& U16(std::uint16_t v) { return Number(v); }
  OctetBuilder& U32(std::uint32_t v) { return Number(v); }
  OctetBuilder& U64(std::uint64_t v) { return Number(v); }
  OctetBuilder& Raw(Octets o) {
    out_ += o;
    return *this;
  }
  OctetBuilder& Pad() {
    while (out_.size() % 4 != 0) out_ += '\0';
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  template <class T>
  OctetBuilder& Number(T v) {
    for (std::size_t i = 0; i < sizeof v; ++i) out_ += static_cast<char>(v >> (8 * (big_ ? sizeof v - 1 - i : i)) & 0xff);
    return *this;
  }
  bool big_;
  std::string out_;
};

struct PcapForm {
  std::uint32_t magic = 0xa1b2c3d4;
  bool big = false;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t network = 1;
};
inline std::string PcapHeader(const PcapForm& form = {}) {
  return OctetBuilder(form.big).U32(form.magic).U16(form.major).U16(form.minor).U64(0).U32(262144).U32(form.network).str();
}
// `first` and `second`: the two lengths as the record says them; the packet's octets stand behind.
inline std::string PcapRecord(const PcapForm& form, std::uint32_t seconds, std::uint32_t fraction, std::uint32_t first,
                              std::uint32_t second, Octets octets) {
  OctetBuilder b(form.big);
  b.U32(seconds).U32(fraction).U32(first).U32(second);
  if (form.magic == 0xa1b2cd34) b.U32(7).U16(0x0800).U16(0);
  return b.Raw(octets).str();
}
inline std::string PcapRecord(const PcapForm& form, std::uint32_t seconds, std::uint32_t fraction, Octets octets) {
  const auto n = static_cast<std::uint32_t>(octets.size());
  return PcapRecord(form, seconds, fraction, n, n, octets);
}

class PcapngBuilder {
 public:
  explicit PcapngBuilder(bool big = false) : big_(big) {}
  PcapngBuilder& Block(std::uint32_t type, Octets body) {
    const auto length = static_cast<std::uint32_t>(12 + (body.size() + 3) / 4 * 4);
    out_ += OctetBuilder(big_).U32(type).U32(length).Raw(body).Pad().U32(length).str();
    return *this;
  }
  // Begins a section in the given octet order.
  PcapngBuilder& Section(bool big, std::uint64_t length = ~std::uint64_t{0}) {
    big_ = big;
    return Block(0x0a0d0d0a, Body().U32(0x1a2b3c4d).U16(1).U16(0).U64(length).str());
  }
  PcapngBuilder& Interface(std::uint16_t link, std::uint32_t snap = 0, Octets options = {}) {
    return Block(1, Body().U16(link).U16(0).U32(snap).Raw(options).str());
  }
  std::string Option(std::uint16_t code, Octets value) const {
    return Body().U16(code).U16(static_cast<std::uint16_t>(value.size())).Raw(value).Pad().str();
  }
  PcapngBuilder& Enhanced(std::uint32_t interface, std::uint64_t time, Octets octets, std::uint32_t wire, Octets options = {}) {
    return Block(6, Body()
                        .U32(interface)
                        .U32(static_cast<std::uint32_t>(time >> 32))
                        .U32(static_cast<std::uint32_t>(time))
                        .U32(static_cast<std::uint32_t>(octets.size()))
                        .U32(wire)
                        .Raw(octets)
                        .Pad()
                        .Raw(options)
                        .str());
  }
  PcapngBuilder& OldPacket(std::uint16_t interface, std::uint64_t time, Octets octets, std::uint32_t wire) {
    return Block(2, Body()
                        .U16(interface)
                        .U16(3)
                        .U32(static_cast<std::uint32_t>(time >> 32))
                        .U32(static_cast<std::uint32_t>(time))
                        .U32(static_cast<std::uint32_t>(octets.size()))
                        .U32(wire)
                        .Raw(octets)
                        .str());
  }
  PcapngBuilder& Simple(std::uint32_t wire, Octets octets) { return Block(3, Body().U32(wire).Raw(octets).str()); }
  PcapngBuilder& Secrets(std::uint32_t type, Octets text) {
    return Block(10, Body().U32(type).U32(static_cast<std::uint32_t>(text.size())).Raw(text).str());
  }
  OctetBuilder Body() const { return OctetBuilder(big_); }
  const std::string& str() const { return out_; }

 private:
  bool big_;
  std::string out_;
};

// A frame with octets of its own.
struct SeenFrame {
  std::uint64_t number = 0;
  Timestamp time = 0;
  int link = 0;
  std::uint32_t wire_length = 0;
  std::string octets;
  bool operator==(const SeenFrame&) const = default;
};
inline SeenFrame See(const RawFrame& f) {
  return {f.number, f.time, static_cast<int>(f.link), f.wire_length, std::string(AsOctets(f.octets))};
}

struct Reading {
  std::vector<SeenFrame> frames;
  std::optional<ReaderFault> fault;
  bool operator==(const Reading&) const = default;
};

// Gives `text` to the reader in pieces; `next_size()` says how large the next is.
template <class Reader, class NextSize>
Reading ReadInPieces(Reader& reader, Octets text, NextSize next_size) {
  Reading reading;
  std::string held;
  std::uint64_t number = 0;
  while (!text.empty() && !reading.fault) {
    const Octets piece = text.substr(0, next_size());
    text.remove_prefix(piece.size());
    held += piece;
    const std::string exact(held);  // its own memory, so that a sanitizer sees every octet read beyond
    std::vector<RawFrame> frames;
    ReaderProgress progress = reader.Parse(AsBytes(exact), number, frames);
    for (const RawFrame& frame : frames) reading.frames.push_back(See(frame));
    held.erase(0, progress.consumed);
    reading.fault = std::move(progress.fault);
  }
  if (!reading.fault) reading.fault = reader.End(AsBytes(held));
  return reading;
}
template <class Reader>
Reading ReadWhole(Octets text, const ReaderLimits& limits = {}) {
  Reader reader(limits);
  return ReadInPieces(reader, text, [&] { return text.size(); });
}
template <class Reader>
Reading ReadByOctet(Octets text, const ReaderLimits& limits = {}) {
  Reader reader(limits);
  return ReadInPieces(reader, text, [] { return std::size_t{1}; });
}
// In two pieces, the first of `first` octets.
template <class Reader>
Reading ReadSplit(Octets text, std::size_t first, const ReaderLimits& limits = {}) {
  Reader reader(limits);
  bool begun = false;
  return ReadInPieces(reader, text, [&] { return std::exchange(begun, true) || first == 0 ? text.size() : first; });
}

}  // namespace glasspost::capture::support

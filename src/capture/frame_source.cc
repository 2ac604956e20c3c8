#include "capture/frame_source.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "capture/octet_source.h"
#include "capture/pcap_reader.h"
#include "capture/pcapng_reader.h"

namespace glasspost::capture {
namespace {

constexpr std::size_t kMagicOctets = 4;
// A buffer that a large frame made grow is given back when it is this many times larger than needed.
constexpr std::size_t kShrinkFactor = 4;

// A buffer is so much of itself larger than needed: a little more of a record that the batch before broke off is no reason for
// another one.
constexpr std::size_t kSpare = 8;

// What files are that people give by mistake.
std::string WhatItIs(Bytes beginning) {
  struct Known {
    Octets magic;
    const char* name;
  };
  static constexpr Known kKnown[] = {{"\xfd"
                                      "7zX",
                                      "xz data"},
                                     {"BZh", "bzip2 data"},
                                     {"\x04\x22\x4d\x18", "lz4 data"},
                                     {"PK\x03\x04", "a zip archive"},
                                     {"snoo", "a Solaris snoop file"},
                                     {"%PDF", "a PDF document"},
                                     {"\x7f"
                                      "ELF",
                                      "a program"}};
  for (const Known& known : kKnown)
    if (AsOctets(beginning).starts_with(known.magic)) return known.name;
  return {};
}

Error NoCapture(const std::string& file, Bytes beginning) {
  if (beginning.empty()) return {"the file is empty", file, "give a pcap or pcapng file"};
  const std::string is = WhatItIs(beginning);
  if (is.ends_with("data") || is.ends_with("archive"))
    return {fmt::format("is {}, not a capture file", is), file, "unpack it first; gzip and zstd are unpacked on the way"};
  std::string octets;
  for (const std::uint8_t octet : beginning) octets += fmt::format("{}{:02x}", octets.empty() ? "" : " ", octet);
  return {fmt::format("is {}: it begins with {}", is.empty() ? "not a capture file" : is + ", not a capture file", octets), file,
          "give a pcap or pcapng file, or a hex dump with --from-hex"};
}

std::string NameOf(const std::string& file) { return file == "-" ? "standard input" : file; }

std::uint64_t TotalOctets(const std::vector<std::string>& files) {
  std::uint64_t total = 0;
  for (const std::string& file : files) {
    struct stat status {};
    if (file == "-" || ::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    total += static_cast<std::uint64_t>(status.st_size);
  }
  return total;
}

}  // namespace

struct FrameSource::State {
  State(std::vector<std::string> names, const Options& o) : files(std::move(names)), options(o), total(TotalOctets(files)) {
    options.batch_octets = std::max<std::size_t>(options.batch_octets, 1);
  }

  using Reader = std::variant<std::monostate, PcapReader, PcapngReader>;

  std::vector<std::string> files;
  Options options;
  std::uint64_t total = 0;
  std::size_t next_file = 0;
  std::string file;                     // the open one
  std::unique_ptr<OctetSource> source;  // nothing: none is open
  Reader reader;                        // nothing: what the file is, is not known yet
  std::vector<std::uint8_t> carry;      // octets read and not taken: the beginning of a record
  std::uint64_t taken = 0;              // unpacked octets of the open file that went into frames
  std::uint64_t closed_octets = 0;      // stored octets of the files that are done
  std::uint64_t number = 0;
  std::vector<CaptureFault> faults;
  std::string tls_secrets;

  Expected<bool> Next(FrameBatch& batch);
  Expected<void> Open();
  void Close();
  Expected<bool> Fill(FrameBatch& batch);
  Expected<bool> FillFromHex(FrameBatch& batch);
  std::optional<Error> Recognise(Bytes octets, bool at_end);
  ReaderProgress Parse(Bytes octets, std::vector<RawFrame>& frames);
  void AtEnd(Bytes rest);
  void Add(ReaderFault fault);
};

Expected<void> FrameSource::State::Open() {
  file = files[next_file++];
  Expected<std::unique_ptr<OctetSource>> stored = OpenStored(file);
  if (!stored) return std::unexpected(stored.error());
  Expected<std::unique_ptr<OctetSource>> octets = Unpack(std::move(*stored));
  if (!octets) {
    Error error = octets.error();
    error.where = NameOf(file) + ", " + error.where;
    return std::unexpected(std::move(error));
  }
  source = std::move(*octets);
  return {};
}

void FrameSource::State::Close() {
  closed_octets += source->stored_octets();
  source.reset();
  reader.emplace<std::monostate>();
  carry.clear();
  taken = 0;
}

void FrameSource::State::Add(ReaderFault fault) {
  Error error{std::move(fault.what), fmt::format("{}, octet {}", NameOf(file), fault.offset), std::move(fault.remedy)};
  faults.push_back({file, fault.offset, std::move(error)});
}

// Nothing while too few octets are there.
std::optional<Error> FrameSource::State::Recognise(Bytes octets, bool at_end) {
  if (PcapReader::Recognizes(octets)) {
    reader.emplace<PcapReader>(options.limits);
  } else if (PcapngReader::Recognizes(octets)) {
    reader.emplace<PcapngReader>(options.limits);
  } else if (at_end || octets.size() >= kMagicOctets) {
    return NoCapture(NameOf(file), octets.first(std::min(octets.size(), kMagicOctets)));
  }
  return {};
}

ReaderProgress FrameSource::State::Parse(Bytes octets, std::vector<RawFrame>& frames) {
  if (auto* pcap = std::get_if<PcapReader>(&reader)) return pcap->Parse(octets, number, frames);
  auto* pcapng = std::get_if<PcapngReader>(&reader);
  if (pcapng == nullptr) return {};
  const std::size_t known = pcapng->tls_secrets().size();
  ReaderProgress progress = pcapng->Parse(octets, number, frames);
  const Octets added = Octets(pcapng->tls_secrets()).substr(known);
  tls_secrets += added.substr(0, options.limits.secret_octets - std::min(options.limits.secret_octets, tls_secrets.size()));
  return progress;
}

void FrameSource::State::AtEnd(Bytes rest) {
  std::optional<ReaderFault> fault;
  if (auto* pcap = std::get_if<PcapReader>(&reader)) fault = pcap->End(rest);
  if (auto* pcapng = std::get_if<PcapngReader>(&reader)) fault = pcapng->End(rest);
  if (fault) Add(std::move(*fault));
}

// True: the batch has frames. False: the file gave no more, and is closed.
Expected<bool> FrameSource::State::Fill(FrameBatch& batch) {
  std::size_t have = carry.size();
  const std::size_t least = have + options.batch_octets;
  if (batch.buffer.size() < least || batch.buffer.size() / kShrinkFactor > least)
    batch.buffer = std::vector<std::uint8_t>(least + least / kSpare);
  std::size_t room = least;  // the buffer may be larger, left so by a large frame
  if (have > 0) std::memcpy(batch.buffer.data(), carry.data(), have);
  carry.clear();
  for (;;) {
    const Expected<std::size_t> n = source->Read(std::span(batch.buffer).subspan(have, room - have));
    const bool at_end = n && *n == 0;
    have += n.value_or(0);
    const Bytes octets(batch.buffer.data(), have);
    if (reader.index() == 0 && n) {
      if (auto error = Recognise(octets, at_end)) {
        Close();
        return std::unexpected(std::move(*error));
      }
    }
    if (!n) {  // what was whole before it was told already
      Error error = n.error();
      error.where = fmt::format("{}, octet {}, {}", NameOf(file), taken + have, error.where);
      faults.push_back({file, taken + have, std::move(error)});
    } else if (at_end) {
      AtEnd(octets);
    }
    if (!n || at_end) {
      Close();
      return false;
    }
    ReaderProgress progress = Parse(octets, batch.frames);
    taken += progress.consumed;
    const Bytes rest = octets.subspan(progress.consumed);
    if (progress.fault) {
      Add(std::move(*progress.fault));
      Close();
      return !batch.frames.empty();
    }
    if (!batch.frames.empty()) {
      carry.assign(rest.begin(), rest.end());
      return true;
    }
    have = rest.size();
    if (progress.consumed > 0 && have > 0) std::memmove(batch.buffer.data(), rest.data(), have);
    if (have == room) {  // a record larger than the buffer; grown by what is there, not by what the record claims
      room *= 2;
      if (batch.buffer.size() < room) batch.buffer.resize(room);
    }
  }
}

Expected<bool> FrameSource::State::FillFromHex(FrameBatch& batch) {
  std::string text;
  std::size_t have = 0;
  std::optional<Error> error;
  for (;;) {
    if (have > options.hex_limits.text_octets) break;  // refused below
    text.resize(have + options.batch_octets);
    const Expected<std::size_t> n = source->Read({reinterpret_cast<std::uint8_t*>(text.data()) + have, options.batch_octets});
    if (!n) error = n.error();
    if (!n || *n == 0) break;
    have += *n;
  }
  Close();
  Expected<HexDump> dump = ParseHexDump(Octets(text).substr(0, have), options.hex_limits);
  const auto here = [this](Error e) {
    e.where = e.where.empty() ? NameOf(file) : NameOf(file) + ", " + e.where;
    return e;
  };
  if (!error && !dump) error = dump.error();
  if (error) return std::unexpected(here(std::move(*error)));
  if (dump->fault) faults.push_back({file, 0, here(std::move(*dump->fault))});
  batch.buffer = std::move(dump->octets);
  for (const OctetRange& range : dump->packets) {
    const Bytes octets = Bytes(batch.buffer).subspan(range.offset, range.length);
    batch.frames.push_back(
        {++number, 0, options.hex_link.value_or(GuessLinkType(octets)), static_cast<std::uint32_t>(octets.size()), octets});
  }
  return true;
}

Expected<bool> FrameSource::State::Next(FrameBatch& batch) {
  batch.frames.clear();
  batch.extra.clear();
  for (;;) {
    if (source == nullptr) {
      if (next_file == files.size()) return false;
      if (const Expected<void> opened = Open(); !opened) return std::unexpected(opened.error());
    }
    const Expected<bool> filled = options.hex_dump ? FillFromHex(batch) : Fill(batch);
    if (!filled || *filled) return filled;
  }
}

FrameSource::FrameSource(std::vector<std::string> files) : FrameSource(std::move(files), Options()) {}
FrameSource::FrameSource(std::vector<std::string> files, const Options& options)
    : state_(std::make_unique<State>(std::move(files), options)) {}
FrameSource::~FrameSource() = default;

Expected<bool> FrameSource::Next(FrameBatch& batch) { return state_->Next(batch); }
const std::vector<CaptureFault>& FrameSource::faults() const { return state_->faults; }
std::uint64_t FrameSource::octets_read() const {
  return state_->closed_octets + (state_->source == nullptr ? 0 : state_->source->stored_octets());
}
std::uint64_t FrameSource::octets_total() const { return state_->total; }
std::uint64_t FrameSource::frames() const { return state_->number; }
const std::string& FrameSource::tls_secrets() const { return state_->tls_secrets; }

}  // namespace glasspost::capture

// Writes pcapng (draft-ietf-opsawg-pcapng) into a string, block by block, in the machine's octet order: one section, interfaces
// with times in nanoseconds, packets, TLS secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "base/octets.h"
#include "base/origin.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

class PcapngWriter {
 public:
  explicit PcapngWriter(std::string& out) : out_(out) {}

  // Begins a file. `application`: who writes it.
  void Section(Octets application) {
    constexpr std::uint32_t kMagic = 0x1a2b3c4d;
    constexpr std::uint16_t kMajor = 1, kMinor = 0, kApplication = 4;
    const std::size_t at = Begin(0x0a0d0d0a);
    Put(kMagic);
    Put(kMajor);
    Put(kMinor);
    Put(~std::uint64_t{0});  // the section's length: not known
    Option(kApplication, application);
    End(at, true);
  }
  // The next interface of the section; they count from 0.
  void Interface(LinkType link, std::uint32_t snap_length = 262'144) {
    constexpr std::uint16_t kTimeUnit = 9;
    const std::size_t at = Begin(1);
    Put(static_cast<std::uint16_t>(link));
    Put(std::uint16_t{0});
    Put(snap_length);
    Option(kTimeUnit, Octets("\x09", 1));  // 10^-9 s
    End(at, true);
  }
  // Lines of NSS's key log, each with its line end: for the packets after it.
  void TlsSecrets(Octets lines) {
    constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
    const std::size_t at = Begin(10);
    Put(kTlsKeyLog);
    Put(static_cast<std::uint32_t>(lines.size()));
    out_.append(lines);
    Pad();
    End(at, false);
  }
  // A whole packet; what lies before 1970 is written as 1970.
  void Packet(std::uint32_t interface, Timestamp time, Octets octets, Octets comment = {}) {
    constexpr std::uint16_t kComment = 1;
    const std::uint64_t units = time < 0 ? 0 : static_cast<std::uint64_t>(time);
    const std::size_t at = Begin(6);
    Put(interface);
    Put(static_cast<std::uint32_t>(units >> 32));
    Put(static_cast<std::uint32_t>(units));
    Put(static_cast<std::uint32_t>(octets.size()));
    Put(static_cast<std::uint32_t>(octets.size()));
    out_.append(octets);
    Pad();
    if (!comment.empty()) Option(kComment, comment);
    End(at, !comment.empty());
  }

 private:
  template <class T>
  void Put(T v) {
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void Pad() { out_.append((4 - out_.size() % 4) % 4, '\0'); }
  void Option(std::uint16_t code, Octets value) {
    value = value.substr(0, 0xffff);
    Put(code);
    Put(static_cast<std::uint16_t>(value.size()));
    out_.append(value);
    out_.append((4 - value.size() % 4) % 4, '\0');
  }
  // Everything is a multiple of 4 octets long, and so is what stands before it.
  std::size_t Begin(std::uint32_t type) {
    Put(type);
    Put(std::uint32_t{0});
    return out_.size() - 8;
  }
  void End(std::size_t at, bool options) {
    if (options) Put(std::uint32_t{0});
    const auto length = static_cast<std::uint32_t>(out_.size() - at + 4);
    Put(length);
    std::memcpy(out_.data() + at + 4, &length, sizeof length);
  }

  std::string& out_;
};

}  // namespace glasspost::capture

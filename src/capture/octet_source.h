// Octets of a file or of standard input, one after another; gzip (RFC 1952) and zstd (RFC 8878) are recognised by their first
// octets and unpacked on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace glasspost::capture {

class OctetSource {
 public:
  virtual ~OctetSource() = default;
  // Puts octets into `room` (not empty) and says how many; 0 is the end. It may give fewer than there are. After an error, which
  // comes after all octets before it were given, nothing more comes.
  virtual Expected<std::size_t> Read(std::span<std::uint8_t> room) = 0;
  // Octets taken so far of what is stored (compressed as it may be).
  virtual std::uint64_t stored_octets() const = 0;
};

// The octets as they are stored. "-" is standard input. Read ahead of by the system, as for one pass from beginning to end.
Expected<std::unique_ptr<OctetSource>> OpenStored(const std::string& path);

// The octets of `stored`, unpacked if they are compressed. Several gzip members or zstd frames one after another are one text;
// NUL octets behind the last gzip member (tapes, block devices) are no fault, anything else there is.
Expected<std::unique_ptr<OctetSource>> Unpack(std::unique_ptr<OctetSource> stored);

}  // namespace glasspost::capture

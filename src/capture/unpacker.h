// Decompression without I/O: gzip members by zlib, zstd frames by libzstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/octets.h"

namespace glasspost::capture {

// Stops a zstd frame from asking for more than 2^27 octets (128 MiB) of history; it is what the zstd program itself allows.
inline constexpr int kZstdWindowLog = 27;

struct UnpackStep {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  std::string fault;  // empty: none. With `produced` > 0 it may come only with the next call
};

class Unpacker {
 public:
  virtual ~Unpacker() = default;
  // Takes octets of `in` and puts unpacked ones into `out`. `last`: nothing comes behind `in`.
  // Neither consumed nor produced, and no fault: wants more octets, or is at its end.
  virtual UnpackStep Unpack(Bytes in, std::span<std::uint8_t> out, bool last) = 0;
};

// The unpacker for a file that begins so (four octets are enough); nothing if it is not compressed, or in another way.
std::unique_ptr<Unpacker> MakeUnpacker(Bytes beginning);

}  // namespace glasspost::capture

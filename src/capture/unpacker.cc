#include "capture/unpacker.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>
#include <new>

namespace glasspost::capture {
namespace {

constexpr std::uint32_t kZstdMagic = 0xfd2fb528;
constexpr std::uint32_t kZstdSkippable = 0x184d2a50;  // lowest four bits are free
constexpr std::uint32_t kZstdSkippableMask = 0xfffffff0;
constexpr int kGzipOnly = MAX_WBITS + 16;

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipUnpacker() override { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

  UnpackStep Unpack(Bytes in, std::span<std::uint8_t> out, bool last) override {
    UnpackStep step;
    while (between_members_ && step.consumed < in.size()) {
      if (padding_ || in[step.consumed] == 0) {
        if (in[step.consumed] != 0) {
          step.fault = "octets behind the end of the gzip data";
          return step;
        }
        padding_ = true;
        ++step.consumed;
      } else {
        inflateReset(&stream_);
        between_members_ = false;
      }
    }
    if (between_members_) return step;
    const Bytes rest = in.subspan(step.consumed);
    // zlib does not write through next_in; its type merely lacks the const.
    stream_.next_in = const_cast<Bytef*>(rest.data());
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(rest.size(), std::numeric_limits<uInt>::max()));
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max()));
    const int result = inflate(&stream_, Z_NO_FLUSH);
    step.consumed += static_cast<std::size_t>(stream_.next_in - rest.data());
    step.produced = static_cast<std::size_t>(stream_.next_out - out.data());
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      step.fault = fmt::format("damaged gzip data: {}", stream_.msg == nullptr ? zError(result) : stream_.msg);
    } else if (last && step.consumed == in.size() && step.produced == 0) {
      step.fault = "the gzip data is cut short";
    }
    return step;
  }

 private:
  z_stream stream_{};
  bool between_members_ = false;
  bool padding_ = false;
};

class ZstdUnpacker final : public Unpacker {
 public:
  ZstdUnpacker() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ~ZstdUnpacker() override { ZSTD_freeDCtx(context_); }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;

  UnpackStep Unpack(Bytes in, std::span<std::uint8_t> out, bool last) override {
    UnpackStep step;
    if (in.empty() && !in_frame_) return step;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_, &output, &input);
    step.consumed = input.pos;
    step.produced = output.pos;
    if (ZSTD_isError(result) != 0) {
      const bool window = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
      step.fault = window ? fmt::format("zstd data that asks for more than 2^{} octets of history", kZstdWindowLog)
                          : fmt::format("damaged zstd data: {}", ZSTD_getErrorName(result));
      return step;
    }
    in_frame_ = result != 0;
    if (in_frame_ && last && step.consumed == in.size() && step.produced == 0) step.fault = "the zstd data is cut short";
    return step;
  }

 private:
  ZSTD_DCtx* context_;
  bool in_frame_ = false;
};

}  // namespace

std::unique_ptr<Unpacker> MakeUnpacker(Bytes beginning) {
  if (beginning.size() >= 3 && beginning[0] == 0x1f && beginning[1] == 0x8b && beginning[2] == 8)
    return std::make_unique<GzipUnpacker>();
  if (beginning.size() < 4) return nullptr;
  const auto magic = LoadLittle<std::uint32_t>(beginning.data());
  if (magic == kZstdMagic || (magic & kZstdSkippableMask) == kZstdSkippable) return std::make_unique<ZstdUnpacker>();
  return nullptr;
}

}  // namespace glasspost::capture

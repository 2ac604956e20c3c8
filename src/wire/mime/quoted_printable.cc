#include "wire/mime/quoted_printable.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kLine = 76;

}  // namespace

void QuotedPrintableEncoder::Put(std::string& out, char c, bool encode) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const std::size_t width = encode ? 3 : 1;
  if (column_ + width > kLine - 1) {  // one place is kept for the soft line end
    out += "=\r\n";
    column_ = 0;
  }
  if (encode) {
    const auto octet = static_cast<std::uint8_t>(c);
    out += '=';
    out += kHex[octet >> 4];
    out += kHex[octet & 0xf];
  } else {
    out += c;
  }
  column_ += width;
}

void QuotedPrintableEncoder::FlushBlank(std::string& out, bool at_line_end) {
  if (blank_ != 0) Put(out, blank_, at_line_end);
  blank_ = 0;
}

void QuotedPrintableEncoder::Append(std::string& out, Octets input) {
  for (const char c : input) {
    if (cr_) {
      cr_ = false;
      if (c == '\n') {
        FlushBlank(out, true);
        out += "\r\n";
        column_ = 0;
        continue;
      }
      FlushBlank(out, false);
      Put(out, '\r', true);
    }
    if (c == '\r') {
      cr_ = true;
      continue;
    }
    FlushBlank(out, false);
    if (c == ' ' || c == '\t') {
      blank_ = c;
      continue;
    }
    Put(out, c, c < ' ' || c > '~' || c == '=');
  }
}

void QuotedPrintableEncoder::Finish(std::string& out) {
  FlushBlank(out, !cr_);
  if (cr_) Put(out, '\r', true);
  *this = {};
}

std::string QuotedPrintable(Octets text) {
  QuotedPrintableEncoder encoder;
  std::string out;
  encoder.Append(out, text);
  encoder.Finish(out);
  return out;
}

}  // namespace glasspost::mime

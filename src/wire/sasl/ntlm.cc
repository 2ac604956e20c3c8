#include "wire/sasl/ntlm.h"

namespace glasspost::sasl {
namespace {

constexpr Octets kSignature("NTLMSSP\0", 8);
constexpr std::uint32_t kNegotiateUnicode = 1;
// Offsets of the fixed parts.
constexpr std::size_t kType = 8;

const std::uint8_t* At(Octets m, std::size_t offset) { return AsBytes(m).data() + offset; }

bool Has(Octets m, std::size_t offset, std::size_t length) { return offset <= m.size() && length <= m.size() - offset; }

std::uint32_t Flags(Octets m, std::size_t offset) { return Has(m, offset, 4) ? LoadLittle<std::uint32_t>(At(m, offset)) : 0; }

std::size_t Offset(Octets m, std::size_t where) { return LoadLittle<std::uint32_t>(At(m, where + 4)); }

// The octets that the security buffer (length, room, offset) at `where` points to; empty where it points outside.
Octets Buffer(Octets m, std::size_t where) {
  if (!Has(m, where, 8)) return {};
  const std::size_t length = LoadLittle<std::uint16_t>(At(m, where));
  const std::size_t offset = Offset(m, where);
  return Has(m, offset, length) ? m.substr(offset, length) : Octets{};
}

std::string Text(Octets raw, bool unicode) { return unicode ? Utf8FromUtf16Le(raw) : std::string(raw); }

void AppendUtf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t v) { out.push_back(static_cast<char>(v)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  }
}

}  // namespace

std::string Utf8FromUtf16Le(Octets text) {
  std::string out;
  for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
    const std::uint32_t unit = LoadLittle<std::uint16_t>(At(text, i));
    if (unit < 0xd800 || unit > 0xdfff) {
      AppendUtf8(out, unit);
      continue;
    }
    const std::uint32_t low = i + 4 <= text.size() ? LoadLittle<std::uint16_t>(At(text, i + 2)) : 0;
    if (unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
      AppendUtf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      i += 2;
    } else {
      AppendUtf8(out, 0xfffd);
    }
  }
  return out;
}

std::optional<NtlmMessage> ParseNtlm(Octets m) {
  if (!m.starts_with(kSignature) || !Has(m, kType, 4)) return {};
  NtlmMessage out;
  const std::uint32_t type = LoadLittle<std::uint32_t>(At(m, kType));
  if (type < 1 || type > 3) return {};
  out.type = static_cast<int>(type);
  if (type == 1) {
    // The names of the first message are always in the OEM character set ([MS-NLMP] §2.2.1.1).
    out.domain = Text(Buffer(m, 16), false);
    out.workstation = Text(Buffer(m, 24), false);
  } else if (type == 2) {
    const bool unicode = (Flags(m, 20) & kNegotiateUnicode) != 0;
    out.domain = Text(Buffer(m, 12), unicode);
    if (Has(m, 24, 8)) out.server_challenge = m.substr(24, 8);
  } else {
    // Old clients leave the flags out: the names begin where they would stand, and are UTF-16.
    bool flags = true;
    for (const std::size_t where : {12, 20, 28, 36, 44})
      if (!Buffer(m, where).empty() && Offset(m, where) < 64) flags = false;
    const bool unicode = !flags || (Flags(m, 60) & kNegotiateUnicode) != 0;
    out.domain = Text(Buffer(m, 28), unicode);
    out.user = Text(Buffer(m, 36), unicode);
    out.workstation = Text(Buffer(m, 44), unicode);
    out.lm_response = Buffer(m, 12).size();
    out.nt_response = Buffer(m, 20).size();
  }
  return out;
}

}  // namespace glasspost::sasl

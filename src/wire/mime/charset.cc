#include "wire/mime/charset.h"

#include <gmime/gmime.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <optional>

#include "base/ascii.h"
#include "base/escape.h"
#include "wire/mime/hz.h"

namespace glasspost::mime {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kMaxCharsetName = 40;                // longer ones are no names; stops look-ups of rubbish

// What a label means in practice. `other` is tried where `charset` leaves octets unread.
struct Alias {
  std::string_view label;
  const char* charset;
  const char* other;
};
constexpr const char* kWestern = "WINDOWS-1252";
constexpr const char* kChinese = "GB18030";
constexpr Alias kAliases[] = {
    {"us-ascii", kWestern, nullptr},
    {"ascii", kWestern, nullptr},
    {"iso-8859-1", kWestern, nullptr},
    {"iso8859-1", kWestern, nullptr},
    {"iso_8859-1", kWestern, nullptr},
    {"latin1", kWestern, nullptr},
    {"gb2312", kChinese, nullptr},
    {"gb_2312-80", kChinese, nullptr},
    {"euc-cn", kChinese, nullptr},
    {"gbk", kChinese, nullptr},
    {"x-gbk", kChinese, nullptr},
    {"cp936", kChinese, nullptr},
    {"ms936", kChinese, nullptr},
    {"gb18030", kChinese, nullptr},
    {"big5", "BIG5", "BIG5-HKSCS"},
    {"cn-big5", "BIG5", "BIG5-HKSCS"},
    {"cp950", "BIG5", "BIG5-HKSCS"},
    {"shift_jis", "CP932", "SHIFT_JISX0213"},
    {"shift-jis", "CP932", "SHIFT_JISX0213"},
    {"sjis", "CP932", "SHIFT_JISX0213"},
    {"x-sjis", "CP932", "SHIFT_JISX0213"},
    {"iso-2022-jp", "ISO-2022-JP", "ISO-2022-JP-3"},
    {"euc-jp", "EUC-JP", "EUC-JP-MS"},
    {"euc-kr", "UHC", nullptr},
    {"ks_c_5601-1987", "UHC", nullptr},
    {"ks_c_5601", "UHC", nullptr},
    {"ksc5601", "UHC", nullptr},
    {"iso-8859-9", "WINDOWS-1254", nullptr},
    {"tis-620", "CP874", nullptr},
    {"iso-8859-11", "CP874", nullptr},
    {"utf-7", "UTF-7", nullptr},
    {"unicode-1-1-utf-7", "UTF-7", nullptr},
};

bool IsCharsetName(Octets name) {
  if (name.empty() || name.size() > kMaxCharsetName) return false;
  for (const char c : name)
    if (!IsAlpha(c) && !IsDigit(c) && c != '-' && c != '_' && c != '.' && c != ':' && c != '+') return false;
  return true;
}

// An iconv descriptor from `charset` to UTF-8, closed at the end.
class Converter {
 public:
  explicit Converter(const char* charset) : descriptor_(g_mime_iconv_open("UTF-8", charset)) {}
  ~Converter() {
    if (good()) g_mime_iconv_close(descriptor_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  bool good() const { return descriptor_ != iconv_t(-1); }

  // Appends `text`; tells how many octets had no meaning. `chinese`, `western`: octets that the charset leaves out and
  // senders use all the same.
  std::size_t Append(std::string& out, Octets text, bool chinese, bool western) {
    std::size_t faults = 0;
    char* in = const_cast<char*>(text.data());  // iconv's interface; it does not write there
    std::size_t in_left = text.size();
    std::array<char, 1024> buffer;
    bool flushing = in_left == 0;
    for (;;) {
      char* to = buffer.data();
      std::size_t room = buffer.size();
      const std::size_t result = g_mime_iconv(descriptor_, flushing ? nullptr : &in, &in_left, &to, &room);
      const int error = errno;
      out.append(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
      if (result != static_cast<std::size_t>(-1)) {
        if (flushing) return faults;
        flushing = true;
        continue;
      }
      if (error == E2BIG) continue;
      if (in_left == 0 || flushing) return faults;
      const auto octet = static_cast<std::uint8_t>(*in);
      if (chinese && octet == 0x80) {
        out += "\u20ac";  // CP936 has the euro there
      } else if (western && octet >= 0x80 && octet < 0xa0) {
        out.push_back('\xc2'), out.push_back(static_cast<char>(octet));
      } else {
        out += kReplacement;
        ++faults;
      }
      ++in, --in_left;
    }
  }

 private:
  iconv_t descriptor_;
};

// Appends UTF-8, each invalid octet replaced; tells how many were.
std::size_t AppendRepaired(std::string& out, Octets text) {
  std::size_t faults = 0;
  while (!text.empty()) {
    char32_t code_point = 0;
    const std::size_t n = Utf8Length(text, code_point);
    if (n == 0) {
      out += kReplacement;
      ++faults;
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, n));
      text.remove_prefix(n);
    }
  }
  return faults;
}

// Appends in one iconv charset; nothing if that charset is not there.
std::optional<std::size_t> AppendBy(std::string& out, Octets text, const char* charset) {
  Converter converter(charset);
  if (!converter.good()) return {};
  return converter.Append(out, text, charset == kChinese, charset == kWestern);
}

// Appends in the charset of that label and tells how many octets had no meaning; nothing for an unknown label.
std::optional<std::size_t> AppendLabelled(std::string& out, Octets text, Octets label) {
  if (!IsCharsetName(label)) return {};
  if (EqualsNoCase(label, "utf-8") || EqualsNoCase(label, "utf8")) return AppendRepaired(out, text);
  StartGMime();
  // glibc's iconv has no HZ.
  if (EqualsNoCase(label, "hz-gb-2312") || EqualsNoCase(label, "hz")) return AppendBy(out, GbOfHz(text), kChinese);
  for (const Alias& alias : kAliases) {
    if (!EqualsNoCase(alias.label, label)) continue;
    const std::size_t before = out.size();
    const auto faults = AppendBy(out, text, alias.charset);
    if (faults == 0u || alias.other == nullptr) return faults;
    std::string second;
    const auto other_faults = AppendBy(second, text, alias.other);
    if (!other_faults || (faults && *other_faults >= *faults)) return faults;
    out.replace(before, std::string::npos, second);
    return other_faults;
  }
  return AppendBy(out, text, g_mime_charset_iconv_name(std::string(label).c_str()));
}

// Two-octet characters of GBK, most of them with both octets over 127, and no high octet left over. A single accented letter of
// a western text fails: its next octet is an ASCII letter (rare in Chinese) or no second octet at all.
bool LooksChinese(Octets text) {
  std::size_t high_pairs = 0, mixed_pairs = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<std::uint8_t>(text[i]);
    if (first < 0x80) continue;
    if (first == 0x80 || first == 0xff || i + 1 == text.size()) return false;
    const auto second = static_cast<std::uint8_t>(text[i + 1]);
    if (second >= 0x30 && second <= 0x39 && i + 3 < text.size() && static_cast<std::uint8_t>(text[i + 2]) >= 0x81) {
      ++high_pairs, i += 3;  // GB18030's four octets
      continue;
    }
    if (second < 0x40 || second == 0x7f || second == 0xff) return false;
    second >= 0x80 ? ++high_pairs : ++mixed_pairs;
    ++i;
  }
  return high_pairs > mixed_pairs;
}

// UTF-8 with a few octets that are none: a character that was cut, one that another program put in. Pairs of GBK are sometimes
// two-octet sequences of UTF-8 by chance, hardly ever three-octet ones.
bool IsMostlyUtf8(Octets text) {
  std::size_t pairs = 0, longer = 0, ill_formed = 0;  // octets
  for (Octets rest = text; !rest.empty();) {
    char32_t code_point = 0;
    const std::size_t n = Utf8Length(rest, code_point);
    if (n == 0) ++ill_formed;
    if (n == 2) pairs += n;
    if (n > 2) longer += n;
    rest.remove_prefix(n == 0 ? 1 : n);
  }
  return longer > pairs + ill_formed || (pairs + longer > ill_formed && !LooksChinese(text));
}

}  // namespace

void StartGMime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

bool HasEightBit(Octets text) {
  std::uint64_t all = 0;
  std::size_t i = 0;
  const std::uint8_t* p = AsBytes(text).data();
  for (; i + 8 <= text.size(); i += 8) all |= LoadNative<std::uint64_t>(p + i);
  for (; i < text.size(); ++i) all |= p[i];
  return (all & 0x8080808080808080u) != 0;
}

bool AppendAsUtf8(std::string& out, Octets text, Octets charset) {
  const std::size_t before = out.size();
  const auto faults = AppendLabelled(out, text, charset);
  if (!faults) {
    out.resize(before);
    return false;
  }
  if (*faults != 0 && HasEightBit(text) && IsUtf8(text)) out.replace(before, std::string::npos, text);
  return true;
}

void AppendGuessed(std::string& out, Octets text, Octets hint) {
  if (!HasEightBit(text) || IsUtf8(text)) {
    out.append(text);
    return;
  }
  if (IsMostlyUtf8(text)) {
    AppendRepaired(out, text);
    return;
  }
  const std::size_t before = out.size();
  if (!hint.empty() && !EqualsNoCase(hint, "us-ascii")) {
    if (AppendLabelled(out, text, hint) == 0u) return;
    out.resize(before);
  }
  StartGMime();
  if (LooksChinese(text)) {
    if (AppendBy(out, text, kChinese) == 0u) return;
    out.resize(before);
  }
  if (!AppendBy(out, text, kWestern)) AppendRepaired(out, text);
}

void AppendDecoded(std::string& out, Octets text, Octets charset) {
  if (charset.empty() || EqualsNoCase(charset, "us-ascii") || !AppendAsUtf8(out, text, charset)) AppendGuessed(out, text);
}

}  // namespace glasspost::mime

// Zone-file form of names and data: RFC 1035 §5.1, RFC 3597 §5, and the presentation that each type's RFC defines.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/base64.h"
#include "wire/dns/escapes.h"
#include "wire/dns/layout.h"
#include "wire/dns/message.h"
#include "wire/dns/text_util.h"

namespace glasspost::dns {
namespace {

void AppendTime(std::string& out, std::uint32_t seconds) {
  // Civil date from days since 1970, in the Gregorian calendar (a year begins in March here, so that the leap day is its last).
  const std::uint32_t days = seconds / 86400 + 719468;
  const std::uint32_t era = days / 146097, day_of_era = days % 146097;
  const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_index = (5 * day_of_year + 2) / 153;
  const std::uint32_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const std::uint32_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  const std::uint32_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const std::uint32_t s = seconds % 86400;
  fmt::format_to(std::back_inserter(out), "{:04}{:02}{:02}{:02}{:02}{:02}", year, month, day, s / 3600, s / 60 % 60, s % 60);
}

void AppendBitmap(std::string& out, Octets bitmap) {
  bool first = true;
  while (bitmap.size() >= 2) {
    const auto window = static_cast<std::uint8_t>(bitmap[0]);
    const Octets bits = bitmap.substr(2, static_cast<std::uint8_t>(bitmap[1]));
    for (std::size_t i = 0; i < bits.size() * 8; ++i) {
      if ((static_cast<std::uint8_t>(bits[i / 8]) & 0x80 >> i % 8) == 0) continue;
      if (!first) out += ' ';
      first = false;
      AppendType(out, static_cast<std::uint16_t>(window << 8 | i));
    }
    bitmap.remove_prefix(2 + bits.size());
  }
}

void AppendEui(std::string& out, Octets octets) {
  for (std::size_t i = 0; i < octets.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{:02x}", i == 0 ? "" : "-", static_cast<std::uint8_t>(octets[i]));
}

// Size and precisions: a digit and a power of ten, in centimetres (RFC 1876 §2).
void AppendCentimetres(std::string& out, std::uint8_t size) {
  std::uint64_t cm = size >> 4;
  for (int i = size & 0xf; i > 0; --i) cm *= 10;
  if (cm % 100 == 0) {
    fmt::format_to(std::back_inserter(out), " {}m", cm / 100);
  } else {
    fmt::format_to(std::back_inserter(out), " {}.{:02}m", cm / 100, cm % 100);
  }
}

void AppendAngle(std::string& out, std::uint32_t value, char positive, char negative) {
  const bool plus = value >= 0x80000000u;
  const std::uint32_t a = plus ? value - 0x80000000u : 0x80000000u - value;
  fmt::format_to(std::back_inserter(out), "{} {} {}.{:03} {}", a / 3600000, a / 60000 % 60, a / 1000 % 60, a % 1000,
                 plus ? positive : negative);
}

// False for a version that nobody has defined: then the data are opaque.
bool AppendLocation(std::string& out, Octets data) {
  const std::uint8_t* p = AsBytes(data).data();
  for (int i = 1; i <= 3; ++i)
    if (p[i] >> 4 > 9 || (p[i] & 0xf) > 9) return false;
  if (p[0] != 0) return false;
  AppendAngle(out, Load32(p + 4), 'N', 'S');
  out += ' ';
  AppendAngle(out, Load32(p + 8), 'E', 'W');
  const std::int64_t cm = static_cast<std::int64_t>(Load32(p + 12)) - 10000000;
  const auto height = static_cast<std::uint64_t>(cm < 0 ? -cm : cm);
  fmt::format_to(std::back_inserter(out), " {}{}.{:02}m", cm < 0 ? "-" : "", height / 100, height % 100);
  for (int i = 1; i <= 3; ++i) AppendCentimetres(out, p[i]);
  return true;
}

// Octets of the uncompressed name at the front of `data`.
std::size_t NameLength(Octets data) {
  std::size_t at = 0;
  while (at < data.size() && data[at] != 0) at += 1u + static_cast<std::uint8_t>(data[at]);
  return at < data.size() ? at + 1 : data.size();
}

// Takes one part off the front of `data`. False where the data do not hold it (only data that no decoder has seen).
class Writer {
 public:
  Writer(std::string& out, Octets data) : out_(out), data_(data) {}
  bool done() const { return data_.empty(); }

  bool Take(Part part) {
    switch (part) {
      case Part::kName:
      case Part::kPlainName:
        AppendName(out_, Front(NameLength(data_)), true);
        return true;
      case Part::kAddress4:
        return Fixed(4) && (AppendIp4(out_, AsBytes(Front(4)).data()), true);
      case Part::kAddress6:
        return Fixed(16) && (AppendIp6(out_, AsBytes(Front(16)).data()), true);
      case Part::kNumber8:
        return Number(1);
      case Part::kNumber16:
        return Number(2);
      case Part::kNumber32:
        return Number(4);
      case Part::kNumber48:
        return Number(6);
      case Part::kTime:
        return Fixed(4) && (AppendTime(out_, static_cast<std::uint32_t>(Value(4))), true);
      case Part::kType:
        return Fixed(2) && (AppendType(out_, static_cast<std::uint16_t>(Value(2))), true);
      case Part::kRcode:
        return Fixed(2) && (AppendRcode(out_, static_cast<std::uint16_t>(Value(2))), true);
      case Part::kString:
        return Counted(1, AppendQuoted);
      case Part::kTag:
        return Counted(1, AppendWord);
      case Part::kHexCounted:
        return Counted(1, [](std::string& o, Octets t) { t.empty() ? void(o += '-') : AppendHex(o, t); });
      case Part::kBase32Counted:
        return Counted(1, AppendBase32);
      case Part::kBase64Counted:
        return Base64Counted();
      case Part::kStrings:
        return Strings();
      case Part::kText:
        AppendQuoted(out_, Rest());
        return true;
      case Part::kHex:
        AppendHex(out_, Rest());
        return true;
      case Part::kBase64:
        out_ += EncodeBase64(Rest());
        return true;
      case Part::kTypeBitmap:
        AppendBitmap(out_, Rest());
        return true;
      case Part::kEui:
        AppendEui(out_, Rest());
        return true;
      case Part::kParameters:
        AppendParameters(out_, Rest());
        return true;
      case Part::kOptions:
        AppendOptions(out_, Rest());
        return true;
      case Part::kLocation:
        return Fixed(16) && AppendLocation(out_, Front(16));
      case Part::kEnd:
        break;
    }
    return true;
  }

 private:
  bool Fixed(std::size_t size) const { return data_.size() >= size; }
  Octets Front(std::size_t size) {
    const Octets front = data_.substr(0, size);
    data_.remove_prefix(front.size());
    return front;
  }
  Octets Rest() { return Front(data_.size()); }
  std::uint64_t Value(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : Front(size)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  bool Number(std::size_t size) {
    if (!Fixed(size)) return false;
    AppendNumber(out_, Value(size));
    return true;
  }
  template <class F>
  bool Counted(std::size_t size, F&& append) {
    if (!Fixed(size)) return false;
    const auto count = static_cast<std::size_t>(Value(size));
    if (!Fixed(count)) return false;
    append(out_, Front(count));
    return true;
  }
  // TSIG tells the number of octets too (RFC 8945 §4.2, as BIND and its kin print it).
  bool Base64Counted() {
    return Counted(2, [](std::string& out, Octets text) {
      AppendNumber(out, text.size());
      if (text.empty()) return;
      out += ' ';
      out += EncodeBase64(text);
    });
  }
  bool Strings() {
    for (bool first = true; !data_.empty(); first = false) {
      if (!first) out_ += ' ';
      if (!Counted(1, AppendQuoted)) return false;
    }
    return true;
  }
  std::string& out_;
  Octets data_;
};

bool AppendTyped(std::string& out, const TypeInfo& info, Octets data) {
  Writer writer(out, data);
  for (const PartInfo* p = info.parts; p->part != Part::kEnd; ++p) {
    const std::size_t before = out.size();
    if (p != info.parts) out += ' ';
    const std::size_t start = out.size();
    if (!writer.Take(p->part)) return false;
    if (out.size() == start) out.resize(before);  // an empty rest: no space before it
  }
  return writer.done();
}

void AppendEdnsText(std::string& out, const Message& m, const Record& r) {
  fmt::format_to(std::back_inserter(out), "; EDNS: version {}, flags{}, udp {}", r.ttl >> 16 & 0xff,
                 (r.ttl & 0x8000) != 0 ? " do" : "", r.klass);
  if (r.opaque) {
    out += ", ";
    AppendOpaque(out, m.Data(r));
  } else if (r.data_length != 0) {
    out += ", ";
    AppendOptions(out, m.Data(r));
  }
}

}  // namespace

void AppendName(std::string& out, Octets name, bool final_dot) {
  const std::size_t before = out.size();
  bool whole = false;
  // An octet takes four characters at most.
  out.resize_and_overwrite(before + 4 * name.size(), [&](char* text, std::size_t) {
    char* to = text + before;
    for (std::size_t at = 0; at < name.size();) {
      const std::size_t size = static_cast<std::uint8_t>(name[at++]);
      if (size == 0) {
        whole = true;
        break;
      }
      const std::size_t end = std::min(at + size, name.size());
      while (at < end) to = WriteNameOctet(to, name[at++]);
      *to++ = '.';
    }
    if (whole && to == text + before) {
      *to++ = '.';  // the root
    } else if (whole && !final_dot) {
      --to;
    }
    return static_cast<std::size_t>(to - text);
  });
  if (!whole) out += "<broken>";
}

void AppendQuestionText(std::string& out, const Message& m, const Question& q) {
  AppendName(out, m.NameOctets(q.name), true);
  out += ' ';
  AppendClass(out, q.klass);
  out += ' ';
  AppendType(out, q.type);
}

void AppendRecordData(std::string& out, const Message& m, const Record& r) {
  if (r.opaque) {
    AppendOpaque(out, m.Data(r));
  } else {
    AppendDataText(out, r.type, m.Data(r));
  }
}

void AppendDataText(std::string& out, std::uint16_t type, Octets data) {
  const TypeInfo* info = FindType(type);
  const std::size_t before = out.size();
  if (info != nullptr && !info->opaque() && AppendTyped(out, *info, data)) return;
  out.resize(before);
  AppendOpaque(out, data);
}

void AppendRecordText(std::string& out, const Message& m, const Record& r) {
  if (r.type == kTypeOpt) {
    AppendEdnsText(out, m, r);
    return;
  }
  AppendName(out, m.NameOctets(r.name), true);
  out += ' ';
  AppendNumber(out, r.ttl);
  out += ' ';
  AppendClass(out, r.klass);
  out += ' ';
  AppendType(out, r.type);
  out += ' ';
  AppendRecordData(out, m, r);
}

void AppendFlags(std::string& out, const Message& m) {
  struct Flag {
    std::uint16_t bit;
    std::string_view name;
  };
  static constexpr Flag kFlags[] = {{kFlagQr, "qr"}, {kFlagAa, "aa"}, {kFlagTc, "tc"}, {kFlagRd, "rd"},
                                    {kFlagRa, "ra"}, {kFlagZ, "z"},   {kFlagAd, "ad"}, {kFlagCd, "cd"}};
  bool first = true;
  for (const Flag& f : kFlags) {
    if ((m.flags & f.bit) == 0) continue;
    if (!first) out += ' ';
    first = false;
    out += f.name;
  }
}

}  // namespace glasspost::dns

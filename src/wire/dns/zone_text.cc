// From zone-file form to octets: RFC 1035 §5.1, RFC 3597 §5, and the presentation that each type's RFC defines.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "wire/dns/address_text.h"
#include "wire/dns/layout.h"
#include "wire/dns/message.h"
#include "wire/dns/zone_words.h"

namespace glasspost::dns {
namespace {

// One octet off the front of `text`, "\." and "\046" undone. Nothing if a backslash begins no escape.
std::optional<char> TakeOctet(Octets& text, bool& escaped) {
  const char c = text[0];
  escaped = c == '\\';
  if (!escaped) {
    text.remove_prefix(1);
    return c;
  }
  if (text.size() < 2) return {};
  if (!IsDigit(text[1])) {
    const char plain = text[1];
    text.remove_prefix(2);
    return plain;
  }
  if (text.size() < 4) return {};
  const auto number = ParseNumber(text.substr(1, 3));
  if (!number || *number > 255) return {};
  text.remove_prefix(4);
  return static_cast<char>(*number);
}

std::optional<std::string> Unescape(Octets text) {
  std::string out;
  bool escaped = false;
  while (!text.empty()) {
    const auto c = TakeOctet(text, escaped);
    if (!c) return {};
    out += *c;
  }
  return out;
}

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

// Words between blanks; quotes hold blanks together and are dropped, escapes stay as they are.
bool Split(Octets text, std::vector<std::string>& words) {
  for (std::size_t i = 0; i < text.size();) {
    if (IsSpace(text[i])) {
      ++i;
      continue;
    }
    std::string& word = words.emplace_back();
    bool quoted = false;
    for (; i < text.size() && (quoted || !IsSpace(text[i])); ++i) {
      if (text[i] == '"') {
        quoted = !quoted;
      } else {
        word += text[i];
        if (text[i] == '\\' && i + 1 < text.size()) word += text[++i];
      }
    }
    if (quoted) return false;
  }
  return true;
}

void PutNumber(std::string& out, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

bool PutCounted(std::string& out, Octets octets, int size) {
  if (octets.size() >> (8 * size) != 0) return false;
  PutNumber(out, octets.size(), size);
  out += octets;
  return true;
}

std::optional<std::string> Unhex(Octets text) {
  if (text.size() % 2 != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc{} || end != text.data() + i + 2) return {};
    out += static_cast<char>(value);
  }
  return out;
}

std::optional<std::string> UnBase32(Octets text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const char u = ToUpper(c);
    if (!IsDigit(u) && (u < 'A' || u > 'V')) return {};
    bits = bits << 5 | static_cast<std::uint32_t>(IsDigit(u) ? u - '0' : u - 'A' + 10);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count);
  }
  return out;
}

// YYYYMMDDHHmmSS, or seconds since 1970 (RFC 4034 §3.2).
std::optional<std::uint32_t> ParseTime(Octets text) {
  const auto number = ParseNumber(text);
  if (!number) return {};
  if (text.size() != 14) return *number <= 0xffffffff ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) {
    return static_cast<std::int64_t>(*ParseNumber(text.substr(at, size)));
  };
  const std::int64_t month = part(4, 2), day = part(6, 2);
  if (month < 1 || month > 12 || day < 1 || day > 31 || part(8, 2) > 23 || part(10, 2) > 59 || part(12, 2) > 60) return {};
  // Days since 1970, with years that begin in March.
  const std::int64_t year = part(0, 4) - (month <= 2 ? 1 : 0);
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
  const std::int64_t seconds = days * 86400 + part(8, 2) * 3600 + part(10, 2) * 60 + part(12, 2);
  if (seconds < 0 || seconds > 0xffffffff) return {};
  return static_cast<std::uint32_t>(seconds);
}

std::optional<std::uint16_t> ParseRcode(Octets text) {
  if (const auto number = ParseNumber(text))
    return *number <= 0xffff ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
  std::string name;
  for (std::uint16_t rcode = 0; rcode < 24; ++rcode) {
    name.clear();
    AppendRcode(name, rcode);
    if (EqualsNoCase(name, text)) return rcode;
  }
  return {};
}

std::vector<Octets> SplitList(Octets text) {
  std::vector<Octets> items;
  for (;;) {
    const std::size_t comma = text.find(',');
    items.push_back(text.substr(0, comma));
    if (comma == Octets::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

// SvcParams (RFC 9460 §2.1)
class Parameters {
 public:
  bool Add(Octets word) {
    const std::size_t equals = word.find('=');
    const auto key = Key(word.substr(0, equals));
    if (!key || values_.contains(*key)) return false;
    const auto value =
        equals == Octets::npos ? std::optional<std::string>("") : Value(*key, word.substr(0, equals), word.substr(equals + 1));
    if (!value || value->size() > 0xffff) return false;
    values_.emplace(*key, *value);
    return true;
  }
  void Put(std::string& out) const {
    for (const auto& [key, value] : values_) {
      PutNumber(out, key, 2);
      PutCounted(out, value, 2);
    }
  }

 private:
  static std::optional<std::uint16_t> Key(Octets name) {
    static constexpr std::string_view kNames[] = {"mandatory", "alpn",     "no-default-alpn", "port", "ipv4hint",
                                                  "ech",       "ipv6hint", "dohpath",         "ohttp"};
    for (std::size_t i = 0; i < std::size(kNames); ++i)
      if (kNames[i] == name) return static_cast<std::uint16_t>(i);
    if (!name.starts_with("key")) return {};
    const auto number = ParseNumber(name.substr(3));
    return number && *number <= 0xffff ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
  }

  static std::optional<std::string> Value(std::uint16_t key, Octets name, Octets text) {
    auto octets = Unescape(text);
    if (!octets || name.starts_with("key")) return octets;
    std::string out;
    switch (key) {
      case 0:
        for (const Octets item : SplitList(*octets)) {
          const auto number = Key(item);
          if (!number) return {};
          PutNumber(out, *number, 2);
        }
        return out;
      case 1:
        return Alpn(*octets);
      case 3: {
        const auto port = ParseNumber(*octets);
        if (!port || *port > 0xffff) return {};
        PutNumber(out, *port, 2);
        return out;
      }
      case 4:
      case 6:
        for (const Octets item : SplitList(*octets))
          if (!(key == 4 ? ParseIp4(item, out) : ParseIp6(item, out))) return {};
        return out;
      case 5:
        return DecodeBase64(*octets);
      default:
        return octets;
    }
  }

  static std::optional<std::string> Alpn(Octets text) {
    std::string out, id;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i == text.size() || text[i] == ',') {
        if (id.empty() || !PutCounted(out, id, 1)) return {};
        id.clear();
      } else {
        if (text[i] == '\\' && ++i == text.size()) return {};
        id += text[i];
      }
    }
    return out;
  }

  std::map<std::uint16_t, std::string> values_;
};

// Takes words off the front for one part of the data after another.
class Reader {
 public:
  Reader(const std::vector<std::string>& words, Octets origin, std::string& out) : words_(words), origin_(origin), out_(out) {}
  bool done() const { return at_ == words_.size(); }
  std::size_t at() const { return at_; }

  bool Take(Part part, Field field) {
    switch (part) {
      case Part::kStrings:
        return Strings();
      case Part::kHex:
        return Octal(Unhex(Joined()));
      case Part::kBase64:
        return Octal(DecodeBase64(Joined()));
      case Part::kTypeBitmap:
        return Bitmap();
      case Part::kParameters:
        return SvcParams();
      case Part::kLocation:
        return Location();
      case Part::kBase64Counted:
        return Base64Counted();
      case Part::kOptions:
      case Part::kEnd:
        return false;
      default:
        return !done() && TakeWord(part, field, words_[at_++]);
    }
  }

 private:
  bool TakeWord(Part part, Field field, const std::string& word) {
    switch (part) {
      case Part::kName:
      case Part::kPlainName:
        return ParseName(word, out_, origin_);
      case Part::kAddress4:
        return ParseIp4(word, out_);
      case Part::kAddress6:
        return ParseIp6(word, out_);
      case Part::kNumber8:
        return Number(ParseNumber(word), 1);
      case Part::kNumber16:
        return Number(ParseNumber(word), 2);
      case Part::kNumber32:
        return Number(ParseNumber(word), 4);
      case Part::kNumber48:
        return Number(ParseNumber(word), 6);
      case Part::kTime:
        return Number(ParseTime(word), 4);
      case Part::kType:
        return Number(ParseType(word), 2);
      case Part::kRcode:
        return Number(ParseRcode(word), 2);
      case Part::kString:
      case Part::kTag:
        return Counted(Unescape(word));
      case Part::kHexCounted:
        return Counted(word == "-" ? std::optional<std::string>("") : Unhex(word));
      case Part::kBase32Counted:
        return Counted(UnBase32(word));
      case Part::kText:
        return Octal(Unescape(word));
      case Part::kEui:
        return Eui(field, word);
      default:
        return false;
    }
  }

  template <class T>
  bool Number(const std::optional<T>& value, int size) {
    if (!value || static_cast<std::uint64_t>(*value) >> (8 * size) != 0) return false;
    PutNumber(out_, *value, size);
    return true;
  }
  bool Octal(const std::optional<std::string>& octets) {
    if (octets) out_ += *octets;
    return octets.has_value();
  }
  bool Counted(const std::optional<std::string>& octets) { return octets && PutCounted(out_, *octets, 1); }
  std::string Joined() {
    std::string all;
    while (!done()) all += words_[at_++];
    return all;
  }
  bool Strings() {
    if (done()) return false;
    while (!done())
      if (!Counted(Unescape(words_[at_++]))) return false;
    return true;
  }
  bool Base64Counted() {
    const auto size = done() ? std::nullopt : ParseNumber(words_[at_++]);
    if (!size || (*size != 0 && done())) return false;
    const auto octets = *size == 0 ? std::optional<std::string>("") : DecodeBase64(words_[at_++]);
    return octets && octets->size() == *size && PutCounted(out_, *octets, 2);
  }
  bool Bitmap() {
    std::map<int, std::string> windows;
    while (!done()) {
      const auto type = ParseType(words_[at_++]);
      if (!type) return false;
      std::string& window = windows[*type >> 8];
      const std::size_t octet = (*type & 0xff) / 8;
      if (window.size() <= octet) window.resize(octet + 1);
      window[octet] = static_cast<char>(window[octet] | 0x80 >> *type % 8);
    }
    for (const auto& [number, bits] : windows) {
      out_ += static_cast<char>(number);
      PutCounted(out_, bits, 1);
    }
    return true;
  }
  bool SvcParams() {
    Parameters parameters;
    while (!done())
      if (!parameters.Add(words_[at_++])) return false;
    parameters.Put(out_);
    return true;
  }
  bool Eui(Field field, const std::string& word) {
    std::string digits;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (i % 3 != 2) {
        digits += word[i];
      } else if (word[i] != '-') {
        return false;
      }
    }
    return digits.size() == (field == Field::kDnsEui48 ? 12 : 16) && Octal(Unhex(digits));
  }

  // A number with up to `places` decimals and perhaps an "m" behind it, in units of the last place.
  static std::optional<std::int64_t> Decimal(Octets text, int places) {
    if (text.ends_with('m')) text.remove_suffix(1);
    const bool minus = text.starts_with('-');
    if (minus) text.remove_prefix(1);
    const std::size_t point = text.find('.');
    std::string digits(text.substr(0, point));
    std::string decimals(point == Octets::npos ? Octets{} : text.substr(point + 1));
    if (decimals.size() > static_cast<std::size_t>(places) || (point != Octets::npos && decimals.empty())) return {};
    decimals.resize(static_cast<std::size_t>(places), '0');
    const auto value = ParseNumber(digits + decimals);
    if (!value || *value > 0x1'0000'0000'0000) return {};
    return minus ? -static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value);
  }
  // Degrees, perhaps minutes and seconds, and one of the two letters (RFC 1876 §3).
  bool Angle(char positive, char negative, std::int64_t most, std::uint32_t& value) {
    std::int64_t parts[3] = {};
    for (int i = 0; !done(); ++i) {
      const std::string& word = words_[at_++];
      if (word.size() == 1 && i > 0 && (ToUpper(word[0]) == positive || ToUpper(word[0]) == negative)) {
        const std::int64_t angle = parts[0] + parts[1] + parts[2];
        if (angle > most * 3600000) return false;
        const bool plus = ToUpper(word[0]) == positive;
        value = static_cast<std::uint32_t>(0x80000000 + (plus ? angle : -angle));
        return true;
      }
      const auto number = i > 2 ? std::nullopt : Decimal(word, i == 2 ? 3 : 0);
      const std::int64_t bounds[] = {most, 59, 59999};
      if (!number || *number < 0 || *number > bounds[i]) return false;
      parts[i] = *number * (i == 0 ? 3600000 : i == 1 ? 60000 : 1);
    }
    return false;
  }
  // A size as a digit and a power of ten.
  static std::optional<std::uint8_t> Magnitude(std::int64_t cm) {
    int power = 0;
    for (; cm > 9; cm /= 10)
      if (cm < 0 || ++power > 9) return {};
    if (cm < 0) return {};
    return static_cast<std::uint8_t>(cm << 4 | power);
  }
  bool Location() {
    std::uint32_t latitude = 0, longitude = 0;
    if (!Angle('N', 'S', 90, latitude) || !Angle('E', 'W', 180, longitude) || done()) return false;
    const auto height = Decimal(words_[at_++], 2);
    if (!height || *height < -10000000 || *height > 0xffffffff - std::int64_t{10000000}) return false;
    std::int64_t sizes[3] = {100, 1000000, 1000};  // the defaults (RFC 1876 §3)
    std::string octets(1, '\0');
    for (std::int64_t& size : sizes) {
      const auto given = done() ? std::optional(size) : Decimal(words_[at_++], 2);
      const auto magnitude = given ? Magnitude(*given) : std::nullopt;
      if (!magnitude) return false;
      octets += static_cast<char>(*magnitude);
    }
    out_ += octets;
    PutNumber(out_, latitude, 4);
    PutNumber(out_, longitude, 4);
    PutNumber(out_, static_cast<std::uint64_t>(*height + 10000000), 4);
    return true;
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  Octets origin_;
  std::string& out_;
};

bool ParseTyped(const TypeInfo& info, const std::vector<std::string>& words, Octets origin, std::string& out, WordFault& fault) {
  Reader reader(words, origin, out);
  for (const PartInfo* p = info.parts; p->part != Part::kEnd; ++p) {
    const bool missing = reader.done();
    if (reader.Take(p->part, p->field)) continue;
    fault = missing ? WordFault{words.size(), p->part, p->field}
                    : WordFault{std::max<std::size_t>(reader.at(), 1) - 1, p->part, p->field};
    return false;
  }
  if (!reader.done()) fault = {reader.at(), Part::kEnd, {}};
  return reader.done();
}

// "\# 4 0A000001"
bool ParseOpaque(const std::vector<std::string>& words, std::string& out) {
  if (words.size() < 2) return false;
  std::string digits;
  for (std::size_t i = 2; i < words.size(); ++i) digits += words[i];
  const auto size = ParseNumber(words[1]);
  const auto octets = Unhex(digits);
  if (!size || !octets || octets->size() != *size) return false;
  out += *octets;
  return true;
}

}  // namespace

bool ParseName(Octets text, std::string& out, Octets origin) {
  const std::size_t before = out.size();
  if (text.empty()) return false;
  if (text == "@" && !origin.empty()) {
    out += origin;
    return true;
  }
  if (text == ".") {
    out += '\0';
    return true;
  }
  std::size_t label = out.size();
  out += '\0';
  const auto fail = [&] {
    out.resize(before);
    return false;
  };
  while (!text.empty()) {
    bool escaped = false;
    const auto c = TakeOctet(text, escaped);
    if (!c) return fail();
    if (*c != '.' || escaped) {
      out += *c;
      if (out.size() - label - 1 > kMaxLabel) return fail();
      continue;
    }
    if (out.size() - label - 1 == 0) return fail();
    out[label] = static_cast<char>(out.size() - label - 1);
    label = out.size();
    out += '\0';
  }
  const std::size_t last = out.size() - label - 1;
  out[label] = static_cast<char>(last);
  if (last != 0) out += origin.empty() ? Octets("", 1) : origin;
  if (out.size() - before > kMaxName) return fail();
  return true;
}

bool ParseWords(std::uint16_t type, const std::vector<std::string>& words, Octets origin, std::string& out, WordFault& fault) {
  const std::size_t before = out.size();
  const TypeInfo* info = FindType(type);
  fault = {};
  if (!words.empty() && words[0] == "\\#") {
    if (ParseOpaque(words, out)) return true;
    fault = {words.size(), Part::kHex, Field::kDnsData};
  } else if (info == nullptr || info->opaque()) {
    fault = {0, Part::kHex, Field::kDnsData};
  } else if (ParseTyped(*info, words, origin, out, fault)) {
    return true;
  }
  out.resize(before);
  return false;
}

bool ParseData(std::uint16_t type, Octets text, std::string& out) {
  std::vector<std::string> words;
  WordFault ignored;
  return Split(text, words) && ParseWords(type, words, {}, out, ignored);
}

}  // namespace glasspost::dns

#include "wire/dns/zone_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "wire/dns/constants.h"
#include "wire/dns/message.h"
#include "wire/dns/names.h"
#include "wire/dns/zone_words.h"

namespace glasspost::dns {
namespace {

struct Word {
  std::string text;  // without quotes, with escapes
  bool quoted = false;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// One record or directive: what stands between two line ends, parentheses regarded.
struct Entry {
  std::vector<Word> words;
  bool indented = false;  // it begins with a blank: the owner is the one before
};

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Cuts the text into entries.
class Scanner {
 public:
  Scanner(Octets text, std::vector<ZoneMistake>& mistakes) : text_(text), mistakes_(mistakes) {}

  // False at the end of the text.
  bool Next(Entry& entry) {
    while (at_ < text_.size() && mistakes_.size() < ZoneFileLimits::kMistakes) {
      entry.words.clear();
      entry.indented = IsBlank(text_[at_]);
      good_ = true;
      open_ = {};
      while (at_ < text_.size()) {
        if (text_[at_] != '\n') {
          Step(entry);
          continue;
        }
        line_start_ = ++at_;
        ++line_;
        if (open_.line == 0) break;
      }
      if (open_.line != 0 && good_) Mistake(open_, "the parenthesis is never closed", "put ) behind the last word of the record");
      if (good_ && !entry.words.empty()) return true;
    }
    return false;
  }

 private:
  void Step(Entry& entry) {
    const char c = text_[at_];
    if (IsBlank(c)) {
      ++at_;
    } else if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '(' || c == ')') {
      Parenthesis(c);
    } else if (c == '"') {
      Quoted(Add(entry));
    } else {
      Plain(Add(entry));
    }
  }

  Word Here() const {
    return {{}, false, line_, static_cast<std::uint32_t>(std::min<std::size_t>(at_ - line_start_ + 1, 0xffffffff))};
  }
  Word& Add(Entry& entry) {
    if (entry.words.size() >= ZoneFileLimits::kWords) {
      if (good_) Mistake(Here(), "the record has too many words", "split it into several records");
      entry.words.pop_back();
    }
    return entry.words.emplace_back(Here());
  }

  void Parenthesis(char c) {
    if (c == '(') {
      if (open_.line != 0) Mistake(Here(), "a parenthesis within a parenthesis", "take one of them out");
      open_ = Here();
    } else {
      if (open_.line == 0) Mistake(Here(), "nothing is open that this parenthesis closes", "take it out, or put ( before");
      open_ = {};
    }
    ++at_;
  }

  void Quoted(Word& word) {
    word.quoted = true;
    ToQuote(word);
  }

  // What lies between the quote here and the next.
  void ToQuote(Word& word) {
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return;
      }
      word.text += text_[at_];
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') word.text += text_[++at_];
    }
    Mistake(word, "the quoted text does not end on its line", "close it with \"; a long one goes on as a second quoted text");
  }

  void Plain(Word& word) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' && word.text.ends_with('=')) {  // alpn="h2,h3" is one word (RFC 9460 §2.1)
        ToQuote(word);
        continue;
      }
      if (IsBlank(c) || c == '\n' || c == ';' || c == '(' || c == ')' || c == '"') return;
      word.text += c;
      if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') word.text += text_[++at_];
      ++at_;
    }
  }

  // The first of an entry: what comes behind it is guesswork.
  void Mistake(const Word& place, std::string what, std::string remedy) {
    if (good_) mistakes_.push_back({place.line, place.column, std::move(what), std::move(remedy)});
    good_ = false;
  }

  Octets text_;
  std::vector<ZoneMistake>& mistakes_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  Word open_;         // the parenthesis that is open; line 0: none
  bool good_ = true;  // the present entry
};

// Seconds, or BIND's "1w2d3h4m5s". RFC 2181 §8: at most 2^31 - 1.
std::optional<std::uint32_t> ParseDuration(Octets text) {
  if (text.empty()) return {};
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && IsDigit(text[digits])) ++digits;
    const auto number = ParseNumber(text.substr(0, digits));
    if (!number || *number > 0x7fffffff) return {};
    text.remove_prefix(digits);
    std::uint64_t unit = 1;
    if (!text.empty()) {
      switch (ToLower(text.front())) {
        case 'w':
          unit = 604800;
          break;
        case 'd':
          unit = 86400;
          break;
        case 'h':
          unit = 3600;
          break;
        case 'm':
          unit = 60;
          break;
        case 's':
          break;
        default:
          return {};
      }
      text.remove_prefix(1);
    }
    total += *number * unit;
    if (total > 0x7fffffff) return {};
  }
  return static_cast<std::uint32_t>(total);
}

struct Expectation {
  std::string_view what;
  std::string_view remedy;
};

Expectation Expected(Part part) {
  switch (part) {
    case Part::kName:
    case Part::kPlainName:
      return {"a domain name", "labels of 1 to 63 characters with dots between them, 255 octets in all"};
    case Part::kAddress4:
      return {"an IPv4 address", "write four numbers from 0 to 255: 192.0.2.1"};
    case Part::kAddress6:
      return {"an IPv6 address", "write it like 2001:db8::1"};
    case Part::kNumber8:
      return {"a number from 0 to 255", "write a decimal number"};
    case Part::kNumber16:
      return {"a number from 0 to 65535", "write a decimal number"};
    case Part::kNumber32:
      return {"a number from 0 to 4294967295", "write a decimal number; of times also 1h, 2d, 1w"};
    case Part::kString:
    case Part::kStrings:
    case Part::kTag:
      return {"a text of at most 255 octets", "split it: \"first part\" \"second part\""};
    case Part::kHex:
    case Part::kHexCounted:
      return {"hexadecimal digits, two an octet", "write them like 0A1B; data of a type without a form: \\# 2 0A1B"};
    case Part::kBase64:
    case Part::kBase64Counted:
      return {"base64", "copy it again"};
    case Part::kType:
    case Part::kTypeBitmap:
      return {"a record type", "write it like MX, or TYPE65534"};
    case Part::kTime:
      return {"a time", "write it like 20301231235959"};
    default:
      return {"data of this type's form", "see the RFC of the type"};
  }
}

class ZoneReader {
 public:
  explicit ZoneReader(std::vector<ZoneMistake>& mistakes) : mistakes_(mistakes) {}

  Zone Read(Octets text) {
    Scanner scanner(text, mistakes_);
    Entry entry;
    while (mistakes_.size() < ZoneFileLimits::kMistakes && scanner.Next(entry)) {
      const Word& first = entry.words.front();
      if (!entry.indented && !first.quoted && first.text.starts_with('$')) {
        Directive(entry);
      } else {
        Record(entry);
      }
      if (zone_.records.size() <= ZoneFileLimits::kRecords) continue;
      Mistake(first, fmt::format("more than {} records", ZoneFileLimits::kRecords), "split the zone");
      break;
    }
    return std::move(zone_);
  }

 private:
  void Mistake(const Word& place, std::string what, std::string remedy) {
    mistakes_.push_back({place.line, place.column, std::move(what), std::move(remedy)});
  }

  void Directive(const Entry& entry) {
    const Word& name = entry.words.front();
    if (EqualsNoCase(name.text, "$ORIGIN")) return Origin(entry);
    if (EqualsNoCase(name.text, "$TTL")) return DefaultTtl(entry);
    if (EqualsNoCase(name.text, "$INCLUDE"))
      return Mistake(name, "$INCLUDE is not followed: a zone is one file", "put the lines of that file here in its place");
    if (EqualsNoCase(name.text, "$GENERATE"))
      return Mistake(name, "$GENERATE is BIND's own and not known here", "write the records that it stands for");
    Mistake(name, "there is no directive " + name.text, "use $ORIGIN or $TTL; a name that begins with $ is written \\$");
  }

  void Origin(const Entry& entry) {
    if (entry.words.size() != 2)
      return Mistake(entry.words.front(), "$ORIGIN takes one name", "write it like $ORIGIN example.test.");
    std::string name;
    if (Name(entry.words[1], name)) origin_ = std::move(name);
  }

  void DefaultTtl(const Entry& entry) {
    const auto ttl = entry.words.size() == 2 ? ParseDuration(entry.words[1].text) : std::nullopt;
    if (!ttl) return Mistake(entry.words.front(), "$TTL takes one time", "write it in seconds, at most 2147483647, or like 1h");
    default_ttl_ = *ttl;
  }

  bool Name(const Word& word, std::string& out) {
    if (origin_.empty() && (word.text == "@" || !Absolute(word.text))) {
      Mistake(word, word.text + " is relative, but to what is not said",
              "put $ORIGIN and the zone's name, with a dot behind it, at the top");
      return false;
    }
    if (ParseName(word.text, out, origin_)) return true;
    const auto [what, remedy] = Expected(Part::kName);
    Mistake(word, fmt::format("{} is not {}", word.text, what), std::string(remedy));
    return false;
  }

  // Does it end in a dot that no backslash takes its meaning from?
  static bool Absolute(Octets name) {
    bool escaped = false, dot = false;
    for (const char c : name) {
      dot = c == '.' && !escaped;
      escaped = c == '\\' && !escaped;
    }
    return dot;
  }

  // [owner] [TTL] [class] type data, TTL and class in any order (RFC 1035 §5.1).
  void Record(const Entry& entry) {
    std::size_t at = 0;
    if (!entry.indented) {
      std::string owner;
      owner_known_ = Name(entry.words[at++], owner);
      if (!owner_known_) return;
      owner_ = std::move(owner);
    } else if (owner_.empty()) {
      if (!owner_known_) return;  // the mistake that was there has been told
      return Mistake(entry.words.front(), "a record without an owner, and none before it", "begin the line with a name, or @");
    }
    std::optional<std::uint32_t> ttl;
    bool klass = false;
    for (; at < entry.words.size(); ++at) {
      const Word& word = entry.words[at];
      if (word.quoted) break;
      if (!ttl && !word.text.empty() && IsDigit(word.text.front())) {
        ttl = ParseDuration(word.text);
        if (!ttl) return Mistake(word, word.text + " is no time to live", "write seconds, at most 2147483647, or like 1h");
      } else if (!klass && ParseClass(word.text) && !FindTypeByName(word.text)) {
        if (*ParseClass(word.text) != kClassIn) return Mistake(word, "only class IN is served", "write IN, or leave it out");
        klass = true;
      } else {
        break;
      }
    }
    if (at == entry.words.size())
      return Mistake(entry.words.back(), "the record has no type", "write it like: mail IN A 192.0.2.1");
    TypeAndData(entry, at, ttl);
  }

  void TypeAndData(const Entry& entry, std::size_t at, std::optional<std::uint32_t> ttl) {
    const Word& word = entry.words[at];
    const auto type = word.quoted ? std::nullopt : ParseType(word.text);
    if (!type)
      return Mistake(word, word.text + " is no record type", "write owner, TTL, class, type, data: mail 3600 IN A 192.0.2.1");
    if (*type == kTypeOpt || *type == kTypeDname || (*type >= 128 && *type <= 255) || *type == 0)
      return Mistake(word, "records of type " + word.text + " are not served", "take it out");
    ZoneRecord record;
    record.name = owner_;
    record.type = *type;
    record.line = entry.words.front().line;
    if (!Data(entry, at + 1, *type, record.data)) return;
    if (!ttl) ttl = default_ttl_ ? default_ttl_ : last_ttl_;
    // RFC 2308 §4: before $TTL, the SOA's last number was the zone's default.
    if (!ttl && *type == kTypeSoa) ttl = Load32(AsBytes(record.data).data() + record.data.size() - 4) & 0x7fffffff;
    if (!ttl)
      return Mistake(word, "how long the record lives is not said", "put $TTL 3600 at the top, or a number before the type");
    record.ttl = *ttl;
    last_ttl_ = ttl;
    zone_.records.push_back(std::move(record));
  }

  bool Data(const Entry& entry, std::size_t at, std::uint16_t type, std::string& out) {
    std::vector<std::string> words;
    for (std::size_t i = at; i < entry.words.size(); ++i) words.push_back(entry.words[i].text);
    // RFC 3597 §5 allows it, but such data need not have the form of their type, which is relied on when they are served.
    if (const TypeInfo* const info = FindType(type); !words.empty() && words[0] == "\\#" && info != nullptr && !info->opaque()) {
      Mistake(entry.words[at], fmt::format("\\# is for types without a form; {} has one", info->name),
              "write the data in the form of their type");
      return false;
    }
    constexpr std::size_t kFirstTime = 3, kLastTime = 6;  // of a SOA: refresh, retry, expire, minimum
    if (type == kTypeSoa && words.size() == kLastTime + 1) {
      for (std::size_t i = kFirstTime; i <= kLastTime; ++i)
        if (const auto seconds = ParseDuration(words[i])) words[i] = fmt::format("{}", *seconds);
    }
    WordFault fault;
    if (ParseWords(type, words, origin_, out, fault)) {
      if (out.size() <= kMaxMessage - kHeaderSize - kMaxName - 10) return true;
      Mistake(entry.words[at - 1], "the data are too long for a message", "65,000 octets is about the most");
      return false;
    }
    std::string name;
    AppendType(name, type);
    if (fault.word >= words.size()) {
      Mistake(entry.words.back(), fmt::format("{} needs {} more: {}", name, "one word", Expected(fault.expected).what),
              std::string(Expected(fault.expected).remedy));
    } else if (fault.expected == Part::kEnd) {
      Mistake(entry.words[at + fault.word], fmt::format("{} takes no more words", name),
              "take it out, or put ; before a comment");
    } else {
      const auto [what, remedy] = Expected(fault.expected);
      Mistake(entry.words[at + fault.word], fmt::format("{} is not {}", words[fault.word], what), std::string(remedy));
    }
    return false;
  }

  std::vector<ZoneMistake>& mistakes_;
  Zone zone_;
  std::string origin_;  // octets; empty: not known yet
  std::string owner_;
  bool owner_known_ = true;
  std::optional<std::uint32_t> default_ttl_;
  std::optional<std::uint32_t> last_ttl_;
};

}  // namespace

std::string ZoneMistake::Text(const std::string& file) const {
  std::string out = line == 0 ? fmt::format("{}: {}", file, what) : fmt::format("{}:{}:{}: {}", file, line, column, what);
  if (!remedy.empty()) out += " (" + remedy + ")";
  return out;
}

Zone ReadZone(Octets text, std::vector<ZoneMistake>& mistakes) {
  mistakes.clear();
  if (text.size() > ZoneFileLimits::kOctets) {
    mistakes.push_back(
        {0, 0, fmt::format("longer than {} octets", ZoneFileLimits::kOctets), "is it a zone file? Split the zone"});
    return {};
  }
  Zone zone = ZoneReader(mistakes).Read(text);
  if (mistakes.empty()) CheckZone(zone, mistakes);
  return zone;
}

}  // namespace glasspost::dns

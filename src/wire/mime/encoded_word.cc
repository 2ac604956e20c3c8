#include "wire/mime/encoded_word.h"

#include <array>
#include <optional>

#include "base/ascii.h"
#include "base/unescape.h"
#include "wire/mime/charset.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxLabel = 80;  // octets of charset and language in one word; longer ones are no words

struct Word {
  Octets charset;
  char encoding;  // 'B' or 'Q'
  Octets text;
  std::size_t length;  // octets from "=?" to "?="
};

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The word at the beginning of `at`, which begins with "=?".
std::optional<Word> ParseWord(Octets at) {
  const std::size_t label_end = at.substr(0, kMaxLabel + 3).find('?', 2);
  if (label_end == Octets::npos || label_end + 3 > at.size() || at[label_end + 2] != '?') return {};
  Word word;
  word.charset = Trim(at.substr(2, label_end - 2));
  word.charset = word.charset.substr(0, word.charset.find('*'));
  word.encoding = ToUpper(at[label_end + 1]);
  if (word.charset.empty() || (word.encoding != 'B' && word.encoding != 'Q')) return {};
  for (const char c : word.charset)
    if (IsBlank(c) || c == '"' || c == '<' || c == '=') return {};
  const std::size_t text = label_end + 3;
  // The end is the next "?="; a word that begins before it says that this one was never ended (and keeps the search linear).
  std::size_t end = at.find('?', text);
  while (end != Octets::npos && !at.substr(end + 1).starts_with('=')) {
    if (end > text && at[end - 1] == '=') return {};
    end = at.find('?', end + 1);
  }
  if (end == Octets::npos) return {};
  word.text = at.substr(text, end - text);
  word.length = end + 2;
  return word;
}

constexpr std::array<std::int8_t, 256> MakeBase64Values() {
  std::array<std::int8_t, 256> v{};
  v.fill(-1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < 64; ++i) v[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return v;
}
constexpr auto kBase64 = MakeBase64Values();

// Bits of a base64 group that a word left unfinished.
struct Group {
  std::uint32_t bits = 0;
  int count = 0;  // characters in it
};

// Appends what the characters give. A group that ends in the middle gives its whole octets if it looks complete (the bits left
// over are zero: the padding is merely missing), and is handed on in `group` if it does not (split over two words).
void AppendBase64(std::string& out, Octets text, Group& group) {
  const auto finish = [&] {
    if (group.count >= 2) out.push_back(static_cast<char>(group.bits >> (group.count == 2 ? 4 : 10)));
    if (group.count == 3) out.push_back(static_cast<char>(group.bits >> 2));
    group = {};
  };
  for (const char c : text) {
    if (c == '=') {
      finish();
      continue;
    }
    const int v = kBase64[static_cast<std::uint8_t>(c)];
    if (v < 0) continue;
    group.bits = group.bits << 6 | static_cast<std::uint32_t>(v);
    if (++group.count < 4) continue;
    out.push_back(static_cast<char>(group.bits >> 16));
    out.push_back(static_cast<char>(group.bits >> 8));
    out.push_back(static_cast<char>(group.bits));
    group = {};
  }
  if ((group.count == 2 && (group.bits & 15) == 0) || (group.count == 3 && (group.bits & 3) == 0)) finish();
}

void AppendQ(std::string& out, Octets text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out.push_back(' ');
    } else if (text[i] == '=' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
}

// Decodes the run of words that begins at `value[at]` (the first is given); tells where it ends.
class Run {
 public:
  explicit Run(std::string& out) : out_(out) {}

  std::size_t Decode(Octets value, std::size_t at, Word word) {
    charset_ = word.charset;
    for (;;) {
      if (!EqualsNoCase(charset_, word.charset)) Flush(), charset_ = word.charset;
      if (word.encoding == 'B') {
        AppendBase64(octets_, word.text, group_);
      } else {
        group_ = {};
        AppendQ(octets_, word.text);
      }
      at += word.length;
      // Blanks between two words belong to neither (RFC 2047 §6.2).
      std::size_t next = at;
      while (next < value.size() && IsBlank(value[next])) ++next;
      if (!value.substr(next).starts_with("=?")) break;
      const auto following = ParseWord(value.substr(next));
      if (!following) break;
      word = *following;
      at = next;
    }
    Flush();
    return at;
  }

 private:
  void Flush() {
    AppendDecoded(out_, octets_, charset_);
    octets_.clear();
    group_ = {};
  }
  std::string& out_;
  std::string octets_;  // decoded, not yet converted: a character may be split over words
  Group group_;
  Octets charset_;
};

void AppendQuotedIfSpecial(std::string& out, Octets name) {
  if (name.find_first_of("()<>[]:;@\\,\"") == Octets::npos) {
    out.append(name);
    return;
  }
  out.push_back('"');
  for (const char c : name) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// Follows whether a position is inside a quoted string.
bool QuotedAfter(Octets text, bool quoted) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\\' && quoted) ++i;
  }
  return quoted;
}

}  // namespace

bool NeedsDecoding(Octets value) { return HasEightBit(value) || value.find("=?") != Octets::npos; }

void AppendDecodedValue(std::string& out, Octets value, ValueKind kind, Octets hint) {
  if (hint.empty()) hint = FirstWordCharset(value);
  bool quoted = false;
  std::size_t plain = 0;
  std::size_t at = value.find("=?");
  while (at != Octets::npos) {
    const auto word = ParseWord(value.substr(at));
    if (!word) {
      at = value.find("=?", at + 2);
      continue;
    }
    const Octets before = value.substr(plain, at - plain);
    quoted = QuotedAfter(before, quoted);
    AppendGuessed(out, before, hint);
    if (kind == ValueKind::kAddress && !quoted) {
      std::string name;
      plain = Run(name).Decode(value, at, *word);
      AppendQuotedIfSpecial(out, name);
    } else {
      plain = Run(out).Decode(value, at, *word);
    }
    at = value.find("=?", plain);
  }
  AppendGuessed(out, value.substr(plain), hint);
}

Octets FirstWordCharset(Octets text) {
  for (std::size_t at = text.find("=?"); at != Octets::npos; at = text.find("=?", at + 2))
    if (const auto word = ParseWord(text.substr(at))) return word->charset;
  return {};
}

}  // namespace glasspost::mime

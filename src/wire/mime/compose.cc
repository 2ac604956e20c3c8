#include "wire/mime/compose.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"

namespace glasspost::mime {
namespace {

constexpr Octets kWordBegin = "=?UTF-8?B?", kWordEnd = "?=";
constexpr std::size_t kWord = 75;  // octets of an encoded word at most (RFC 2047 §2)
constexpr std::size_t kWordText = (kWord - kWordBegin.size() - kWordEnd.size()) / 4 * 3;

bool IsControl(char c) { return static_cast<std::uint8_t>(c) < ' ' || c == 0x7f; }

// Valid UTF-8 without controls.
std::string Cleaned(Octets text) {
  std::string out;
  while (!text.empty()) {
    char32_t code = 0;
    const std::size_t length = Utf8Length(text, code);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (IsControl(text[0])) {
      if (!text.starts_with("\r\n")) out += ' ';  // CRLF is one line end
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

// Where a cut of at most `most` octets harms no character.
std::size_t CharactersWithin(Octets text, std::size_t most) {
  if (text.size() <= most) return text.size();
  std::size_t end = most;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

// A field that grows word by word and is folded before a word that would make its line too long.
class Folder {
 public:
  Folder(std::string& out, Octets name) : out_(out) {
    out_ += name;
    out_ += ':';
    column_ = name.size() + 1;
  }
  // `blank` (or a fold) before it.
  void Word(Octets word, bool blank = true) {
    if (blank) Blank(word.size());
    out_ += word;
    column_ += word.size();
  }
  void End() { out_ += "\r\n"; }
  std::size_t room() const { return ComposeLimits::kLine - std::min(column_ + 1, ComposeLimits::kLine); }

 private:
  void Blank(std::size_t next) {
    if (column_ + 1 + next > ComposeLimits::kLine && !first_) {
      out_ += "\r\n";
      column_ = 0;
    }
    first_ = false;
    out_ += ' ';
    ++column_;
  }
  std::string& out_;
  std::size_t column_ = 0;
  bool first_ = true;
};

void AppendEncodedWords(Folder& folder, Octets text) {
  while (!text.empty()) {
    const std::size_t take = CharactersWithin(text, kWordText);
    std::string word(kWordBegin);
    word += EncodeBase64(text.substr(0, take));
    word += kWordEnd;
    folder.Word(word);
    text.remove_prefix(take);
  }
}

bool MustBeEncoded(Octets word) {
  return word.size() > ComposeLimits::kLine || word.contains("=?") ||
         std::ranges::any_of(word, [](char c) { return static_cast<std::uint8_t>(c) > 0x7e; });
}

bool IsAtext(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || Octets("!#$%&'*+-/=?^_`{|}~").contains(c);
}

bool IsTokenCharacter(char c) { return IsAtext(c) ? !Octets("/=?*'%").contains(c) : c == '.'; }

void AppendQuoted(std::string& out, Octets text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void AppendDisplayName(Folder& folder, const std::string& name) {
  if (name.contains("=?") || name.size() > ComposeLimits::kLine ||
      std::ranges::any_of(name, [](char c) { return static_cast<std::uint8_t>(c) > 0x7e; }))
    return AppendEncodedWords(folder, name);
  if (std::ranges::all_of(name, [](char c) { return IsAtext(c) || c == ' '; })) return folder.Word(name);
  std::string quoted;
  AppendQuoted(quoted, name);
  folder.Word(quoted);
}

void AppendPercent(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto octet = static_cast<std::uint8_t>(c);
  out += '%';
  out += kHex[octet >> 4];
  out += kHex[octet & 0xf];
}

// RFC 2231 §4.1: "filename*0*=UTF-8''…", or "filename*=…" where one section is enough.
void AppendExtended(Folder& folder, Octets name, const std::string& value, bool last) {
  std::vector<std::string> sections(1, "UTF-8''");
  const std::size_t most = ComposeLimits::kLine - std::min<std::size_t>(name.size() + 12, 40);
  for (Octets rest = value; !rest.empty();) {
    char32_t code = 0;
    const std::size_t length = std::max<std::size_t>(Utf8Length(rest, code), 1);
    std::string character;
    for (const char c : rest.substr(0, length)) {
      if (IsTokenCharacter(c))
        character += c;
      else
        AppendPercent(character, c);
    }
    if (sections.back().size() + character.size() > most) sections.emplace_back();
    sections.back() += character;
    rest.remove_prefix(length);
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    std::string word(name);
    word += '*';
    if (sections.size() > 1) word += std::to_string(i) + "*";
    word += '=' + sections[i];
    if (!last || i + 1 < sections.size()) word += ';';
    folder.Word(word);
  }
}

}  // namespace

void AppendTextField(std::string& out, Octets name, Octets text) {
  const std::string clean = Cleaned(text);
  Folder folder(out, name);
  Octets rest = clean;
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  while (!rest.empty()) {
    // From the first word that must be encoded to the last of its neighbours that must: the blanks between them go with them,
    // since those between encoded words are not shown (RFC 2047 §6.2).
    std::size_t end = std::min(rest.find(' '), rest.size());
    const bool blank = end == 0;  // a second one: only within an encoded word it stays
    if (blank) end = std::min(rest.find(' ', std::min(rest.find_first_not_of(' '), rest.size())), rest.size());
    if (blank || MustBeEncoded(rest.substr(0, end))) {
      for (std::size_t at = end; at < rest.size();) {
        const std::size_t word = rest.find_first_not_of(' ', at);
        const std::size_t next = word == Octets::npos ? rest.size() : std::min(rest.find(' ', word), rest.size());
        if (word == Octets::npos || word > at + 1 || MustBeEncoded(rest.substr(word, next - word)))
          end = next;
        else
          break;
        at = next;
      }
      AppendEncodedWords(folder, rest.substr(0, end));
    } else {
      folder.Word(rest.substr(0, end));
    }
    rest.remove_prefix(end);
    if (!rest.empty()) rest.remove_prefix(1);
  }
  folder.End();
}

void AppendAddressField(std::string& out, Octets name, std::span<const Mailbox> mailboxes) {
  if (mailboxes.empty()) return;
  Folder folder(out, name);
  for (std::size_t i = 0; i < mailboxes.size(); ++i) {
    std::string address = Cleaned(mailboxes[i].address);
    std::erase(address, ' ');
    const std::string display = Cleaned(mailboxes[i].name);
    if (!display.empty()) {
      AppendDisplayName(folder, display);
      address = '<' + address + '>';
    }
    if (i + 1 < mailboxes.size()) address += ',';
    folder.Word(address);
  }
  folder.End();
}

void AppendParameterField(std::string& out, Octets name, Octets value, std::span<const FieldParameter> parameters) {
  Folder folder(out, name);
  std::string first = Cleaned(value);
  if (!parameters.empty()) first += ';';
  folder.Word(first);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const bool last = i + 1 == parameters.size();
    const std::string clean = Cleaned(parameters[i].value);
    std::string word(parameters[i].name);
    word += '=';
    if (!clean.empty() && std::ranges::all_of(clean, IsTokenCharacter)) {
      word += clean;
    } else {
      AppendQuoted(word, clean);
    }
    const bool plain = std::ranges::all_of(clean, [](char c) { return static_cast<std::uint8_t>(c) < 0x7f; });
    if (!plain || word.size() + 2 > ComposeLimits::kLine) {
      AppendExtended(folder, parameters[i].name, clean, last);
      continue;
    }
    if (!last) word += ';';
    folder.Word(word);
  }
  folder.End();
}

std::optional<Mailbox> ParseMailbox(Octets text) {
  std::vector<Mailbox> found = ParseAddresses(text, 2);
  if (found.size() != 1 || found.front().address.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace glasspost::mime

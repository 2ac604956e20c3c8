#include "wire/mime/parameter.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/unescape.h"
#include "wire/mime/charset.h"
#include "wire/mime/encoded_word.h"

namespace glasspost::mime {
namespace {

// One piece as it stands there: name*section*=value (RFC 2231 §3, §4).
struct Piece {
  std::string name;
  std::size_t place = 0;  // among all
  std::size_t section = 0;
  bool extended = false;  // percent-encoded; the first section begins with charset'language'
  bool sectioned = false;
  std::string value;
};

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Reader {
 public:
  explicit Reader(Octets text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }

  // The leading word: up to ';', without blanks and comments.
  std::string Word() {
    std::string word;
    while (!done() && text_[at_] != ';') {
      if (text_[at_] == '(') {
        SkipComment();
      } else {
        if (!IsBlank(text_[at_])) word.push_back(ToLower(text_[at_]));
        ++at_;
      }
    }
    return word;
  }

  // The next parameter; false at the end.
  bool Next(Piece& piece) {
    for (;;) {
      while (!done() && (IsBlank(text_[at_]) || text_[at_] == ';')) ++at_;
      if (!done() && text_[at_] == '(') {
        SkipComment();
        continue;
      }
      if (done()) return false;
      const std::size_t start = at_;
      while (!done() && text_[at_] != '=' && text_[at_] != ';') ++at_;
      std::string name;
      for (const char c : text_.substr(start, at_ - start))
        if (!IsBlank(c)) name.push_back(ToLower(c));
      if (done() || text_[at_] == ';') continue;  // a word without a value
      ++at_;
      piece = {};
      ReadName(name, piece);
      ReadValue(piece.value);
      if (!piece.name.empty()) return true;
    }
  }

 private:
  // Blanks and comments may be anywhere (RFC 2045 §5.1); they nest (RFC 5322 §3.2.2).
  void SkipComment() {
    std::size_t depth = 0;
    while (!done()) {
      const char c = text_[at_++];
      if (c == '\\' && !done()) ++at_;
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return;
    }
  }

  static void ReadName(Octets name, Piece& piece) {
    if (name.ends_with('*')) piece.extended = true, name.remove_suffix(1);
    const std::size_t star = name.rfind('*');
    if (star != Octets::npos) {
      if (const auto n = ParseNumber(name.substr(star + 1)); n && *n < 100000) {
        piece.section = static_cast<std::size_t>(*n);
        piece.sectioned = true;
        name = name.substr(0, star);
      }
    }
    piece.name = name;
  }

  void ReadValue(std::string& value) {
    while (!done() && IsBlank(text_[at_])) ++at_;
    if (done()) return;
    if (text_[at_] == '"') {
      ReadQuoted(value);
      return;
    }
    // A token; blanks inside are taken, since names of files have them and senders forget the quotes.
    const std::size_t start = at_;
    while (!done() && text_[at_] != ';') ++at_;
    Octets token = text_.substr(start, at_ - start);
    while (!token.empty() && IsBlank(token.back())) token.remove_suffix(1);
    // A comment after it (RFC 2045 §5.1); "report (1).pdf" has none.
    if (const std::size_t comment = token.find(" ("); token.ends_with(')') && comment != Octets::npos)
      token = Trim(token.substr(0, comment));
    AppendUnfolded(value, token);
  }

  void ReadQuoted(std::string& value) {
    ++at_;
    std::string raw;
    while (!done() && text_[at_] != '"') {
      // C:\dir\name is sent unescaped by some: only \" and \\ are escapes.
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) ++at_;
      raw.push_back(text_[at_++]);
    }
    if (!done()) ++at_;
    AppendUnfolded(value, raw);
    while (!done() && text_[at_] != ';') ++at_;
  }

  static void AppendUnfolded(std::string& out, Octets text) {
    for (const char c : text)
      if (c != '\r' && c != '\n') out.push_back(c);
  }

  Octets text_;
  std::size_t at_ = 0;
};

void AppendPercentDecoded(std::string& out, Octets text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
}

// The value of the pieces [first, last), which have one name, in the order of their sections.
std::string Join(const std::vector<Piece>& pieces, std::size_t first, std::size_t last, Octets hint) {
  std::string charset, octets;
  bool extended = false;
  for (std::size_t i = first; i < last; ++i) {
    Octets value = pieces[i].value;
    if (pieces[i].extended) {
      extended = true;
      const std::size_t one = value.find('\'');
      const std::size_t two = one == Octets::npos ? one : value.find('\'', one + 1);
      if (i == first && two != Octets::npos) {
        charset = value.substr(0, one);
        value.remove_prefix(two + 1);
      }
      AppendPercentDecoded(octets, value);
    } else {
      octets += value;
    }
  }
  std::string out;
  if (!extended) {
    AppendDecodedValue(out, octets, ValueKind::kText, hint);
  } else if (charset.empty() || !AppendAsUtf8(out, octets, charset)) {
    AppendGuessed(out, octets, hint);
  }
  return out;
}

}  // namespace

const std::string* ParameterizedValue::Find(std::string_view name) const {
  for (const Parameter& p : parameters)
    if (p.name == name) return &p.value;
  return nullptr;
}

ParameterizedValue ParseParameters(Octets value, Octets hint, const ParameterLimits& limits) {
  Reader reader(value.substr(0, limits.value_octets));
  ParameterizedValue result;
  result.word = reader.Word();
  std::vector<Piece> pieces;
  Piece piece;
  while (pieces.size() < limits.parameters && reader.Next(piece)) {
    piece.place = pieces.size();
    pieces.push_back(std::move(piece));
  }
  // Of one name: the RFC 2231 form goes before the plain one, which is there for old programs; sections in their order.
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    if (a.name != b.name) return a.name < b.name;
    const bool new_a = a.extended || a.sectioned, new_b = b.extended || b.sectioned;
    if (new_a != new_b) return new_a;
    return a.section != b.section ? a.section < b.section : a.place < b.place;
  });
  for (std::size_t i = 0; i < pieces.size();) {
    // Sections count 0, 1, 2 …; a missing one ends the value (what follows it would be at a wrong place).
    std::size_t end = i + 1;
    while (end < pieces.size() && pieces[i].sectioned && pieces[end].name == pieces[i].name && pieces[end].sectioned &&
           pieces[end].section == pieces[end - 1].section + 1)
      ++end;
    result.parameters.push_back({pieces[i].name, Join(pieces, i, end, hint)});
    while (end < pieces.size() && pieces[end].name == pieces[i].name) ++end;
    i = end;
  }
  return result;
}

}  // namespace glasspost::mime

#include "wire/mime/html_text.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxReference = 12;  // octets of "&thetasym;" and its like
constexpr std::size_t kMaxLinks = 1000;    // that get a number
constexpr std::size_t kMaxTarget = 2000;   // octets of a link's target; more is cut

constexpr bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

void AppendCodePoint(std::string& out, std::uint32_t c) {
  if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else {
    if (c < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | c >> 12));
    } else {
      out.push_back(static_cast<char>(0xf0 | c >> 18));
      out.push_back(static_cast<char>(0x80 | (c >> 12 & 63)));
    }
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  }
}

// What the character reference at the front of `rest` stands for; gives its octets. What is none is an ampersand.
std::size_t AppendReference(std::string& out, Octets rest) {
  const Octets after = rest.substr(1, kMaxReference);
  const std::size_t end = after.find(';');
  const Octets name = end == Octets::npos ? Octets{} : after.substr(0, end);
  std::uint32_t code = 0;
  if (name.starts_with('#') && name.size() > 1) {
    const bool hex = name.size() > 2 && (name[1] == 'x' || name[1] == 'X');
    const Octets digits = name.substr(hex ? 2 : 1);
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (error == std::errc{} && last == digits.data() + digits.size()) {
      AppendCodePoint(out, code);
      return end + 2;
    }
  }
  struct Row {
    std::string_view name;
    std::string_view text;
  };
  static constexpr Row kRows[] = {
      {"amp", "&"},   {"lt", "<"},     {"gt", ">"},     {"quot", "\""},  {"apos", "'"},   {"nbsp", "\u00a0"}, {"copy", "©"},
      {"reg", "®"},   {"trade", "™"},  {"hellip", "…"}, {"mdash", "—"},  {"ndash", "–"},  {"lsquo", "‘"},     {"rsquo", "’"},
      {"ldquo", "“"}, {"rdquo", "”"},  {"bull", "•"},   {"middot", "·"}, {"euro", "€"},   {"pound", "£"},     {"yen", "¥"},
      {"laquo", "«"}, {"raquo", "»"},  {"times", "×"},  {"deg", "°"},    {"auml", "ä"},   {"ouml", "ö"},      {"uuml", "ü"},
      {"szlig", "ß"}, {"eacute", "é"}, {"egrave", "è"}, {"agrave", "à"}, {"ccedil", "ç"}, {"ensp", " "},      {"emsp", " "}};
  for (const Row& row : kRows) {
    if (name != row.name) continue;
    out += row.text;
    return end + 2;
  }
  out.push_back('&');
  return 1;
}

// The value of an attribute of a tag, as it stands there; empty if the tag has no such one.
Octets AttributeOf(Octets tag, Octets wanted) {
  std::size_t at = 0;
  const auto skip = [&](auto is) {
    const std::size_t begin = at;
    while (at < tag.size() && is(tag[at])) ++at;
    return tag.substr(begin, at - begin);
  };
  while (at < tag.size()) {
    skip([](char c) { return IsSpace(c) || c == '/' || c == '='; });
    const Octets name = skip([](char c) { return !IsSpace(c) && c != '=' && c != '>' && c != '/'; });
    skip(IsSpace);
    Octets value;
    if (at < tag.size() && tag[at] == '=') {
      ++at;
      skip(IsSpace);
      const char quote = at < tag.size() && (tag[at] == '"' || tag[at] == '\'') ? tag[at++] : '\0';
      value = skip([quote](char c) { return quote != '\0' ? c != quote : !IsSpace(c) && c != '>'; });
      if (quote != '\0') ++at;
    } else if (name.empty()) {
      ++at;
    }
    if (EqualsNoCase(name, wanted)) return value;
  }
  return {};
}

// A link's target with its references decoded; browsers pass over white space in it, and control characters would make lines of
// their own here.
std::string TargetOf(Octets written) {
  std::string target;
  while (!written.empty() && target.size() <= kMaxTarget) {
    std::size_t taken = 1;
    if (written.front() == '&') {
      taken = AppendReference(target, written);
    } else if (!IsSpace(written.front())) {
      target.push_back(written.front());
    }
    written.remove_prefix(taken);
  }
  std::erase_if(target, [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; });
  if (target.size() > kMaxTarget) target.resize(kMaxTarget), target += "…";
  return target;
}

class Stripper {
 public:
  Stripper(std::string& out, Octets html, std::size_t limit) : out_(out), html_(html), begin_(out.size()), limit_(limit) {}

  bool Run() {
    while (at_ < html_.size() && out_.size() - begin_ < limit_) {
      const char c = html_[at_];
      if (c == '<') {
        Tag();
      } else if (IsSpace(c) && !preformatted_) {
        blank_ = true;
        ++at_;
      } else {
        Flush();
        if (c == '&') {
          at_ += AppendReference(out_, html_.substr(at_));
        } else {
          out_.push_back(c);
          ++at_;
        }
      }
    }
    if (at_ >= html_.size()) WriteLinks();
    const bool whole = at_ >= html_.size() && out_.size() - begin_ <= limit_;
    if (out_.size() - begin_ > limit_) out_.resize(begin_ + limit_);
    // No character is cut in two.
    if (!whole) {
      std::size_t n = out_.size();
      while (n > begin_ && (static_cast<std::uint8_t>(out_[n - 1]) & 0xc0) == 0x80) --n;
      if (n > begin_ && static_cast<std::uint8_t>(out_[n - 1]) >= 0xc0 && !EndsWhole(n - 1)) out_.resize(n - 1);
    }
    return whole;
  }

 private:
  bool EndsWhole(std::size_t lead) const {
    const auto c = static_cast<std::uint8_t>(out_[lead]);
    const std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    return out_.size() - lead >= length;
  }

  // Writes the line ends or the blank that were held back.
  void Flush() {
    const bool empty = out_.size() == begin_;
    if (lines_ > 0) {
      if (!empty) out_.append(std::min(lines_, 2), '\n');
    } else if (blank_ && !empty) {
      out_.push_back(' ');
    }
    lines_ = 0;
    blank_ = false;
  }

  void Tag() {
    const Octets rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const std::size_t end = rest.find("-->", 4);
      at_ = end == Octets::npos ? html_.size() : at_ + end + 3;
      return;
    }
    std::size_t name = 1;
    const bool closing = rest.size() > 1 && rest[1] == '/';
    if (closing) ++name;
    std::size_t name_end = name;
    while (name_end < rest.size() && (IsAlpha(rest[name_end]) || IsDigit(rest[name_end]))) ++name_end;
    if (name_end == name && !(rest.size() > 1 && (rest[1] == '!' || rest[1] == '?' || closing))) {
      Flush();
      out_.push_back('<');  // "a < b"
      ++at_;
      return;
    }
    const Octets tag = rest.substr(name, name_end - name);
    const std::size_t length = TagLength(rest);
    at_ += length;
    if (EqualsNoCase(tag, "a")) {
      EndLink();
      link_text_ = out_.size();
      if (!closing) target_ = AttributeOf(rest.substr(name_end, length - name_end), "href");
    }
    if (!closing && (EqualsNoCase(tag, "script") || EqualsNoCase(tag, "style") || EqualsNoCase(tag, "title"))) SkipElement(tag);
    if (EqualsNoCase(tag, "pre")) preformatted_ = !closing;
    if (EqualsNoCase(tag, "br")) {
      ++lines_;
    } else if (EqualsNoCase(tag, "p") || (tag.size() == 2 && ToLower(tag[0]) == 'h' && IsDigit(tag[1]))) {
      lines_ = std::max(lines_, 2);
    } else if (IsBlock(tag)) {
      lines_ = std::max(lines_, 1);
    } else if (EqualsNoCase(tag, "td") || EqualsNoCase(tag, "th")) {
      blank_ = true;
    }
  }

  // Up to and with '>', which inside quotes does not count.
  static std::size_t TagLength(Octets rest) {
    char quote = 0;
    for (std::size_t i = 1; i < rest.size(); ++i) {
      if (quote != 0) {
        if (rest[i] == quote) quote = 0;
      } else if ((rest[i] == '"' || rest[i] == '\'') && rest[i - 1] == '=') {
        quote = rest[i];
      } else if (rest[i] == '>') {
        return i + 1;
      }
    }
    return rest.size();
  }

  void SkipElement(Octets tag) {
    for (;;) {
      const std::size_t open = html_.find("</", at_);
      if (open == Octets::npos) {
        at_ = html_.size();
        return;
      }
      at_ = open + 2;
      if (StartsWithNoCase(html_.substr(at_), tag)) {
        const std::size_t end = html_.find('>', at_);
        at_ = end == Octets::npos ? html_.size() : end + 1;
        return;
      }
    }
  }

  static bool IsBlock(Octets tag) {
    static constexpr std::string_view kBlocks[] = {"div", "tr", "li", "ul",      "ol",      "table",  "blockquote", "hr",
                                                   "pre", "dt", "dd", "section", "article", "header", "footer",     "center"};
    return std::any_of(std::begin(kBlocks), std::end(kBlocks), [&](std::string_view b) { return EqualsNoCase(tag, b); });
  }

  // Where a link ends, or another begins.
  void EndLink() {
    const std::string target = TargetOf(std::exchange(target_, {}));
    if (target.empty() || target.starts_with('#')) return;
    const Octets shown = Trim(Octets(out_).substr(std::min(link_text_, out_.size())));
    for (const std::string_view scheme : {"", "mailto:", "http://", "https://", "tel:"})
      if (target.starts_with(scheme) && Octets(target).substr(scheme.size()) == shown) return;
    const auto at = numbers_.find(target);
    if (at == numbers_.end() && links_.size() >= kMaxLinks) return;
    if (at == numbers_.end()) links_.push_back(target);
    const std::size_t number = at == numbers_.end() ? links_.size() : at->second;
    numbers_.emplace(target, number);
    if (shown.empty()) Flush();
    out_ += "[" + std::to_string(number) + "]";
  }

  void WriteLinks() {
    EndLink();
    for (std::size_t i = 0; i < links_.size() && out_.size() - begin_ <= limit_; ++i)
      out_ += (i == 0 ? "\n\n[" : "\n[") + std::to_string(i + 1) + "] " + links_[i];
  }

  std::string& out_;
  Octets html_;
  std::size_t begin_;
  std::size_t limit_;
  std::size_t at_ = 0;
  int lines_ = 0;  // line ends held back
  bool blank_ = false;
  bool preformatted_ = false;
  Octets target_;              // of the link that is open, as it is written
  std::size_t link_text_ = 0;  // where its text begins in out_
  std::vector<std::string> links_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace

bool AppendHtmlText(std::string& out, Octets html, std::size_t limit) { return Stripper(out, html, limit).Run(); }

}  // namespace glasspost::mime

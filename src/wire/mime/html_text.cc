#include "wire/mime/html_text.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxReference = 12;  // octets of "&thetasym;" and its like

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
          Reference();
        } else {
          out_.push_back(c);
          ++at_;
        }
      }
    }
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
    at_ += TagLength(rest);
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

  void Reference() {
    const Octets rest = html_.substr(at_ + 1, kMaxReference);
    const std::size_t end = rest.find(';');
    const Octets name = end == Octets::npos ? Octets{} : rest.substr(0, end);
    std::uint32_t code = 0;
    if (name.starts_with('#') && name.size() > 1) {
      const bool hex = name.size() > 2 && (name[1] == 'x' || name[1] == 'X');
      const Octets digits = name.substr(hex ? 2 : 1);
      const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
      if (error == std::errc{} && last == digits.data() + digits.size()) {
        AppendCodePoint(out_, code);
        at_ += end + 2;
        return;
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
      out_ += row.text;
      at_ += end + 2;
      return;
    }
    out_.push_back('&');
    ++at_;
  }

  std::string& out_;
  Octets html_;
  std::size_t begin_;
  std::size_t limit_;
  std::size_t at_ = 0;
  int lines_ = 0;  // line ends held back
  bool blank_ = false;
  bool preformatted_ = false;
};

}  // namespace

bool AppendHtmlText(std::string& out, Octets html, std::size_t limit) { return Stripper(out, html, limit).Run(); }

}  // namespace glasspost::mime

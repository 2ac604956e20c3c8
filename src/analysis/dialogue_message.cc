#include "analysis/dialogue_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "analysis/summary.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "wire/mime/parameter.h"

namespace glasspost::analysis {
namespace {

constexpr std::string_view kIndent = "         ";
constexpr std::size_t kTextLines = 8;      // of the body, unless all of it is wanted
constexpr std::size_t kFieldOctets = 200;  // of a header field, unless all of it is wanted
constexpr std::size_t kShortDigestDigits = 16;

std::string Hex(const std::array<std::uint8_t, 32>& digest) {
  std::string text;
  for (const std::uint8_t octet : digest) fmt::format_to(std::back_inserter(text), "{:02x}", octet);
  return text;
}

// A parameter in the form of RFC 2231 (filename*=UTF-8''%E6%B8%85) as it is meant; nothing if the value has none.
std::string WithDecodedParameters(Octets name, Octets value) {
  if (!EqualsNoCase(name, "Content-Type") && !EqualsNoCase(name, "Content-Disposition")) return {};
  if (value.find('*') == Octets::npos) return {};
  const mime::ParameterizedValue parsed = mime::ParseParameters(value);
  std::string text(Trim(value.substr(0, value.find(';'))));
  for (const mime::Parameter& p : parsed.parameters) text += "; " + p.name + "=\"" + p.value + "\"";
  return text;
}

// What stands behind the header: the first empty line (RFC 5322 §2.1).
Octets BodyOf(Octets message) {
  for (std::size_t at = 0; at < message.size();) {
    const std::size_t lf = message.find('\n', at);
    const std::size_t end = std::min(lf, message.size());
    const Octets line = message.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line == "\r") return message.substr(std::min(at, message.size()));
  }
  return {};
}

std::string OctetCount(std::uint64_t octets, Language language) {
  if (language == Language::kChinese) return fmt::format("{} 个八位组", octets);
  return fmt::format("{} octet{}", octets, octets == 1 ? "" : "s");
}

class Blocks {
 public:
  Blocks(const MessageOctets& whole, Language language, const Style& style) : whole_(whole), language_(language), style_(style) {}

  std::string Tell(const MessageFacts& m) {
    if (m.envelope->present) Envelope(*m.envelope);
    Title(Word("header", "信头"));
    if (m.header != nullptr) {
      Fields(m.header->fields());
      Strays(m.header->strays());
    }
    Title(Word("body", "正文"));
    m.body_kept ? whole_.full ? FullBody(m) : ShortBody(m) : NoBody(m);
    if (m.truncated)
      Line(style_.Yellow(whole_.live ? Word("not whole: it was cut short", "不完整：中途被截断")
                                     : Word("not whole: parts of it are not in the capture", "不完整：有部分内容不在捕获中")));
    Foot(m);
    return std::move(out_);
  }

 private:
  std::string_view Word(std::string_view en, std::string_view zh) const { return language_ == Language::kChinese ? zh : en; }
  void Begin(std::string_view mark) {
    out_ += kIndent;
    style_.Begin(out_, Style::kDim);
    out_ += mark;
    style_.End(out_);
  }
  void Line(std::string_view text) {
    Begin("│ ");
    out_ += text;
    out_ += '\n';
  }
  void Title(std::string_view words) {
    Begin("├ ");
    out_ += style_.Bold(words) + "\n";
  }
  void Remark(std::string_view en, std::string_view zh) { Line(style_.Dim(Word(en, zh))); }

  void Fields(const std::vector<mime::HeaderField>& fields) {
    for (const mime::HeaderField& f : fields) {
      const std::string meant = WithDecodedParameters(f.name, f.value);
      Field(f.name, meant.empty() ? f.value : Octets(meant), whole_.full ? Octets::npos : kFieldOctets);
    }
  }
  void Field(Octets name, Octets value, std::size_t limit) {
    std::string line = style_.Cyan(ForTerminal(name)) + ": ";
    AppendValue(line, value, limit);
    Line(line);
  }
  static void AppendValue(std::string& line, Octets value, std::size_t limit) {
    if (value.size() > limit)  // no character is cut in two
      while (limit > 0 && (static_cast<std::uint8_t>(value[limit]) & 0xc0) == 0x80) --limit;
    std::string shown(value.substr(0, limit));
    std::ranges::replace(shown, '\t', ' ');  // where the field was folded
    AppendForTerminal(line, shown);
    if (value.size() > limit) line += " …";
  }
  void Strays(const std::vector<Octets>& lines) {
    if (lines.empty()) return;
    Remark("lines that are no header fields (where they were meant as the body, the empty line before it is missing):",
           "不是信头字段的行（若本意是正文，则缺少正文前的空行）：");
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!whole_.full && i == kTextLines) return Remark("… (--full shows all of it)", "……（--full 显示全部）");
      std::string line;
      AppendValue(line, lines[i], whole_.full ? Octets::npos : kFieldOctets);
      Line(line);
    }
  }
  void Envelope(const glasspost::Envelope& e) {
    Title(Word("envelope", "信封"));
    const std::string sender =
        e.reverse_path_known ? "<" + e.reverse_path + ">" : std::string(Word("(not in the capture)", "（不在捕获中）"));
    Field(Word("reverse-path (MAIL FROM)", "反向路径 (MAIL FROM)"), sender, std::string::npos);
    for (const std::string& to : e.forward_paths)
      Field(Word("forward-path (RCPT TO)", "前向路径 (RCPT TO)"), "<" + to + ">", std::string::npos);
  }

  void Structure(const mime::Structure& structure) {
    if (structure.parts.size() < 2) return;
    for (const mime::Part& part : structure.parts)
      Line(std::string(part.depth * 2, ' ') + ForTerminal(PartLine(part, language_)));
  }

  void NoBody(const MessageFacts& m) {
    if (m.structure != nullptr) Structure(*m.structure);
    Remark("(not kept)", "（未保存）");
  }

  void ShortBody(const MessageFacts& m) {
    if (m.structure == nullptr) return;
    if (m.structure->problem != mime::MimeProblem::kNone)
      return Remark("(too large or too deeply nested to be taken apart; --full shows it as it was sent)",
                    "（过大或嵌套过深，未作拆分；--full 按原样显示）");
    Structure(*m.structure);
    Lines(m.structure->text, kTextLines);
  }

  void FullBody(const MessageFacts& m) {
    const bool readable =
        m.structure != nullptr && m.structure->problem == mime::MimeProblem::kNone && !m.structure->parts.empty();
    if (!readable || whole_.cut) {
      Remark("as it was sent: it is too large or too deeply nested to be taken apart", "按原样显示：过大或嵌套过深，未作拆分");
      Lines(BodyOf(whole_.octets), Octets::npos);
      if (whole_.cut)
        Remark("… (the rest is too large to be shown; --messages DIR writes it)",
               "……（其余部分过大，不再显示；--messages DIR 可写出）");
      return;
    }
    Structure(*m.structure);
    for (const mime::Part& part : m.structure->parts) {
      if (part.multipart) continue;
      if (m.structure->parts.size() > 1)
        Title(fmt::format("{} {}", Word("part", "部分"), ForTerminal(PartLine(part, language_))));
      Part(part);
    }
  }
  void Part(const mime::Part& part) {
    if (part.message) {  // its body follows as parts of their own
      mime::HeaderDecoder header;
      const Octets inner = whole_.octets.substr(std::min(part.content.offset, whole_.octets.size()), part.content.length);
      header.Parse(inner.substr(0, inner.size() - BodyOf(inner).size()));
      return Fields(header.fields());
    }
    if (part.type.starts_with("text/") || part.type.starts_with("message/"))
      return Lines(mime::PartText(whole_.octets, part), Octets::npos);
    Line(style_.Dim(fmt::format("{}SHA-256 {}", Word("not text; ", "不是文本；"), Hex(part.sha256))));
  }

  // Of the message as a whole, so that nobody takes it for the body's.
  void Foot(const MessageFacts& m) {
    Begin("└ ");
    const std::size_t digits = whole_.full ? m.sha256.size() : std::min(kShortDigestDigits, m.sha256.size());
    out_ += style_.Dim(fmt::format("{}{}{}SHA-256 {}{}", Word("the message, header and body: ", "整封邮件（信头与正文）："),
                                   OctetCount(m.size, language_), Word(", ", "，"), m.sha256.substr(0, digits),
                                   digits < m.sha256.size() ? "…" : ""));
    out_ += '\n';
  }

  void Lines(Octets text, std::size_t most) {
    for (std::size_t n = 0; !text.empty(); ++n) {
      if (n == most) return Remark("… (--full shows all of it)", "……（--full 显示全部）");
      const auto end = text.find('\n');
      Octets line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      Begin(line.empty() ? "│" : "│ ");
      AppendForTerminal(out_, line);
      out_ += '\n';
      text.remove_prefix(end == Octets::npos ? text.size() : end + 1);
    }
  }

  const MessageOctets& whole_;
  const Language language_;
  const Style& style_;
  std::string out_;
};

}  // namespace

std::string PartLine(const mime::Part& part, Language language) {
  const std::string_view joint = language == Language::kChinese ? "，" : ", ";
  std::string line = part.number + " " + part.type;
  if (!part.charset.empty()) line += "; charset=" + part.charset;
  if (!part.filename.empty()) line += " \"" + part.filename + "\"";
  if (part.multipart) return line;
  if (!part.message) (line += joint) += part.encoding;
  (line += joint) += OctetCount(part.size, language);
  return line;
}

std::string MessageBlocks(const MessageFacts& message, const MessageOctets& whole, Language language, const Style& style) {
  return Blocks(whole, language, style).Tell(message);
}

}  // namespace glasspost::analysis

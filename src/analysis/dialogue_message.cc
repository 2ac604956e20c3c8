#include "analysis/dialogue_message.h"

#include <fmt/format.h>

#include "analysis/summary.h"
#include "base/escape.h"

namespace glasspost::analysis {
namespace {

constexpr std::string_view kIndent = "         ";
constexpr std::size_t kTextLines = 8;      // of the body, unless all of it is wanted
constexpr std::size_t kFieldOctets = 200;  // of a header field, unless all of it is wanted

class Blocks {
 public:
  Blocks(Language language, const Style& style) : chinese_(language == Language::kChinese), style_(style) {}

  std::string Tell(const MessageFacts& m, Octets octets) {
    if (m.envelope->present) Envelope(*m.envelope);
    Title("header", "信头");
    const std::size_t limit = octets.empty() ? kFieldOctets : std::string::npos;
    if (m.header != nullptr) {
      for (const mime::HeaderField& f : m.header->fields()) Field(f.name, f.value, limit);
    }
    const std::string size = fmt::format("{}", m.size);
    Title(fmt::format("body ({} octets in all, SHA-256 {}…)", size, m.sha256.substr(0, 16)),
          fmt::format("正文（全文 {} 个八位组，SHA-256 {}…）", size, m.sha256.substr(0, 16)));
    Body(m, octets);
    if (m.truncated) Line(style_.Yellow(Word("not whole: parts of it are not in the capture", "不完整：有部分内容不在捕获中")));
    return std::move(out_);
  }

 private:
  std::string Word(std::string_view en, std::string_view zh) const { return std::string(chinese_ ? zh : en); }
  void Line(std::string_view text) {
    out_ += kIndent;
    out_ += style_.Dim("│ ");
    out_ += text;
    out_ += '\n';
  }
  void Title(std::string_view en, std::string_view zh) {
    out_ += kIndent;
    out_ += style_.Dim("├ ") + style_.Bold(chinese_ ? zh : en) + "\n";
  }
  void Field(Octets name, Octets value, std::size_t limit) {
    std::string line = style_.Cyan(ForTerminal(name)) + ": ";
    AppendForTerminal(line, value.substr(0, limit));
    if (value.size() > limit) line += " …";
    Line(line);
  }
  void Envelope(const glasspost::Envelope& e) {
    Title("envelope", "信封");
    Field(Word("reverse-path (MAIL FROM)", "反向路径 (MAIL FROM)"), "<" + e.reverse_path + ">", std::string::npos);
    for (const std::string& to : e.forward_paths)
      Field(Word("forward-path (RCPT TO)", "前向路径 (RCPT TO)"), "<" + to + ">", std::string::npos);
  }
  void Body(const MessageFacts& m, Octets octets) {
    if (m.structure != nullptr && m.structure->parts.size() > 1) {
      for (const std::string& line : mime::DescribeBody(*m.structure)) Line(ForTerminal(line));
    }
    if (!octets.empty()) return Lines(octets, std::string::npos);
    if (m.structure != nullptr) Lines(m.structure->text, kTextLines);
  }
  void Lines(Octets text, std::size_t most) {
    for (std::size_t n = 0; !text.empty(); ++n) {
      if (n == most) return Line(style_.Dim(Word("… (--full shows all of it)", "……（--full 显示全部）")));
      const auto end = text.find('\n');
      Octets line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      Line(ForTerminal(line));
      text.remove_prefix(end == Octets::npos ? text.size() : end + 1);
    }
  }

  bool chinese_;
  const Style& style_;
  std::string out_;
};

}  // namespace

std::string MessageBlocks(const MessageFacts& message, Octets octets, Language language, const Style& style) {
  return Blocks(language, style).Tell(message, octets);
}

}  // namespace glasspost::analysis

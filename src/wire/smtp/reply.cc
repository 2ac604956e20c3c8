#include "wire/smtp/reply.h"

#include "base/ascii.h"

namespace glasspost::smtp {

bool ParseReplyLine(Octets line, ReplyLine& reply) {
  if (line.size() < 3 || !IsDigit(line[0]) || !IsDigit(line[1]) || !IsDigit(line[2])) return false;
  if (line.size() > 3 && IsDigit(line[3])) return false;  // a longer number is no code
  reply.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  reply.more = line.size() > 3 && line[3] == '-';
  reply.separator = line.size() == 3 || reply.more || line[3] == ' ';
  reply.text = line.substr(line.size() == 3 || !reply.separator ? 3 : 4);
  return true;
}

Octets EnhancedCode(int code, Octets text) {
  const int category = code / 100;
  if ((category != 2 && category != 4 && category != 5) || text.size() < 5) return {};
  if (text[0] - '0' != category || text[1] != '.') return {};
  std::size_t at = 2;
  for (int part = 0; part < 2; ++part) {
    std::size_t digits = 0;
    while (at < text.size() && IsDigit(text[at])) ++at, ++digits;
    if (digits == 0 || digits > 3) return {};
    if (part == 0 && (at == text.size() || text[at++] != '.')) return {};
  }
  if (at < text.size() && text[at] != ' ') return {};
  return text.substr(0, at);
}

Octets WithoutEnhancedCode(Octets text, Octets enhanced) {
  if (enhanced.empty()) return text;
  text.remove_prefix(enhanced.size());
  if (!text.empty()) text.remove_prefix(1);
  return text;
}

ReplyAssembler::Step ReplyAssembler::Add(Octets line) {
  ReplyLine parsed;
  if (!ParseReplyLine(line, parsed)) return Step::kNoReply;
  if (done_) {
    reply_.Clear();
    octets_ = 0;
    reply_.code = parsed.code;
  }
  reply_.codes_differ |= parsed.code != reply_.code;
  const Octets enhanced = EnhancedCode(parsed.code, parsed.text);
  if (done_) reply_.enhanced = enhanced;
  done_ = !parsed.more;
  octets_ += line.size();
  if (reply_.lines.size() < limits_.lines && octets_ <= limits_.octets) {
    reply_.lines.emplace_back(WithoutEnhancedCode(parsed.text, enhanced));
  } else {
    reply_.cut = true;
  }
  return done_ ? Step::kDone : Step::kMore;
}

void AppendReply(std::string& out, const ReplyValue& reply) {
  static const std::vector<std::string> kOneEmptyLine(1);
  const auto& lines = reply.lines.empty() ? kOneEmptyLine : reply.lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += std::to_string(reply.code);
    out += i + 1 < lines.size() ? '-' : ' ';
    if (!reply.enhanced.empty()) (out += reply.enhanced) += ' ';
    // A line end inside would begin a reply of its own.
    for (const char c : lines[i])
      if (c != '\r' && c != '\n') out += c;
    out += "\r\n";
  }
}

}  // namespace glasspost::smtp

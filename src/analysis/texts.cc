#include "analysis/texts.h"

#include <array>

#include "analysis/finding_details.h"

namespace glasspost::analysis {
namespace {

struct Words {
  FindingId id;
  std::string_view text[2];  // by Language
  std::string_view remedy[2];
};

constexpr Words kFindings[] = {
#define GLASSPOST_FINDING_WORDS(id, text_en, remedy_en, text_zh, remedy_zh) \
  {FindingId::id, {text_en, text_zh}, {remedy_en, remedy_zh}},
#include "analysis/texts/findings.inc"
#undef GLASSPOST_FINDING_WORDS
};

// The table stands in the order of the ids, and has words for each.
constexpr bool InOrder() {
  int i = 0;
  for (const Words& w : kFindings)
    if (static_cast<int>(w.id) != i++) return false;
  return i == kFindingCount;
}
static_assert(InOrder(), "texts/findings.inc must follow wire/finding_table.inc");

int Index(Language language) { return static_cast<int>(language); }

// Puts the detail where "{}" stands; without one, leaves out what stands in brackets around it.
std::string Fill(std::string_view form, std::string_view detail) {
  std::string out;
  const auto open = form.find('[');
  const auto close = form.find(']', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::string(form);
  out += form.substr(0, open);
  if (!detail.empty()) {
    const std::string_view inner = form.substr(open + 1, close - open - 1);
    const auto at = inner.find("{}");
    out += inner.substr(0, at);
    out += detail;
    out += inner.substr(at + 2);
  }
  std::string_view rest = form.substr(close + 1);
  // The peer's words may have their own full stop.
  if (!out.empty() && (out.back() == '.' || out.back() == '?' || out.back() == '!'))
    for (const std::string_view stop : {".", "。"})
      if (rest == stop) rest = {};
  out += rest;
  return out;
}

}  // namespace

std::string FindingText(const Finding& f, Language language) {
  return Fill(kFindings[static_cast<std::size_t>(f.id)].text[Index(language)], DetailText(f.detail, language));
}

std::string_view FindingRemedy(FindingId id, Language language) {
  return kFindings[static_cast<std::size_t>(id)].remedy[Index(language)];
}

std::string_view SeverityName(Severity severity, Language language) {
  static constexpr std::string_view kNames[3][2] = {{"note", "提示"}, {"warning", "警告"}, {"error", "错误"}};
  return kNames[static_cast<int>(severity)][Index(language)];
}

std::string_view PhaseName(Phase phase, Language language) {
  static constexpr std::string_view kNames[kPhaseCount][2] = {
      {"connect", "建立连接"}, {"greeting", "问候"},  {"tls", "启用 TLS"}, {"auth", "身份认证"},  {"envelope", "信封"},
      {"data", "数据"},        {"retrieval", "取信"}, {"quit", "告别"},    {"close", "关闭连接"},
  };
  return kNames[static_cast<int>(phase)][Index(language)];
}

std::string_view PhaseGroupName(Phase phase, Language language) {
  static constexpr std::string_view kNames[3][2] = {
      {"handshake", "握手"}, {"authentication", "认证"}, {"data transfer", "数据传输"}};
  const int group = phase <= Phase::kGreeting ? 0 : phase <= Phase::kAuth ? 1 : 2;
  return kNames[group][Index(language)];
}

}  // namespace glasspost::analysis

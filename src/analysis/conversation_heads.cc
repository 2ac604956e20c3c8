#include "analysis/conversation_heads.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/summary.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::analysis {
namespace {

std::string Head(const ConversationFacts& f, const Summary& summary, Language language, const Style& style) {
  const bool zh = language == Language::kChinese;
  std::string start;
  AppendRfc3339(start, f.start);
  const std::string name = UpperCase(Name(f.protocol)) + (f.by_port_only ? "?" : "");
  std::string text = fmt::format("  {}  {} → {}\n", style.Bold(name), f.client().Text(), f.server().Text());
  if (f.live) {
    text += fmt::format("  {}  {}  {} {}\n", start.substr(0, 26) + "Z", DurationText(f.end - f.start), f.bytes,
                        zh ? "个八位组（线路上的 TCP 数据）" : "octets on the wire");
  } else {
    text += fmt::format("  {}  {}  {} {}  {} {}\n", start.substr(0, 26) + "Z", DurationText(f.end - f.start), f.packets,
                        zh               ? "个数据包"
                        : f.packets == 1 ? "packet"
                                         : "packets",
                        f.bytes, zh ? "个八位组（IP 载荷）" : "octets of IP payload");
  }
  const std::string words = ForTerminal(summary.Words(f, language));
  if (!words.empty()) text += "  " + words + "\n";
  return text;
}

}  // namespace

class ConversationHeads::HeadTeller final : public Teller {
 public:
  explicit HeadTeller(const ConversationHeads& owner) : owner_(owner) {}
  void OnExchange(const ConversationFacts& facts, const Exchange& e) override { summary_.OnExchange(e, facts.protocol); }
  void OnMessage(const ConversationFacts&, const MessageFacts& m) override { summary_.OnMessage(m); }
  void OnFinding(const ConversationFacts&, const Finding&) override {}
  void Finish(const ConversationFacts& facts, TextStore& text) override {
    text.Append(Head(facts, summary_, owner_.language_, owner_.style_));
  }

 private:
  const ConversationHeads& owner_;
  Summary summary_;
};

std::unique_ptr<Teller> ConversationHeads::NewTeller() const { return std::make_unique<HeadTeller>(*this); }

void ConversationHeads::Write(std::uint64_t number, Octets /*note*/, TextStore& text) {
  if (!std::binary_search(wanted_.begin(), wanted_.end(), number)) return;
  text.ForEachPiece([&](std::string_view piece) { heads_[number] += piece; });
}

}  // namespace glasspost::analysis

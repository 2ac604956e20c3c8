#include "cli/talk_view.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "agent/probe.h"
#include "analysis/explain.h"
#include "analysis/sasl_details.h"
#include "analysis/texts.h"
#include "base/escape.h"
#include "cli/certificate_text.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

using agent::talk::Advice;
using agent::talk::Input;
using agent::talk::SessionState;
using analysis::Language;

constexpr std::size_t kIndent = 6;
constexpr std::size_t kCommandWidth = 12;

std::string_view In(Language language, std::string_view english, std::string_view chinese) {
  return language == Language::kChinese ? chinese : english;
}

std::string_view Words(Advice advice, Language language) {
  switch (advice) {
#define GLASSPOST_ADVICE(key, en, zh) \
  case Advice::key:                   \
    return In(language, en, zh);
#define GLASSPOST_TALK_STATE(key, en, zh)
#define GLASSPOST_TALK_EVENT(key, en, zh)
#include "cli/texts/talk.inc"
#undef GLASSPOST_ADVICE
#undef GLASSPOST_TALK_STATE
#undef GLASSPOST_TALK_EVENT
  }
  return {};
}

std::string_view Words(Input input, Language language) {
  switch (input) {
#define GLASSPOST_ADVICE(key, en, zh)
#define GLASSPOST_TALK_STATE(key, en, zh) \
  case Input::key:                        \
    return In(language, en, zh);
#define GLASSPOST_TALK_EVENT(key, en, zh)
#include "cli/texts/talk.inc"
#undef GLASSPOST_ADVICE
#undef GLASSPOST_TALK_STATE
#undef GLASSPOST_TALK_EVENT
  }
  return {};
}

std::string_view Words(agent::talk::View::Event event, Language language) {
  switch (event) {
#define GLASSPOST_ADVICE(key, en, zh)
#define GLASSPOST_TALK_STATE(key, en, zh)
#define GLASSPOST_TALK_EVENT(key, en, zh) \
  case agent::talk::View::Event::key:     \
    return In(language, en, zh);
#include "cli/texts/talk.inc"
#undef GLASSPOST_ADVICE
#undef GLASSPOST_TALK_STATE
#undef GLASSPOST_TALK_EVENT
  }
  return {};
}

bool IsFault(agent::talk::View::Event event) {
  using Event = agent::talk::View::Event;
  return event == Event::kUnverified || event == Event::kTlsFailed || event == Event::kDropped || event == Event::kEndless ||
         event == Event::kLate || event == Event::kCut || event == Event::kTrouble;
}

}  // namespace

void TalkView::Put(std::string text) {
  text += '\n';
  if (options_.held) {
    held_cut_ |= held_.size() + text.size() > TalkViewLimits::kHeld;
    if (!held_cut_) held_ += text;
    return;
  }
  if (print_) return print_(text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void TalkView::ShowHeld() {
  std::fwrite(held_.data(), 1, held_.size(), stdout);
  if (held_cut_) fmt::print("*** {}\n", Say("the rest of the transcript was not kept", "其余的记录未保留"));
  std::fflush(stdout);
  held_.clear();
}

void TalkView::Remark(std::string_view text, bool fault) {
  std::string line = fault ? options_.style.Yellow("***") : options_.style.Dim("===");
  line += ' ';
  analysis::AppendWrapped(line, text, 4, options_.style.columns);
  Put(std::move(line));
}

void TalkView::Sent(Octets line, bool over_tls, bool typed) {
  if (typed) return;
  Put(options_.style.Green(over_tls ? " ~>" : " ->") + " " + ForTerminal(line));
}

void TalkView::Heard(Octets line, bool over_tls, bool refuses, bool cut) {
  const std::string_view mark = refuses ? (over_tls ? "<~*" : "<**") : (over_tls ? "<~ " : "<- ");
  Put((refuses ? options_.style.Red(mark) : options_.style.Cyan(mark)) + " " + ForTerminal(line) + (cut ? " …" : ""));
}

void TalkView::Explain(std::string_view sentence) {
  if (sentence.empty() || !options_.explain) return;
  std::string out(kIndent - 2, ' ');
  out += options_.style.Dim("· ");
  analysis::AppendWrapped(out, sentence, kIndent, options_.style.columns);
  Put(std::move(out));
}

void TalkView::Decoded(const std::string& decoded) {
  if (decoded.empty()) return;
  std::string out(kIndent - 2, ' ');
  out += options_.style.Dim("· ");
  out += Say("base64 for: ", "base64 解码：");
  AppendForTerminal(out, analysis::SaslDetails(decoded, options_.language));
  Put(std::move(out));
}

void TalkView::Asked(const Exchange& exchange, bool over_tls) {
  analysis::ConversationFacts facts;
  facts.protocol = options_.protocol;
  facts.within_tls = over_tls;
  std::string sentence;
  Decoded(exchange.request.decoded);
  analysis::ExplainRequest(sentence, exchange, facts, options_.language);
  Explain(sentence);
}

void TalkView::Answered(const Exchange& exchange, bool over_tls) {
  if (!exchange.has_reply) return;
  analysis::ConversationFacts facts;
  facts.protocol = options_.protocol;
  facts.within_tls = over_tls;
  std::string sentence;
  Decoded(exchange.reply.decoded);
  analysis::ExplainReply(sentence, exchange, exchange.reply, facts, options_.language);
  Explain(sentence);
}

void TalkView::Found(const Finding& finding, Protocol protocol) {
  const FindingInfo& info = Info(finding.id);
  Remark(fmt::format("{}: {} ({} · {})", analysis::SeverityName(info.severity, options_.language),
                     ForTerminal(analysis::FindingText(finding, options_.language)), info.name, Clause(finding.id, protocol)),
         true);
}

void TalkView::Tell(Event event, const std::string& what) {
  Remark(fmt::format(fmt::runtime(Words(event, options_.language)), ForTerminal(what)), IsFault(event));
}

void TalkView::Showed(Octets certificate, const net::TlsInfo& info, const std::string& host) {
  const auto read = agent::ReadCertificate(certificate, &info, host);
  if (!read) return;
  const Timestamp now = net::SystemClock().Now();
  Remark(fmt::format("{}{}", Say("certificate: ", "证书："), ForTerminal(read->info.subject)), false);
  Remark(fmt::format("{}{}", Say("for ", "用于 "), CertificateText(*read, now, options_.language)), false);
  for (const agent::ProbeFault fault : agent::FaultsOf(*read, now)) Remark(FaultWords(fault, options_.language), true);
}

// "RCPT        One recipient for the envelope … (RFC 5321 §4.1.1.3)"
void TalkView::AppendCommand(std::string& out, const SessionState::Choice& choice) const {
  Exchange exchange;
  exchange.has_request = true;
  exchange.request.verb = choice.command;
  analysis::ConversationFacts facts;
  facts.protocol = options_.protocol;
  std::string sentence;
  analysis::ExplainRequest(sentence, exchange, facts, options_.language);
  out += "  " + analysis::PadRight(choice.command, kCommandWidth) + "  ";
  if (!choice.rfc.empty()) sentence += fmt::format(" ({})", choice.rfc);
  analysis::AppendWrapped(out, sentence, kCommandWidth + 4, options_.style.columns);
  out += '\n';
}

void TalkView::Help(const SessionState& state) {
  const Input input = state.input();
  std::string out = fmt::format("{} {}\n", options_.style.Bold(Say("State:", "状态：")), state.Name());
  out += "  ";
  out += Words(input, options_.language);
  out += fmt::format("\n{} ", options_.style.Bold(Say("Next:", "下一步：")));
  analysis::AppendWrapped(out, Words(state.advice(), options_.language), 6, options_.style.columns);
  out += '\n';
  const auto allowed = state.Allowed();
  if (!allowed.empty()) out += options_.style.Bold(Say("Allowed now, by the rules:", "按规则现在允许：")) + "\n";
  // First those that are explained; the others are rare, and only named.
  std::string rare;
  for (const auto& choice : allowed) {
    Exchange exchange;
    exchange.has_request = true;
    exchange.request.verb = "?";
    analysis::ConversationFacts facts;
    facts.protocol = options_.protocol;
    std::string unknown, known;
    analysis::ExplainRequest(unknown, exchange, facts, options_.language);
    exchange.request.verb = choice.command;
    analysis::ExplainRequest(known, exchange, facts, options_.language);
    if (known != unknown)
      AppendCommand(out, choice);
    else
      rare += (rare.empty() ? "" : ", ") + std::string(choice.command);
  }
  if (!rare.empty()) {
    out += "  ";
    analysis::AppendWrapped(out, fmt::format("{} {}", Say("rarely:", "少见："), rare), 2, options_.style.columns);
    out += '\n';
  }
  if (!state.offers().empty()) {
    std::string offers;
    for (const std::string& offer : state.offers()) offers += (offers.empty() ? "" : ", ") + ForTerminal(offer);
    out += options_.style.Bold(Say("The server offers:", "服务器提供：")) + " ";
    analysis::AppendWrapped(out, offers, 2, options_.style.columns);
    out += '\n';
  }
  out +=
      Say("Anything else is sent, too. Of our own: :auth :b64 :bdat :close :drop :file :raw :starttls :tls :wait (glasspost help "
          "talk)",
          "其他内容也照样发送。本程序自己的命令：:auth :b64 :bdat :close :drop :file :raw :starttls :tls :wait（见 glasspost "
          "help talk）");
  Put(std::move(out));
}

}  // namespace glasspost::cli

// A conversation led by hand on the terminal: swaks' marks, the explanations of `analyze`, and the words of `?`. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/talk/session_state.h"
#include "agent/talk/view.h"
#include "analysis/language.h"
#include "analysis/style.h"

namespace glasspost::cli {

struct TalkViewLimits {
  static constexpr std::size_t kHeld = std::size_t{1} << 20;  // octets of a transcript that is shown only if something fails
};

class TalkView final : public agent::talk::View {
 public:
  struct Options {
    analysis::Language language = analysis::Language::kEnglish;
    analysis::Style style;
    bool explain = true;
    bool held = false;  // nothing is shown unless ShowHeld is called
    Protocol protocol = Protocol::kSmtp;
  };
  explicit TalkView(const Options& options) : options_(options) {}

  // Where whole lines go; standard output if null.
  void SetPrinter(std::function<void(std::string_view)> print) { print_ = std::move(print); }
  // What was held, as far as it was kept.
  void ShowHeld();
  // Words of our own, with "=== " (or, of a fault, "*** ") before them.
  void Remark(std::string_view text, bool fault);
  // What may come next, and why.
  void Help(const agent::talk::SessionState& state);
  std::string_view Say(std::string_view english, std::string_view chinese) const {
    return options_.language == analysis::Language::kChinese ? chinese : english;
  }

  void Sent(Octets line, bool over_tls, bool typed) override;
  void Asked(const Exchange& exchange, bool over_tls) override;
  void Heard(Octets line, bool over_tls, bool refuses, bool cut) override;
  void Answered(const Exchange& exchange, bool over_tls) override;
  void Found(const Finding& finding, Protocol protocol) override;
  void Tell(Event event, const std::string& what) override;
  void Showed(Octets certificate, const net::TlsInfo& info, const std::string& host) override;

 private:
  void Put(std::string text);
  void Explain(std::string_view sentence);
  void Decoded(const std::string& decoded);
  void AppendCommand(std::string& out, const agent::talk::SessionState::Choice& choice) const;

  const Options options_;
  std::function<void(std::string_view)> print_;
  std::string held_;
  bool held_cut_ = false;
};

}  // namespace glasspost::cli

#include "agent/talk/plan.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace glasspost::agent::talk {
namespace {

struct StageWord {
  std::string_view word;
  Stage stage;
};
// The first of each is its name.
constexpr StageWord kStages[] = {
    {"connect", Stage::kConnect},  {"banner", Stage::kBanner}, {"helo", Stage::kHello},       {"ehlo", Stage::kHello},
    {"first-helo", Stage::kHello}, {"capa", Stage::kHello},    {"capability", Stage::kHello}, {"tls", Stage::kTls},
    {"starttls", Stage::kTls},     {"stls", Stage::kTls},      {"auth", Stage::kAuth},        {"login", Stage::kAuth},
    {"mail", Stage::kMail},        {"from", Stage::kMail},     {"rcpt", Stage::kRcpt},        {"to", Stage::kRcpt},
    {"data", Stage::kData},        {"dot", Stage::kMessage},   {"message", Stage::kMessage},  {"stat", Stage::kSelect},
    {"select", Stage::kSelect},    {"list", Stage::kList},     {"retr", Stage::kRetrieve},    {"fetch", Stage::kRetrieve},
    {"quit", Stage::kQuit},
};

class Plan {
 public:
  Plan(Dialogue& d, const PlanOptions& o) : d_(d), o_(o) {}

  int Run() {
    if (Over(Stage::kConnect)) return status_;
    if (!Good(d_.Greeting(), kStatusBanner) || Over(Stage::kBanner)) return status_;
    const Protocol protocol = d_.state().protocol();
    const bool done = protocol == Protocol::kPop3 ? Pop3() : protocol == Protocol::kImap ? Imap() : Smtp();
    if (done && !ended_) Quit();
    return status_;
  }

 private:
  // False: it failed; the session is ended as decently as it can be.
  bool Good(const Answer& answer, int status) {
    if (answer.ok()) return true;
    Fails(answer, status);
    return false;
  }
  void Fails(const Answer& answer, int status) {
    status_ = answer.came || answer.late ? status : kStatusClosed;
    // A server that says no still hears a goodbye; its answer changes nothing.
    if (answer.came && d_.state().input() != Input::kOver) d_.Ask(Goodbye());
    d_.End(false);
    ended_ = true;
  }
  std::string Goodbye() const { return d_.state().protocol() == Protocol::kImap ? "LOGOUT" : "QUIT"; }

  // The session was to end after this stage, and does.
  bool Over(Stage stage) {
    if (o_.drop_after == stage) {
      d_.End(true);
      return ended_ = true;
    }
    if (o_.quit_after != stage) return false;
    Quit();
    return ended_ = true;
  }
  void Quit() {
    if (d_.state().input() == Input::kGreeting) return d_.End(false);
    const Answer answer = d_.Ask(Goodbye());
    if (!answer.ok() && status_ == 0) status_ = answer.came || answer.late ? kStatusQuit : kStatusClosed;
    d_.End(o_.drop_after == Stage::kQuit);
  }

  bool Hello(int status) {
    const Answer answer = d_.Ask("EHLO " + o_.host);
    if (answer.ok()) return true;
    // RFC 5321 §3.2: who knows no EHLO is asked in the old way.
    if (answer.came && answer.reply.code / 100 == 5) return Good(d_.Ask("HELO " + o_.host), status);
    Fails(answer, status);
    return false;
  }

  bool Tls(const std::string& command) {
    if (!o_.start_tls) return true;
    const Answer answer = d_.Ask(command);
    if (!Good(answer, kStatusTls)) return false;
    if (d_.ShakeHands()) return true;
    status_ = kStatusTls;
    d_.End(false);
    ended_ = true;
    return false;
  }

  bool Login() {
    // Who was let in by the greeting (IMAP's PREAUTH) cannot log in any more (RFC 9051 §3.2).
    if (o_.user.empty() || d_.state().logged_in()) return true;
    return Good(d_.LogIn(o_.mechanism, o_.user), kStatusAuth);
  }

  bool Smtp() {
    if (!Hello(kStatusHello) || Over(Stage::kHello) || !Tls("STARTTLS")) return false;
    if (o_.start_tls && !Hello(kStatusHelloAgain)) return false;
    if (Over(Stage::kTls) || !Login() || Over(Stage::kAuth)) return false;
    return o_.pipeline && CanPipeline() ? Pipelined() : OneByOne();
  }

  bool CanPipeline() const { return !o_.quit_after && !o_.drop_after; }

  bool OneByOne() {
    if (!Good(d_.Ask("MAIL FROM:<" + o_.from + ">"), kStatusMail) || Over(Stage::kMail)) return false;
    std::size_t accepted = 0;
    Answer last;
    for (const std::string& to : o_.to) {
      last = d_.Ask("RCPT TO:<" + to + ">");
      accepted += last.ok() ? 1 : 0;
      if (!last.came) break;
    }
    return Recipients(accepted, last) && Content(d_.Ask("DATA"));
  }

  bool Recipients(std::size_t accepted, const Answer& last) {
    if (accepted == 0 || !last.came) return Fails(last, kStatusRcpt), false;
    return !Over(Stage::kRcpt);
  }

  bool Content(const Answer& data) {
    if (!data.go_on()) return Fails(data, kStatusData), false;
    if (Over(Stage::kData)) return false;
    return Good(d_.SendMessage(), kStatusMessage) && !Over(Stage::kMessage);
  }

  // RFC 2920 §3.1: DATA may be the last of a group.
  bool Pipelined() {
    std::vector<std::string> lines{"MAIL FROM:<" + o_.from + ">"};
    for (const std::string& to : o_.to) lines.push_back("RCPT TO:<" + to + ">");
    lines.push_back("DATA");
    const std::vector<Answer> answers = d_.AskAll(lines);
    std::size_t accepted = 0;
    for (std::size_t i = 1; i + 1 < answers.size(); ++i) accepted += answers[i].ok() ? 1 : 0;
    const Answer& data = answers.back();
    if (!data.came) return Fails(data, kStatusData), false;
    const int status = !answers.front().ok() ? kStatusMail : accepted == 0 ? kStatusRcpt : 0;
    if (status == 0) return Content(data);
    // Told to go on though nobody is to get it: an empty message lets the server say so (RFC 2920 §3.1).
    if (data.go_on()) d_.Ask(".");
    Fails(data, status);
    return false;
  }

  bool Pop3() {
    const Answer capa = d_.Ask("CAPA");  // older servers do not know it
    if (!capa.came) return Fails(capa, kStatusHello), false;
    if (Over(Stage::kHello) || !Tls("STLS") || Over(Stage::kTls) || !Login() || Over(Stage::kAuth)) return false;
    if (o_.user.empty()) return true;
    if (!Good(d_.Ask("STAT"), kStatusSelect) || Over(Stage::kSelect)) return false;
    const Answer list = d_.Ask("LIST");
    if (!Good(list, kStatusList) || Over(Stage::kList)) return false;
    if (!WantsMessage()) return true;
    return Good(d_.Ask("RETR 1"), kStatusRetrieve) && !Over(Stage::kRetrieve);
  }

  bool Imap() {
    if (!Good(d_.Ask("CAPABILITY"), kStatusHello) || Over(Stage::kHello) || !Tls("STARTTLS") || Over(Stage::kTls)) return false;
    if (!Login() || Over(Stage::kAuth)) return false;
    if (!d_.state().logged_in()) return true;
    if (!Good(d_.Ask("LIST \"\" *"), kStatusList) || Over(Stage::kList)) return false;
    if (!Good(d_.Ask("EXAMINE INBOX"), kStatusSelect) || Over(Stage::kSelect)) return false;
    if (!WantsMessage()) return true;
    return Good(d_.Ask("FETCH 1 BODY.PEEK[]"), kStatusRetrieve) && !Over(Stage::kRetrieve);
  }

  bool WantsMessage() const { return o_.quit_after == Stage::kRetrieve || o_.drop_after == Stage::kRetrieve; }

  Dialogue& d_;
  const PlanOptions& o_;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace

std::optional<Stage> ParseStage(std::string_view word) {
  const auto at = std::ranges::find_if(kStages, [&](const StageWord& s) { return EqualsNoCase(s.word, word); });
  if (at == std::end(kStages)) return {};
  return at->stage;
}

std::string_view Name(Stage stage) { return std::ranges::find(kStages, stage, &StageWord::stage)->word; }

int RunPlan(Dialogue& dialogue, const PlanOptions& options) { return Plan(dialogue, options).Run(); }

}  // namespace glasspost::agent::talk

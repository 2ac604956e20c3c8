#include "cli/talk_shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <utility>

#include "agent/talk/plan.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "cli/line_reader.h"
#include "wire/sasl/secrets.h"

namespace glasspost::cli {
namespace {

using agent::talk::Input;
using agent::talk::ScriptLimits;
using agent::talk::SessionState;
using agent::talk::Step;
using agent::talk::Talker;

// A reply that comes so soon is shown before the next prompt.
constexpr std::chrono::milliseconds kAtOnce(400);

// Waits for standard input while the connection lives on.
class InputWaiter {
 public:
  InputWaiter(net::asio::io_context& context, const Talker& talker) : context_(context), talker_(talker), input_(context) {
    boost::system::error_code error;
    const int copy = ::dup(STDIN_FILENO);
    input_.assign(copy, error);
    pollable_ = !error;  // a file is always ready
    if (error && copy >= 0) ::close(copy);
  }

  // False: the conversation is over.
  bool Wait() {
    if (!pollable_) return !talker_.over();
    bool ready = false;
    input_.async_wait(net::asio::posix::stream_descriptor::wait_read,
                      [&ready](const boost::system::error_code& error) { ready = error != net::asio::error::operation_aborted; });
    while (!ready && !talker_.over()) {
      if (context_.stopped()) context_.restart();
      context_.run_one();
    }
    if (ready) return true;
    boost::system::error_code ignored;
    input_.cancel(ignored);
    context_.restart();
    context_.poll();  // the handler that knows `ready` is gone
    return false;
  }

 private:
  net::asio::io_context& context_;
  const Talker& talker_;
  net::asio::posix::stream_descriptor input_;
  bool pollable_ = false;
};

// May the line be kept? A password must not lie in a file of history.
bool HoldsSecret(Octets line, const SessionState& state) {
  if (state.input() == Input::kAnswer || line.starts_with(":b64") || line.starts_with(":raw")) return true;
  const std::size_t at = sasl::FindSlip(line, state.secret_words());
  return at < line.size();
}

LineReader::Completions Complete(Octets before, const SessionState& state) {
  LineReader::Completions found;
  std::vector<std::string> all;
  if (before.starts_with(':')) {
    for (const std::string_view word : agent::talk::CommandWords()) all.push_back(":" + std::string(word));
  } else if (const std::string upper = UpperCase(before);
             upper.starts_with("AUTH ") || upper.find(" AUTHENTICATE ") != std::string::npos) {
    found.from = before.rfind(' ') + 1;
    all = state.Mechanisms();
  } else {
    for (const auto& choice : state.Allowed()) all.emplace_back(choice.command);
    // Behind a tag, too; but not behind a command.
    const std::size_t space = before.find(' ');
    const bool first_is_command = std::ranges::find(all, UpperCase(before.substr(0, space))) != all.end();
    if (state.protocol() == Protocol::kImap && space != Octets::npos && !first_is_command) found.from = space + 1;
  }
  const Octets typed = before.substr(found.from);
  for (const std::string& word : all)
    if (StartsWithNoCase(word, typed)) found.words.push_back(word);
  return found;
}

class Terminal {
 public:
  Terminal(Talker& talker, TalkView& view, const TalkShellOptions& options)
      : talker_(talker), view_(view), options_(options), waiter_(*options.context, talker) {}

  int Run() {
    LineReader::Options reading;
    reading.history = HistoryPath("talk");
    reading.complete = [this](Octets before) { return Complete(before, talker_.state()); };
    reading.wait = [this] { return waiter_.Wait(); };
    reading.silent_between = true;
    reader_ = LineReader::Make(std::move(reading));
    if (!reader_) return TalkByLines(talker_, view_, options_);
    view_.SetPrinter([this](std::string_view text) { reader_->Print(text); });
    talker_.Settle(kAtOnce);
    view_.Remark(view_.Say("? says what may come next, Tab completes, ^D ends", "? 说明下一步，Tab 补全，^D 结束"), false);
    int breaks = 0;
    while (!talker_.over() && breaks < 2) {
      std::string line;
      const auto outcome = reader_->Read(Prompt(), line);
      breaks = outcome == LineReader::Outcome::kBreak ? breaks + 1 : 0;
      if (breaks == 1) view_.Remark(view_.Say("^C once more ends the conversation", "再按一次 ^C 结束会话"), false);
      if (outcome == LineReader::Outcome::kLine && !Take(line)) break;
      if (outcome == LineReader::Outcome::kEnd || outcome == LineReader::Outcome::kNotWanted) break;
    }
    if (!talker_.over()) talker_.End(breaks > 0);
    view_.SetPrinter({});
    reader_.reset();
    return talker_.handshake_failed() ? agent::talk::kStatusTls : 0;
  }

 private:
  std::string Prompt() const {
    const SessionState& state = talker_.state();
    const std::string_view what = state.input() == Input::kData     ? "data"
                                  : state.input() == Input::kAnswer ? "auth"
                                                                    : std::string_view(options_.name);
    return fmt::format("{} {} ", what, state.tls() ? "~>" : "->");
  }

  // False: that was the last.
  bool Take(const std::string& line) {
    const bool data = talker_.state().input() == Input::kData;
    if (line.size() > ScriptLimits::kLine) return view_.Remark(view_.Say("too long a line", "行太长"), true), true;
    if (!data && (line == "?" || line == ":help" || line == ":?")) return view_.Help(talker_.state()), true;
    if (!data && !talker_.literal_due() && !HoldsSecret(line, talker_.state()) && !talker_.Knows(line)) reader_->Remember(line);
    if (line.starts_with("::")) {
      talker_.Type(Octets(line).substr(1), false);
    } else if (line.starts_with(':')) {
      const auto step = agent::talk::ParseCommand(line);
      if (!step) return view_.Remark(ForTerminal(step.error().Text()), true), true;
      int status = 0;
      talker_.Do(*step, status);
    } else {
      talker_.Type(line, true);
    }
    if (talker_.state().input() != Input::kData || line == ".") talker_.Settle(kAtOnce);
    return true;
  }

  Talker& talker_;
  TalkView& view_;
  const TalkShellOptions& options_;
  InputWaiter waiter_;
  std::unique_ptr<LineReader> reader_;
};

// Lines of a pipe or a file, of bounded length.
class LineSource {
 public:
  // False: there are no more, or one is too long.
  bool Next(InputWaiter& waiter, std::string& line) {
    while (true) {
      const std::size_t end = held_.find('\n');
      too_long_ = std::min(end, held_.size()) > ScriptLimits::kLine;
      if (too_long_) return false;
      if (end != std::string::npos || (ended_ && !held_.empty())) {
        line = held_.substr(0, end);
        held_.erase(0, end == std::string::npos ? end : end + 1);
        if (line.ends_with('\r')) line.pop_back();
        return true;
      }
      if (ended_ || !waiter.Wait()) return false;
      char buffer[4096];
      const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      ended_ = got <= 0;
      if (got > 0) held_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  bool too_long() const { return too_long_; }

 private:
  std::string held_;
  bool ended_ = false;
  bool too_long_ = false;
};

std::string Where(const Step& step, const TalkView& view) {
  return fmt::format(fmt::runtime(view.Say("script, line {}", "脚本第 {} 行")), step.line);
}

// False: what is expected did not come, which was told.
bool Expect(Talker& talker, TalkView& view, const Step& step) {
  const std::string& wanted = step.pattern.text();
  if (step.pattern.close()) {
    if (talker.over() || talker.WaitForClose()) return true;
    view.Remark(fmt::format("{}: {}", Where(step, view),
                            view.Say("the server was expected to close, and did not", "应由服务器关闭连接，但没有")),
                true);
    return false;
  }
  const agent::talk::Answer answer = talker.NextAnswer();
  if (answer.came && step.pattern.Matches(answer.reply, answer.heard)) return true;
  std::string came(view.Say("nothing", "什么也没有"));
  if (answer.came) {
    came = agent::talk::TextOf(answer.reply);
    came.resize(came.find('\n'));
  }
  view.Remark(fmt::format(fmt::runtime(view.Say("{}: expected {}, but {} came", "{}：应为 {}，实为 {}")), Where(step, view),
                          ForTerminal(wanted), ForTerminal(came)),
              true);
  return false;
}

}  // namespace

int TalkOnTerminal(Talker& talker, TalkView& view, const TalkShellOptions& options) {
  return Terminal(talker, view, options).Run();
}

int TalkByLines(Talker& talker, TalkView& view, const TalkShellOptions& options) {
  InputWaiter waiter(*options.context, talker);
  LineSource source;
  int status = 0;
  if (!talker.Settle(options.wait) && !talker.over()) status = agent::talk::kStatusBanner;
  for (std::string line; status == 0 && source.Next(waiter, line) && !talker.over();) {
    const bool data = talker.state().input() == Input::kData;
    bool done = true;
    if (!data && line == "?") {
      view.Help(talker.state());
    } else if (!data && line.starts_with(':') && !line.starts_with("::")) {
      const auto step = agent::talk::ParseCommand(line);
      if (!step) {
        view.Remark(ForTerminal(step.error().Text()), true);
        status = agent::talk::kStatusUsage;
      } else {
        int failed = 0;
        done = talker.Do(*step, failed);
        if (!done) status = failed;
      }
    } else {
      talker.Type(!data && line.starts_with("::") ? Octets(line).substr(1) : Octets(line), false);
    }
    if (done && !talker.Settle(options.wait) && !talker.over()) {
      talker.TellLate();
      status = agent::talk::kStatusClosed;
    }
  }
  if (source.too_long()) {
    view.Remark(view.Say("too long a line", "行太长"), true);
    status = agent::talk::kStatusUsage;
  }
  talker.End(false);
  return talker.handshake_failed() ? agent::talk::kStatusTls : status;
}

int TalkByScript(Talker& talker, TalkView& view, const TalkShellOptions& options, const std::vector<Step>& script) {
  int status = 0;
  bool asked = false;  // nobody has looked at the reply to the last line
  for (const Step& step : script) {
    if (step.kind == Step::Kind::kExpect) {
      if (!Expect(talker, view, step)) status = agent::talk::kStatusExpected;
    } else {
      if (step.kind != Step::Kind::kSendAhead) {
        talker.Settle(options.wait);
        talker.ForgetAnswers();
      }
      if (talker.over() && step.kind != Step::Kind::kWait && step.kind != Step::Kind::kClose && step.kind != Step::Kind::kDrop) {
        view.Remark(fmt::format("{}: {}", Where(step, view), view.Say("the connection is gone", "连接已不在")), true);
        status = agent::talk::kStatusClosed;
      } else {
        int failed = 0;
        if (!talker.Do(step, failed)) {
          view.Remark(fmt::format("{}: {}", Where(step, view), view.Say("it failed", "失败")), true);
          status = failed;
        }
      }
    }
    if (status != 0) break;
    asked = step.kind == Step::Kind::kSend;
  }
  if (asked) talker.Settle(options.wait);
  talker.End(false);
  if (status == 0 && talker.handshake_failed()) status = agent::talk::kStatusTls;
  if (status != 0) view.ShowHeld();
  return status;
}

}  // namespace glasspost::cli

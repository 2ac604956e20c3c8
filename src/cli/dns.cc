#include "cli/dns.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/escape.h"
#include "cli/command_line.h"
#include "cli/dns_asker.h"
#include "cli/dns_habits.h"
#include "cli/dns_machine.h"
#include "cli/dns_serve.h"
#include "cli/dns_shell.h"
#include "cli/dns_trace.h"

namespace glasspost::cli {
namespace {

struct Wanted {
  bool short_form = false;
  bool message = false;
  bool trace = false;
  bool config = false;
  bool tcp = false;
  bool no_tcp = false;
  bool no_recurse = false;
  bool no_edns = false;
  bool dnssec = false;
  double timeout = 3;
  int tries = 3;
  std::string name;
  std::string type;
  std::string server;  // without its @

  agent::DnsOptions Options() const {
    agent::DnsOptions options;
    options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout * 1000));
    options.tries = tries;
    options.tcp = tcp;
    options.keep_truncated = no_tcp;
    options.edns = !no_edns;
    options.dnssec = dnssec;
    options.recurse = !no_recurse && !trace;
    return options;
  }
};

void AddOptions(CLI::App& app, Wanted& w) {
  constexpr double kShortest = 0.1, kLongest = 60;  // seconds
  app.add_flag("--short", w.short_form);
  app.add_flag("--message", w.message);
  app.add_flag("--trace", w.trace);
  app.add_flag("--config", w.config);
  app.add_flag("--tcp", w.tcp);
  app.add_flag("--no-tcp", w.no_tcp);
  app.add_flag("--no-recurse", w.no_recurse);
  app.add_flag("--no-edns", w.no_edns);
  app.add_flag("--dnssec", w.dnssec);
  app.add_option("--timeout", w.timeout)->check(CLI::Range(kShortest, kLongest));
  app.add_option("--tries", w.tries)->check(CLI::Range(1, agent::DnsClientLimits::kTries));
}

// A status: they do not go together, which was said.
std::optional<int> TakeWords(const CommandLine& line, Wanted& w) {
  for (const std::string& word : line.words()) {
    if (word.starts_with('@')) {
      if (!w.server.empty() || word.size() == 1) return line.Misused("one server, like @192.0.2.53 or @192.0.2.53:5300");
      w.server = word.substr(1);
    } else if (w.name.empty()) {
      w.name = word;
    } else if (w.type.empty()) {
      w.type = word;
    } else {
      return line.Misused("what is " + ForTerminal(word) + "? One name, one type, one @SERVER");
    }
  }
  // dig's order: a type, then the name.
  if (!w.type.empty() && dns::ParseType(w.name) && !dns::ParseType(w.type)) std::swap(w.name, w.type);
  if (w.tcp && w.no_tcp) return line.Misused("--tcp and --no-tcp contradict each other");
  if (w.dnssec && w.no_edns) return line.Misused("--dnssec needs EDNS: leave --no-edns out");
  const int forms = (w.short_form ? 1 : 0) + (w.message ? 1 : 0) + (line.json() ? 1 : 0);
  if (forms > 1) return line.Misused("one of --short, --message and --json");
  if (w.trace && w.name.empty()) return line.Misused("--trace needs a name");
  if (w.config && (!w.name.empty() || w.trace || w.message || w.short_form))
    return line.Misused("--config goes with --json alone");
  return std::nullopt;
}

// The words of an answer, or why there is none; the exit status.
int Tell(const CommandLine& line, const Wanted& w, const agent::DnsResult& result) {
  const analysis::DnsLookup lookup = LookupOf(result);
  std::string out;
  if (line.json()) {
    analysis::AppendDnsJson(out, lookup, line.language());
  } else {
    if (!w.short_form) out += TellDnsEvents(result, line.language(), line.style());
    if (w.message) {
      analysis::AppendDnsOctets(out, lookup, line.language(), line.style());
    } else if (w.short_form) {
      analysis::AppendDnsShort(out, result.answer);
    } else if (!result.answer.empty()) {
      analysis::AppendDnsAnswer(out, lookup, line.language(), line.style());
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  if (result.answer.empty()) {
    Complain({result.failure, result.server.Text(), {}});
    return Finish(kCannotOpen);
  }
  return Finish(RcodeOf(result) == dns::kRcodeNoError ? kDone : kRefused);
}

std::optional<agent::DnsQuestion> QuestionOf(const CommandLine& line, const Wanted& w) {
  agent::DnsQuestion question;
  bool reverse = false;
  auto name = DnsNameOf(w.name, reverse);
  if (!name) return line.Misused(name.error().Text()), std::nullopt;
  question.name = std::move(*name);
  question.type = reverse ? dns::kTypePtr : dns::kTypeA;
  if (w.type.empty()) return question;
  const auto type = dns::ParseType(w.type);
  if (!type || *type == dns::kTypeOpt) return line.Misused(ForTerminal(w.type) + " is no record type"), std::nullopt;
  question.type = *type;
  return question;
}

// Where "serve" stands, if it is the first word that is no option.
std::vector<std::string>::iterator ServeIn(std::vector<std::string>& words) {
  auto at = words.begin();
  while (at != words.end() && at->starts_with('-')) at += (*at == "--lang" || *at == "--color") && at + 1 != words.end() ? 2 : 1;
  return at != words.end() && *at == "serve" ? at : words.end();
}

}  // namespace

int RunDns(std::vector<std::string> words) {
  if (const auto serve = ServeIn(words); serve != words.end()) {
    words.erase(serve);
    return RunDnsServe(words);
  }
  CommandLine line("dns", false);
  Wanted w;
  line.AddJson();
  AddOptions(line.app(), w);
  auto known = FromDig(words);
  if (!known) return line.Misused(known.error().Text());
  if (const auto status = line.Parse(std::move(*known))) return *status;
  if (const auto status = TakeWords(line, w)) return *status;
  if (w.config) return TellMachine(line);
  std::optional<agent::DnsQuestion> question;
  if (!w.name.empty()) {
    question = QuestionOf(line, w);
    if (!question) return kUsage;
  }
  DnsAsker asker;
  if (w.trace) return RunDnsTrace(line, asker, *question, w.server, w.Options(), w.message, w.short_form);
  auto servers = asker.Servers(w.server);
  if (!servers) return Complain(servers.error()), kCannotOpen;
  if (!question) return RunDnsShell(line, asker, w.server, std::move(*servers), w.Options());
  return Tell(line, w, asker.Ask(*servers, *question, w.Options()));
}

}  // namespace glasspost::cli

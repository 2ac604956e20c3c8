#include "cli/talk.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "agent/draft.h"
#include "agent/password_source.h"
#include "agent/talk/plan.h"
#include "base/escape.h"
#include "cli/agent_world.h"
#include "cli/command_line.h"
#include "cli/login_options.h"
#include "cli/password.h"
#include "cli/shown_conversation.h"
#include "cli/talk_shell.h"
#include "cli/talk_view.h"
#include "net/host_name.h"
#include "net/system_clock.h"
#include "wire/mime/compose.h"

namespace glasspost::cli {
namespace {

namespace talk = agent::talk;
using agent::Service;

constexpr int kInterrupted = 128;  // and the signal's number, as shells have it

struct TalkOptions {
  LoginOptions login;
  bool implicit_tls = false;
  bool start_tls = false;
  unsigned timeout = 30;  // seconds, of each wait
  std::string save;
  bool show_secrets = false;
  bool full = false;
  bool quiet = false;       // a script's transcript only if it fails
  bool no_explain = false;  // marks only
  bool no_report = false;   // not told once more at the end
  std::string script;
  std::string from, host, data;
  std::vector<std::string> to;
  std::string quit_after, drop_after;
  bool pipeline = false;

  bool plan() const {
    return !from.empty() || !to.empty() || !data.empty() || !quit_after.empty() || !drop_after.empty() || pipeline;
  }
};

Protocol ProtocolOf(Service service) {
  return service == Service::kPop3 ? Protocol::kPop3 : service == Service::kImap ? Protocol::kImap : Protocol::kSmtp;
}

bool HasPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == host.size()) return false;
  const bool only_one = host.find(':') == colon || (colon > 0 && host[colon - 1] == ']');
  return only_one && host.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

class Talk {
 public:
  Talk(const CommandLine& line, const TalkOptions& options, Service service, const agent::ServerAddress& server,
       agent::Account account)
      : line_(line), options_(options), service_(service), server_(server), account_(std::move(account)) {}

  int Run() {
    if (const auto ready = Prepare(); !ready) return Complain(ready.error()), unready_;
    boost::asio::signal_set signals(world_->network().context, SIGINT, SIGTERM, SIGHUP);
    int signal = SIGINT;  // a terminal's Ctrl-C is none
    int status = talk::kStatusConnect;
    {
      talk::Talker talker(world_->network(), ProtocolOf(service_), *view_, Options());
      shown_->SetEar(&talker);
      signals.async_wait([&](const boost::system::error_code& error, int number) {
        if (error) return;
        signal = number;
        talker.Abandon();
      });
      const auto connected = talker.Connect(server_, tls_, [this] { return shown_->NewTap(); });
      if (connected)
        status = talker.handshake_failed() ? talk::kStatusTls : Lead(talker);
      else
        view_->Remark(ForTerminal(connected.error().Text()), true);
      if (talker.abandoned()) status = kInterrupted + signal;
      if (!connected || status != 0) view_->ShowHeld();
      boost::system::error_code ignored;
      signals.cancel(ignored);
    }
    if (const auto saved = shown_->Close(); !saved) return Complain(saved.error()), talk::kStatusOutput;
    return std::fflush(stdout) == 0 ? status : talk::kStatusOutput;
  }

 private:
  Expected<void> Prepare() {
    if (!options_.script.empty()) {
      auto script = ReadScript();
      if (!script) return std::unexpected(script.error());
      script_ = std::move(*script);
    }
    if (const auto plan = PreparePlan(); !plan) return plan;
    auto world = AgentWorld::Make(options_.login.name_server);
    if (!world) return std::unexpected(world.error());
    world_ = std::move(*world);
    // Who takes any certificate is told all the same what is wrong with it.
    auto tls = net::TlsContext::ForClient(
        {.verify = true, .authorities = account_.authorities, .alpn = {}, .insist = account_.verify, .only = 0});
    if (!tls) return std::unexpected(tls.error());
    tls_ = std::move(*tls);
    view_ = std::make_unique<TalkView>(TalkView::Options{.language = line_.language(),
                                                         .style = line_.style(),
                                                         .explain = !options_.no_explain,
                                                         .held = options_.quiet,
                                                         .protocol = ProtocolOf(service_)});
    ShownConversation::Options shown;
    shown.at_end = !options_.no_report && !options_.quiet;
    shown.save = options_.save;
    shown.heard = true;
    shown.dialogue = {
        .language = line_.language(), .style = line_.style(), .full = options_.full, .show_secrets = options_.show_secrets};
    unready_ = talk::kStatusOutput;
    auto opened = ShownConversation::Open(ProtocolOf(service_), shown);
    if (!opened) return std::unexpected(opened.error());
    shown_ = std::move(*opened);
    return {};
  }

  Expected<std::vector<talk::Step>> ReadScript() const {
    std::FILE* const file = options_.script == "-" ? stdin : std::fopen(options_.script.c_str(), "rb");
    if (file == nullptr) return Fail("cannot be opened", options_.script);
    std::string text(talk::ScriptLimits::kOctets + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    const bool failed = std::ferror(file) != 0;
    if (file != stdin) std::fclose(file);
    if (failed) return Fail("cannot be read", options_.script);
    return talk::ParseScript(text, options_.script);
  }

  Expected<void> PreparePlan() {
    if (!options_.plan()) return {};
    plan_.start_tls = options_.start_tls;
    plan_.host = options_.host.empty() ? net::ThisHost() : options_.host;
    plan_.from = options_.from == "<>" ? std::string() : options_.from;
    plan_.to = options_.to;
    plan_.user = account_.user;
    plan_.mechanism = std::string(sasl::Name(account_.mechanism));
    plan_.pipeline = options_.pipeline;
    plan_.quit_after = talk::ParseStage(options_.quit_after);
    plan_.drop_after = talk::ParseStage(options_.drop_after);
    if (service_ != Service::kSmtp) return {};
    const auto ends = [&](const std::optional<talk::Stage>& stage) { return stage && *stage < talk::Stage::kRcpt; };
    const bool to_nobody = plan_.to.empty() && !ends(plan_.quit_after) && !ends(plan_.drop_after);
    if (to_nobody) return Fail("nobody to send it to", {}, "--to ADDRESS, or --quit-after STAGE");
    if (!options_.data.empty() || plan_.to.empty()) return {};
    agent::Draft draft;
    draft.from.address = plan_.from.empty() ? "MAILER-DAEMON@" + plan_.host : plan_.from;
    for (const std::string& to : plan_.to) draft.to.push_back({.name = {}, .address = to});
    draft.subject = "glasspost talk";
    draft.text = "A test message.\r\n";
    draft.date = net::SystemClock().Now();
    auto message = agent::ComposedMessage::Make(draft, SystemRandomness());
    if (!message) return std::unexpected(message.error());
    for (auto piece = (*message)->Read(); piece.kind == smtp::MessageSource::Piece::Kind::kOctets; piece = (*message)->Read())
      message_ += piece.octets;
    return {};
  }

  talk::TalkerOptions Options() {
    talk::TalkerOptions options;
    options.wait = std::chrono::seconds(options_.timeout);
    options.full = options_.full;
    options.show_secrets = options_.show_secrets;
    options.message_file = options_.data;
    options.message = message_;
    options.credentials = [this](const std::string& user) { return Credentials(user); };
    return options;
  }

  Expected<sasl::Credentials> Credentials(const std::string& user) {
    agent::Account account = account_;
    if (!user.empty()) account.user = user;
    if (account.user.empty()) return Fail("nobody to log in as", {}, ":auth MECHANISM USER, or --user NAME");
    const auto password = agent::ReadPassword(account, [&] { return AskLoginPassword(account.user, line_.language()); });
    if (!password) return std::unexpected(password.error());
    const bool token = account.mechanism == sasl::ClientMechanism::kXoauth2;
    return sasl::Credentials{account.user, *password, token ? *password : std::string(), account.mechanism};
  }

  int Lead(talk::Talker& talker) {
    if (options_.plan()) return talk::RunPlan(talker, plan_);
    TalkShellOptions shell{&world_->network().context, std::chrono::seconds(options_.timeout),
                           std::string(agent::Name(service_))};
    if (options_.start_tls) {
      const int status = Encrypt(talker);
      if (status != 0) return talker.End(false), status;
    }
    if (!options_.script.empty()) return TalkByScript(talker, *view_, shell, script_);
    return isatty(STDIN_FILENO) != 0 ? TalkOnTerminal(talker, *view_, shell) : TalkByLines(talker, *view_, shell);
  }

  // What --starttls does before a person speaks.
  int Encrypt(talk::Talker& talker) const {
    if (!talker.Greeting().ok()) return talk::kStatusBanner;
    if (service_ == Service::kSmtp) {
      const talk::Answer hello = talker.Ask("EHLO " + (options_.host.empty() ? net::ThisHost() : options_.host));
      if (!hello.ok()) return talk::kStatusHello;
    }
    talk::Step step;
    step.kind = talk::Step::Kind::kStartTls;
    int status = 0;
    return talker.Do(step, status) ? 0 : status;
  }

  const CommandLine& line_;
  const TalkOptions& options_;
  const Service service_;
  const agent::ServerAddress server_;
  const agent::Account account_;
  std::unique_ptr<AgentWorld> world_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<TalkView> view_;
  std::unique_ptr<ShownConversation> shown_;
  std::vector<talk::Step> script_;
  talk::PlanOptions plan_;
  std::string message_;
  int unready_ = talk::kStatusUsage;  // if it cannot begin
};

}  // namespace

int RunTalk(const std::vector<std::string>& words) {
  CommandLine line("talk", false);
  TalkOptions options;
  CLI::App& app = line.app();
  options.login.AddLoginTo(app);
  app.add_option("--auth", options.login.mechanism);
  app.add_flag("--tls", options.implicit_tls);
  app.add_flag("--starttls", options.start_tls);
  app.add_option("--timeout", options.timeout)->check(FromOne("a number of seconds"))->check(CLI::Range(86400));
  app.add_option("--save", options.save);
  app.add_flag("--show-secrets", options.show_secrets);
  app.add_flag("--full", options.full);
  app.add_flag("--quiet", options.quiet);
  app.add_flag("--no-explain", options.no_explain);
  app.add_flag("--no-report", options.no_report);
  app.add_option("--script", options.script);
  app.add_option("--from", options.from);
  app.add_option("--to", options.to)->allow_extra_args(false);
  app.add_option("--helo", options.host);
  app.add_option("--data", options.data);
  app.add_option("--quit-after", options.quit_after);
  app.add_option("--drop-after", options.drop_after);
  app.add_flag("--pipeline", options.pipeline);
  const auto misused = [&](const std::string& what) { return line.Misused(what), talk::kStatusUsage; };
  if (line.Parse(words)) return talk::kStatusUsage;
  if (line.words().size() != 2) return misused("say what and to whom: talk smtp|pop3|imap HOST[:PORT]");
  std::optional<Service> service;
  for (const Service s : agent::kServices)
    if (line.words()[0] == agent::Name(s)) service = s;
  if (!service) return misused("speaks smtp, pop3 or imap");
  if (options.implicit_tls && options.start_tls) return misused("--tls and --starttls do not go together");
  if (!options.script.empty() && options.plan())
    return misused("--script goes with none of --from, --to, --data, --quit-after, --drop-after, --pipeline");
  for (const std::string* stage : {&options.quit_after, &options.drop_after})
    if (!stage->empty() && !talk::ParseStage(*stage)) return misused("there is no stage " + ForTerminal(*stage));
  if (talk::ParseStage(options.quit_after) == talk::Stage::kData)
    return misused("after DATA only the message can follow: --drop-after data");
  const auto kind = options.implicit_tls ? agent::TlsKind::kImplicit : agent::TlsKind::kNone;
  auto server = agent::ParseServer(*service, line.words()[1], kind);
  if (!server) return Complain(server.error()), talk::kStatusUsage;
  // By hand one speaks to any server, not to one's submission server only.
  if (*service == Service::kSmtp && kind == agent::TlsKind::kNone && !HasPort(line.words()[1])) server->port = 25;
  agent::Account account;
  if (const auto put = options.login.PutOver(account); !put) return Complain(put.error()), talk::kStatusUsage;
  return Talk(line, options, *service, *server, std::move(account)).Run();
}

}  // namespace glasspost::cli

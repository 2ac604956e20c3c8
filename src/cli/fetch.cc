#include "cli/fetch.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <thread>

#include "agent/connect.h"
#include "agent/fetch.h"
#include "base/escape.h"
#include "cli/account_choice.h"
#include "cli/pop3_status.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

using agent::FetchReport;
using Kind = pop3::ClientOutcome::Kind;
namespace json = server::json;

constexpr std::size_t kRemarks = 20;              // told in all
constexpr std::chrono::milliseconds kPause(200);  // before another try, and longer each time
constexpr unsigned kTries = 3;                    // of a connection that breaks before anything came
constexpr std::uint64_t kOversized = 100;         // messages, each of which costs a connection

struct FetchOptions {
  AccountChoice choice;
  agent::FetchOrders orders;
  std::string to;
  std::string format = "maildir";
  std::string remembered;  // file of unique-ids
  bool only_new = false;
  bool remove = false;
  bool keep = false;
  std::optional<unsigned> days;
};

// One file for each maildrop: the usual ports lead to the same one, another port may lead to another server.
std::string RememberedPath(const agent::Account& account) {
  const std::string state = StateFolder();
  if (state.empty()) return {};
  std::string name;
  const std::uint16_t port = account.pop3->port;
  const bool usual = agent::UsualTls(agent::Service::kPop3, port).has_value();
  const std::string where = usual ? account.pop3->host : account.pop3->HostAndPort();
  for (const char c : account.user + "@" + where) {
    if (c == '/' || c == '%' || c == '\0')
      name += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      name += c;
  }
  return state + "/fetched/" + name;
}

std::optional<agent::MailFormat> ParseFormat(const std::string& text) {
  if (text == "maildir") return agent::MailFormat::kMaildir;
  if (text == "mbox") return agent::MailFormat::kMbox;
  if (text == "eml") return agent::MailFormat::kEml;
  return std::nullopt;
}

// How it ended, as <sysexits.h> has it.
int StatusOf(const FetchReport& report) {
  if (report.trouble) return EX_CANTCREAT;
  if (report.unable) return EX_UNAVAILABLE;
  if (report.closed.kind == Kind::kDone && report.oversized > 0) return EX_PROTOCOL;
  if (report.closed.kind == Kind::kDone) return report.complete ? EX_OK : EX_TEMPFAIL;
  return Pop3Status(report.closed.kind);
}

class Fetch {
 public:
  Fetch(const CommandLine& line, const FetchOptions& options, agent::Account account)
      : line_(line), options_(options), account_(std::move(account)), bar_(line.language()) {}

  int Run() {
    if (const auto ready = Prepare(); !ready) return line_.Complain(ready.error()), status_;
    auto login = options_.choice.Login(account_, line_);
    if (!login) return line_.Complain(login.error()), EX_NOPERM;
    if (!*login)
      return line_.Complain({std::string(line_.Say("nobody to log in as", "没有登录名")),
                             {},
                             std::string(line_.Say("say --user NAME", "请用 --user 指定"))}),
             EX_USAGE;
    credentials_ = std::move(**login);
    FetchReport report = TryAgain();
    bar_.Clear();
    if (const auto saved = shown_->Close(); !saved && !report.trouble) report.trouble = saved.error();
    return Tell(report);
  }

 private:
  Expected<void> Prepare() {
    auto world = AgentWorld::Make(options_.choice.name_server);
    if (!world) return std::unexpected(world.error());
    world_ = std::move(*world);
    auto tls = AgentWorld::TlsFor(account_, *account_.pop3);
    if (!tls) return std::unexpected(tls.error());
    tls_ = std::move(*tls);
    auto writer = agent::OpenMailWriter(*ParseFormat(options_.format), options_.to, net::SystemClock(), SystemRandomness());
    if (!writer) return std::unexpected(writer.error());
    writer_ = std::move(*writer);
    const std::string path = options_.remembered.empty() ? RememberedPath(account_) : options_.remembered;
    if (path.empty()) return Fail("there is no place to remember what was fetched", {}, "set HOME, or say --remember FILE");
    bool busy = false;  // another fetch has it
    auto ids = agent::FetchedIds::Open(path, &busy);
    if (busy) status_ = EX_TEMPFAIL;
    if (!ids) return std::unexpected(ids.error());
    ids_.emplace(std::move(*ids));
    auto shown = options_.choice.Show(Protocol::kPop3, line_);
    if (!shown) return std::unexpected(shown.error());
    shown_ = std::move(*shown);
    world_->TidyWhenInterrupted([this] {
      bar_.Clear();
      writer_.reset();  // what was not kept is still on the server
      static_cast<void>(shown_->Close());
    });
    return {};
  }

  // A connection that breaks is made again as long as it brings something, all of which is known the next time.
  FetchReport TryAgain() {
    FetchReport all;
    orders_ = options_.orders;
    for (unsigned vain = 0; vain < kTries;) {
      const FetchReport report = Once();
      Add(report, all);
      const bool broken = report.closed.kind == Kind::kLost || report.closed.kind == Kind::kTimedOut;
      if (report.oversized != 0 && all.oversized < kOversized && !report.trouble) {
        orders_.after = report.reached;
        if (orders_.at_most != 0 && (orders_.at_most -= std::min(orders_.at_most, report.kept)) == 0) break;
        continue;
      }
      const bool twice = orders_.all || report.remembered < report.kept;
      if (!broken || !connected_ || report.trouble || twice) break;
      if (orders_.at_most != 0 && (orders_.at_most -= std::min(orders_.at_most, report.kept)) == 0) break;
      vain = report.kept > 0 ? 0 : vain + 1;
      std::this_thread::sleep_for(kPause * (vain + 1));
    }
    return all;
  }

  static void Add(const FetchReport& report, FetchReport& all) {
    FetchReport sum = report;
    sum.known -= std::min(report.known, all.remembered);  // those of this run
    sum.kept += all.kept;
    sum.remembered += all.remembered;
    sum.octets += all.octets;
    sum.removed += all.removed;
    sum.oversized += all.oversized;
    sum.remarks = std::move(all.remarks);
    for (const std::string& remark : report.remarks)
      if (sum.remarks.size() < kRemarks) sum.remarks.push_back(remark);
    all = std::move(sum);
  }

  FetchReport Once() {
    FetchReport report;
    world_->Run(Converse(report));
    return report;
  }

  net::Task<void> Converse(FetchReport& report) {
    auto connected = co_await agent::ConnectTo(world_->network(), *account_.pop3, tls_, options_.choice.limits(),
                                               [this] { return shown_->NewTap(); });
    connected_ = connected.has_value();
    if (!connected) {
      report.closed.text = connected.error().Text();
      co_return;
    }
    pop3::ClientOptions options;
    const bool clear = account_.pop3->tls == agent::TlsKind::kNone;
    options.tls = clear ? pop3::ClientOptions::Tls::kNever : pop3::ClientOptions::Tls::kRequired;
    options.passwords_without_tls = clear;
    options.credentials = &credentials_;
    report = co_await agent::FetchMail(*connected->stream, connected->peer, SystemRandomness(), options, orders_, *writer_,
                                       &*ids_, [this](const agent::FetchProgress& p) { ShowProgress(p); });
  }

  void ShowProgress(const agent::FetchProgress& progress) {
    if (!options_.choice.show) bar_.Show(std::min(progress.octets, progress.of_octets), progress.of_octets);
  }

  int Tell(const FetchReport& report) const {
    const int status = StatusOf(report);
    if (line_.json()) {
      json::array remarks;
      for (const std::string& remark : report.remarks) remarks.push_back(server::JsonText(remark));
      fmt::print("{}\n", std::string_view(json::serialize(json::object{{"account", server::JsonText(account_.address)},
                                                                       {"listed", report.listed},
                                                                       {"fetched", report.kept},
                                                                       {"octets", report.octets},
                                                                       {"known", report.known},
                                                                       {"too_large", report.too_large + report.oversized},
                                                                       {"left", report.left},
                                                                       {"deleted", report.removed},
                                                                       {"complete", report.complete},
                                                                       {"remarks", remarks}})));
    } else if (report.closed.kind == Kind::kDone || report.kept > 0) {
      fmt::print(fmt::runtime(line_.Say("{} fetched ({} octets) into {}; {} were fetched before, {} deleted on the server.\n",
                                        "已取回 {} 封（{} 字节），存入 {}；此前已取 {} 封，服务器上删除 {} 封。\n")),
                 report.kept, report.octets, ForTerminal(options_.to), report.known, report.removed);
    }
    if (!line_.json() && report.too_large + report.oversized + report.left > 0)
      fmt::print(fmt::runtime(line_.Say("{} too large and {} beyond --at-most were left there.\n",
                                        "另有 {} 封过大、{} 封超出 --at-most，留在服务器上。\n")),
                 report.too_large + report.oversized, report.left);
    if (writer_->found_torn())
      line_.Complain({"ended without an empty line: its last message may be cut, and stays as it is", options_.to, {}});
    for (const std::string& remark : report.remarks) line_.Complain({remark, {}, {}});
    if (report.trouble)
      line_.Complain(*report.trouble);
    else if (report.unable)
      line_.Complain(*report.unable);
    else if (report.closed.kind != Kind::kDone)
      line_.Complain(
          {report.closed.text.empty() ? std::string(line_.Say("the connection was lost", "连接中断")) : report.closed.text,
           account_.pop3->HostAndPort(),
           {}});
    return Finish(kDone) == kDone ? status : EX_IOERR;
  }

  const CommandLine& line_;
  const FetchOptions& options_;
  const agent::Account account_;
  ProgressBar bar_;
  std::unique_ptr<AgentWorld> world_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<agent::MailWriter> writer_;
  std::optional<agent::FetchedIds> ids_;
  std::unique_ptr<ShownConversation> shown_;
  sasl::Credentials credentials_;
  agent::FetchOrders orders_;
  int status_ = EX_CANTCREAT;  // if it cannot begin
  bool connected_ = false;
};

}  // namespace

int RunFetch(const std::vector<std::string>& words) {
  CommandLine line("fetch", false);
  line.AddJson();
  FetchOptions options;
  options.choice.AddTo(line);
  CLI::App& app = line.app();
  app.add_option("--to", options.to);
  app.add_option("--format", options.format);
  app.add_option("--remember", options.remembered);
  app.add_option("--at-most", options.orders.at_most)->check(FromOne("a number of messages"));
  app.add_option("--largest", options.orders.largest)->check(FromOne("a number of octets"));
  app.add_option("--delete-after", options.days)->check(FromOne("a number of days"));
  app.add_flag("--all", options.orders.all);
  app.add_flag("--new", options.only_new);
  app.add_flag("--delete", options.remove);
  app.add_flag("--keep", options.keep);
  if (const auto status = line.Parse(words)) return *status == kUsage ? EX_USAGE : *status;
  const auto misused = [&](const std::string& what) { return line.Misused(what), EX_USAGE; };
  if (line.words().size() > 1) return misused("takes one account only");
  if (!line.words().empty()) options.choice.address = line.words().front();
  if (options.orders.all && options.only_new) return misused("--all and --new do not go together");
  if (options.keep && (options.remove || options.days)) return misused("--keep goes with neither --delete nor --delete-after");
  if (!ParseFormat(options.format)) return misused("--format is one of maildir, mbox, eml");
  if (options.to.empty()) return misused("say where to: --to FOLDER (or FILE, of --format mbox)");
  auto account = options.choice.Choose(agent::Service::kPop3, line);
  if (!account) return line.Complain(account.error()), EX_CONFIG;
  options.orders.remove = options.remove || (!options.keep && !options.days && !account->keep);
  options.orders.remove_after_days = options.days;
  return Fetch(line, options, std::move(*account)).Run();
}

}  // namespace glasspost::cli

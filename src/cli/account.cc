#include "cli/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/account_file.h"
#include "agent/password_source.h"
#include "base/escape.h"
#include "cli/account_options.h"
#include "cli/account_text.h"
#include "cli/agent_world.h"
#include "cli/password.h"
#include "cli/provider_text.h"
#include "cli/table.h"

namespace glasspost::cli {
namespace {

using agent::Account;
using agent::PasswordSource;
using agent::Service;
using agent::Trial;
namespace json = server::json;

constexpr Service kTried[] = {Service::kPop3, Service::kSmtp};  // of IMAP there is no client

void Warn(const CommandLine& line, const std::string& what) {
  fmt::print(stderr, "glasspost: {}: {}\n", line.Say("warning", "警告"), ForTerminal(what));
}

// Whether a server is there at all, with TLS that can be trusted.
class TlsProber final : public agent::Prober {
 public:
  TlsProber(const agent::Network& network, std::shared_ptr<const net::TlsContext> tls)
      : network_(network), tls_(std::move(tls)) {}
  net::Task<Trial> Probe(Service service, agent::ServerAddress server) override {
    const agent::TrialLimits limits{.connect = std::chrono::seconds(5), .wait = std::chrono::seconds(10)};
    Trial trial = co_await agent::Try(network_, service, server, tls_, nullptr, limits);
    co_return trial;
  }

 private:
  agent::Network network_;
  std::shared_ptr<const net::TlsContext> tls_;
};

class Command {
 public:
  Command(const CommandLine& line, const AccountOptions& options)
      : line_(line), options_(options), path_(options.file.empty() ? agent::AccountsPath() : options.file) {}
  int Add(const std::string& address);
  int List();
  int Test(const std::string& address);
  int Remove(const std::string& address);

 private:
  // The account's way, and what is not there yet is looked for.
  Expected<Account> Find(const std::string& address, const agent::AddressParts& parts);
  Expected<void> Search(const Account& account, const agent::AddressParts& parts);
  void TellFound() const;
  void WarnOf(const Account& account) const;
  Expected<std::string> Password(const Account& account) const;
  // All went well, or not; an error: nothing could be tried.
  Expected<bool> TryAll(const Account& account, const std::string& password);
  int Store(Account account, const std::string& password);
  int Fail(const Error& error, int status) const { return line_.Complain(error), status; }
  Error NoSuchAccount(const std::string& address) const {
    return {.what = std::string(line_.Say("there is no such account", "没有这个账户")),
            .where = address,
            .remedy = std::string(line_.Say("glasspost account list", "glasspost account list"))};
  }

  const CommandLine& line_;
  const AccountOptions& options_;
  std::string path_;
  std::unique_ptr<AgentWorld> world_;
  agent::Discovery found_;
  json::array trials_;
};

Expected<void> Command::Search(const Account& account, const agent::AddressParts& parts) {
  const auto tls = AgentWorld::Tls(account.verify, account.authorities);
  if (!tls) return std::unexpected(tls.error());
  const agent::Network network = world_->network();
  net::HttpFetcher fetcher(network.context, network.deadlines, network.resolver, *tls);
  TlsProber prober(network, *tls);
  const agent::DiscoveryTools tools{.resolver = network.resolver,
                                    .randomness = network.randomness,
                                    .fetcher = &fetcher,
                                    .prober = options_.no_test ? nullptr : &prober,
                                    .clear_http = options_.clear_http};
  world_->Run(agent::Discover(parts, tools, found_));
  return {};
}

Expected<Account> Command::Find(const std::string& address, const agent::AddressParts& parts) {
  auto account = options_.Typed(address, found_);
  if (!account) return account;
  auto world = AgentWorld::Make(options_.name_server);
  if (!world) return std::unexpected(world.error());
  world_ = std::move(*world);
  if (const auto searched = Search(*account, parts); !searched) return std::unexpected(searched.error());
  for (const Service service : agent::kServices)
    if (const auto& found = found_.At(service)) account->At(service) = found->server;
  if (account->user.empty()) account->user = found_.user.empty() ? address : found_.user;
  return account;
}

void Command::TellFound() const {
  if (line_.json()) return;
  if (!found_.steps.empty())
    fmt::print("{}\n", line_.style().Bold(line_.Say("Where the servers were looked for", "查找服务器的经过")));
  for (const agent::Step& step : found_.steps) fmt::print("{}", StepText(step, line_));
  fmt::print("{}\n", line_.style().Bold(line_.Say("Servers", "服务器")));
  for (const Service service : agent::kServices) {
    if (const auto& found = found_.At(service))
      fmt::print("{}", FoundText(service, *found, line_));
    else if (service != Service::kImap)
      fmt::print("  {}  {}\n", analysis::PadRight(agent::Title(service), 4),
                 found_.Open(service) ? line_.Say("not found", "未找到") : line_.Say("not offered there", "该处不提供"));
  }
  if (found_.provider != nullptr)
    fmt::print("{}\n{}", line_.style().Bold(line_.Say("Mind", "注意")), CatchText(*found_.provider, line_, 2));
  std::fflush(stdout);
}

void Command::WarnOf(const Account& account) const {
  for (const Service service : agent::kServices) {
    const auto& found = found_.At(service);
    if (!found) continue;
    if (found->foreign)
      Warn(line_, fmt::format(fmt::runtime(line_.Say("{} is of another domain than the address, and the DNS is not signed: make "
                                                     "sure that it is right before the password goes there",
                                                     "{} 不属于邮箱地址的域，且 DNS 未签名：发送口令前请确认无误")),
                              found->server.host));
    if (found->server.tls == agent::TlsKind::kNone)
      Warn(line_, fmt::format(fmt::runtime(line_.Say("{}: the password travels unencrypted", "{}：口令将不加密传输")),
                              found->server.HostAndPort()));
  }
  if (!account.verify)
    Warn(line_, std::string(line_.Say("certificates are not verified: anybody in between can read the password",
                                      "不验证证书：中间人可以读到口令")));
  if (found_.oauth_only && account.mechanism != sasl::ClientMechanism::kXoauth2)
    Warn(line_, std::string(line_.Say("the domain's document names OAuth 2 only: a password may be refused (--mechanism XOAUTH2)",
                                      "该域的文档只列出 OAuth 2：口令可能被拒绝（--mechanism XOAUTH2）")));
  if (options_.store_password)
    Warn(line_, fmt::format(fmt::runtime(line_.Say("the password will lie in the clear in {}", "口令将以明文存于 {}")), path_));
}

Expected<std::string> Command::Password(const Account& account) const {
  const auto ask = [&] { return AskLoginPassword(account.user, line_.language()); };
  // Given here once, whatever it comes from later.
  if (options_.keeps_elsewhere() || account.password.kind == PasswordSource::Kind::kAsk)
    return options_.password_file.empty() ? ask() : ReadPasswordFile(options_.password_file);
  return agent::ReadPassword(account, ask);
}

Expected<bool> Command::TryAll(const Account& account, const std::string& password) {
  const auto tls = AgentWorld::Tls(account.verify, account.authorities);
  if (!tls) return std::unexpected(tls.error());
  const bool token = account.mechanism == sasl::ClientMechanism::kXoauth2;
  const sasl::Credentials credentials{account.user, token ? std::string() : password, token ? password : std::string(),
                                      account.mechanism};
  if (!line_.json()) fmt::print("{}\n", line_.style().Bold(line_.Say("Test", "测试")));
  bool good = true;
  for (const Service service : kTried) {
    const auto& server = account.At(service);
    if (!server) continue;
    std::fflush(stdout);
    const Trial trial = world_->Run(agent::Try(world_->network(), service, *server, *tls, &credentials));
    good &= trial.ok();
    if (!line_.json()) fmt::print("{}", TrialText(service, *server, trial, line_));
    trials_.push_back(TrialJson(service, *server, trial));
  }
  return good;
}

int Command::Store(Account account, const std::string& password) {
  if (account.password.kind == PasswordSource::Kind::kStored) account.password.text = password;
  if (account.password.kind == PasswordSource::Kind::kKeyring)
    if (const auto kept = agent::KeepInKeyring(account, password); !kept) return Fail(kept.error(), kCannotOpen);
  bool there = false;
  const auto stored = agent::ChangeAccounts(path_, [&](std::vector<Account>& accounts) -> Expected<void> {
    there = agent::FindAccount(accounts, account.address) != nullptr;
    if (there) return glasspost::Fail("is there already", account.address, "glasspost account remove " + account.address);
    accounts.push_back(account);
    return {};
  });
  if (!stored) return Fail(stored.error(), there ? kRefused : kCannotOpen);
  if (line_.json()) return kDone;
  fmt::print(fmt::runtime(line_.Say("Account {} was stored in {}.\n", "账户 {} 已存入 {}。\n")), ForTerminal(account.address),
             ForTerminal(path_));
  return kDone;
}

int Command::Add(const std::string& address) {
  const auto parts = agent::SplitAddress(address);
  if (!parts) return line_.Misused("is no address with a domain: " + ForTerminal(address));
  const auto accounts = agent::LoadAccounts(path_);
  if (!accounts) return Fail(accounts.error(), kCannotOpen);
  if (agent::FindAccount(*accounts, address) != nullptr)
    return Fail({.what = std::string(line_.Say("is there already", "已存在")),
                 .where = address,
                 .remedy = "glasspost account remove " + address},
                kRefused);
  const auto account = Find(address, *parts);
  if (!account) return Fail(account.error(), kUsage);
  TellFound();
  bool good = account->pop3 || account->smtp || account->imap;
  bool stored = false;
  int status = kRefused;
  if (!good) {
    line_.Complain({.what = std::string(line_.Say("no servers were found", "未找到服务器")),
                    .where = address,
                    .remedy = std::string(line_.Say("name them: --pop3 HOST[:PORT] --smtp HOST[:PORT]",
                                                    "请指定：--pop3 主机[:端口] --smtp 主机[:端口]"))});
  } else {
    WarnOf(*account);
    std::string secret;
    if (!options_.no_test || options_.keeps_elsewhere()) {
      auto password = Password(*account);
      if (!password) return Fail(password.error(), kCannotOpen);
      secret = std::move(*password);
    }
    if (!options_.no_test) {
      const auto tried = TryAll(*account, secret);
      if (!tried) return Fail(tried.error(), kCannotOpen);
      good = *tried;
    }
    if (good) status = Store(*account, secret);
    stored = status == kDone;
    if (!good)
      fmt::print(
          stderr, "glasspost: {}\n",
          line_.Say("the account was not stored (--no-test stores it all the same)", "账户未保存（--no-test 可不测试直接保存）"));
  }
  if (line_.json())
    fmt::print(
        "{}\n",
        std::string_view(json::serialize(json::object{
            {"stored", stored}, {"account", AccountJson(*account)}, {"found", DiscoveryJson(found_)}, {"tests", trials_}})));
  return Finish(status);
}

int Command::List() {
  const auto accounts = agent::LoadAccounts(path_);
  if (!accounts) return Fail(accounts.error(), kCannotOpen);
  Table table(stdout,
              {{std::string(line_.Say("account", "账户"))}, {"POP3"}, {"SMTP"}, {std::string(line_.Say("password", "口令"))}},
              line_.style());
  const auto server = [](const std::optional<agent::ServerAddress>& s) { return s ? s->HostAndPort() : std::string("-"); };
  for (const Account& a : *accounts) {
    if (line_.json())
      fmt::print("{}\n", std::string_view(json::serialize(AccountJson(a))));
    else
      table.Add({a.address, server(a.pop3), server(a.smtp), std::string(SourceText(a.password.kind, line_))});
  }
  table.Flush();
  return Finish(kDone);
}

int Command::Test(const std::string& address) {
  const auto accounts = agent::LoadAccounts(path_);
  if (!accounts) return Fail(accounts.error(), kCannotOpen);
  const Account* const account = agent::FindAccount(*accounts, address);
  if (account == nullptr) return Fail(NoSuchAccount(address), kRefused);
  auto world = AgentWorld::Make(options_.name_server);
  if (!world) return Fail(world.error(), kUsage);
  world_ = std::move(*world);
  const auto password = Password(*account);
  if (!password) return Fail(password.error(), kCannotOpen);
  const auto tried = TryAll(*account, *password);
  if (!tried) return Fail(tried.error(), kCannotOpen);
  if (line_.json())
    for (const json::value& trial : trials_) fmt::print("{}\n", std::string_view(json::serialize(trial)));
  return Finish(*tried ? kDone : kRefused);
}

int Command::Remove(const std::string& address) {
  Account removed;
  const auto done = agent::ChangeAccounts(path_, [&](std::vector<Account>& accounts) -> Expected<void> {
    const Account* const account = agent::FindAccount(accounts, address);
    if (account == nullptr) return std::unexpected(NoSuchAccount(address));
    removed = *account;
    std::erase(accounts, removed);
    return {};
  });
  if (!done) return Fail(done.error(), done.error().where == address ? kRefused : kCannotOpen);
  if (removed.password.kind == PasswordSource::Kind::kKeyring)
    if (const auto dropped = agent::DropFromKeyring(removed); !dropped) line_.Complain(dropped.error());
  if (!line_.json())
    fmt::print(fmt::runtime(line_.Say("Account {} was removed.\n", "已删除账户 {}。\n")), ForTerminal(removed.address));
  else
    fmt::print("{}\n", std::string_view(json::serialize(json::object{{"removed", server::JsonText(removed.address)}})));
  return Finish(kDone);
}

}  // namespace

int RunAccount(const std::vector<std::string>& words) {
  CommandLine line("account", false);
  AccountOptions options;
  options.AddTo(line);
  if (const auto status = line.Parse(words)) return *status;
  const std::string_view action = line.ActionOf({"add", "list", "test", "remove"});
  if (action.empty()) return kUsage;
  const std::size_t given = line.words().size();
  if (action == "list" ? given != 1 : given != 2)
    return line.Misused(action == "list" ? "list takes nothing more" : std::string(action) + " needs one address");
  if (const std::string why = options.Contradiction(action); !why.empty()) return line.Misused(why);
  if (options.file.empty() && agent::AccountsPath().empty())
    return line.Complain({.what = "there is no place for accounts", .where = {}, .remedy = "set HOME, or say --accounts FILE"}),
           kCannotOpen;
  Command command(line, options);
  if (action == "add") return command.Add(line.words()[1]);
  if (action == "list") return command.List();
  if (action == "test") return command.Test(line.words()[1]);
  return command.Remove(line.words()[1]);
}

}  // namespace glasspost::cli

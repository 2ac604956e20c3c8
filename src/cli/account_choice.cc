#include "cli/account_choice.h"

#include "agent/account_file.h"
#include "agent/password_source.h"
#include "cli/password.h"

namespace glasspost::cli {

using agent::Account;

void AccountChoice::AddTo(CommandLine& line) {
  CLI::App& app = line.app();
  AddLoginTo(app);
  app.add_option("--account", address);
  app.add_option("--server", server);
  app.add_option("--tls", tls);
  app.add_option("--timeout", timeout)->check(FromOne("a number of seconds"));
  app.add_option("--save", save);
  app.add_flag("--show", show);
  app.add_flag("--show-secrets", show_secrets);
  app.add_flag("--full", full);
}

Expected<Account> AccountChoice::Choose(agent::Service service, const CommandLine& line) const {
  Account account;
  if (server.empty() || !address.empty()) {
    const std::string path = file.empty() ? agent::AccountsPath() : file;
    const auto accounts = agent::LoadAccounts(path);
    if (!accounts) return std::unexpected(accounts.error());
    const std::string add(
        line.Say("glasspost account add ADDRESS, or --server HOST", "glasspost account add 地址，或 --server 主机"));
    if (accounts->empty()) return Fail(std::string(line.Say("there is no account yet", "还没有账户")), path, add);
    const Account* const found =
        address.empty() ? (accounts->size() == 1 ? &accounts->front() : nullptr) : agent::FindAccount(*accounts, address);
    if (found == nullptr && address.empty())
      return Fail(std::string(line.Say("there are several accounts", "有多个账户")), {},
                  std::string(line.Say("say --account ADDRESS", "请用 --account 地址 指定")));
    if (found == nullptr) return Fail(std::string(line.Say("there is no such account", "没有这个账户")), address, add);
    account = *found;
  }
  const auto kind = tls.empty() ? std::nullopt : agent::ParseTlsKind(tls);
  if (!tls.empty() && !kind) return Fail("is none of implicit, starttls, none", "--tls " + tls);
  if (!server.empty()) {
    auto typed = agent::ParseServer(service, server, kind);
    if (!typed) return std::unexpected(typed.error());
    account.At(service) = *typed;
  }
  if (!account.At(service))
    return Fail(std::string(line.Say("has no server for that", "没有相应的服务器")), account.address,
                std::string(line.Say("say --server HOST[:PORT]", "请用 --server 主机[:端口] 指定")));
  // In place of the account's, which knows the port: one that is known to speak otherwise is not asked in vain.
  if (auto& known = account.At(service); kind && server.empty() && known->tls != *kind) {
    const bool other_port = (known->tls == agent::TlsKind::kImplicit) != (*kind == agent::TlsKind::kImplicit);
    if (other_port) known->port = agent::UsualPort(service, *kind);
    known->tls = *kind;
  }
  if (const auto put = PutOver(account); !put) return std::unexpected(put.error());
  return account;
}

Expected<std::optional<sasl::Credentials>> AccountChoice::Login(const Account& account, const CommandLine& line) const {
  if (account.user.empty()) return std::optional<sasl::Credentials>();
  const auto password = agent::ReadPassword(account, [&] { return AskLoginPassword(account.user, line.language()); });
  if (!password) return std::unexpected(password.error());
  const bool token = account.mechanism == sasl::ClientMechanism::kXoauth2;
  return sasl::Credentials{account.user, token ? std::string() : *password, token ? *password : std::string(), account.mechanism};
}

Expected<std::unique_ptr<ShownConversation>> AccountChoice::Show(Protocol protocol, const CommandLine& line) const {
  ShownConversation::Options options;
  options.show = show;
  options.save = save;
  options.dialogue = {.language = line.language(), .style = line.style(), .full = full, .show_secrets = show_secrets};
  return ShownConversation::Open(protocol, options);
}

agent::TrialLimits AccountChoice::limits() const {
  return {.connect = std::chrono::seconds(timeout), .wait = std::chrono::seconds(timeout)};
}

}  // namespace glasspost::cli

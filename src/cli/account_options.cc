#include "cli/account_options.h"

#include <filesystem>

namespace glasspost::cli {

using agent::PasswordSource;
using agent::Service;

void AccountOptions::AddTo(CommandLine& line) {
  CLI::App& app = line.app();
  AddLoginTo(app);
  line.AddJson();
  const CLI::IsMember kinds({"implicit", "starttls", "none"});
  for (const Service service : agent::kServices) {
    const std::string option = "--" + std::string(agent::Name(service));
    app.add_option(option, server[static_cast<int>(service)]);
    app.add_option(option + "-tls", tls[static_cast<int>(service)])->check(kinds);
  }
  app.add_option("--tls", all_tls)->check(kinds);
  app.add_option("--name", name);
  app.add_flag("--keyring", keyring);
  app.add_flag("--store-password", store_password);
  app.add_flag("--delete", remove_fetched);
  app.add_flag("--no-test", no_test);
  app.add_flag("--http", clear_http);
}

std::string AccountOptions::Contradiction(std::string_view action) const {
  const bool servers = !server[0].empty() || !server[1].empty() || !server[2].empty() || !all_tls.empty() || !user.empty() ||
                       !name.empty() || !mechanism.empty();
  const int sources =
      (password_command.empty() ? 0 : 1) + (password_variable.empty() ? 0 : 1) + (keyring ? 1 : 0) + (store_password ? 1 : 0);
  const bool adds = action == "add";
  if (!adds && (servers || sources > 0 || (!password_file.empty() && action != "test") || !authorities.empty() ||
                remove_fetched || no_verify || no_test || clear_http))
    return "servers, passwords and the like go with add only";
  if (!adds && action != "test" && !name_server.empty()) return "--dns goes with add and test only";
  if (sources > 1) return "give one of --password-command, --password-env, --keyring and --store-password";
  if (!password_file.empty() && (!password_command.empty() || !password_variable.empty()))
    return "--password-file goes with neither --password-command nor --password-env";
  if (no_verify && !authorities.empty()) return "--ca is nothing with --no-verify";
  for (const Service service : agent::kServices) {
    const int i = static_cast<int>(service);
    if (!tls[i].empty() && server[i].empty())
      return "--" + std::string(agent::Name(service)) + "-tls goes with --" + std::string(agent::Name(service));
  }
  if (!all_tls.empty() && server[0].empty() && server[1].empty() && server[2].empty())
    return "--tls goes with --pop3, --smtp or --imap";
  return {};
}

Expected<agent::Account> AccountOptions::Typed(const std::string& address, agent::Discovery& servers) const {
  agent::Account account;
  account.address = address;
  account.name = name;
  account.user = user;
  account.verify = !no_verify;
  account.keep = !remove_fetched;
  const auto parsed = agent::ParseMechanism(mechanism.empty() ? "auto" : mechanism);
  if (!parsed) return Fail("is no mechanism", mechanism, "auto, SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN or XOAUTH2");
  account.mechanism = *parsed;
  std::error_code ignored;
  if (!authorities.empty()) account.authorities = std::filesystem::absolute(authorities, ignored).string();
  for (const Service service : agent::kServices) {
    const int i = static_cast<int>(service);
    if (server[i].empty()) continue;
    const auto typed = agent::ParseServer(service, server[i], agent::ParseTlsKind(tls[i].empty() ? all_tls : tls[i]));
    if (!typed) return std::unexpected(typed.error());
    servers.At(service) = agent::FoundServer{*typed, agent::Origin::kTyped, {}, false};
  }
  if (!password_command.empty()) account.password = {PasswordSource::Kind::kCommand, password_command};
  if (!password_variable.empty()) account.password = {PasswordSource::Kind::kEnvironment, password_variable};
  if (keyring) account.password = {PasswordSource::Kind::kKeyring, {}};
  if (store_password) account.password = {PasswordSource::Kind::kStored, {}};
  if (!password_file.empty() && password_file != "-" && !keeps_elsewhere())
    account.password = {PasswordSource::Kind::kFile, std::filesystem::absolute(password_file, ignored).string()};
  return account;
}

}  // namespace glasspost::cli

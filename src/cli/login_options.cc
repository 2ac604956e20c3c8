#include "cli/login_options.h"

namespace glasspost::cli {

void LoginOptions::AddLoginTo(CLI::App& app) {
  app.add_option("--accounts", file);
  app.add_option("--user", user);
  app.add_option("--mechanism", mechanism);
  app.add_option("--ca", authorities);
  app.add_option("--dns", name_server);
  app.add_option("--password-command", password_command);
  app.add_option("--password-env", password_variable);
  app.add_option("--password-file", password_file);
  app.add_flag("--no-verify", no_verify);
}

Expected<void> LoginOptions::PutOver(agent::Account& account) const {
  using agent::PasswordSource;
  if (!user.empty()) account.user = user;
  if (!authorities.empty()) account.authorities = authorities;
  if (no_verify) account.verify = false;
  if (!mechanism.empty()) {
    const auto parsed = agent::ParseMechanism(mechanism);
    if (!parsed) return Fail("is no mechanism that is known here", "--mechanism " + mechanism);
    account.mechanism = *parsed;
  }
  if (!password_command.empty()) account.password = {PasswordSource::Kind::kCommand, password_command};
  if (!password_variable.empty()) account.password = {PasswordSource::Kind::kEnvironment, password_variable};
  if (!password_file.empty()) account.password = {PasswordSource::Kind::kFile, password_file};
  return {};
}

}  // namespace glasspost::cli

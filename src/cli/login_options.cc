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

}  // namespace glasspost::cli

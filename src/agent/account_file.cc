#include "agent/account_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/ascii.h"
#include "base/disk.h"
#include "base/nearest.h"
#include "base/toml.h"

namespace glasspost::agent {
namespace {

using Kind = PasswordSource::Kind;

constexpr std::string_view kHead =
    "# The accounts of `glasspost account`, which writes this file anew when one is added or removed (comments are not kept).\n"
    "# Nobody else may read it: mode 0600.\n";
constexpr std::string_view kKeys[] = {"address",     "name", "user", "keep", "mechanism", "verify",
                                      "authorities", "pop3", "imap", "smtp", "password"};
constexpr std::string_view kSources[] = {"ask", "command", "environment", "file", "keyring", "stored"};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Reads accounts out of TOML; the first fault is kept.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}
  const std::optional<Error>& fault() const { return fault_; }

  void Blame(Place place, std::string what, std::string remedy = {}) {
    if (fault_) return;
    std::string where = name_;
    if (place.line > 0) where += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    fault_ = Error{std::move(what), std::move(where), std::move(remedy)};
  }

  Account Read(const Value& table) {
    Account account;
    if (table.kind != Value::Kind::kTable) Blame(table.place, "must be a table", "begin each with [[account]]");
    for (const Member& m : table.members) Take(m, account);
    if (account.user.empty()) account.user = account.address;
    if (account.address.empty()) Blame(table.place, "lacks \"address\"");
    if (!account.pop3 && !account.smtp && !account.imap) Blame(table.place, "has no server");
    return account;
  }

 private:
  void Take(const Member& m, Account& account) {
    if (m.key == "address") {
      account.address = Text(m.value);
      if (!SplitAddress(account.address)) Blame(m.value.place, "is no address with a domain");
    } else if (m.key == "name") {
      account.name = Text(m.value);
    } else if (m.key == "user") {
      account.user = Text(m.value);
    } else if (m.key == "keep") {
      account.keep = Flag(m.value);
    } else if (m.key == "verify") {
      account.verify = Flag(m.value);
    } else if (m.key == "authorities") {
      account.authorities = Text(m.value);
    } else if (m.key == "mechanism") {
      const auto mechanism = ParseMechanism(Text(m.value));
      if (!mechanism) Blame(m.value.place, "is no mechanism", "auto, SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN or XOAUTH2");
      account.mechanism = mechanism.value_or(sasl::ClientMechanism::kNone);
    } else if (m.key == "password") {
      account.password = Password(m.value);
    } else if (const auto service = std::ranges::find(kServices, m.key, [](Service s) { return Name(s); });
               service != std::end(kServices)) {
      account.At(*service) = Server(*service, m.value);
    } else {
      const std::string_view nearest = Nearest(m.key, kKeys);
      Blame(m.place, "there is no \"" + m.key.substr(0, 100) + "\" of an account",
            nearest.empty() ? std::string() : "did you mean " + std::string(nearest) + "?");
    }
  }
  std::string Text(const Value& value) {
    if (value.kind != Value::Kind::kText) Blame(value.place, std::string("must be a text, not ") + NameOf(value.kind));
    if (value.text.size() > AccountLimits::kTextOctets) Blame(value.place, "is too long");
    if (value.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      Blame(value.place, "must stand on one line");
    return value.text;
  }
  bool Flag(const Value& value) {
    if (value.kind != Value::Kind::kFlag) Blame(value.place, std::string("must be true or false, not ") + NameOf(value.kind));
    return value.flag;
  }
  // { host = "…", port = 995, tls = "implicit" }
  ServerAddress Server(Service service, const Value& value) {
    std::string host;
    std::string port;
    std::optional<TlsKind> tls = TlsKind::kImplicit;
    if (value.kind != Value::Kind::kTable) Blame(value.place, "must be a table of host, port and tls");
    for (const Member& m : value.members) {
      if (m.key == "host") {
        host = Text(m.value);
      } else if (m.key == "port") {
        if (m.value.kind != Value::Kind::kWhole || m.value.whole < 1 || m.value.whole > 65535)
          Blame(m.value.place, "must be a port, 1 to 65535");
        port = ":" + std::to_string(m.value.whole);
      } else if (m.key == "tls") {
        tls = ParseTlsKind(Text(m.value));
        if (!tls) Blame(m.value.place, "must be \"implicit\", \"starttls\" or \"none\"");
      } else {
        Blame(m.place, "there is no \"" + m.key.substr(0, 100) + "\" of a server");
      }
    }
    const bool v6 = host.contains(':') && !host.starts_with('[');
    auto server = ParseServer(service, (v6 ? "[" + host + "]" : host) + port, tls);
    if (!server) Blame(value.place, server.error().what);
    return server.value_or(ServerAddress{});
  }
  // One of { command = "…" }, { environment = "…" }, { file = "…" }, { stored = "…" }, { keyring = true }, { ask = true }
  PasswordSource Password(const Value& value) {
    PasswordSource source;
    if (value.kind != Value::Kind::kTable || value.members.size() != 1) {
      Blame(value.place, "must be a table of one: command, environment, file, keyring, stored or ask");
      return source;
    }
    const Member& m = value.members.front();
    const auto at = std::ranges::find(kSources, m.key);
    if (at == std::end(kSources)) {
      Blame(m.place, "there is no \"" + m.key.substr(0, 100) + "\" of a password");
      return source;
    }
    source.kind = static_cast<Kind>(at - std::begin(kSources));
    if (source.kind == Kind::kAsk || source.kind == Kind::kKeyring) {
      if (!Flag(m.value)) Blame(m.value.place, "must be true");
    } else {
      source.text = Text(m.value);
      if (source.text.empty()) Blame(m.value.place, "must not be empty");
    }
    return source;
  }

  std::string name_;
  std::optional<Error> fault_;
};

Expected<std::string> ReadPrivateFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.good() && errno == ENOENT) return std::string();
  if (!file.good()) return SystemError("cannot be opened", path);
  struct stat about = {};
  if (::fstat(file.get(), &about) != 0) return SystemError("cannot be looked at", path);
  if (!S_ISREG(about.st_mode)) return Fail("is no file", path);
  if (about.st_uid != ::geteuid()) return Fail("belongs to somebody else", path);
  if ((about.st_mode & 077) != 0)
    return Fail("others may read or write it, and it may hold passwords", path, "chmod 600 " + path);
  std::string text(AccountLimits::kFileOctets + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot be read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > AccountLimits::kFileOctets) return Fail("is too long for accounts", path);
  text.resize(have);
  return text;
}

void AppendText(std::string& out, std::string_view key, Octets text) {
  out.append(key).append(" = ").append(TomlQuoted(text)).append("\n");
}

}  // namespace

std::string AccountsPath() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::string(config) + "/glasspost/accounts.toml";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.config/glasspost/accounts.toml" : std::string();
}

Expected<std::vector<Account>> ReadAccounts(Octets toml, const std::string& name) {
  Reader reader(name);
  Value root;
  std::vector<Account> accounts;
  if (const auto fault = ReadToml(toml, root)) {
    reader.Blame(fault->place, fault->what);
    return std::unexpected(*reader.fault());
  }
  for (const Member& m : root.members) {
    if (m.key != "account" || m.value.kind != Value::Kind::kList)
      reader.Blame(m.place, "only [[account]] can stand here", m.key == "account" ? "with two brackets" : "");
    for (const Value& entry : m.value.items) {
      Account account = reader.Read(entry);
      if (FindAccount(accounts, account.address) != nullptr) reader.Blame(entry.place, account.address + " is there twice");
      if (accounts.size() == AccountLimits::kAccounts) reader.Blame(entry.place, "too many accounts (at most 1000)");
      if (reader.fault()) return std::unexpected(*reader.fault());
      accounts.push_back(std::move(account));
    }
  }
  if (reader.fault()) return std::unexpected(*reader.fault());
  return accounts;
}

std::string WriteAccounts(const std::vector<Account>& accounts) {
  std::string out(kHead);
  for (const Account& a : accounts) {
    out += "\n[[account]]\n";
    AppendText(out, "address", a.address);
    if (!a.name.empty()) AppendText(out, "name", a.name);
    AppendText(out, "user", a.user);
    for (const Service service : kServices) {
      const auto& server = a.At(service);
      if (!server) continue;
      out.append(Name(service)).append(" = { host = ").append(TomlQuoted(server->host));
      out.append(", port = ").append(std::to_string(server->port));
      out.append(", tls = ").append(TomlQuoted(Name(server->tls))).append(" }\n");
    }
    if (!a.verify) out += "verify = false\n";
    if (!a.authorities.empty()) AppendText(out, "authorities", a.authorities);
    if (a.mechanism != sasl::ClientMechanism::kNone) AppendText(out, "mechanism", sasl::Name(a.mechanism));
    const bool flag = a.password.kind == Kind::kAsk || a.password.kind == Kind::kKeyring;
    out.append("password = { ").append(Name(a.password.kind)).append(" = ");
    out.append(flag ? "true" : TomlQuoted(a.password.text)).append(" }\n");
    out.append("keep = ").append(a.keep ? "true" : "false").append("\n");
  }
  return out;
}

Expected<std::vector<Account>> LoadAccounts(const std::string& path) {
  const auto text = ReadPrivateFile(path);
  if (!text) return std::unexpected(text.error());
  return ReadAccounts(*text, path);
}

Expected<void> ChangeAccounts(const std::string& path, const std::function<Expected<void>(std::vector<Account>&)>& change) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string place = parent.empty() ? "." : parent;
  std::error_code error;
  if (std::filesystem::create_directories(place, error)) ::chmod(place.c_str(), 0700);
  if (error) return Fail("cannot be made: " + error.message(), place);
  const Descriptor folder(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.good()) return SystemError("cannot be opened", place);
  int locked = -1;
  do {
    locked = ::flock(folder.get(), LOCK_EX);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) return SystemError("cannot be locked", place);
  auto accounts = LoadAccounts(path);
  if (!accounts) return std::unexpected(accounts.error());
  if (auto changed = change(*accounts); !changed) return changed;
  if (accounts->size() > AccountLimits::kAccounts) return Fail("too many accounts (at most 1000)", path);
  const std::string text = WriteAccounts(*accounts);
  if (text.size() > AccountLimits::kFileOctets) return Fail("would be too long", path);
  return WriteWhole(path, text);
}

const Account* FindAccount(const std::vector<Account>& accounts, Octets address) {
  const auto wanted = SplitAddress(address);
  if (!wanted) return nullptr;
  for (const Account& account : accounts) {
    const auto parts = SplitAddress(account.address);
    if (parts && parts->local == wanted->local && parts->domain == wanted->domain) return &account;
  }
  return nullptr;
}

}  // namespace glasspost::agent

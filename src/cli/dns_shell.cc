#include "cli/dns_shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/ascii.h"
#include "base/escape.h"
#include "cli/line_reader.h"
#include "wire/dns/names.h"

namespace glasspost::cli {
namespace {

using dns::Message;
using dns::Record;

constexpr std::size_t kLongestLine = 4096;  // octets of a line that is looked at

// What nslookup puts between a name and its data.
std::string_view Between(std::uint16_t type) {
  switch (type) {
    case dns::kTypeMx:
      return "mail exchanger";
    case dns::kTypeNs:
      return "nameserver";
    case dns::kTypeCname:
      return "canonical name";
    case dns::kTypePtr:
      return "name";
    case dns::kTypeTxt:
      return "text";
    case dns::kTypeSrv:
      return "service";
    default:
      return {};
  }
}

class Shell {
 public:
  Shell(const CommandLine& line, DnsAsker& asker, const std::string& server_word, std::vector<Endpoint> servers,
        const agent::DnsOptions& options)
      : line_(line), asker_(asker), servers_(std::move(servers)), options_(options), port_(servers_.front().port) {
    NameServer(server_word);
  }

  int Run() {
    const auto reader = LineReader::Make({.history = HistoryPath("dns"), .complete = Complete, .wait = {}});
    if (isatty(STDIN_FILENO) != 0) TellServer();
    for (std::string typed; Next(reader.get(), typed);)
      if (!Take(Octets(typed).substr(0, kLongestLine))) break;
    return Finish(status_);
  }

 private:
  // False: there are no more. ^C on an empty line ends it, as ^D does.
  static bool Next(LineReader* reader, std::string& typed) {
    std::fflush(stdout);
    if (reader == nullptr) return static_cast<bool>(std::getline(std::cin, typed));
    if (reader->Read("> ", typed) != LineReader::Outcome::kLine) return false;
    reader->Remember(typed);
    return true;
  }

  static LineReader::Completions Complete(Octets before) {
    static constexpr std::string_view kWords[] = {"exit", "help", "server", "set"};
    static constexpr std::string_view kSettings[] = {
        "all", "debug", "nodebug", "norecurse", "novc", "port=", "recurse", "retry=", "timeout=", "type=", "vc"};
    LineReader::Completions found;
    const bool setting = before.starts_with("set ");
    if (setting) found.from = before.rfind(' ') + 1;
    const auto add = [&](std::string_view word) {
      if (word.starts_with(before.substr(found.from))) found.words.emplace_back(word);
    };
    if (setting)
      std::ranges::for_each(kSettings, add);
    else
      std::ranges::for_each(kWords, add);
    return found;
  }

  // False: that was the last.
  bool Take(Octets typed) {
    if (typed.ends_with('\r')) typed.remove_suffix(1);
    const std::vector<std::string> words = Words(typed);
    if (words.empty()) return true;
    const std::string& word = words.front();
    if (word == "exit" || word == "quit") return false;
    if (word == "help" || word == "?") {
      Help();
    } else if (word == "set") {
      if (words.size() < 2) fmt::print("*** set what? (set all tells what is set)\n");
      for (std::size_t i = 1; i < words.size(); ++i) Set(words[i]);
    } else if (word == "server" || word == "lserver") {
      words.size() < 2 ? TellServer() : Server(words[1]);
    } else if (word == "ls" || word == "view" || word == "finger" || word == "root") {
      fmt::print("*** {} is not done here\n", word);
    } else {
      Look(words);
    }
    return true;
  }

  static std::vector<std::string> Words(Octets text) {
    std::vector<std::string> words;
    for (const char c : text) {
      const bool blank = c == ' ' || c == '\t';
      if (words.empty() || (blank && !words.back().empty())) words.emplace_back();
      if (!blank) words.back() += c;
    }
    while (!words.empty() && words.back().empty()) words.pop_back();
    return words;
  }

  static void Help() {
    fmt::print(
        "NAME            look up NAME with the default server\n"
        "NAME SERVER     the same, with SERVER\n"
        "server SERVER   ask SERVER from now on\n"
        "set type=TYPE   look for records of TYPE (A, AAAA, MX, TXT, CNAME, NS, SOA, PTR, SRV, TLSA, CAA, ANY)\n"
        "set port=N      of the server\n"
        "set timeout=N   seconds that an answer may take\n"
        "set retry=N     how often it is asked again\n"
        "set [no]vc      always TCP, or UDP first\n"
        "set [no]recurse may the server ask others?\n"
        "set [no]debug   tell all of each answer\n"
        "set all         what is set now\n"
        "exit            leave\n");
  }

  void Set(const std::string& what) {
    const std::size_t equals = what.find('=');
    const std::string key = what.substr(0, equals), value = equals == std::string::npos ? "" : what.substr(equals + 1);
    const auto number = ParseNumber(value);
    if (key == "all") {
      SetAll();
    } else if (key == "type" || key == "ty" || key == "q" || key == "querytype" || key == "query") {
      const auto type = dns::ParseType(value);
      type&&* type != dns::kTypeOpt ? void(type_ = *type) : fmt::print("unknown query type: {}\n", ForTerminal(value));
    } else if ((key == "port" || key == "po") && number && *number > 0 && *number < 65536) {
      port_ = static_cast<std::uint16_t>(*number);
      for (Endpoint& server : servers_) server.port = port_;
    } else if ((key == "timeout" || key == "ti") && number && *number > 0 && *number <= 60) {
      options_.timeout = std::chrono::seconds(*number);
    } else if ((key == "retry" || key == "ret") && number && *number < agent::DnsClientLimits::kTries) {
      options_.tries = static_cast<int>(*number) + 1;
    } else if (key == "vc" || key == "novc") {
      options_.tcp = key == "vc";
    } else if (key == "recurse" || key == "rec" || key == "norecurse" || key == "norec") {
      options_.recurse = !key.starts_with("no");
    } else if (key == "debug" || key == "deb" || key == "nodebug" || key == "nodeb") {
      debug_ = !key.starts_with("no");
    } else if (key == "class" || key == "cl") {
      if (!EqualsNoCase(value, "IN")) fmt::print("*** class IN only\n");
    } else {
      fmt::print("*** Invalid option: {}\n", ForTerminal(what));
    }
  }

  void SetAll() const {
    TellServer();
    std::string type = "A+AAAA";
    if (type_ != 0) type.clear(), dns::AppendType(type, type_);
    fmt::print(
        "Set options:\n  {}vc\t\t{}debug\t\t{}recurse\n  timeout = {}\t\tretry = {}\tport = {}\n  querytype = {}\tclass = IN\n\n",
        options_.tcp ? "" : "no", debug_ ? "" : "no", options_.recurse ? "" : "no", options_.timeout.count() / 1000.0,
        options_.tries - 1, servers_.front().port, type);
  }

  void NameServer(const std::string& word) {
    server_ = word.empty() ? servers_.front().address.Text() : word;
    const bool address_only = servers_.size() == 1 && servers_.front().Text() == word;
    if (address_only) server_ = servers_.front().address.Text();
  }

  void Server(const std::string& word) {
    auto servers = asker_.Servers(word, port_);
    if (!servers) return fmt::print("*** {}\n", ForTerminal(servers.error().Text()));
    servers_ = std::move(*servers);
    NameServer(word);
    fmt::print("Default server: {}\nAddress: {}#{}\n", ForTerminal(server_), servers_.front().address.Text(),
               servers_.front().port);
  }

  void TellServer() const {
    fmt::print("Default server: {}\nAddress: {}#{}\n\n", ForTerminal(server_), servers_.front().address.Text(),
               servers_.front().port);
  }

  void Look(const std::vector<std::string>& words) {
    std::vector<Endpoint> servers = servers_;
    std::string server = server_;
    if (words.size() > 1) {
      auto other = asker_.Servers(words[1], port_);
      if (!other) return fmt::print("*** {}\n", ForTerminal(other.error().Text()));
      servers = std::move(*other);
      server = words[1];
    }
    bool reverse = false;
    const auto name = DnsNameOf(words.front(), reverse);
    if (!name) return fmt::print("*** {}\n", ForTerminal(name.error().Text()));
    std::vector<std::uint16_t> types{type_};
    if (reverse && type_ == 0) types = {dns::kTypePtr};
    if (!reverse && type_ == 0) types = {dns::kTypeA, dns::kTypeAaaa};
    headed_ = authority_told_ = found_ = false;
    for (const std::uint16_t type : types)
      if (!One(words.front(), server, servers, {*name, type, dns::kClassIn})) return;
    if (!found_) fmt::print("*** Can't find {}: No answer\n", ForTerminal(words.front()));
    fmt::print("\n");
  }

  // False: nothing more is to be asked.
  bool One(const std::string& typed, const std::string& server, const std::vector<Endpoint>& servers,
           const agent::DnsQuestion& question) {
    const agent::DnsResult result = asker_.Ask(servers, question, options_);
    if (result.answer.empty()) {
      fmt::print(";; {}: {}\n;; no servers could be reached\n\n", result.server.Text(), ForTerminal(result.failure));
      status_ = kCannotOpen;
      return false;
    }
    if (!std::exchange(headed_, true))
      fmt::print("Server:\t\t{}\nAddress:\t{}#{}\n\n", ForTerminal(server), result.server.address.Text(), result.server.port);
    if (debug_) {
      std::string out;
      analysis::AppendDnsAnswer(out, LookupOf(result), line_.language(), line_.style());
      fmt::print("{}\n", out);
    }
    Message message;
    dns::Decode(result.answer, message);
    status_ = message.rcode() == dns::kRcodeNoError ? kDone : kRefused;
    if (message.rcode() != dns::kRcodeNoError) {
      std::string rcode;
      dns::AppendRcode(rcode, message.rcode());
      fmt::print("** server can't find {}: {}\n\n", ForTerminal(typed), rcode);
      return false;
    }
    Records(message);
    return true;
  }

  void Records(const Message& message) {
    const bool authoritative = (message.flags & dns::kFlagAa) != 0;
    bool elsewhere = false;
    for (const Record& r : message.records) {
      if (r.section == dns::Section::kAnswer) {
        if (!authoritative && !std::exchange(authority_told_, true)) fmt::print("Non-authoritative answer:\n");
        found_ = true;
        OneRecord(message, r);
      } else if (!authoritative && r.type != dns::kTypeOpt) {
        if (!std::exchange(elsewhere, true)) fmt::print("\nAuthoritative answers can be found from:\n");
        found_ = true;
        OneRecord(message, r);
      }
    }
  }

  static void OneRecord(const Message& message, const Record& r) {
    std::string name, data, type;
    dns::AppendName(name, message.NameOctets(r.name), false);
    dns::AppendRecordData(data, message, r);
    if (r.type == dns::kTypeA || r.type == dns::kTypeAaaa) return fmt::print("Name:\t{}\nAddress: {}\n", name, data);
    if (const std::string_view between = Between(r.type); !between.empty())
      return fmt::print("{}\t{} = {}\n", name, between, data);
    if (r.type == dns::kTypeSoa && !r.opaque) return Soa(name, data);
    dns::AppendType(type, r.type);
    fmt::print("{}\t{} = {}\n", name, type, data);
  }

  static void Soa(const std::string& name, const std::string& data) {
    static constexpr std::string_view kLabels[] = {"origin", "mail addr", "serial", "refresh", "retry", "expire", "minimum"};
    fmt::print("{}\n", name);
    const std::vector<std::string> words = Words(data);
    for (std::size_t i = 0; i < std::size(kLabels) && i < words.size(); ++i) fmt::print("\t{} = {}\n", kLabels[i], words[i]);
  }

  const CommandLine& line_;
  DnsAsker& asker_;
  std::vector<Endpoint> servers_;
  std::string server_;  // as it was given
  agent::DnsOptions options_;
  std::uint16_t port_;
  std::uint16_t type_ = 0;  // 0: both kinds of addresses
  bool debug_ = false;
  bool headed_ = false;  // of the present question
  bool authority_told_ = false;
  bool found_ = false;
  int status_ = kDone;
};

}  // namespace

int RunDnsShell(const CommandLine& line, DnsAsker& asker, const std::string& server_word, std::vector<Endpoint> servers,
                const agent::DnsOptions& options) {
  return Shell(line, asker, server_word, std::move(servers), options).Run();
}

}  // namespace glasspost::cli

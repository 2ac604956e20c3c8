#include "cli/dns_serve.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/escape.h"
#include "cli/command_line.h"
#include "cli/dns_words.h"
#include "lab/dns_server.h"
#include "net/system_clock.h"
#include "server/network.h"
#include "wire/dns/names.h"

namespace glasspost::cli {
namespace {

constexpr std::chrono::milliseconds kTick{250};  // of connections' time-outs

struct File {
  std::string path;
  dns::Zone zone;
};

std::string NameText(Octets name) {
  std::string out;
  dns::AppendName(out, name, true);
  return out;
}

// False: it has mistakes, or cannot be read, which was said.
bool Read(const std::string& path, File& file) {
  std::error_code ignored;
  std::ifstream stream(path, std::ios::binary);
  if (!stream || std::filesystem::is_directory(path, ignored))
    return Complain({"cannot be read", path, "is the name right?"}), false;
  std::string text(dns::ZoneFileLimits::kOctets + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  std::vector<dns::ZoneMistake> mistakes;
  file = {path, dns::ReadZone(text, mistakes)};
  for (const dns::ZoneMistake& m : mistakes) fmt::print(stderr, "glasspost: {}\n", ForTerminal(m.Text(path)));
  return mistakes.empty();
}

// The addresses of the zone's own name servers, as any of the files tells them.
std::vector<Address> NameServersOf(const dns::Zone& zone, const std::vector<File>& files) {
  std::vector<Address> addresses;
  for (const dns::ZoneRecord& ns : zone.records) {
    if (ns.type != dns::kTypeNs || !dns::SameName(ns.name, zone.origin)) continue;
    for (const File& file : files)
      for (const dns::ZoneRecord& r : file.zone.records) {
        if (!dns::SameName(r.name, ns.data)) continue;
        const Address address = r.type == dns::kTypeA      ? Address::V4(AsBytes(r.data).data())
                                : r.type == dns::kTypeAaaa ? Address::V6(AsBytes(r.data).data())
                                                           : Address{};
        if (address != Address{} && std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
      }
  }
  return addresses;
}

// Which zones are served where.
Expected<std::map<Endpoint, std::vector<const File*>>> Places(const std::vector<File>& files, const std::vector<Endpoint>& listen,
                                                              bool each) {
  std::map<Endpoint, std::vector<const File*>> places;
  for (const File& file : files) {
    if (!each) {
      for (const Endpoint& endpoint : listen) places[endpoint].push_back(&file);
      continue;
    }
    const std::vector<Address> addresses = NameServersOf(file.zone, files);
    if (addresses.empty())
      return Fail("no file tells an address of the name servers of " + NameText(file.zone.origin), file.path,
                  "--each serves a zone there: write an A record for one of them");
    for (const Address& address : addresses) places[{address, listen.front().port}].push_back(&file);
  }
  return places;
}

// "127.0.0.1:50514 UDP  www.example.test. IN A  NOERROR"
void Show(const lab::DnsServed& served, const Endpoint& at) {
  dns::Message query, answer;
  dns::Decode(served.query, query);
  dns::Decode(served.answer, answer);
  std::string question = "-", rcode = "-";
  if (!query.questions.empty()) question.clear(), dns::AppendQuestionText(question, query, query.questions.front());
  if (!served.answer.empty()) rcode.clear(), dns::AppendRcode(rcode, answer.rcode());
  fmt::print("{} → {} {}  {}  {}{}\n", served.client.Text(), at.Text(), served.transport == dns::Transport::kTcp ? "TCP" : "UDP",
             question, rcode, answer.truncated() ? " TC" : "");
  std::fflush(stdout);
}

class Serving {
 public:
  Serving(const CommandLine& line, bool show) : line_(line), show_(show) {}

  int Run(const std::map<Endpoint, std::vector<const File*>>& places) {
    for (const auto& [endpoint, files] : places)
      if (const int status = Open(endpoint, files); status != kDone) return status;
    std::fflush(stdout);
    net::asio::signal_set signals(context_, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code&, int) { context_.stop(); });
    context_.run();
    return Finish(kDone);
  }

 private:
  int Open(const Endpoint& endpoint, const std::vector<const File*>& files) {
    dns::Authority& authority = *authorities_.emplace_back(std::make_unique<dns::Authority>());
    for (const File* file : files)
      if (auto added = authority.Add(file->zone); !added) {
        added.error().where = file->path;
        return Complain(added.error()), kUsage;
      }
    auto server = lab::DnsServer::Open(context_, deadlines_, endpoint, authority);
    if (!server) return Complain(server.error()), kCannotOpen;
    const Endpoint bound = (*server)->endpoint();
    fmt::print("{}\n", Say(DnsWord::kServing, line_.language(), bound.Text()));
    for (const File* file : files)
      fmt::print("  {}\n", Say(DnsWord::kZone, line_.language(), NameText(file->zone.origin), file->zone.records.size(),
                               ForTerminal(file->path)));
    fmt::print("  {}\n", Say(DnsWord::kToAsk, line_.language(), NameText(files.front()->zone.origin), bound.Text()));
    (*server)->Start(show_ ? lab::OnDnsServed([bound](const lab::DnsServed& served) { Show(served, bound); })
                           : lab::OnDnsServed());
    servers_.push_back(std::move(*server));
    return kDone;
  }

  const CommandLine& line_;
  bool show_;
  std::vector<std::unique_ptr<dns::Authority>> authorities_;
  net::asio::io_context context_{1};
  net::Deadlines deadlines_{context_, net::SystemClock(), kTick};
  std::vector<std::unique_ptr<lab::DnsServer>> servers_;
};

}  // namespace

int RunDnsServe(const std::vector<std::string>& words) {
  constexpr std::uint16_t kDefaultPort = 5300;  // 53 needs a privilege
  CommandLine line("dns", false);
  std::vector<std::string> listen{fmt::format("127.0.0.1:{}", kDefaultPort)};
  bool each = false, show = false, check = false;
  line.app().add_option("--listen", listen)->allow_extra_args(false);
  line.app().add_flag("--each", each);
  line.app().add_flag("--show", show);
  line.app().add_flag("--check", check);
  if (const auto status = line.Parse(words)) return *status;
  if (line.words().empty()) return line.Misused("serve needs a zone file (RFC 1035 §5), or several");
  std::vector<Endpoint> endpoints;
  for (const std::string& word : listen) {
    auto endpoint = server::ParseEndpoint(word);  // port 0: any that is free
    if (const auto address = server::ParseAddress(word)) endpoint = Endpoint{*address, kDefaultPort};
    if (!endpoint) return line.Misused("--listen: " + ForTerminal(endpoint.error().Text()));
    endpoints.push_back(*endpoint);
  }
  std::vector<File> files;
  bool good = true;
  for (const std::string& path : line.words()) good = Read(path, files.emplace_back()) && good;
  if (!good) return kRefused;
  const auto places = Places(files, endpoints, each);
  if (!places) return Complain(places.error()), kRefused;
  if (check) return Finish(kDone);
  Serving serving(line, show);
  return serving.Run(*places);
}

}  // namespace glasspost::cli

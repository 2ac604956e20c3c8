#include "cli/dns_trace.h"

#include <fmt/format.h>

#include "cli/dns_words.h"

namespace glasspost::cli {
namespace {

using agent::DnsStep;
using Kind = DnsStep::Kind;

std::string NameText(Octets name) {
  std::string out;
  dns::AppendName(out, name, true);
  return out;
}

class Teller {
 public:
  Teller(const CommandLine& line, bool message, bool short_form) : line_(line), message_(message), short_form_(short_form) {}

  void OnStep(const DnsStep& step) {
    last_rcode_ = RcodeOf(step.result);
    std::string out;
    if (line_.json()) {
      analysis::AppendDnsJson(out, LookupOf(step.result), line_.language());
    } else if (short_form_) {
      if (step.kind == Kind::kAnswer && step.depth == 0) analysis::AppendDnsShort(out, step.result.answer);
    } else {
      Head(out, step);
      out += TellDnsEvents(step.result, line_.language(), line_.style());
      Outcome(out, step);
      if (message_) analysis::AppendDnsOctets(out, LookupOf(step.result), line_.language(), line_.style());
      out += '\n';
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
  }

  int End(agent::DnsTraceEnd end) const {
    switch (end) {
      case agent::DnsTraceEnd::kAnswer:
      case agent::DnsTraceEnd::kNoRecords:
        return kDone;
      case agent::DnsTraceEnd::kNoName:
        return kRefused;
      case agent::DnsTraceEnd::kGivenUp:
        fmt::print(stderr, "glasspost: {}\n", Say(DnsWord::kGivenUp, line_.language()));
        return kRefused;
      case agent::DnsTraceEnd::kFailed:
        fmt::print(stderr, "glasspost: {}\n", Say(DnsWord::kTraceFailed, line_.language()));
        return last_rcode_ == dns::kRcodeRefused ? kRefused : kCannotOpen;
    }
    return kCannotOpen;
  }

 private:
  // "2  test.  ns.nic.test. (127.0.0.2:5300)  0.3 ms  www.example.test. IN A"
  void Head(std::string& out, const DnsStep& step) const {
    out += line_.style().Bold(fmt::format("{}  {}", step.number, NameText(step.zone_asked)));
    const std::string server = step.server.empty() ? std::string() : NameText(step.server) + " ";
    out += fmt::format("  {}{}  ", server, step.result.server.Text());
    if (step.result.received != kNoTime)
      out += fmt::format("{:.2f} ms  ", static_cast<double>(step.result.received - step.result.sent) / 1e6);
    std::string type;
    dns::AppendType(type, step.question.type);
    out += line_.style().Cyan(fmt::format("{} IN {}", NameText(step.question.name), type));
    if (step.depth > 0) out += line_.style().Dim(fmt::format("  ({})", Say(DnsWord::kAddressOf, line_.language())));
    out += '\n';
  }

  void Outcome(std::string& out, const DnsStep& step) const {
    const auto say = [&](DnsWord word, const auto&... more) {
      out += fmt::format("   {}\n", Say(word, line_.language(), more...));
    };
    switch (step.kind) {
      case Kind::kReferral:
        say(DnsWord::kReferral, NameText(step.zone));
        for (const agent::DnsNameServer& server : step.servers) Server(out, server);
        break;
      case Kind::kAnswer:
        say(DnsWord::kHere);
        Records(out, step);
        break;
      case Kind::kAlias:
        Records(out, step);
        say(DnsWord::kAlias, NameText(step.alias));
        break;
      case Kind::kNoRecords:
        say(DnsWord::kNoRecords);
        break;
      case Kind::kNoName:
        say(DnsWord::kNoName);
        break;
      case Kind::kFailed: {
        std::string why = step.result.failure;
        if (why.empty()) dns::AppendRcode(why, RcodeOf(step.result));
        say(DnsWord::kFailed, why);
        break;
      }
    }
  }

  void Server(std::string& out, const agent::DnsNameServer& server) const {
    std::string addresses;
    for (const Address& a : server.addresses) addresses += (addresses.empty() ? "" : ", ") + a.Text();
    if (addresses.empty()) addresses = Say(DnsWord::kNoAddress, line_.language());
    out += fmt::format("     {} ({})\n", NameText(server.name), addresses);
  }

  void Records(std::string& out, const DnsStep& step) const {
    dns::Message message;
    dns::Decode(step.result.answer, message);
    for (const dns::Record& r : message.records) {
      if (r.section != dns::Section::kAnswer) continue;
      std::string text;
      dns::AppendRecordText(text, message, r);
      out += "     " + line_.style().Cyan(text) + "\n";
      const std::string meaning = analysis::DnsRecordMeaning(message, r, line_.language());
      if (!meaning.empty()) out += "       " + meaning + "\n";
    }
  }

  const CommandLine& line_;
  bool message_;
  bool short_form_;
  std::uint16_t last_rcode_ = dns::kRcodeServFail;
};

}  // namespace

int RunDnsTrace(const CommandLine& line, DnsAsker& asker, const agent::DnsQuestion& question, const std::string& root,
                const agent::DnsOptions& options, bool message, bool short_form) {
  agent::DnsTraceOptions trace;
  trace.dns = options;
  if (!root.empty()) {
    const auto servers = asker.Servers(root);
    if (!servers) return Complain(servers.error()), kCannotOpen;
    trace.port = servers->front().port;
    for (const Endpoint& server : *servers) trace.root.push_back({{}, {server.address}});
  }
  Teller teller(line, message, short_form);
  const agent::DnsTraceEnd end = asker.Trace(question, trace, [&](const DnsStep& step) { teller.OnStep(step); });
  return Finish(teller.End(end));
}

}  // namespace glasspost::cli

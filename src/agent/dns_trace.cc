#include "agent/dns_trace.h"

#include <algorithm>

#include "wire/dns/address_text.h"
#include "wire/dns/names.h"

namespace glasspost::agent {
namespace {

using dns::Message;
using dns::Record;
using dns::Section;
using Kind = DnsStep::Kind;

Address ParseAddress(std::string_view text) {
  std::string octets;
  if (dns::ParseIp4(text, octets)) return Address::V4(AsBytes(octets).data());
  octets.clear();
  dns::ParseIp6(text, octets);
  return Address::V6(AsBytes(octets).data());
}

// What an answer says to one who asked for this, in `zone`. Names outside of the zone are not believed (RFC 2181 §5.4.1).
class Reading {
 public:
  Reading(Octets zone, DnsStep& step) : zone_(zone), step_(step) {
    dns::Decode(step.result.answer, message_);
    Read();
  }

 private:
  void Read() {
    if (step_.result.answer.empty()) return;
    if (message_.rcode() == dns::kRcodeNxDomain) {
      step_.kind = FollowAliases() ? Kind::kAlias : Kind::kNoName;
      return;
    }
    if (message_.rcode() != dns::kRcodeNoError) return;
    if (FollowAliases()) {
      step_.kind = Kind::kAlias;
    } else if (found_) {
      step_.kind = Kind::kAnswer;
    } else if (!Referral()) {
      // A server that neither knows the name nor leads on does not look after it, whatever its rcode is.
      step_.kind = (message_.flags & dns::kFlagAa) != 0 || HasSoa() ? Kind::kNoRecords : Kind::kFailed;
    }
  }

  // True: an alias leads to a name that this answer has nothing of.
  bool FollowAliases() {
    std::string name = step_.question.name;
    for (int i = 0; i <= DnsTraceLimits::kAliases; ++i) {
      if (!dns::IsWithin(name, zone_)) break;  // what this server says of it does not count
      const Record* alias = nullptr;
      for (const Record& r : message_.records) {
        if (r.section != Section::kAnswer || r.opaque || !dns::SameName(message_.NameOctets(r.name), name)) continue;
        if (r.type == step_.question.type || step_.question.type == dns::kTypeAny) found_ = true;
        if (r.type == dns::kTypeCname) alias = &r;
      }
      if (found_ || alias == nullptr) break;
      name = message_.Data(*alias);
      step_.alias = name;
    }
    // An alias whose target the same server says there is nothing of is done with.
    const bool told = found_ || (dns::IsWithin(step_.alias.empty() ? step_.question.name : step_.alias, zone_) && HasSoa());
    return !step_.alias.empty() && !told;
  }

  bool HasSoa() const {
    return std::ranges::any_of(message_.records,
                               [](const Record& r) { return r.section == Section::kAuthority && r.type == dns::kTypeSoa; });
  }

  // NS records for a zone below the one that was asked for, which the name lies in.
  bool Referral() {
    for (const Record& r : message_.records) {
      if (r.section != Section::kAuthority || r.type != dns::kTypeNs || r.opaque) continue;
      const Octets owner = message_.NameOctets(r.name);
      if (!dns::IsWithin(step_.question.name, owner) || !dns::IsWithin(owner, zone_) ||
          dns::LabelCount(owner) <= dns::LabelCount(zone_))
        continue;
      if (!step_.zone.empty() && !dns::SameName(step_.zone, owner)) continue;
      step_.zone = owner;
      step_.servers.push_back({std::string(message_.Data(r)), {}});
    }
    if (step_.zone.empty()) return false;
    for (DnsNameServer& server : step_.servers) AddGlue(server);
    // Those whose address is here first: they cost no further walk.
    std::ranges::stable_sort(step_.servers, {}, [](const DnsNameServer& s) { return s.addresses.empty(); });
    step_.kind = Kind::kReferral;
    return true;
  }

  void AddGlue(DnsNameServer& server) {
    if (!dns::IsWithin(server.name, zone_)) return;
    for (const std::uint16_t type : {dns::kTypeA, dns::kTypeAaaa})
      for (const Record& r : message_.records) {
        Address address;
        if (r.section != Section::kAdditional || r.type != type || !dns::GetAddress(message_, r, address)) continue;
        if (dns::SameName(message_.NameOctets(r.name), server.name) && server.addresses.size() < DnsTraceLimits::kAddresses)
          server.addresses.push_back(address);
      }
  }

  Octets zone_;
  DnsStep& step_;
  Message message_;
  bool found_ = false;
};

class Walk {
 public:
  Walk(const DnsAsk& ask, const DnsTraceOptions& options, const OnDnsStep& on_step)
      : ask_(ask), options_(options), on_step_(on_step) {}

  // Addresses of the answer, if that is what was asked for, go into `addresses`.
  net::Task<DnsTraceEnd> Find(DnsQuestion question, int depth, std::vector<Address>* addresses) {
    for (int aliases = 0; aliases <= DnsTraceLimits::kAliases; ++aliases) {
      DnsStep last = co_await Descend(question, depth);
      switch (last.kind) {
        case Kind::kAlias:
          question.name = last.alias;
          continue;
        case Kind::kAnswer:
          if (addresses != nullptr) Collect(last, *addresses);
          co_return DnsTraceEnd::kAnswer;
        case Kind::kNoRecords:
          co_return DnsTraceEnd::kNoRecords;
        case Kind::kNoName:
          co_return DnsTraceEnd::kNoName;
        default:
          co_return queries_ >= DnsTraceLimits::kQueries || last.kind == Kind::kReferral ? DnsTraceEnd::kGivenUp
                                                                                         : DnsTraceEnd::kFailed;
      }
    }
    co_return DnsTraceEnd::kGivenUp;
  }

 private:
  // From the root down to one who answers; the last step.
  net::Task<DnsStep> Descend(DnsQuestion question, int depth) {
    std::string zone(dns::kRootName);
    std::vector<DnsNameServer> servers = options_.root;
    DnsStep step;
    for (int i = 0; i < DnsTraceLimits::kReferrals; ++i) {
      step = co_await AskZone(zone, servers, question, depth);
      if (step.kind != Kind::kReferral) break;
      zone = step.zone;
      servers = step.servers;
    }
    co_return std::move(step);
  }

  // One server of the zone after the other, until one helps.
  net::Task<DnsStep> AskZone(std::string zone, std::vector<DnsNameServer> servers, DnsQuestion question, int depth) {
    DnsStep step;
    std::size_t asked = 0;
    for (DnsNameServer& server : servers) {
      if (asked++ >= DnsTraceLimits::kServers) break;
      if (server.addresses.empty()) co_await FindAddresses(server, depth);
      for (const Address& address : server.addresses) {
        if (queries_ >= DnsTraceLimits::kQueries) co_return std::move(step);
        step = {};
        step.number = ++queries_;
        step.depth = depth;
        step.zone_asked = zone;
        step.server = server.name;
        step.question = question;
        const Endpoint endpoint{address, options_.port};
        step.result = co_await ask_(endpoint, question);
        Reading(zone, step);
        on_step_(step);
        if (step.kind != Kind::kFailed) co_return std::move(step);
      }
    }
    co_return std::move(step);
  }

  // A name server whose address did not come with the referral is looked up like any other name.
  net::Task<void> FindAddresses(DnsNameServer& server, int depth) {
    if (depth >= DnsTraceLimits::kDepth) co_return;
    for (const std::uint16_t type : {dns::kTypeA, dns::kTypeAaaa}) {
      if (!server.addresses.empty()) break;
      const DnsQuestion question{server.name, type, dns::kClassIn};
      co_await Find(question, depth + 1, &server.addresses);
    }
  }

  static void Collect(const DnsStep& step, std::vector<Address>& addresses) {
    Message message;
    dns::Decode(step.result.answer, message);
    for (const Record& r : message.records) {
      Address address;
      const Octets name = step.alias.empty() ? step.question.name : step.alias;
      if (r.section == Section::kAnswer && dns::SameName(message.NameOctets(r.name), name) &&
          dns::GetAddress(message, r, address) && addresses.size() < DnsTraceLimits::kAddresses)
        addresses.push_back(address);
    }
  }

  const DnsAsk& ask_;
  const DnsTraceOptions& options_;
  const OnDnsStep& on_step_;
  int queries_ = 0;
};

}  // namespace

std::vector<DnsNameServer> InternetRoot() {
  std::vector<DnsNameServer> root;
#define GLASSPOST_ROOT(letter, v4, v6) \
  root.push_back({{}, {ParseAddress(v4), ParseAddress(v6)}}), dns::ParseName(letter ".root-servers.net.", root.back().name);
#include "agent/root_hints.inc"
#undef GLASSPOST_ROOT
  return root;
}

net::Task<DnsTraceEnd> TraceDns(const DnsAsk& ask, DnsQuestion question, DnsTraceOptions options, const OnDnsStep& on_step) {
  if (options.root.empty()) options.root = InternetRoot();
  Walk walk(ask, options, on_step);
  const DnsTraceEnd end = co_await walk.Find(std::move(question), 0, nullptr);
  co_return end;
}

}  // namespace glasspost::agent

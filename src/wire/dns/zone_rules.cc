// What a zone must have to be served.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "wire/dns/constants.h"
#include "wire/dns/message.h"
#include "wire/dns/names.h"
#include "wire/dns/zone_file.h"

namespace glasspost::dns {
namespace {

std::string Text(Octets name) {
  std::string out;
  AppendName(out, name, true);
  return out;
}

class Checker {
 public:
  Checker(Zone& zone, std::vector<ZoneMistake>& mistakes) : zone_(zone), mistakes_(mistakes) {}

  void Run() {
    if (!FindOrigin()) return;
    for (const ZoneRecord& r : zone_.records) {
      if (IsWithin(r.name, zone_.origin)) continue;
      Mistake(r.line, fmt::format("{} lies outside of the zone {}", Text(r.name), Text(zone_.origin)),
              "was a dot forgotten behind a name, or $ORIGIN not set?");
    }
    if (!mistakes_.empty()) return;
    Unite();
    Collect();
    CheckAliases();
    CheckNameServers();
  }

 private:
  void Mistake(std::uint32_t line, std::string what, std::string remedy) {
    if (mistakes_.size() < ZoneFileLimits::kMistakes)
      mistakes_.push_back({line, line == 0 ? 0u : 1u, std::move(what), std::move(remedy)});
  }

  bool FindOrigin() {
    const ZoneRecord* soa = nullptr;
    for (const ZoneRecord& r : zone_.records) {
      if (r.type != kTypeSoa) continue;
      if (soa != nullptr && !(SameName(r.name, soa->name) && r.data == soa->data)) {
        Mistake(r.line, fmt::format("a second SOA; the first is in line {}", soa->line),
                "a zone has one: put other zones into files of their own");
        return false;
      }
      soa = &r;
    }
    if (soa == nullptr) {
      Mistake(0, "there is no SOA record, with which a zone begins",
              "write: @ SOA ns.example.test. hostmaster.example.test. 1 3600 600 1209600 300");
      return false;
    }
    zone_.origin = LowerName(soa->name);
    return true;
  }

  // RFC 2181 §5: a set has each of its data once, and one TTL.
  void Unite() {
    std::map<std::pair<std::string, std::uint16_t>, std::uint32_t> least;
    std::set<std::tuple<std::string, std::uint16_t, std::string>> seen;
    std::erase_if(zone_.records, [&](const ZoneRecord& r) { return !seen.emplace(LowerName(r.name), r.type, r.data).second; });
    for (const ZoneRecord& r : zone_.records) {
      const auto [at, fresh] = least.try_emplace({LowerName(r.name), r.type}, r.ttl);
      if (!fresh) at->second = std::min(at->second, r.ttl);
    }
    for (ZoneRecord& r : zone_.records) r.ttl = least[{LowerName(r.name), r.type}];
  }

  void Collect() {
    for (const ZoneRecord& r : zone_.records) {
      types_[LowerName(r.name)].push_back(&r);
      if (r.type == kTypeNs && !SameName(r.name, zone_.origin)) cuts_.insert(LowerName(r.name));
    }
  }

  // RFC 2181 §10.1
  void CheckAliases() {
    for (const auto& [name, records] : types_) {
      const auto alias = std::ranges::find(records, kTypeCname, &ZoneRecord::type);
      if (alias == records.end() || records.size() == 1) continue;
      const auto other = std::ranges::find_if(records, [&](const ZoneRecord* r) { return r != *alias; });
      std::string type;
      AppendType(type, (*other)->type);
      Mistake(std::max((*alias)->line, (*other)->line), fmt::format("{} has a CNAME and also {}", Text(name), type),
              "an alias has no other records: take one of the two out");
    }
  }

  bool HasAddress(const std::string& name) const {
    const auto at = types_.find(name);
    return at != types_.end() &&
           std::ranges::any_of(at->second, [](const ZoneRecord* r) { return r->type == kTypeA || r->type == kTypeAaaa; });
  }

  // The cut at or above this name; empty: none.
  Octets CutOf(Octets name) const {
    Octets found;
    for (; LabelCount(name) > LabelCount(zone_.origin); name = Parent(name))
      if (const auto at = cuts_.find(std::string(name)); at != cuts_.end()) found = *at;
    return found;
  }

  // A name server within the zone, or within what it hands over, can be reached only if its address is here (RFC 1034 §4.2.1).
  void CheckNameServers() {
    const auto apex = types_.find(zone_.origin);
    if (std::ranges::none_of(apex->second, [](const ZoneRecord* r) { return r->type == kTypeNs; }))
      Mistake(0, fmt::format("the zone {} names no name server", Text(zone_.origin)), "write: @ NS ns.example.test.");
    for (const ZoneRecord& r : zone_.records) {
      if (r.type != kTypeNs) continue;
      const std::string server = LowerName(r.data);
      if (!IsWithin(server, zone_.origin) || HasAddress(server)) continue;
      const Octets cut = CutOf(server);
      if (!cut.empty() && cut != LowerName(r.name)) continue;  // within another delegation, which tells it
      Mistake(r.line, fmt::format("the name server {} has no address here", Text(r.data)),
              fmt::format("write: {} A and its address", Text(r.data)));
    }
  }

  Zone& zone_;
  std::vector<ZoneMistake>& mistakes_;
  std::map<std::string, std::vector<const ZoneRecord*>, std::less<>> types_;  // by name in lower case
  std::set<std::string, std::less<>> cuts_;                                   // names that are handed over
};

}  // namespace

void CheckZone(Zone& zone, std::vector<ZoneMistake>& mistakes) { Checker(zone, mistakes).Run(); }

}  // namespace glasspost::dns

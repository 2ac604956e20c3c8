#include "wire/dns/authority.h"

#include <algorithm>

#include "wire/dns/names.h"

namespace glasspost::dns {
namespace {

// Numbers that stand for questions and for what accompanies messages, not for records (RFC 6895 §3.1).
constexpr std::uint16_t kFirstMeta = 128, kLastMeta = 255;

bool IsMeta(std::uint16_t type) { return type >= kFirstMeta && type <= kLastMeta && type != kTypeAny; }

// Writes what fits into `limit` octets: where not all does, first without the additional records, which are a courtesy unless
// they lead to the name servers of a delegation (RFC 9471 §3.1); then nothing but the question, and TC says so.
bool EncodeWithin(Message& m, bool referral, std::size_t limit, std::string& out) {
  if (Encode(m, out, limit)) return true;
  const bool edns = m.edns.present;
  Record opt;
  if (edns) opt = m.records[m.edns.record];
  const auto keep_opt = [&] {
    if (!edns) return;
    m.edns.record = static_cast<std::uint32_t>(m.records.size());
    m.records.push_back(opt);
  };
  if (!referral) {
    std::erase_if(m.records, [](const Record& r) { return r.section == Section::kAdditional; });
    keep_opt();
    if (Encode(m, out, limit)) return true;
  }
  m.records.clear();
  keep_opt();
  m.flags |= kFlagTc;
  return Encode(m, out, limit);
}

}  // namespace

const Authority::Set* Authority::Node::Find(std::uint16_t type) const {
  const auto at = std::ranges::find(sets, type, &Set::type);
  return at == sets.end() ? nullptr : &*at;
}

const Authority::Node* Authority::Tree::Find(Octets lower) const {
  const auto at = nodes.find(std::string(lower));
  return at == nodes.end() ? nullptr : &at->second;
}

glasspost::Expected<void> Authority::Add(Zone zone) {
  Tree tree;
  tree.origin = LowerName(zone.origin);
  for (ZoneRecord& r : zone.records) {
    const std::string lower = LowerName(r.name);
    for (Octets above = lower; LabelCount(above) > LabelCount(tree.origin);) {
      above = Parent(above);
      if (!tree.nodes.try_emplace(std::string(above)).second) break;
    }
    Node& node = tree.nodes[lower];
    if (node.name.empty()) node.name = std::move(r.name);
    auto set = std::ranges::find(node.sets, r.type, &Set::type);
    if (set == node.sets.end()) set = node.sets.insert(node.sets.end(), {r.type, r.ttl, {}});
    set->data.push_back(std::move(r.data));
  }
  std::string name;
  AppendName(name, tree.origin, true);
  std::string origin = tree.origin;
  if (!zones_.try_emplace(std::move(origin), std::move(tree)).second)
    return Fail("there are two zones " + name, {}, "leave one of the files out");
  return {};
}

const Authority::Tree* Authority::ZoneOf(Octets lower, bool above) const {
  for (bool first = true;; first = false) {
    if (!(first && above))
      if (const auto at = zones_.find(lower); at != zones_.end()) return &at->second;
    if (lower.size() <= 1) return nullptr;
    lower = Parent(lower);
  }
}

// One question, looked up: fills the answer's sections.
class Authority::Lookup {
 public:
  Lookup(const Authority& authority, const Message& query, Message& answer)
      : authority_(authority), type_(query.questions.front().type), answer_(answer) {}

  bool referral() const { return referral_; }

  void Run(Octets asked) {
    std::string name(asked);
    for (std::size_t aliases = 0; aliases <= AuthorityLimits::kAliases; ++aliases) {
      const std::string lower = LowerName(name);
      const Tree* tree = authority_.ZoneOf(lower, type_ == kTypeDs && lower.size() > 1);
      // RFC 4035 §3.1.4.1: a DS is its parent's, if that is here.
      if (tree == nullptr && type_ == kTypeDs) tree = authority_.ZoneOf(lower, false);
      if (tree == nullptr) {
        if (aliases == 0) answer_.SetRcode(kRcodeRefused);
        return;
      }
      if (!InZone(*tree, name, lower, aliases == 0)) return;
    }
  }

 private:
  // True: an alias; the look-up goes on with `name`.
  bool InZone(const Tree& tree, std::string& name, const std::string& lower, bool first) {
    const Node* node = &tree.Apex();
    const std::size_t depth = LabelCount(lower);
    for (std::size_t labels = LabelCount(tree.origin) + 1; labels <= depth; ++labels) {
      const Octets here = LastLabels(lower, labels);
      const Node* const next = tree.Find(here);
      if (next == nullptr) {
        node = tree.Find(std::string("\1*", 2).append(LastLabels(lower, labels - 1)));
        break;
      }
      node = next;
      const Set* const servers = node->Find(kTypeNs);
      if (servers != nullptr && !(labels == depth && type_ == kTypeDs)) {
        Refer(tree, *node, *servers);
        return false;
      }
    }
    if (first) answer_.flags |= kFlagAa;
    if (node == nullptr) {
      answer_.SetRcode(kRcodeNxDomain);
      Deny(tree);
      return false;
    }
    return AtNode(tree, *node, name);
  }

  bool AtNode(const Tree& tree, const Node& node, std::string& name) {
    if (type_ == kTypeAny && !node.sets.empty()) {
      for (const Set& set : node.sets) Put(Section::kAnswer, name, set);
      return false;
    }
    const Set* const alias = node.Find(kTypeCname);
    if (alias != nullptr && type_ != kTypeCname) {
      if (Has(name, kTypeCname)) return false;  // a ring of aliases
      Put(Section::kAnswer, name, *alias);
      name = alias->data.front();
      return true;
    }
    const Set* const set = node.Find(type_);
    if (set == nullptr) {
      Deny(tree);
      return false;
    }
    Put(Section::kAnswer, name, *set);
    AddTargets(*set);
    return false;
  }

  // RFC 2308 §3: the SOA, for as long as the absence may be remembered.
  void Deny(const Tree& tree) {
    const Node& apex = tree.Apex();
    Set soa = *apex.Find(kTypeSoa);
    const std::string& data = soa.data.front();
    soa.ttl = std::min(soa.ttl, Load32(AsBytes(data).data() + data.size() - 4));
    Put(Section::kAuthority, apex.name, soa);
  }

  void Refer(const Tree& tree, const Node& cut, const Set& servers) {
    referral_ = true;
    Put(Section::kAuthority, cut.name, servers);
    // DS beside it, if there is one: it says that what is below is signed.
    if (const Set* const ds = cut.Find(kTypeDs)) Put(Section::kAuthority, cut.name, *ds);
    for (const std::string& server : servers.data)
      if (const Node* node = tree.Find(LowerName(server))) AddAddresses(*node, server);
  }

  void AddTargets(const Set& set) {
    for (const std::string& data : set.data) {
      Octets target;
      if (set.type == kTypeNs) target = data;
      if (set.type == kTypeMx) target = Octets(data).substr(2);
      if (set.type == kTypeSrv) target = Octets(data).substr(6);
      if (target.size() <= 1) continue;
      const std::string lower = LowerName(target);
      const Tree* const tree = authority_.ZoneOf(lower, false);
      const Node* const node = tree == nullptr ? nullptr : tree->Find(lower);
      if (node != nullptr) AddAddresses(*node, target);
    }
  }

  void AddAddresses(const Node& node, Octets name) {
    for (const std::uint16_t type : {kTypeA, kTypeAaaa}) {
      const Set* const set = node.Find(type);
      if (set != nullptr && !Has(name, type)) Put(Section::kAdditional, name, *set);
    }
  }

  bool Has(Octets name, std::uint16_t type) const {
    return std::ranges::any_of(answer_.records,
                               [&](const Record& r) { return r.type == type && SameName(answer_.NameOctets(r.name), name); });
  }

  void Put(Section section, Octets name, const Set& set) {
    for (const std::string& data : set.data) answer_.AddRecordOctets(section, name, set.type, kClassIn, set.ttl, data);
  }

  const Authority& authority_;
  const std::uint16_t type_;
  Message& answer_;
  bool referral_ = false;
};

bool Authority::Answer(Octets octets, Transport transport, AuthorityWorkspace& work, std::string& out) const {
  out.clear();
  Message &query = work.query, &answer = work.answer;
  Decode(octets, query);
  if (octets.size() < kHeaderSize || query.response()) return false;
  answer.Clear();
  answer.id = query.id;
  answer.flags = static_cast<std::uint16_t>(kFlagQr | (query.flags & (kFlagRd | kFlagCd)));
  answer.SetOpcode(query.opcode());
  const bool readable = !query.malformed();
  const bool one = readable && query.questions.size() == 1;
  if (one) {
    const Question& q = query.questions.front();
    answer.AddQuestionOctets(query.NameOctets(q.name), q.type, q.klass);
  }
  bool referral = false;
  if (query.edns.present && readable) answer.AddEdns(AuthorityLimits::kUdpOctets, query.edns.dnssec_ok);
  constexpr std::uint16_t kBadVersion = 16;
  if (query.opcode() != kOpcodeQuery) {
    answer.SetRcode(kRcodeNotImp);
  } else if (!one) {
    answer.SetRcode(kRcodeFormErr);
  } else if (query.edns.present && query.edns.version != 0) {
    answer.SetRcode(kBadVersion);
  } else if (const Question& q = query.questions.front();
             (q.klass != kClassIn && q.klass != kClassAny) || IsMeta(q.type) || q.type == kTypeOpt) {
    answer.SetRcode(kRcodeRefused);
  } else {
    Lookup lookup(*this, query, answer);
    lookup.Run(query.NameOctets(q.name));
    referral = lookup.referral();
  }
  const std::size_t offered = query.edns.present ? std::max<std::size_t>(query.edns.udp_size, AuthorityLimits::kPlainUdpOctets)
                                                 : AuthorityLimits::kPlainUdpOctets;
  const std::size_t limit =
      transport == Transport::kTcp ? kMaxMessage : std::min<std::size_t>(offered, AuthorityLimits::kUdpOctets);
  return EncodeWithin(answer, referral, limit, out);
}

}  // namespace glasspost::dns

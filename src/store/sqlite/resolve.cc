#include "store/sqlite/resolve.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/ascii.h"

namespace glasspost::store {
namespace {

std::optional<LocalTarget> FindTarget(Database& db, const AddressName& name) {
  Query query(
      db,
      "SELECT a.id, a.inbox, a.quota, CASE a.quota WHEN 0 THEN 0 ELSE (SELECT sum(octets) FROM mailbox WHERE account = a.id) END"
      " FROM account a WHERE a.domain = ? AND a.local = ?",
      name.domain, name.local);
  if (!query.Next()) return {};
  return LocalTarget{query.Int(0), query.Int(1), name, static_cast<std::uint64_t>(query.Int(2)),
                     static_cast<std::uint64_t>(query.Int(3))};
}

std::vector<AddressName> AliasTargets(Database& db, const AddressName& name) {
  std::vector<AddressName> targets;
  Query query(db, "SELECT target_local, target_domain FROM alias WHERE domain = ? AND local = ? ORDER BY position", name.domain,
              name.local);
  while (query.Next()) targets.push_back({query.Text(0), query.Text(1)});
  return targets;
}

class Resolver {
 public:
  explicit Resolver(Database& db) : db_(db) {}

  // False: the address names nothing. Of local parts the case counts elsewhere, not here.
  bool Expand(const AddressName& target, int depth) {
    if (!IsOurs(target.domain)) {
      AddOnce(resolution.forwards, target);
      return true;
    }
    const AddressName name = Lowered(target);
    if (Step(name, depth)) return true;
    if (const std::size_t plus = name.local.find('+'); plus != std::string::npos && plus > 0) {
      if (Step({name.local.substr(0, plus), name.domain}, depth)) return true;
    }
    return ExpandAlias({"", name.domain}, depth);
  }

  bool IsOurs(const std::string& domain) {
    Query query(db_, "SELECT 1 FROM domain WHERE name = ?", domain);
    return query.Next();
  }

  Resolution resolution;

 private:
  bool Step(const AddressName& name, int depth) {
    if (!name.local.empty() && ExpandAlias(name, depth)) return true;
    std::optional<LocalTarget> target = FindTarget(db_, name);
    if (!target) return false;
    if (accounts_.insert(target->account).second) resolution.mailboxes.push_back(std::move(*target));
    return true;
  }

  // An alias is expanded once; met again on the way down, it means the account beneath it.
  bool ExpandAlias(const AddressName& name, int depth) {
    if (expanded_.contains({name.domain, name.local})) return name.local.empty();
    const std::vector<AddressName> targets = AliasTargets(db_, name);
    if (targets.empty()) return false;
    expanded_.insert({name.domain, name.local});
    for (const AddressName& target : targets) {
      if (Full() || depth == DirectoryLimits::kAliasDepth || !Expand(target, depth + 1)) AddOnce(resolution.unresolved, target);
    }
    return true;
  }

  bool Full() const {
    return resolution.mailboxes.size() + resolution.forwards.size() + resolution.unresolved.size() >= DirectoryLimits::kTargets;
  }

  static void AddOnce(std::vector<AddressName>& names, const AddressName& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }

  Database& db_;
  std::set<std::pair<std::string, std::string>> expanded_;
  std::set<AccountId> accounts_;
};

}  // namespace

AddressName Lowered(AddressName name) {
  for (char& c : name.local) c = ToLower(c);
  for (char& c : name.domain) c = ToLower(c);
  return name;
}

Resolution ResolveRecipient(Database& db, const AddressName& recipient) {
  const AddressName name = Lowered(recipient);
  Resolver resolver(db);
  if (!resolver.IsOurs(name.domain)) return {};
  const bool found = resolver.Expand(name, 0);
  resolver.resolution.kind = found ? Resolution::Kind::kFound : Resolution::Kind::kUnknown;
  return std::move(resolver.resolution);
}

}  // namespace glasspost::store

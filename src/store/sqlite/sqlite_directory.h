// Domains, accounts and aliases in mail.db.
#pragma once

#include "store/directory.h"
#include "store/sqlite/engine.h"

namespace glasspost::store {

class SqliteDirectory final : public Directory {
 public:
  explicit SqliteDirectory(Engine& engine) : engine_(engine) {}

  void AddDomain(std::string domain, std::vector<NewAccount> accounts, Timestamp now, Done<void> done) override;
  void RemoveDomain(std::string domain, bool with_all, Timestamp now, Done<void> done) override;
  void ListDomains(std::string after, Done<std::vector<std::string>> done) override;
  void AddAccount(NewAccount account, Timestamp now, Done<AccountId> done) override;
  void RemoveAccount(AddressName name, Timestamp now, Done<void> done) override;
  void SetVerifiers(AddressName name, std::vector<std::string> verifiers, Done<void> done) override;
  void SetQuota(AddressName name, std::uint64_t quota, Done<void> done) override;
  void FindAccount(AddressName name, Done<Account> done) override;
  void ListAccounts(std::string domain, AccountId after, Done<std::vector<Account>> done) override;
  void SetAlias(Alias alias, Done<void> done) override;
  void RemoveAlias(AddressName name, Done<void> done) override;
  void ListAliases(std::string domain, AddressName after, Done<std::vector<Alias>> done) override;
  void Resolve(AddressName recipient, Done<Resolution> done) override;
  void VerifierSchemes(Done<std::vector<std::string>> done) override;

 private:
  Engine& engine_;
};

}  // namespace glasspost::store

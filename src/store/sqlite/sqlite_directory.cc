#include "store/sqlite/sqlite_directory.h"

#include <algorithm>

#include "base/ascii.h"
#include "store/sqlite/mailbox_rows.h"
#include "store/sqlite/resolve.h"

namespace glasspost::store {
namespace {

bool IsName(std::string_view text) { return !text.empty() && text.size() <= DirectoryLimits::kNameOctets; }

// "{SCRAM-SHA-256}" of "{SCRAM-SHA-256}4096,…"; empty if it has none.
std::string_view SchemeOf(std::string_view verifier) {
  const std::size_t end = verifier.find('}');
  return verifier.starts_with('{') && end != std::string_view::npos ? verifier.substr(0, end + 1) : std::string_view();
}

Result<void> CheckVerifiers(const std::vector<std::string>& verifiers) {
  if (verifiers.size() > DirectoryLimits::kVerifiers) return Refuse(Fault::kTooLarge, "too many verifiers");
  for (const std::string& verifier : verifiers) {
    if (verifier.size() > DirectoryLimits::kVerifierOctets) return Refuse(Fault::kTooLarge, "a verifier is too long");
    if (SchemeOf(verifier).empty()) return Refuse(Fault::kInvalid, "a verifier without its {SCHEME}");
  }
  return {};
}

void WriteVerifiers(Database& db, AccountId account, const std::vector<std::string>& verifiers) {
  db.Run("DELETE FROM verifier WHERE account = ?", account);
  for (std::size_t i = 0; i < verifiers.size(); ++i) {
    db.Run("INSERT INTO verifier(account, position, scheme, text) VALUES(?, ?, ?, ?)", account, i, SchemeOf(verifiers[i]),
           verifiers[i]);
  }
}

bool HasDomain(Database& db, const std::string& domain) {
  Query query(db, "SELECT 1 FROM domain WHERE name = ?", domain);
  return query.Next();
}

AccountId FindId(Database& db, const AddressName& name) {
  Query query(db, "SELECT id FROM account WHERE domain = ? AND local = ?", name.domain, name.local);
  return query.Next() ? query.Int(0) : 0;
}

Result<AccountId> InsertAccount(Database& db, const NewAccount& account, Timestamp now) {
  if (!IsName(account.name.local)) return Refuse(Fault::kInvalid, "the name of an account");
  if (const Result<void> sound = CheckVerifiers(account.verifiers); !sound) return std::unexpected(sound.error());
  if (!HasDomain(db, account.name.domain)) return Refuse(Fault::kNotFound, "no domain " + account.name.domain);
  if (FindId(db, account.name) != 0) return Refuse(Fault::kExists, account.name.Text());
  db.Run("INSERT INTO account(domain, local, quota, inbox) VALUES(?, ?, ?, 0)", account.name.domain, account.name.local,
         account.quota);
  const AccountId id = db.last_id();
  const MailboxInfo inbox = InsertMailbox(db, id, 0, "INBOX", now);
  db.Run("UPDATE account SET inbox = ? WHERE id = ?", inbox.id, id);
  WriteVerifiers(db, id, account.verifiers);
  return id;
}

void DeleteAccount(Database& db, AccountId account) {
  db.Run("INSERT INTO doomed_mailbox(mailbox) SELECT id FROM mailbox WHERE account = ?", account);
  db.Run("DELETE FROM mailbox WHERE account = ?", account);
  db.Run("DELETE FROM verifier WHERE account = ?", account);
  db.Run("DELETE FROM account WHERE id = ?", account);
}

#define GLASSPOST_ACCOUNT_SELECT                                                                              \
  "SELECT a.id, a.local, a.domain, a.quota, a.inbox, (SELECT sum(octets) FROM mailbox WHERE account = a.id)," \
  " (SELECT sum(messages) FROM mailbox WHERE account = a.id) FROM account a"

Account ReadAccount(Database& db, const Query& row) {
  Account a;
  a.id = row.Int(0);
  a.name = {row.Text(1), row.Text(2)};
  a.quota = static_cast<std::uint64_t>(row.Int(3));
  a.inbox = row.Int(4);
  a.used = static_cast<std::uint64_t>(row.Int(5));
  a.messages = static_cast<std::uint64_t>(row.Int(6));
  Query query(db, "SELECT text FROM verifier WHERE account = ? ORDER BY position", a.id);
  while (query.Next()) a.verifiers.push_back(query.Text(0));
  return a;
}

std::string LoweredText(std::string text) {
  for (char& c : text) c = ToLower(c);
  return text;
}

}  // namespace

void SqliteDirectory::AddDomain(std::string domain, std::vector<NewAccount> accounts, Timestamp now, Done<void> done) {
  domain = LoweredText(std::move(domain));
  for (NewAccount& account : accounts) account.name = Lowered({account.name.local, domain});
  engine_.writer->Call<void>(
      [domain = std::move(domain), accounts = std::move(accounts), now](Database& db) -> Result<void> {
        if (!IsName(domain)) return Refuse(Fault::kInvalid, "the name of a domain");
        if (HasDomain(db, domain)) return Refuse(Fault::kExists, domain);
        db.Run("INSERT INTO domain(name) VALUES(?)", domain);
        for (const NewAccount& account : accounts) {
          if (const Result<AccountId> id = InsertAccount(db, account, now); !id) return std::unexpected(id.error());
        }
        return {};
      },
      std::move(done));
}

void SqliteDirectory::RemoveDomain(std::string domain, bool with_all, Timestamp now, Done<void> done) {
  engine_.writer->Call<void>(
      [&engine = engine_, domain = LoweredText(std::move(domain)), with_all, now](Database& db) -> Result<void> {
        if (!HasDomain(db, domain)) return Refuse(Fault::kNotFound, domain);
        std::vector<AccountId> accounts;
        {
          Query query(db, "SELECT id, inbox FROM account WHERE domain = ?", domain);
          while (query.Next()) {
            if (!with_all) return Refuse(Fault::kNotEmpty, domain);
            if (engine.locks.IsHeld(query.Int(1), now)) return Refuse(Fault::kInUse, domain);
            accounts.push_back(query.Int(0));
          }
        }
        {
          Query query(db, "SELECT 1 FROM alias WHERE domain = ? LIMIT 1", domain);
          if (query.Next() && !with_all) return Refuse(Fault::kNotEmpty, domain);
        }
        for (const AccountId account : accounts) DeleteAccount(db, account);
        db.Run("DELETE FROM alias WHERE domain = ?", domain);
        db.Run("DELETE FROM domain WHERE name = ?", domain);
        return {};
      },
      [&engine = engine_, done = std::move(done)](Result<void> result) mutable {
        engine.writer->Wake();
        done(std::move(result));
      });
}

void SqliteDirectory::ListDomains(std::string after, Done<std::vector<std::string>> done) {
  engine_.readers->Call<std::vector<std::string>>(
      [after = LoweredText(std::move(after))](Database& db) -> Result<std::vector<std::string>> {
        std::vector<std::string> domains;
        Query query(db, "SELECT name FROM domain WHERE name > ? ORDER BY name LIMIT ?", after, DirectoryLimits::kPage);
        while (query.Next()) domains.push_back(query.Text(0));
        return domains;
      },
      std::move(done));
}

void SqliteDirectory::AddAccount(NewAccount account, Timestamp now, Done<AccountId> done) {
  account.name = Lowered(std::move(account.name));
  engine_.writer->Call<AccountId>([account = std::move(account), now](Database& db) { return InsertAccount(db, account, now); },
                                  std::move(done));
}

void SqliteDirectory::RemoveAccount(AddressName name, Timestamp now, Done<void> done) {
  engine_.writer->Call<void>(
      [&engine = engine_, name = Lowered(std::move(name)), now](Database& db) -> Result<void> {
        MailboxId inbox = 0;
        AccountId id = 0;
        {
          Query query(db, "SELECT id, inbox FROM account WHERE domain = ? AND local = ?", name.domain, name.local);
          if (!query.Next()) return Refuse(Fault::kNotFound, name.Text());
          id = query.Int(0);
          inbox = query.Int(1);
        }
        if (engine.locks.IsHeld(inbox, now)) return Refuse(Fault::kInUse, name.Text());
        DeleteAccount(db, id);
        return {};
      },
      [&engine = engine_, done = std::move(done)](Result<void> result) mutable {
        engine.writer->Wake();
        done(std::move(result));
      });
}

void SqliteDirectory::SetVerifiers(AddressName name, std::vector<std::string> verifiers, Done<void> done) {
  engine_.writer->Call<void>(
      [name = Lowered(std::move(name)), verifiers = std::move(verifiers)](Database& db) -> Result<void> {
        if (const Result<void> sound = CheckVerifiers(verifiers); !sound) return sound;
        const AccountId id = FindId(db, name);
        if (id == 0) return Refuse(Fault::kNotFound, name.Text());
        WriteVerifiers(db, id, verifiers);
        return {};
      },
      std::move(done));
}

void SqliteDirectory::SetQuota(AddressName name, std::uint64_t quota, Done<void> done) {
  engine_.writer->Call<void>(
      [name = Lowered(std::move(name)), quota](Database& db) -> Result<void> {
        db.Run("UPDATE account SET quota = ? WHERE domain = ? AND local = ?", quota, name.domain, name.local);
        if (db.changes() == 0) return Refuse(Fault::kNotFound, name.Text());
        return {};
      },
      std::move(done));
}

void SqliteDirectory::FindAccount(AddressName name, Done<Account> done) {
  engine_.readers->Call<Account>(
      [name = Lowered(std::move(name))](Database& db) -> Result<Account> {
        Query query(db, GLASSPOST_ACCOUNT_SELECT " WHERE a.domain = ? AND a.local = ?", name.domain, name.local);
        if (!query.Next()) return Refuse(Fault::kNotFound, name.Text());
        return ReadAccount(db, query);
      },
      std::move(done));
}

void SqliteDirectory::ListAccounts(std::string domain, AccountId after, Done<std::vector<Account>> done) {
  engine_.readers->Call<std::vector<Account>>(
      [domain = LoweredText(std::move(domain)), after](Database& db) -> Result<std::vector<Account>> {
        std::vector<Account> accounts;
        Query query(db, GLASSPOST_ACCOUNT_SELECT " WHERE a.id > ?1 AND (?2 = '' OR a.domain = ?2) ORDER BY a.id LIMIT ?3", after,
                    domain, DirectoryLimits::kPage);
        while (query.Next()) accounts.push_back(ReadAccount(db, query));
        return accounts;
      },
      std::move(done));
}

void SqliteDirectory::SetAlias(Alias alias, Done<void> done) {
  alias.name = Lowered(std::move(alias.name));
  for (AddressName& target : alias.targets) target.domain = LoweredText(std::move(target.domain));
  engine_.writer->Call<void>(
      [alias = std::move(alias)](Database& db) -> Result<void> {
        if (alias.targets.size() > DirectoryLimits::kTargets) return Refuse(Fault::kTooLarge, "too many targets");
        const auto names = [](const AddressName& target) { return IsName(target.local) && IsName(target.domain); };
        if (alias.targets.empty() || !std::ranges::all_of(alias.targets, names))
          return Refuse(Fault::kInvalid, "a target of the alias");
        if (alias.name.local.size() > DirectoryLimits::kNameOctets) return Refuse(Fault::kInvalid, "the name of the alias");
        if (!HasDomain(db, alias.name.domain)) return Refuse(Fault::kNotFound, "no domain " + alias.name.domain);
        db.Run("DELETE FROM alias WHERE domain = ? AND local = ?", alias.name.domain, alias.name.local);
        for (std::size_t i = 0; i < alias.targets.size(); ++i) {
          db.Run("INSERT INTO alias(domain, local, position, target_local, target_domain) VALUES(?, ?, ?, ?, ?)",
                 alias.name.domain, alias.name.local, i, alias.targets[i].local, alias.targets[i].domain);
        }
        return {};
      },
      std::move(done));
}

void SqliteDirectory::RemoveAlias(AddressName name, Done<void> done) {
  engine_.writer->Call<void>(
      [name = Lowered(std::move(name))](Database& db) -> Result<void> {
        db.Run("DELETE FROM alias WHERE domain = ? AND local = ?", name.domain, name.local);
        if (db.changes() == 0) return Refuse(Fault::kNotFound, name.Text());
        return {};
      },
      std::move(done));
}

void SqliteDirectory::ListAliases(std::string domain, AddressName after, Done<std::vector<Alias>> done) {
  engine_.readers->Call<std::vector<Alias>>(
      [domain = LoweredText(std::move(domain)), after = Lowered(std::move(after))](Database& db) -> Result<std::vector<Alias>> {
        std::vector<Alias> aliases;
        Query query(db,
                    "SELECT local, domain, target_local, target_domain FROM alias WHERE (domain, local) > (?1, ?2)"
                    " AND (?3 = '' OR domain = ?3) ORDER BY domain, local, position",
                    after.domain, after.local, domain);
        while (query.Next()) {
          AddressName name{query.Text(0), query.Text(1)};
          if (aliases.empty() || aliases.back().name != name) {
            if (aliases.size() == DirectoryLimits::kPage) break;
            aliases.push_back({std::move(name), {}});
          }
          aliases.back().targets.push_back({query.Text(2), query.Text(3)});
        }
        return aliases;
      },
      std::move(done));
}

void SqliteDirectory::Resolve(AddressName recipient, Done<Resolution> done) {
  engine_.readers->Call<Resolution>(
      [recipient = std::move(recipient)](Database& db) -> Result<Resolution> { return ResolveRecipient(db, recipient); },
      std::move(done));
}

void SqliteDirectory::VerifierSchemes(Done<std::vector<std::string>> done) {
  engine_.readers->Call<std::vector<std::string>>(
      [](Database& db) -> Result<std::vector<std::string>> {
        std::vector<std::string> schemes;
        Query query(db,  // from each to the next, so that the number of accounts does not matter
                    "WITH RECURSIVE s(scheme) AS (SELECT min(scheme) FROM verifier UNION ALL"
                    " SELECT (SELECT min(scheme) FROM verifier WHERE scheme > s.scheme) FROM s WHERE s.scheme IS NOT NULL)"
                    " SELECT scheme FROM s WHERE scheme IS NOT NULL");
        while (query.Next()) schemes.push_back(query.Text(0));
        return schemes;
      },
      std::move(done));
}

}  // namespace glasspost::store

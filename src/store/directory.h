// Domains, accounts and aliases, and what a recipient's address resolves to.
// Names: a domain is in A-label or ASCII form, a local part without its quotes. Both are held and compared with A-Z as a-z;
// anything else (U-labels, normal forms) the caller has settled before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/origin.h"
#include "store/result.h"

namespace glasspost::store {

using AccountId = std::int64_t;
using MailboxId = std::int64_t;

struct DirectoryLimits {
  static constexpr std::size_t kNameOctets = 1024;      // a local part, domain or mailbox name: stops keys that fill pages
  static constexpr std::size_t kVerifiers = 16;         // of an account
  static constexpr std::size_t kVerifierOctets = 1024;  // each
  static constexpr std::size_t kTargets = 1000;         // of an alias, and of a resolved recipient: stops mail bombs by expansion
  static constexpr int kAliasDepth = 10;                // aliases that name aliases
  static constexpr std::size_t kPage = 1000;            // rows a listing gives at once
};

struct AddressName {
  std::string local;
  std::string domain;
  bool operator==(const AddressName&) const = default;
  std::string Text() const { return local + "@" + domain; }
};

struct Account {
  AccountId id = 0;
  AddressName name;
  std::vector<std::string> verifiers;  // Dovecot's notation, "{ARGON2ID}…"; opaque here
  std::uint64_t quota = 0;             // octets; 0 is none
  std::uint64_t used = 0;              // octets in all mailboxes
  std::uint64_t messages = 0;
  MailboxId inbox = 0;
};

struct NewAccount {
  AddressName name;
  std::vector<std::string> verifiers;
  std::uint64_t quota = 0;
};

struct Alias {
  AddressName name;  // local is empty for a catch-all, "@example.org"
  std::vector<AddressName> targets;
};

// A recipient that ends in a mailbox here.
struct LocalTarget {
  AccountId account = 0;
  MailboxId mailbox = 0;
  AddressName name;  // the account's, for Delivered-To
  std::uint64_t quota = 0;
  std::uint64_t used = 0;
};

struct Resolution {
  enum class Kind : std::uint8_t {
    kElsewhere,  // the domain is not ours
    kUnknown,    // the domain is ours, the local part names nothing
    kFound,
  };
  Kind kind = Kind::kElsewhere;
  std::vector<LocalTarget> mailboxes;   // each once
  std::vector<AddressName> forwards;    // addresses of other domains that an alias names, each once
  std::vector<AddressName> unresolved;  // targets of aliases that name nothing, or lie deeper than kAliasDepth
};

// `now` is for UIDVALIDITY and for leases.
class Directory {
 public:
  virtual ~Directory() = default;

  // A domain, with accounts that exist from its first moment (postmaster, abuse): all of it or nothing.
  virtual void AddDomain(std::string domain, std::vector<NewAccount> accounts, Timestamp now, Done<void> done) = 0;
  // kNotEmpty while it has accounts or aliases, unless `with_all`: then they and their mail go with it.
  virtual void RemoveDomain(std::string domain, bool with_all, Timestamp now, Done<void> done) = 0;
  virtual void ListDomains(std::string after, Done<std::vector<std::string>> done) = 0;

  virtual void AddAccount(NewAccount account, Timestamp now, Done<AccountId> done) = 0;
  // And its mail; kInUse while its maildrop is locked.
  virtual void RemoveAccount(AddressName name, Timestamp now, Done<void> done) = 0;
  virtual void SetVerifiers(AddressName name, std::vector<std::string> verifiers, Done<void> done) = 0;
  virtual void SetQuota(AddressName name, std::uint64_t quota, Done<void> done) = 0;
  // The exact account: no aliases, no tags.
  virtual void FindAccount(AddressName name, Done<Account> done) = 0;
  // A page of the domain's accounts (of all with an empty domain) in the order of their ids, after `after`.
  virtual void ListAccounts(std::string domain, AccountId after, Done<std::vector<Account>> done) = 0;

  virtual void SetAlias(Alias alias, Done<void> done) = 0;  // replaces one of the same name; the domain must be ours
  virtual void RemoveAlias(AddressName name, Done<void> done) = 0;
  virtual void ListAliases(std::string domain, AddressName after, Done<std::vector<Alias>> done) = 0;

  // In this order: an alias of the address, an account, then the same of the local part up to its first '+', then the catch-all.
  // An alias that names itself means the account beneath it.
  virtual void Resolve(AddressName recipient, Done<Resolution> done) = 0;
  // Which prefixes ("{SCRAM-SHA-256}") occur among all accounts: a mechanism that no account can use is not offered.
  virtual void VerifierSchemes(Done<std::vector<std::string>> done) = 0;
};

}  // namespace glasspost::store

// A store that passes everything on to another, for tests in which one thing of it is different.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace glasspost::relay::test {

class PassingQueue : public store::Queue {
 public:
  explicit PassingQueue(store::Queue& real) : real_(real) {}
  void ClaimDue(store::Claim claim, store::Done<std::vector<store::Entry>> done) override {
    real_.ClaimDue(std::move(claim), std::move(done));
  }
  void Renew(std::vector<store::EntryId> entries, store::Lease lease, store::Done<void> done) override {
    real_.Renew(std::move(entries), std::move(lease), std::move(done));
  }
  void NextDue(std::vector<std::string> skip, store::Done<Timestamp> done) override {
    real_.NextDue(std::move(skip), std::move(done));
  }
  void Settle(std::string owner, std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events,
              store::Done<std::vector<bool>> done) override {
    real_.Settle(std::move(owner), std::move(outcomes), std::move(events), std::move(done));
  }
  void List(store::QueueSelection selection, store::Done<std::vector<store::Entry>> done) override {
    real_.List(std::move(selection), std::move(done));
  }
  void Count(store::Done<store::QueueCounts> done) override { real_.Count(std::move(done)); }
  void Act(store::QueueAction action, store::QueueSelection selection, Timestamp now, store::Done<std::uint64_t> done) override {
    real_.Act(action, std::move(selection), now, std::move(done));
  }
  void ActOn(store::QueueAction action, std::vector<store::EntryId> entries, Timestamp now,
             std::vector<store::JourneyEvent> events, store::Done<std::uint64_t> done) override {
    real_.ActOn(action, std::move(entries), now, std::move(events), std::move(done));
  }

 private:
  store::Queue& real_;
};

class PassingDirectory : public store::Directory {
 public:
  explicit PassingDirectory(store::Directory& real) : real_(real) {}
  void AddDomain(std::string domain, std::vector<store::NewAccount> accounts, Timestamp now, store::Done<void> done) override {
    real_.AddDomain(std::move(domain), std::move(accounts), now, std::move(done));
  }
  void RemoveDomain(std::string domain, bool with_mail, Timestamp now, store::Done<void> done) override {
    real_.RemoveDomain(std::move(domain), with_mail, now, std::move(done));
  }
  void ListDomains(std::string after, store::Done<std::vector<std::string>> done) override {
    real_.ListDomains(std::move(after), std::move(done));
  }
  void AddAccount(store::NewAccount account, Timestamp now, store::Done<store::AccountId> done) override {
    real_.AddAccount(std::move(account), now, std::move(done));
  }
  void RemoveAccount(store::AddressName name, Timestamp now, store::Done<void> done) override {
    real_.RemoveAccount(std::move(name), now, std::move(done));
  }
  void SetVerifiers(store::AddressName name, std::vector<std::string> verifiers, store::Done<void> done) override {
    real_.SetVerifiers(std::move(name), std::move(verifiers), std::move(done));
  }
  void SetQuota(store::AddressName name, std::uint64_t octets, store::Done<void> done) override {
    real_.SetQuota(std::move(name), octets, std::move(done));
  }
  void FindAccount(store::AddressName name, store::Done<store::Account> done) override {
    real_.FindAccount(std::move(name), std::move(done));
  }
  void ListAccounts(std::string domain, store::AccountId after, store::Done<std::vector<store::Account>> done) override {
    real_.ListAccounts(std::move(domain), after, std::move(done));
  }
  void VerifierSchemes(store::Done<std::vector<std::string>> done) override { real_.VerifierSchemes(std::move(done)); }
  void SetAlias(store::Alias alias, store::Done<void> done) override { real_.SetAlias(std::move(alias), std::move(done)); }
  void RemoveAlias(store::AddressName name, store::Done<void> done) override {
    real_.RemoveAlias(std::move(name), std::move(done));
  }
  void ListAliases(std::string domain, store::AddressName after, store::Done<std::vector<store::Alias>> done) override {
    real_.ListAliases(std::move(domain), std::move(after), std::move(done));
  }
  void Resolve(store::AddressName name, store::Done<store::Resolution> done) override {
    real_.Resolve(std::move(name), std::move(done));
  }

 private:
  store::Directory& real_;
};

// With a queue and a directory of the test's own.
template <class Queue, class Directory = PassingDirectory>
class PassingStore : public store::Store {
 public:
  explicit PassingStore(std::unique_ptr<store::Store> real) : real_(std::move(real)) {}
  Queue& queue() override { return queue_; }
  Directory& directory() override { return directory_; }
  store::Mailboxes& mailboxes() override { return real_->mailboxes(); }
  store::Journeys& journeys() override { return real_->journeys(); }
  store::Conversations& conversations() override { return real_->conversations(); }
  std::unique_ptr<store::Receiver> Receive(Timestamp now) override { return real_->Receive(now); }
  store::StoreState state() const override { return real_->state(); }
  void Drain() override { real_->Drain(); }

 private:
  std::unique_ptr<store::Store> real_;
  Queue queue_{real_->queue()};
  Directory directory_{real_->directory()};
};

}  // namespace glasspost::relay::test

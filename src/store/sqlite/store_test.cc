// The store by its interface: directory, receiving, quota, journeys, conversations, and a long queue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "support/temporary_folder.h"

namespace glasspost::store {
namespace {

using testing::ElementsAre;

constexpr Timestamp kSecond = 1'000'000'000;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    ASSERT_TRUE(Await<void>([&](auto d) {
      Directory().AddDomain("A.test", {{{"Postmaster", ""}, {"{PLAIN}x"}, 0}, {{"abuse", ""}, {}, 0}}, kSecond, std::move(d));
    }));
  }
  void Reopen(SqliteOptions options = {}) {
    store_.reset();
    auto store = OpenSqliteStore(folder_.path(), options);
    ASSERT_TRUE(store) << store.error().Text();
    store_ = std::move(*store);
  }
  store::Directory& Directory() { return store_->directory(); }

  Result<AccountId> AddUser(const std::string& local, std::uint64_t quota = 0, std::vector<std::string> verifiers = {}) {
    return Await<AccountId>([&](auto d) {
      Directory().AddAccount({{local, "a.test"}, verifiers, quota}, kSecond, std::move(d));
    });
  }
  Result<void> SetAlias(const std::string& local, std::vector<AddressName> targets) {
    return Await<void>([&](auto d) { Directory().SetAlias({{local, "a.test"}, targets}, std::move(d)); });
  }
  Resolution Resolve(const std::string& local, const std::string& domain = "a.test") {
    return *Await<Resolution>([&](auto d) { Directory().Resolve({local, domain}, std::move(d)); });
  }
  std::vector<std::string> Names(const std::string& local) {
    std::vector<std::string> names;
    const Resolution r = Resolve(local);
    for (const LocalTarget& t : r.mailboxes) names.push_back(t.name.local);
    for (const AddressName& f : r.forwards) names.push_back(f.Text());
    for (const AddressName& u : r.unresolved) names.push_back("?" + u.Text());
    return names;
  }
  Result<Accepted> Deliver(Octets octets, Plan plan) {
    auto receiver = store_->Receive(kSecond);
    EXPECT_TRUE(receiver->Append(octets, [](Result<void>) {}));
    return Await<Accepted>([&](auto d) { receiver->Commit(std::move(plan), std::move(d)); });
  }
  void ClaimAll(const std::string& owner) {
    Claim claim{.lease = {owner, 1'000 * kSecond}, .now = kSecond, .limit = 100, .per_destination = 100, .skip = {}};
    EXPECT_TRUE(Await<std::vector<Entry>>([&](auto d) { store_->queue().ClaimDue(claim, std::move(d)); }));
  }
  std::vector<JourneyEvent> Journey(JourneyQuery query) {
    return *Await<std::vector<JourneyEvent>>([&](auto d) { store_->journeys().Find(std::move(query), std::move(d)); });
  }
  QueueCounts Counts() {
    return *Await<QueueCounts>([&](auto d) { store_->queue().Count(std::move(d)); });
  }
  template <class T>
  static Fault FaultOf(const Result<T>& r) {
    EXPECT_FALSE(r.has_value());
    return r.error().fault;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, DomainsAndAccounts) {
  EXPECT_EQ(Resolve("POSTMASTER", "a.TEST").mailboxes.at(0).name.Text(), "postmaster@a.test");
  EXPECT_EQ(FaultOf(Await<void>([&](auto d) { Directory().AddDomain("a.test", {}, 1, std::move(d)); })), Fault::kExists);
  EXPECT_EQ(FaultOf(AddUser("abuse")), Fault::kExists);
  EXPECT_EQ(FaultOf(AddUser("")), Fault::kInvalid);
  EXPECT_EQ(FaultOf(AddUser("v", 0, {"no scheme"})), Fault::kInvalid);
  EXPECT_EQ(FaultOf(AddUser("v", 0, std::vector<std::string>(DirectoryLimits::kVerifiers + 1, "{A}"))), Fault::kTooLarge);
  ASSERT_TRUE(AddUser("v", 500, {"{ARGON2ID}one", "{SCRAM-SHA-256}two"}));
  const auto account = Await<Account>([&](auto d) { Directory().FindAccount({"V", "a.test"}, std::move(d)); });
  ASSERT_TRUE(account);
  EXPECT_THAT(account->verifiers, ElementsAre("{ARGON2ID}one", "{SCRAM-SHA-256}two"));
  EXPECT_EQ(account->quota, 500u);
  EXPECT_THAT(*Await<std::vector<std::string>>([&](auto d) { Directory().VerifierSchemes(std::move(d)); }),
              ElementsAre("{ARGON2ID}", "{PLAIN}", "{SCRAM-SHA-256}"));
  ASSERT_TRUE(Await<void>([&](auto d) { Directory().SetVerifiers({"v", "a.test"}, {"{X}y"}, std::move(d)); }));
  const auto listed = Await<std::vector<Account>>([&](auto d) { Directory().ListAccounts("a.test", 0, std::move(d)); });
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_THAT(listed->at(2).verifiers, ElementsAre("{X}y"));
  EXPECT_EQ(FaultOf(Await<void>([&](auto d) { Directory().RemoveDomain("a.test", false, 1, std::move(d)); })), Fault::kNotEmpty);
  ASSERT_TRUE(Await<void>([&](auto d) { Directory().RemoveDomain("a.test", true, 1, std::move(d)); }));
  EXPECT_EQ(Resolve("v").kind, Resolution::Kind::kElsewhere);
  EXPECT_TRUE(Await<std::vector<std::string>>([&](auto d) { Directory().ListDomains("", std::move(d)); })->empty());
}

TEST_F(StoreTest, AddDomainIsAllOrNothing) {
  EXPECT_EQ(FaultOf(Await<void>([&](auto d) {
              Directory().AddDomain("b.test", {{{"x", ""}, {}, 0}, {{"x", ""}, {}, 0}}, 1, std::move(d));
            })),
            Fault::kExists);
  EXPECT_EQ(Resolve("x", "b.test").kind, Resolution::Kind::kElsewhere);
}

TEST_F(StoreTest, AliasesTagsAndCatchAll) {
  ASSERT_TRUE(AddUser("ann") && AddUser("bob"));
  EXPECT_EQ(Resolve("nobody").kind, Resolution::Kind::kUnknown);
  EXPECT_THAT(Names("ann+tag"), ElementsAre("ann"));
  ASSERT_TRUE(SetAlias("both", {{"ann", "a.test"}, {"bob+x", "a.test"}, {"carol", "elsewhere.test"}, {"ann", "a.test"}}));
  EXPECT_THAT(Names("both"), ElementsAre("ann", "bob", "carol@elsewhere.test"));
  EXPECT_THAT(Names("both+tag"), ElementsAre("ann", "bob", "carol@elsewhere.test"));
  ASSERT_TRUE(SetAlias("ann", {{"ann", "a.test"}, {"copy", "elsewhere.test"}}));  // keeps a copy
  EXPECT_THAT(Names("ann"), ElementsAre("ann", "copy@elsewhere.test"));
  ASSERT_TRUE(SetAlias("loop1", {{"loop2", "a.test"}}) && SetAlias("loop2", {{"loop1", "a.test"}}));
  EXPECT_THAT(Names("loop1"), ElementsAre("?loop1@a.test"));
  ASSERT_TRUE(SetAlias("", {{"bob", "a.test"}}));
  EXPECT_THAT(Names("whoever"), ElementsAre("bob"));
  EXPECT_THAT(Names("abuse"), ElementsAre("abuse"));
  EXPECT_EQ(Await<std::vector<Alias>>([&](auto d) { Directory().ListAliases("a.test", {}, std::move(d)); })->size(), 5u);
  ASSERT_TRUE(Await<void>([&](auto d) { Directory().RemoveAlias({"", "a.test"}, std::move(d)); }));
  EXPECT_EQ(Resolve("whoever").kind, Resolution::Kind::kUnknown);
  EXPECT_EQ(FaultOf(SetAlias("many", std::vector<AddressName>(DirectoryLimits::kTargets + 1, {"x", "y"}))), Fault::kTooLarge);
}

TEST_F(StoreTest, AliasesLeadToOursInAnyCase) {
  ASSERT_TRUE(AddUser("bob"));
  ASSERT_TRUE(SetAlias("team", {{"Bob", "A.test"}, {"BOB+Tag", "a.test"}, {"Carol", "Elsewhere.test"}, {"Chef", "a.test"}}));
  ASSERT_TRUE(SetAlias("chef", {{"Dora", "elsewhere.test"}}));
  EXPECT_THAT(Names("team"), ElementsAre("bob", "Carol@elsewhere.test", "Dora@elsewhere.test"));
}

TEST_F(StoreTest, AliasesAreFollowedToTheLimitOfDepth) {
  ASSERT_TRUE(AddUser("end"));
  const auto chain = [&](int length) {
    for (int i = 0; i < length; ++i) {
      const std::string next = i + 1 == length ? "end" : "c" + std::to_string(i + 1);
      EXPECT_TRUE(SetAlias("c" + std::to_string(i), {{next, "a.test"}}));
    }
    return Names("c0");
  };
  EXPECT_THAT(chain(DirectoryLimits::kAliasDepth), ElementsAre("end"));
  EXPECT_THAT(chain(DirectoryLimits::kAliasDepth + 1), ElementsAre("?end@a.test"));
}

TEST_F(StoreTest, QuotaIsHeldForTheWholeMessage) {
  ASSERT_TRUE(AddUser("small", 100));
  const MailboxId mailbox = Resolve("small").mailboxes.at(0).mailbox;
  const MailboxId other = Resolve("abuse").mailboxes.at(0).mailbox;
  Plan plan;
  plan.enforce_quota = true;
  plan.mailboxes = {{other, "", 0}, {mailbox, "0123456789", 0}};
  ASSERT_TRUE(Deliver(std::string(90, 'x'), plan));
  EXPECT_EQ(Resolve("small").mailboxes.at(0).used, 100u);
  const auto over = Deliver("x", plan);
  EXPECT_EQ(FaultOf(over), Fault::kOverQuota);
  EXPECT_EQ(over.error().text, "small@a.test");
  EXPECT_EQ(Await<std::vector<MailboxMessage>>([&](auto d) { store_->mailboxes().ListMessages(other, 0, std::move(d)); })->size(),
            1u);
  plan.enforce_quota = false;
  EXPECT_TRUE(Deliver("x", plan));
}

// What a completion holds may go as soon as Drain has returned: it counts as answered when it has been destroyed.
TEST_F(StoreTest, DrainWaitsForEveryCompletionToBeGone) {
  struct Held {
    explicit Held(std::atomic<int>& n) : alive(&n) { ++*alive; }
    Held(Held&& from) noexcept : alive(std::exchange(from.alive, nullptr)) {}
    ~Held() {
      if (!alive) return;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      --*alive;
    }
    std::atomic<int>* alive;
  };
  std::atomic<int> alive = 0, answered = 0;
  for (int i = 0; i < 50; ++i) {
    Directory().ListDomains({}, [held = Held(alive), &answered](Result<std::vector<std::string>>) { ++answered; });
    store_->queue().ClaimDue({.lease = {"me", 2 * kSecond}, .now = kSecond, .limit = 1, .per_destination = 1, .skip = {}},
                             [held = Held(alive), &answered](Result<std::vector<Entry>>) { ++answered; });
    store_->journeys().Forget(kSecond, [held = Held(alive), &answered](Result<void>) { ++answered; });
    store_->conversations().List({}, [held = Held(alive), &answered](Result<std::vector<ConversationHead>>) { ++answered; });
    if (i % 10 != 9) continue;
    store_->Drain();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(answered, (i + 1) * 4);
  }
}

TEST_F(StoreTest, LimitsOfAMessageAtTheLimitAndOnePast) {
  const MailboxId mailbox = Resolve("abuse").mailboxes.at(0).mailbox;
  Plan plan;
  plan.mailboxes = {{mailbox, std::string(MessageLimits::kPrefix, 'p'), 0}};
  EXPECT_TRUE(Deliver("x", plan));
  plan.mailboxes[0].prefix += "p";
  EXPECT_EQ(FaultOf(Deliver("x", plan)), Fault::kTooLarge);
  plan.mailboxes[0].prefix.clear();
  plan.events.resize(MessageLimits::kEvents);
  EXPECT_TRUE(Deliver("x", plan));
  plan.events.emplace_back();
  EXPECT_EQ(FaultOf(Deliver("x", plan)), Fault::kTooLarge);
  auto receiver = store_->Receive(1);
  const std::string chunk(MessageLimits::kChunk + 1, 'x');
  const auto append = [&](std::size_t size) {
    return Await<void>([&](auto d) { EXPECT_FALSE(receiver->Append(Octets(chunk).substr(0, size), std::move(d))); });
  };
  EXPECT_EQ(FaultOf(append(MessageLimits::kChunk + 1)), Fault::kTooLarge);
  EXPECT_TRUE(append(MessageLimits::kChunk));
  EXPECT_EQ(receiver->size(), MessageLimits::kChunk);
}

TEST_F(StoreTest, UidsAndValiditiesAreNeverUsedAgain) {
  const LocalTarget abuse = Resolve("abuse").mailboxes.at(0);
  Plan plan;
  plan.mailboxes = {{abuse.mailbox, "", 0}};
  EXPECT_THAT(Deliver("x", plan)->uids, ElementsAre(1));
  EXPECT_THAT(Deliver("x", plan)->uids, ElementsAre(2));
  ASSERT_TRUE(Await<void>([&](auto d) { store_->mailboxes().Expunge(abuse.mailbox, {1, 2, 3}, {}, std::move(d)); }));
  Reopen();
  EXPECT_THAT(Deliver("x", plan)->uids, ElementsAre(3));
  const auto create = [&](MailboxId parent, const std::string& name) {
    return Await<MailboxInfo>(
        [&](auto d) { store_->mailboxes().CreateMailbox(abuse.account, parent, name, kSecond, std::move(d)); });
  };
  const auto sent = create(0, "Sent");
  ASSERT_TRUE(sent);
  const auto under = create(sent->id, "2026");
  ASSERT_TRUE(under);
  EXPECT_EQ(FaultOf(create(0, "Sent")), Fault::kExists);
  EXPECT_EQ(FaultOf(create(9999, "x")), Fault::kNotFound);
  const auto remove = [&](MailboxId id) {
    return Await<void>([&](auto d) { store_->mailboxes().DeleteMailbox(id, std::move(d)); });
  };
  EXPECT_EQ(FaultOf(remove(sent->id)), Fault::kNotEmpty);
  EXPECT_EQ(FaultOf(remove(abuse.mailbox)), Fault::kInvalid);
  EXPECT_EQ(FaultOf(Await<void>([&](auto d) { store_->mailboxes().RenameMailbox(sent->id, under->id, "x", std::move(d)); })),
            Fault::kInvalid);
  ASSERT_TRUE(remove(under->id));
  EXPECT_GT(create(sent->id, "2026")->uidvalidity, under->uidvalidity);
}

TEST_F(StoreTest, LastUidOfAMailboxIsTheEnd) {
  const LocalTarget abuse = Resolve("abuse").mailboxes.at(0);
  store_.reset();
  {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder_.path() + "/mail.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "UPDATE mailbox SET uidnext = 4294967295", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
  Reopen();
  Plan plan;
  plan.mailboxes = {{abuse.mailbox, "", 0}};
  EXPECT_THAT(Deliver("x", plan)->uids, ElementsAre(4294967295u));
  EXPECT_EQ(FaultOf(Deliver("x", plan)), Fault::kNotFound);
}

TEST_F(StoreTest, BounceAndItsOutcomeAreOneTransaction) {
  Plan plan;
  plan.envelope.reverse_path = "s@a.test";
  plan.entries = {{"r@b.test", "b.test", "", 0, 1, false}};
  const EntryId entry = Deliver("message", plan)->entries.at(0);
  ClaimAll("relay");
  Plan bounce;
  bounce.mailboxes = {{Resolve("abuse").mailboxes.at(0).mailbox, "", 0}};
  bounce.owner = "another";
  bounce.outcomes = {{entry, Outcome::Kind::kFailed, 0, 5, "", 0, 0, ""}};
  EXPECT_EQ(FaultOf(Deliver("bounce", bounce)), Fault::kLeaseLost);
  EXPECT_EQ(Counts().entries, 1u);
  EXPECT_EQ(Counts().claimed, 1u);
  bounce.owner = "relay";
  ASSERT_TRUE(Deliver("bounce", bounce));
  EXPECT_EQ(Counts().entries, 0u);
  EXPECT_EQ(FaultOf(Deliver("bounce", bounce)), Fault::kLeaseLost);  // not twice
}

TEST_F(StoreTest, JourneysAreFoundByEachKeyAcrossRunsAndRestarts) {
  constexpr int kMessages = 40'000;  // more than two runs of the index
  std::vector<JourneyEvent> events;
  for (int i = 1; i <= kMessages; ++i) {
    const std::string n = std::to_string(i);
    std::string digest(32, '\0');
    n.copy(digest.data(), n.size());
    events.push_back({i, i, 1, 7, "S" + std::to_string(i % 1000) + "@a.test", "", "<" + n + "@a>", digest, "accepted"});
    events.push_back({i + kMessages, i, 2, 8, "", "r" + n + "@b.test", "", "", "delivered"});
    if (events.size() < 4000 && i != kMessages) continue;
    ASSERT_TRUE(Await<void>([&](auto d) { store_->journeys().Append(std::exchange(events, {}), std::move(d)); }));
    if (i % 20'000 == 0) Reopen();
  }
  for (const int i : {1, 777, 16'384, 16'385, 32'768, 32'769, 39'999, kMessages}) {
    const std::string n = std::to_string(i);
    std::string digest(32, '\0');
    n.copy(digest.data(), n.size());
    const JourneyQuery queries[] = {{JourneyQuery::Key::kMessage, i, "", 10},
                                    {JourneyQuery::Key::kMessageId, 0, "<" + n + "@a>", 10},
                                    {JourneyQuery::Key::kAddress, 0, "R" + n + "@B.test", 10},
                                    {JourneyQuery::Key::kDigest, 0, digest, 10}};
    for (const JourneyQuery& query : queries) {
      const std::vector<JourneyEvent> found = Journey(query);
      ASSERT_EQ(found.size(), 2u) << n << " by " << static_cast<int>(query.key);
      EXPECT_EQ(found[0].detail, "accepted");
      EXPECT_EQ(found[1].recipient, "r" + n + "@b.test");
    }
  }
  const std::vector<JourneyEvent> latest = Journey({JourneyQuery::Key::kAddress, 0, "s5@a.test", 3});  // of forty
  ASSERT_EQ(latest.size(), 6u);
  EXPECT_EQ(latest[2].message, kMessages - 995);
  EXPECT_TRUE(Journey({JourneyQuery::Key::kAddress, 0, "nobody@a.test", 3}).empty());
  ASSERT_TRUE(Await<void>([&](auto d) { store_->journeys().Forget(2 * kMessages + 1, std::move(d)); }));
  EXPECT_TRUE(Journey({JourneyQuery::Key::kMessage, 777, "", 10}).empty());
  EXPECT_EQ(Journey({JourneyQuery::Key::kMessage, kMessages, "", 10}).size(), 2u);  // still gathered
  Reopen();
  EXPECT_EQ(Journey({JourneyQuery::Key::kMessage, kMessages, "", 10}).size(), 2u);
}

TEST_F(StoreTest, ARefusedChangeLeavesNoJourney) {
  Plan plan;
  plan.mailboxes = {{9999, "", 0}};
  plan.events = {{1, 0, 1, 7, "s@a.test", "", "<x>", "", ""}};
  EXPECT_EQ(FaultOf(Deliver("x", plan)), Fault::kNotFound);
  EXPECT_TRUE(Journey({JourneyQuery::Key::kMessageId, 0, "<x>", 3}).empty());
  plan.mailboxes = {{Resolve("abuse").mailboxes.at(0).mailbox, "", 0}};
  ASSERT_TRUE(Deliver("x", plan));
  EXPECT_EQ(Journey({JourneyQuery::Key::kMessageId, 0, "<x>", 3}).size(), 1u);
}

// Each event with its entry's change: none of an entry that was changed before, is in somebody's hands, or gone.
TEST_F(StoreTest, QueueChangesAndTheirJourneyAreOneTransaction) {
  Plan plan;
  plan.envelope.reverse_path = "s@a.test";
  plan.entries = {{"held@b.test", "b.test", "", 0, 1, true}, {"free@c.test", "c.test", "", 0, 1, false}};
  const Accepted accepted = *Deliver("message", plan);
  const auto act = [&](QueueAction action, std::vector<EntryId> entries, int kind) {
    std::vector<JourneyEvent> events;
    for (const EntryId entry : entries) {
      events.push_back({1, accepted.message, kind, 0, "", entry == entries.front() ? "first" : "other", "", "", ""});
    }
    return Await<std::uint64_t>([&](auto d) { store_->queue().ActOn(action, entries, 5, std::move(events), std::move(d)); });
  };
  const auto journey = [&] {
    std::string all;
    for (const JourneyEvent& e : Journey({JourneyQuery::Key::kMessage, accepted.message, "", 99}))
      all += std::to_string(e.kind) + e.recipient + " ";
    return all;
  };
  EXPECT_EQ(*act(QueueAction::kHold, accepted.entries, 1), 1u);
  EXPECT_EQ(journey(), "1other ");
  EXPECT_EQ(*act(QueueAction::kRelease, {accepted.entries[1], accepted.entries[0], 9999}, 2), 2u);
  EXPECT_EQ(journey(), "1other 2first 2other ");
  const Claim claim{{"relay", 1'000}, 10, 1, 1, {}, false};
  const auto claimed = Await<std::vector<Entry>>([&](auto d) { store_->queue().ClaimDue(claim, std::move(d)); });
  ASSERT_EQ(claimed->size(), 1u);
  EXPECT_EQ(*act(QueueAction::kRemove, {claimed->front().id}, 3), 0u);
  EXPECT_EQ(journey(), "1other 2first 2other ");
  // Events that do not go with the entries, or are too many, change nothing.
  EXPECT_EQ(FaultOf(Await<std::uint64_t>(
                [&](auto d) { store_->queue().ActOn(QueueAction::kHold, accepted.entries, 5, {JourneyEvent()}, std::move(d)); })),
            Fault::kInvalid);
  EXPECT_EQ(FaultOf(act(QueueAction::kHold, std::vector<EntryId>(QueueLimits::kListed + 1, 9999), 4)), Fault::kTooLarge);
  EXPECT_EQ(Counts().held, 0u);
  EXPECT_EQ(*act(QueueAction::kHold, std::vector<EntryId>(QueueLimits::kListed, 9999), 4), 0u);
}

// Whether a header is in UTF-8 stays with the message, whatever flags it gets, and is none of them.
TEST_F(StoreTest, Utf8HeadersAreMarkedAndNoFlags) {
  const MailboxId mailbox = Resolve("abuse").mailboxes.at(0).mailbox;
  Plan plan;
  plan.mailboxes = {{mailbox, "", kSeen | kUtf8Header}};
  ASSERT_TRUE(Deliver("x", plan));
  plan.mailboxes = {{mailbox, "", 0}};
  ASSERT_TRUE(Deliver("x", plan));
  // Through the queue: what it holds decides.
  Plan queued;
  queued.envelope.smtputf8 = true;
  queued.entries = {{"abuse@a.test", "a.test", "", 0, 1, false}};
  for (const char* const message : {"Subject: \xe4\xbd\xa0\r\n\r\n", "Subject: x\r\n\r\n\xe4\xbd\xa0"}) {
    const EntryId entry = Deliver(message, queued)->entries.at(0);
    ClaimAll("relay");
    const Outcome outcome{.entry = entry, .kind = Outcome::Kind::kDelivered, .attempted = 5, .local = mailbox};
    ASSERT_TRUE(Await<std::vector<bool>>([&](auto d) { store_->queue().Settle("relay", {outcome}, {}, std::move(d)); })->at(0));
  }
  const auto marks = [&] {
    std::string all;
    const auto account = Await<Account>([&](auto d) { Directory().FindAccount({"abuse", "a.test"}, std::move(d)); });
    const auto drop = Await<Maildrop>([&](auto d) {
      store_->mailboxes().OpenMaildrop(account->id, {"me", 100}, 1, std::move(d));
    });
    for (const MaildropItem& item : *drop->items) all += item.utf8_header ? 'u' : '-';
    store_->mailboxes().ReleaseMaildrop(mailbox, "me");
    return all;
  };
  const auto flags = [&] {
    std::vector<std::uint32_t> all;
    const auto listed =
        Await<std::vector<MailboxMessage>>([&](auto d) { store_->mailboxes().ListMessages(mailbox, 0, std::move(d)); });
    for (const MailboxMessage& m : *listed) all.push_back(m.flags);
    return all;
  };
  EXPECT_EQ(marks(), "u-u-");
  EXPECT_THAT(flags(), ElementsAre(kSeen, 0u, 0u, 0u));
  for (const FlagChange change : {FlagChange::kReplace, FlagChange::kAdd, FlagChange::kRemove}) {
    ASSERT_TRUE(Await<std::uint64_t>([&](auto d) {
      store_->mailboxes().SetFlags(mailbox, {1, 2, 3, 4}, change, kUtf8Header | kFlagged, std::move(d));
    }));
    EXPECT_EQ(marks(), "u-u-");
  }
  EXPECT_THAT(flags(), ElementsAre(0u, 0u, 0u, 0u));
}

TEST_F(StoreTest, AnAnswerTakesTheMemoryOfTheOneBefore) {
  ASSERT_TRUE(AddUser("reader"));
  const MailboxId mailbox = Resolve("reader").mailboxes.at(0).mailbox;
  Plan plan;
  plan.mailboxes = {{mailbox, "Delivered-To: reader\r\n", 0}};
  for (const char c : {'a', 'b'}) ASSERT_TRUE(Deliver(std::string(1000, c), plan));
  const auto read = [&](ReadRequest request) {
    return Await<ReadAnswer>([&](auto d) { store_->mailboxes().Read(std::move(request), std::move(d)); });
  };
  ReadRequest request{.mailbox = mailbox, .uid = 1, .length = 10'000, .ahead = true};
  request.memory = {std::string(20'000, 'x'), {{7, 0, 20'000, true}}};
  const char* const memory = request.memory.octets.data();
  const auto two = read(std::move(request));
  ASSERT_TRUE(two);
  EXPECT_EQ(two->octets.data(), memory);
  ASSERT_EQ(two->pieces.size(), 2u);
  EXPECT_EQ(two->octets,
            "Delivered-To: reader\r\n" + std::string(1000, 'a') + "Delivered-To: reader\r\n" + std::string(1000, 'b'));
  EXPECT_EQ(FaultOf(read({.mailbox = mailbox, .uid = 3, .memory = *two})), Fault::kNotFound);
}

TEST(QueueId, IsReadBack) {
  for (const MessageId id : {MessageId{1}, MessageId{1'795'000'000'000'000}}) {
    EXPECT_EQ(QueueIdText(id).size(), 11u);
    EXPECT_EQ(ParseQueueId(QueueIdText(id)), id);
  }
  EXPECT_LT(QueueIdText(1'795'000'000'000'000), QueueIdText(1'795'000'000'000'001));
  EXPECT_EQ(ParseQueueId("0123456789"), 0);
  EXPECT_EQ(ParseQueueId("0123456789A"), 0);
}

TEST_F(StoreTest, ConversationsAreARing) {
  SqliteOptions options;
  options.conversations = {5, 100'000, 10, 1 << 20};
  Reopen(options);
  Conversations& ring = store_->conversations();
  const auto add = [&](Timestamp end, std::size_t octets) {
    const std::uint64_t number = ring.NextNumber();
    ring.Append(number, std::string(octets / 2, 'a'));
    ring.Append(number, std::string(octets - octets / 2, 'b'));
    ring.Finish({number, end - 1, end, number % 2 ? "smtp" : "pop3", "192.0.2." + std::to_string(number), "summary", 0});
    return number;
  };
  const auto numbers = [&](ConversationSelection selection = {}) {
    std::vector<std::uint64_t> n;
    const auto heads = Await<std::vector<ConversationHead>>([&](auto d) { ring.List(selection, std::move(d)); });
    for (const ConversationHead& head : *heads) n.push_back(head.number);
    return n;
  };
  for (int i = 0; i < 6; ++i) add(kSecond, 1000);
  EXPECT_THAT(numbers(), ElementsAre(6, 5, 4, 3, 2));  // by count
  EXPECT_THAT(numbers({5, 2, "", ""}), ElementsAre(4, 3));
  EXPECT_THAT(numbers({~0ull, 10, "pop3", ""}), ElementsAre(6, 4, 2));
  add(2 * kSecond, 96'000);
  EXPECT_THAT(numbers(), ElementsAre(7, 6, 5));  // by octets
  const std::string text = *Await<std::string>([&](auto d) { ring.Read(7, 47'999, 2, std::move(d)); });
  EXPECT_EQ(text, "ab");
  EXPECT_EQ(*Await<std::string>([&](auto d) { ring.Read(7, 96'000, 2, std::move(d)); }), "");
  add(20 * kSecond, 10);
  EXPECT_THAT(numbers(), ElementsAre(8));  // by age
  ring.Append(99, "begun, never finished");
  Reopen(options);
  EXPECT_EQ(store_->conversations().NextNumber(), 9u);
  EXPECT_EQ(FaultOf(Await<ConversationHead>([&](auto d) { store_->conversations().Find(99, std::move(d)); })), Fault::kNotFound);
}

// The pages of a new file are large; a file of those before keeps its own.
TEST_F(StoreTest, ConversationsOfAFileWithSmallPagesAreKept) {
  const std::string path = folder_.path() + "/conversations.db";
  const auto page_size = [&](const char* change) {
    store_.reset();
    Database db;
    EXPECT_TRUE(db.Open(path, "", Database::Use::kWrite));
    EXPECT_TRUE(db.Execute(change));
    Query query(db, "PRAGMA page_size");
    return query.Next() ? query.Int(0) : 0;
  };
  const auto add = [&](char c) {
    const std::uint64_t number = store_->conversations().NextNumber();
    store_->conversations().Append(number, std::string(50'000, c));
    store_->conversations().Finish({number, kSecond, kSecond, "pop3", "192.0.2.1", "summary", 0});
    return number;
  };
  const auto read = [&](std::uint64_t number) {
    return *Await<std::string>([&](auto d) { store_->conversations().Read(number, 0, 50'000, std::move(d)); });
  };
  const std::uint64_t before = add('a');
  EXPECT_EQ(page_size(""), 16'384);
  EXPECT_EQ(page_size("PRAGMA journal_mode=DELETE; PRAGMA page_size=4096; VACUUM"), 4096);
  Reopen();
  const std::uint64_t after = add('b');
  EXPECT_EQ(read(before), std::string(50'000, 'a'));
  EXPECT_EQ(read(after), std::string(50'000, 'b'));
  EXPECT_EQ(page_size(""), 4096);
}

TEST_F(StoreTest, ConversationsAreWrittenWithoutBeingAskedFor) {
  const std::string path = folder_.path() + "/conversations.db";
  Conversations& ring = store_->conversations();
  const std::uint64_t small = ring.NextNumber(), large = ring.NextNumber();
  Database reader;
  ASSERT_TRUE(reader.Open(path, "", Database::Use::kWrite));
  const auto written = [&](std::uint64_t number) {
    for (int i = 0; i < 1000; ++i) {
      Query query(reader, "SELECT 1 FROM conversation WHERE number = ?", number);
      if (query.Next()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  };
  ring.Append(small, "a");
  ring.Finish({small, kSecond, kSecond, "pop3", "192.0.2.1", "summary", 0});
  EXPECT_TRUE(written(small)) << "after the time in which others could have come";
  ring.Append(large, std::string(3 << 20, 'b'));
  ring.Finish({large, kSecond, kSecond, "pop3", "192.0.2.1", "summary", 0});
  EXPECT_TRUE(written(large)) << "at once, for it is large";
}

TEST_F(StoreTest, ConversationsThatDoNotFitAreDroppedAndCounted) {
  SqliteOptions options;
  options.conversations.waiting_octets = 1000;
  Reopen(options);
  store_->conversations().Append(1, std::string(2000, 'x'));
  EXPECT_EQ(store_->conversations().dropped_octets(), 2000u);
}

TEST_F(StoreTest, RemovedAccountsMailGoesPieceByPiece) {
  ASSERT_TRUE(AddUser("gone"));
  const LocalTarget gone = Resolve("gone").mailboxes.at(0);
  Plan plan;
  plan.mailboxes = {{gone.mailbox, "", 0}};
  for (int i = 0; i < 1200; ++i) ASSERT_TRUE(Deliver("x", plan));
  const auto open = [&] {
    return Await<Maildrop>([&](auto d) { store_->mailboxes().OpenMaildrop(gone.account, {"p", 10}, 1, std::move(d)); });
  };
  ASSERT_EQ(open()->items->size(), 1200u);
  const auto remove = [&](Timestamp now) {
    return Await<void>([&](auto d) { Directory().RemoveAccount({"gone", "a.test"}, now, std::move(d)); });
  };
  EXPECT_EQ(FaultOf(remove(9)), Fault::kInUse);
  ASSERT_TRUE(remove(10));
  EXPECT_EQ(FaultOf(open()), Fault::kNotFound);
  for (int i = 0; i < 500; ++i) {
    const auto left =
        Await<std::vector<MailboxMessage>>([&](auto d) { store_->mailboxes().ListMessages(gone.mailbox, 0, std::move(d)); });
    if (left->empty()) return;
  }
  FAIL() << "messages stay";
}

// A hundred thousand entries (a million with GLASSPOST_LONG), the first ten thousand of a destination that has no room.
TEST_F(StoreTest, LongQueueStaysUsable) {
  const int count = std::getenv("GLASSPOST_LONG") != nullptr ? 1'000'000 : 100'000;
  for (int done = 0; done < count;) {
    Plan plan;
    for (int i = 0; i < 10'000; ++i, ++done) {
      plan.entries.push_back(
          {"r@x", done < 10'000 ? "dead.test" : "d" + std::to_string(done % 500) + ".test", "", 0, done, false});
    }
    ASSERT_TRUE(Deliver("x", plan));
  }
  // CPU time of this process, since others may have the machine.
  const auto seconds = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  double from = seconds();
  Reopen();
  EXPECT_LT(seconds() - from, 1);
  from = seconds();
  const auto claimed = Await<std::vector<Entry>>([&](auto d) {
    store_->queue().ClaimDue({{"me", 10'000'000}, 10'000'000, 100, 5, {"dead.test"}}, std::move(d));
  });
  EXPECT_LT(seconds() - from, 0.2);
  ASSERT_EQ(claimed->size(), 100u);
  EXPECT_EQ(claimed->at(0).entry.due, 10'000);
  from = seconds();
  EXPECT_EQ(*Await<Timestamp>([&](auto d) { store_->queue().NextDue({"dead.test"}, std::move(d)); }), 10'100);
  EXPECT_EQ(Await<std::vector<Entry>>([&](auto d) {
              store_->queue().List({"", "", 0, 0, 100, false}, std::move(d));
            })->size(),
            100u);
  EXPECT_EQ(Counts().entries, static_cast<std::uint64_t>(count));
  EXPECT_LT(seconds() - from, 0.4);
}

}  // namespace
}  // namespace glasspost::store

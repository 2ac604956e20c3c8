// Random operations on the store and on a model of it that is plain maps; after every few, and after reopening, both must say the
// same.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "support/temporary_folder.h"

namespace glasspost::store {
namespace {

struct ModelMessage {
  std::string octets;  // with the prefix
  std::uint32_t flags = 0;
};
struct ModelEntry {
  std::string recipient, destination, octets;
  Timestamp due = 0, ready = 0;
  bool held = false;
  std::string owner;
  int attempts = 0;
  bool operator==(const ModelEntry&) const = default;
};
struct ModelMailbox {
  std::map<std::uint32_t, ModelMessage> messages;
  std::uint32_t uidnext = 1;
  AccountId account = 0;
};

class ModelTest : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    std::vector<NewAccount> accounts;
    for (int i = 0; i < 4; ++i) accounts.push_back({{"u" + std::to_string(i), ""}, {}, 0});
    ASSERT_TRUE(Await<void>([&](auto done) { store_->directory().AddDomain("a.test", accounts, 1, std::move(done)); }));
    for (int i = 0; i < 4; ++i) {
      auto found = Await<Resolution>([&](auto done) {
        store_->directory().Resolve({"u" + std::to_string(i), "a.test"}, std::move(done));
      });
      mailboxes_[found->mailboxes.at(0).mailbox].account = found->mailboxes.at(0).account;
    }
  }

  void Reopen() {
    store_.reset();
    SqliteOptions options;
    options.checkpoint_pages = 100;
    options.readers = 1;
    auto store = OpenSqliteStore(folder_.path(), options);
    ASSERT_TRUE(store) << store.error().Text();
    store_ = std::move(*store);
    for (auto& [id, entry] : queue_) {
      entry.owner.clear();
      entry.ready = entry.due;
    }
  }

  MailboxId AnyMailbox() { return std::next(mailboxes_.begin(), random_() % 4)->first; }

  void Deliver() {
    static constexpr std::size_t kSizes[] = {0, 1, 500, 65'535, 65'536, 65'537, 131'072, 131'073, 400'000};
    std::string octets(kSizes[random_() % std::size(kSizes)], 'x');
    for (std::size_t i = 0; i < octets.size(); i += 97) octets[i] = static_cast<char>(random_());
    Plan plan;
    for (unsigned i = random_() % 3; i > 0; --i)
      plan.mailboxes.push_back({AnyMailbox(), "P: " + std::to_string(random_()) + "\r\n", 0});
    for (unsigned i = random_() % 3; i > 0; --i) {
      plan.entries.push_back({std::to_string(random_()) + "@b.test", "d" + std::to_string(random_() % 3), "", 0,
                              static_cast<Timestamp>(now_ + random_() % 50), random_() % 5 == 0});
    }
    const Plan copy = plan;
    auto receiver = store_->Receive(now_);
    for (Octets rest = octets; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random_() % MessageLimits::kChunk);
      ASSERT_TRUE(AwaitAppend(*receiver, rest.substr(0, size)));
      rest.remove_prefix(size);
      if (random_() % 40 == 0) return;  // abandoned
    }
    auto accepted = Await<Accepted>([&](auto done) { receiver->Commit(std::move(plan), std::move(done)); });
    ASSERT_TRUE(accepted) << accepted.error().text;
    for (std::size_t i = 0; i < copy.mailboxes.size(); ++i) {
      ModelMailbox& mailbox = mailboxes_[copy.mailboxes[i].mailbox];
      ASSERT_EQ(accepted->uids.at(i), mailbox.uidnext++);
      mailbox.messages[accepted->uids[i]] = {copy.mailboxes[i].prefix + octets, 0};
    }
    for (std::size_t i = 0; i < copy.entries.size(); ++i) {
      const NewEntry& e = copy.entries[i];
      queue_[accepted->entries.at(i)] = {e.recipient, e.destination, octets, e.due, e.due, e.hold, "", 0};
    }
  }

  void DeleteSome() {
    const MailboxId id = AnyMailbox();
    ModelMailbox& mailbox = mailboxes_[id];
    auto drop = Await<Maildrop>([&](auto done) {
      store_->mailboxes().OpenMaildrop(mailbox.account, {"pop", now_ + 10}, now_, std::move(done));
    });
    ASSERT_TRUE(drop);
    ASSERT_EQ(drop->items->size(), mailbox.messages.size());
    auto other = Await<Maildrop>([&](auto done) {
      store_->mailboxes().OpenMaildrop(mailbox.account, {"other", now_ + 10}, now_, std::move(done));
    });
    ASSERT_FALSE(other);
    ASSERT_EQ(other.error().fault, Fault::kInUse);
    std::vector<std::uint32_t> uids;
    for (const MaildropItem& item : *drop->items) {
      ASSERT_EQ(item.size, mailbox.messages.at(item.uid).octets.size());
      if (random_() % 3 == 0) uids.push_back(item.uid);
    }
    if (random_() % 4 == 0) return store_->mailboxes().ReleaseMaildrop(id, "pop");  // the connection broke
    ASSERT_TRUE(Await<void>([&](auto done) { store_->mailboxes().UpdateMaildrop(id, "pop", uids, {}, std::move(done)); }));
    for (const std::uint32_t uid : uids) mailbox.messages.erase(uid);
  }

  void ChangeFlags() {
    const MailboxId id = AnyMailbox();
    std::vector<std::uint32_t> uids;
    for (auto& [uid, message] : mailboxes_[id].messages) {
      if (random_() % 2 == 0) continue;
      uids.push_back(uid);
      message.flags |= kSeen;
    }
    ASSERT_TRUE(Await<std::uint64_t>(
        [&](auto done) { store_->mailboxes().SetFlags(id, uids, FlagChange::kAdd, kSeen, std::move(done)); }));
  }

  void ClaimSome() {
    Claim claim{{"owner", now_ + static_cast<Timestamp>(random_() % 40)}, now_, 1 + random_() % 10, 1 + random_() % 4, {}};
    if (random_() % 2 == 0) claim.skip = {"d1"};
    std::vector<std::pair<Timestamp, EntryId>> due;
    for (const auto& [id, e] : queue_) {
      if (!e.held && e.ready <= now_ && (claim.skip.empty() || e.destination != "d1")) due.emplace_back(e.ready, id);
    }
    std::sort(due.begin(), due.end());
    std::map<std::string, std::size_t> of_destination;
    std::vector<EntryId> expected;
    for (const auto& [ready, id] : due) {
      if (expected.size() < claim.limit && ++of_destination[queue_[id].destination] <= claim.per_destination)
        expected.push_back(id);
    }
    auto claimed = Await<std::vector<Entry>>([&](auto done) { store_->queue().ClaimDue(claim, std::move(done)); });
    ASSERT_TRUE(claimed);
    std::vector<EntryId> got;
    for (const Entry& entry : *claimed) {
      got.push_back(entry.id);
      queue_[entry.id].owner = "owner";
      queue_[entry.id].ready = claim.lease.until;
    }
    ASSERT_EQ(got, expected);
  }

  void SettleSome() {
    std::vector<Outcome> outcomes;
    std::vector<bool> expected;
    for (auto at = queue_.begin(); at != queue_.end();) {
      auto& [id, e] = *at;
      const bool owned = e.owner == "owner";
      if (random_() % 3 != 0) {
        ++at;
        continue;
      }
      Outcome o{
          id, static_cast<Outcome::Kind>(random_() % 4), static_cast<Timestamp>(now_ + random_() % 60), now_, "451 later", 0, 0,
          ""};
      if (o.kind == Outcome::Kind::kDelivered && random_() % 2 == 0) {
        o.local = AnyMailbox();
        o.prefix = "L: 1\r\n";
      }
      outcomes.push_back(o);
      expected.push_back(owned);
      const bool goes =
          (o.kind == Outcome::Kind::kDelivered && (owned || o.local == 0)) || (o.kind == Outcome::Kind::kFailed && owned);
      if (o.local != 0 && owned) {
        ModelMailbox& mailbox = mailboxes_[o.local];
        mailbox.messages[mailbox.uidnext++] = {o.prefix + e.octets, 0};
      }
      if (!goes && owned) {
        e.owner.clear();
        e.due = e.ready = o.due;
        e.attempts += o.kind == Outcome::Kind::kDeferred ? 1 : 0;
      }
      at = goes ? queue_.erase(at) : std::next(at);
    }
    auto settled = Await<std::vector<bool>>([&](auto done) { store_->queue().Settle("owner", outcomes, {}, std::move(done)); });
    ASSERT_TRUE(settled);
    ASSERT_EQ(*settled, expected);
  }

  void Operate() {
    const auto action = static_cast<QueueAction>(random_() % 4);
    const std::string destination = "d" + std::to_string(random_() % 3);
    QueueSelection selection;
    selection.destination = destination;
    std::uint64_t expected = 0;
    if (action == QueueAction::kRemove && random_() % 3 != 0) return;
    for (auto at = queue_.begin(); at != queue_.end();) {
      auto& e = at->second;
      if (e.destination != destination) {
        ++at;
        continue;
      }
      const bool leased = !e.owner.empty() && e.ready > now_;
      if (action == QueueAction::kRemove && !leased) {
        ++expected;
        at = queue_.erase(at);
        continue;
      }
      const bool changes = action == QueueAction::kRetry || (action == QueueAction::kHold && !e.held) ||
                           (action == QueueAction::kRelease && e.held);
      if (changes) ++expected;
      if (changes && action == QueueAction::kHold) e.held = true;
      if (changes && action == QueueAction::kRelease) e.held = false;
      if (changes && action != QueueAction::kHold) {
        e.ready = e.owner.empty() ? now_ : std::max(now_, lease_until(at->first));
        e.due = now_;
      }
      ++at;
    }
    auto acted = Await<std::uint64_t>([&](auto done) { store_->queue().Act(action, selection, now_, std::move(done)); });
    ASSERT_TRUE(acted);
    ASSERT_EQ(*acted, expected) << static_cast<int>(action);
  }

  Timestamp lease_until(EntryId id) {
    auto list = Await<std::vector<Entry>>([&](auto done) {
      store_->queue().List({"", "", 0, id - 1, 1, false}, std::move(done));
    });
    return list->at(0).lease.until;
  }

  void Compare() {
    for (const auto& [id, mailbox] : mailboxes_) {
      auto list =
          Await<std::vector<MailboxMessage>>([&](auto done) { store_->mailboxes().ListMessages(id, 0, std::move(done)); });
      ASSERT_TRUE(list);
      ASSERT_EQ(list->size(), mailbox.messages.size());
      auto infos = Await<std::vector<MailboxInfo>>(
          [&](auto done) { store_->mailboxes().ListMailboxes(mailbox.account, std::move(done)); });
      EXPECT_EQ(infos->at(0).messages, mailbox.messages.size());
      EXPECT_EQ(infos->at(0).uidnext, mailbox.uidnext);
      std::uint64_t octets = 0;
      ReadAnswer memory;
      for (const MailboxMessage& m : *list) {
        ASSERT_TRUE(mailbox.messages.contains(m.uid));
        const ModelMessage& model = mailbox.messages.at(m.uid);
        octets += model.octets.size();
        ASSERT_EQ(m.flags, model.flags);
        ASSERT_EQ(m.size, model.octets.size());
        const std::uint64_t offset = random_() % (model.octets.size() + 1);
        auto read = Await<ReadAnswer>([&](auto done) {
          store_->mailboxes().Read({id, m.uid, offset, 100'000, random_() % 2 == 0, std::move(memory)}, std::move(done));
        });
        ASSERT_TRUE(read);
        for (const ReadPiece& piece : read->pieces) {
          const std::string& whole = mailbox.messages.at(piece.uid).octets;
          const std::string_view text = std::string_view(read->octets).substr(piece.begin, piece.end - piece.begin);
          const std::uint64_t from = piece.uid == m.uid ? offset : 0;
          ASSERT_EQ(text, std::string_view(whole).substr(from, 100'000));
          ASSERT_EQ(piece.last, from + text.size() == whole.size());
        }
        memory = std::move(*read);
      }
      EXPECT_EQ(infos->at(0).octets, octets);
    }
    auto list = Await<std::vector<Entry>>([&](auto done) { store_->queue().List({"", "", 0, 0, 1000, false}, std::move(done)); });
    ASSERT_TRUE(list);
    std::map<EntryId, ModelEntry> got;
    for (const Entry& e : *list) {
      auto octets = Await<std::string>(
          [&](auto done) { store_->mailboxes().ReadMessage(e.message, 0, MessageLimits::kChunk, std::move(done)); });
      const ModelEntry& model = queue_[e.id];
      ASSERT_EQ(*octets, model.octets.substr(0, MessageLimits::kChunk));
      got[e.id] = {e.entry.recipient, e.entry.destination, model.octets,  e.entry.due,
                   model.ready,       e.entry.hold,        e.lease.owner, e.attempts};
    }
    ASSERT_EQ(got, queue_);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
  std::map<MailboxId, ModelMailbox> mailboxes_;
  std::map<EntryId, ModelEntry> queue_;
  std::mt19937 random_{11};
  Timestamp now_ = 1000;
};

TEST_F(ModelTest, SaysWhatTheModelSays) {
  for (int step = 0; step < 600 && !HasFatalFailure(); ++step) {
    now_ += static_cast<Timestamp>(random_() % 5);
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
      case 3:
        Deliver();
        break;
      case 4:
        DeleteSome();
        break;
      case 5:
        ChangeFlags();
        break;
      case 6:
      case 7:
        ClaimSome();
        break;
      case 8:
        SettleSome();
        break;
      case 9:
        Operate();
        break;
    }
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    if (step % 20 == 0) Compare();
    if (step % 50 == 49) Reopen();
  }
  // Nothing is left behind once nobody refers to it.
  ASSERT_TRUE(
      Await<std::uint64_t>([&](auto done) { store_->queue().Act(QueueAction::kRemove, {}, now_ + 1'000'000, std::move(done)); }));
  for (const auto& [id, mailbox] : mailboxes_) {
    std::vector<std::uint32_t> uids;
    for (const auto& [uid, message] : mailbox.messages) uids.push_back(uid);
    ASSERT_TRUE(Await<void>([&](auto done) { store_->mailboxes().Expunge(id, uids, {}, std::move(done)); }));
  }
  store_.reset();
  Database db;
  ASSERT_TRUE(db.Open(folder_.path() + "/mail.db", "", Database::Use::kWrite));
  for (const char* sql :
       {"SELECT count(*) FROM message", "SELECT count(*) FROM message_part", "SELECT count(*) FROM message_shared",
        "SELECT count(*) FROM envelope", "SELECT count(*) FROM receiving", "SELECT count(*) FROM queue_entry",
        "SELECT count(*) FROM mailbox_message", "SELECT sum(octets) + sum(messages) FROM mailbox"}) {
    Query query(db, sql);
    ASSERT_TRUE(query.Next());
    EXPECT_EQ(query.Int(0), 0) << sql;
  }
  Query check(db, "PRAGMA integrity_check");
  ASSERT_TRUE(check.Next());
  EXPECT_EQ(check.Text(0), "ok");
}

}  // namespace
}  // namespace glasspost::store

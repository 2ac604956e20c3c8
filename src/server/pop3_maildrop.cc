#include "server/pop3_maildrop.h"

#include <algorithm>
#include <utility>

#include "base/journey.h"
#include "base/time_text.h"

namespace glasspost::server {
namespace {

using Limits = Pop3MaildropLimits;

constexpr std::int64_t kRenewAfter = std::chrono::nanoseconds(Limits::kLease).count() / 3;

// Deletes more than the store does in one call: all but the last of them first, each call when the one before is done.
void DeleteInParts(store::Mailboxes& mailboxes, store::MailboxId mailbox, std::string owner, std::vector<std::uint32_t> uids,
                   std::vector<store::JourneyEvent> events, store::Done<void> done) {
  constexpr std::size_t kPart = store::MailboxLimits::kUids;
  if (uids.size() <= kPart)
    return mailboxes.UpdateMaildrop(mailbox, std::move(owner), std::move(uids), std::move(events), std::move(done));
  const auto n = static_cast<std::ptrdiff_t>(uids.size() - kPart), m = static_cast<std::ptrdiff_t>(events.size() - kPart);
  std::vector<std::uint32_t> part(uids.begin() + n, uids.end());
  std::vector<store::JourneyEvent> told(std::make_move_iterator(events.begin() + m), std::make_move_iterator(events.end()));
  uids.resize(static_cast<std::size_t>(n));
  events.resize(static_cast<std::size_t>(m));
  mailboxes.Expunge(mailbox, std::move(part), std::move(told),
                    [&mailboxes, mailbox, owner = std::move(owner), uids = std::move(uids), events = std::move(events),
                     done = std::move(done)](store::Result<void> result) mutable {
                      if (result)
                        return DeleteInParts(mailboxes, mailbox, std::move(owner), std::move(uids), std::move(events),
                                             std::move(done));
                      mailboxes.ReleaseMaildrop(mailbox, owner);
                      done(std::move(result));
                    });
}

}  // namespace

store::Lease Pop3Maildrop::LeaseFor(const Clock& clock, std::string owner) {
  return {.owner = std::move(owner), .until = clock.Now() + std::chrono::nanoseconds(Limits::kLease).count()};
}

Pop3Maildrop::Pop3Maildrop(store::Store& store, net::Deadlines& deadlines, store::Maildrop drop, std::string owner, Reader reader)
    : store_(store),
      deadlines_(deadlines),
      drop_(std::move(drop)),
      owner_(std::move(owner)),
      reader_(std::move(reader)),
      renew_at_(deadlines.clock().Steady() + kRenewAfter) {
  Arm(deadlines_, Limits::kIdle);
}

Pop3Maildrop::~Pop3Maildrop() {
  TellFetched();
  Release();
}

void Pop3Maildrop::Release() {
  if (std::exchange(held_, false)) store_.mailboxes().ReleaseMaildrop(drop_.mailbox, owner_);
}

void Pop3Maildrop::OnDeadline() {
  if (!used_) {
    DropRead();
    TellFetched();
  }
  used_ = false;
  // A lock that was lost all the same (the machine slept) is found out when it matters: deleting is refused then.
  if (held_ && deadlines_.clock().Steady() >= renew_at_) {
    renew_at_ = deadlines_.clock().Steady() + kRenewAfter;
    store_.mailboxes().RenewMaildrop(drop_.mailbox, LeaseFor(deadlines_.clock(), owner_), [](store::Result<void>) {});
  }
  Arm(deadlines_, Limits::kIdle);
}

void Pop3Maildrop::AppendUniqueId(std::uint32_t index, std::string& out) const {
  AppendNumber(out, drop_.uidvalidity);
  out += '.';
  AppendNumber(out, (*drop_.items)[index].uid);
}

std::optional<Pop3Maildrop::Piece> Pop3Maildrop::Find(std::uint32_t index, std::uint64_t offset, std::size_t most) {
  used_ = true;
  const auto& pieces = read_.pieces;
  const std::uint32_t uid = (*drop_.items)[index].uid;
  const auto at = std::ranges::lower_bound(pieces, uid, {}, &store::ReadPiece::uid);
  if (at == pieces.end() || at->uid != uid) return std::nullopt;
  const std::uint64_t from = at == pieces.begin() ? read_offset_ : 0;
  const std::size_t length = at->end - at->begin;
  if (offset < from || offset - from > length || (offset - from == length && !at->last)) return std::nullopt;
  const auto skipped = static_cast<std::size_t>(offset - from);
  const Octets octets = Octets(read_.octets).substr(at->begin + skipped, std::min(length - skipped, most));
  const bool last = at->last && skipped + octets.size() == length;
  if (last) next_ = index + 1;
  return Piece{octets, last};
}

// The maildrop's uids go up, and so do those of what is read ahead; what is no part of this session (it came later) is never
// asked for.
store::ReadRequest Pop3Maildrop::RequestFor(std::uint32_t index, std::uint64_t offset) {
  const bool follows = offset > 0 || (index == next_ && index > 0);
  const store::MaildropItem& item = (*drop_.items)[index];
  const std::size_t wanted = follows || item.size > Limits::kFirstRead ? Limits::kRead : Limits::kFirstRead;
  read_offset_ = offset;
  // A message that fills it leaves no room for the next.
  return {.mailbox = drop_.mailbox,
          .uid = item.uid,
          .offset = offset,
          .length = wanted,
          .ahead = item.size - offset < wanted,
          .memory = std::exchange(read_, {})};
}

bool Pop3Maildrop::TakeAnswer(store::ReadAnswer answer) {
  used_ = true;
  read_ = std::move(answer);
  if (read_.pieces.empty()) return false;
  const store::ReadPiece& first = read_.pieces.front();
  return first.end > first.begin || first.last;
}

void Pop3Maildrop::NoteFetched(std::uint32_t index) {
  if (fetched_.empty()) fetched_.resize(count());
  if (fetched_[index]) return;
  fetched_[index] = true;
  untold_.push_back({index, deadlines_.clock().Now()});
}

void Pop3Maildrop::NoteSent() {
  sent_ = untold_.size();
  if (sent_ >= Limits::kEvents) TellFetched();
}

store::JourneyEvent Pop3Maildrop::Event(JourneyKind kind, std::uint32_t index, Timestamp time) const {
  const store::MaildropItem& item = (*drop_.items)[index];
  store::JourneyEvent event;
  event.time = time;
  event.message = item.message;
  event.kind = static_cast<int>(kind);
  event.conversation = reader_.conversation;
  AppendDetail(event.detail, "account", reader_.account);
  AppendDetail(event.detail, "uid", std::to_string(item.uid));
  return event;
}

void Pop3Maildrop::TellFetched() {
  if (sent_ == 0) return;
  std::vector<store::JourneyEvent> events;
  events.reserve(sent_);
  for (std::size_t i = 0; i < sent_; ++i) events.push_back(Event(JourneyKind::kFetched, untold_[i].index, untold_[i].time));
  untold_.erase(untold_.begin(), untold_.begin() + static_cast<std::ptrdiff_t>(sent_));
  if (untold_.empty()) std::vector<Fetch>().swap(untold_);
  sent_ = 0;
  store_.journeys().Append(std::move(events), [](store::Result<void>) {});
}

void Pop3Maildrop::DropRead() {
  std::string().swap(read_.octets);
  std::vector<store::ReadPiece>().swap(read_.pieces);
}

void Pop3Maildrop::Delete(std::span<const std::uint32_t> indexes, store::Done<void> done) {
  held_ = false;  // the store gives it back with the deletion, and also if that fails
  TellFetched();
  const Timestamp now = deadlines_.clock().Now();
  std::vector<std::uint32_t> uids;
  std::vector<store::JourneyEvent> events;
  uids.reserve(indexes.size());
  events.reserve(indexes.size());
  for (const std::uint32_t index : indexes) {
    uids.push_back((*drop_.items)[index].uid);
    events.push_back(Event(JourneyKind::kDeleted, index, now));
  }
  DeleteInParts(store_.mailboxes(), drop_.mailbox, owner_, std::move(uids), std::move(events), std::move(done));
}

std::size_t Pop3Maildrop::kept() const {
  return read_.octets.capacity() + read_.pieces.capacity() * sizeof(store::ReadPiece) + untold_.capacity() * sizeof(Fetch) +
         fetched_.capacity() / 8 + owner_.capacity() + reader_.account.capacity();
}

}  // namespace glasspost::server

// The queue, as its operator sees it.
#include <algorithm>

#include "base/ascii.h"
#include "base/journey.h"
#include "server/admin_call.h"

namespace glasspost::server {
namespace {

using store::Entry;
using store::QueueAction;

struct NamedAction {
  std::string_view name;
  QueueAction action;
  JourneyKind kind;
  bool told;  // in the journey; a retry tells by itself what came of it
};
constexpr NamedAction kActions[] = {
    {"retry", QueueAction::kRetry, JourneyKind::kReleased, false},
    {"hold", QueueAction::kHold, JourneyKind::kHeld, true},
    {"release", QueueAction::kRelease, JourneyKind::kReleased, true},
    {"remove", QueueAction::kRemove, JourneyKind::kRemoved, true},
};

json::object RowOf(const Entry& e, Timestamp now) {
  json::object row;
  row["entry"] = e.id;
  row["id"] = JsonText(store::QueueIdText(e.message));
  row["sender"] = JsonText(e.envelope.reverse_path);
  row["recipient"] = JsonText(e.entry.recipient);
  row["destination"] = JsonText(e.entry.destination);
  row["octets"] = e.size;
  row["arrived"] = JsonTime(e.envelope.arrived);
  row["due"] = JsonTime(e.entry.due);
  row["state"] = e.entry.hold                                    ? "held"
                 : !e.lease.owner.empty() && e.lease.until > now ? "active"
                 : e.attempts > 0                                ? "deferred"
                                                                 : "waiting";
  row["attempts"] = e.attempts;
  row["last_attempt"] = JsonTime(e.last_attempt);
  row["reply"] = JsonText(e.last_reply);
  return row;
}

}  // namespace

// The entries that a request selects, a page at a time, in the order of their ids (of the ids that were asked for).
class QueuePages {
 public:
  explicit QueuePages(AdminCall& call) : call_(call), recipient_(call.Text("recipient")), sender_(call.Text("sender")) {
    base_.destination = call.Text("destination");
    for (char& c : base_.destination) c = ToLower(c);
    base_.address = recipient_.empty() ? sender_ : recipient_;
    base_.held_only = call.Flag("held");
    base_.limit = AdminLimits::kPage;
    base_.after = static_cast<store::EntryId>(call.Number("after"));
    ids_ = TextsIn(call.request_, "ids");
    selects_ = !ids_.empty() || !base_.destination.empty() || !base_.address.empty() || base_.held_only;
  }

  bool selects() const { return selects_; }
  bool has_ids() const { return !ids_.empty(); }
  // Both, or one: the store itself knows only an address of either.
  bool names_address() const { return !recipient_.empty() || !sender_.empty(); }
  const store::QueueSelection& base() const { return base_; }
  // What is wrong with the request.
  std::optional<std::string> Fault() const {
    if (ids_.size() > AdminLimits::kIds) return "too many ids";
    for (const std::string& id : ids_)
      if (store::ParseQueueId(id) == 0 && !ParseNumber(id)) return "is no queue id, and no number of an entry: " + id;
    return std::nullopt;
  }

  // Empty: there are no more.
  net::Task<store::Result<std::vector<Entry>>> Next() {
    for (;;) {
      if (!open_ && !Begin()) co_return std::vector<Entry>();
      auto page =
          co_await call_.Call<std::vector<Entry>>([&](auto d) { call_.context_.store.queue().List(selection_, std::move(d)); });
      if (!page) co_return page;
      if (page->size() < selection_.limit || single_ != 0) open_ = false;
      if (!page->empty()) selection_.after = page->back().id;
      std::erase_if(*page, [this](const Entry& e) { return !Fits(e); });
      if (!page->empty()) co_return page;
    }
  }

 private:
  bool Begin() {
    selection_ = base_;
    single_ = 0;
    if (ids_.empty()) {
      if (began_) return false;
    } else {
      if (next_id_ == ids_.size()) return false;
      const std::string& id = ids_[next_id_++];
      selection_.message = store::ParseQueueId(id);
      if (selection_.message == 0) {
        single_ = static_cast<store::EntryId>(ParseNumber(id).value_or(0));
        selection_.after = single_ - 1;
        selection_.limit = 1;
      }
    }
    began_ = true;
    open_ = true;
    return true;
  }
  bool Fits(const Entry& e) const {
    if (single_ != 0 && e.id != single_) return false;
    if (!recipient_.empty() && !EqualsNoCase(e.entry.recipient, recipient_)) return false;
    return sender_.empty() || EqualsNoCase(e.envelope.reverse_path, sender_);
  }

  AdminCall& call_;
  std::string recipient_;
  std::string sender_;
  store::QueueSelection base_;
  store::QueueSelection selection_;
  std::vector<std::string> ids_;
  std::size_t next_id_ = 0;
  store::EntryId single_ = 0;
  bool selects_ = false;
  bool began_ = false;
  bool open_ = false;
};

AdminCall::Reply AdminCall::QueueCount() {
  const auto counts = co_await Call<store::QueueCounts>([&](auto d) { context_.store.queue().Count(std::move(d)); });
  if (!counts) co_return No(counts.error());
  json::object answer = Yes();
  answer["entries"] = counts->entries;
  answer["held"] = counts->held;
  answer["active"] = counts->claimed;
  answer["oldest_due"] = JsonTime(counts->oldest_due);
  co_return answer;
}

AdminCall::Reply AdminCall::QueueList() {
  QueuePages pages(*this);
  if (const auto fault = pages.Fault()) co_return No("invalid", *fault);
  const std::uint64_t limit = Number("limit", AdminLimits::kPage);
  json::object answer = Yes();
  std::uint64_t given = 0;
  while (given < limit) {
    const auto page = co_await pages.Next();
    if (!page) co_return No(page.error());
    if (page->empty()) co_return answer;
    for (const Entry& entry : *page) {
      if (given++ == limit) break;
      answer["next"] = entry.id;
      const bool sent = co_await peer_.SendRow(RowOf(entry, context_.clock.Now()));
      if (!sent) co_return answer;
    }
  }
  co_return answer;
}

AdminCall::Reply AdminCall::QueueShow() {
  const std::string id = Text("id");
  store::MessageId message = store::ParseQueueId(id);
  if (message == 0) {
    const auto number = ParseNumber(id);
    if (!number || *number == 0) co_return No("invalid", "is no queue id, and no number of an entry: " + id);
    store::QueueSelection selection;
    selection.after = static_cast<store::EntryId>(*number) - 1;
    selection.limit = 1;
    const auto one =
        co_await Call<std::vector<Entry>>([&](auto d) { context_.store.queue().List(std::move(selection), std::move(d)); });
    if (!one) co_return No(one.error());
    if (one->empty() || one->front().id != static_cast<store::EntryId>(*number))
      co_return No("not-found", "the queue has no entry " + id);
    message = one->front().message;
  }
  store::QueueSelection selection;
  selection.message = message;
  selection.limit = AdminLimits::kPage;
  bool found = false;
  for (;;) {
    const auto page = co_await Call<std::vector<Entry>>([&](auto d) { context_.store.queue().List(selection, std::move(d)); });
    if (!page) co_return No(page.error());
    if (page->empty()) break;
    found = true;
    for (const Entry& entry : *page) {
      json::object row = RowOf(entry, context_.clock.Now());
      row["envid"] = JsonText(entry.envelope.envid);
      row["eight_bit"] = entry.envelope.eight_bit;
      row["smtputf8"] = entry.envelope.smtputf8;
      row["delay_told"] = JsonTime(entry.delay_told);
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
    selection.after = page->back().id;
  }
  if (!found) co_return No("not-found", "the queue has no message " + id);
  const bool whole = Flag("message");
  for (std::uint64_t offset = 0; whole || offset < AdminLimits::kHeader;) {
    auto octets = co_await Call<std::string>(
        [&](auto d) { context_.store.mailboxes().ReadMessage(message, offset, store::MessageLimits::kChunk, std::move(d)); });
    if (!octets) co_return No(octets.error());
    if (octets->empty()) break;
    offset += octets->size();
    const std::size_t end = whole ? std::string::npos : octets->find("\r\n\r\n");
    if (end != std::string::npos) octets->resize(end + 2);
    const bool sent = co_await peer_.SendOctets(*octets);
    if (!sent) co_return Yes();
    if (end != std::string::npos) break;
  }
  co_return Yes();
}

AdminCall::Reply AdminCall::QueueAct() {
  const std::string name = Text("action");
  const auto action = std::ranges::find(kActions, std::string_view(name), &NamedAction::name);
  if (action == std::end(kActions)) co_return No("invalid", "there is no such action: " + name);
  QueuePages pages(*this);
  if (const auto fault = pages.Fault()) co_return No("invalid", *fault);
  if (!pages.selects() && !Flag("all")) co_return No("invalid", "nothing of the queue is selected");
  std::uint64_t count = 0;
  if (!action->told && !pages.has_ids() && !pages.names_address()) {
    const auto acted = co_await Call<std::uint64_t>(
        [&](auto d) { context_.store.queue().Act(action->action, pages.base(), context_.clock.Now(), std::move(d)); });
    if (!acted) co_return No(acted.error());
    count = *acted;
  }
  std::uint64_t passed_over = 0;
  while (action->told || pages.has_ids() || pages.names_address()) {
    auto page = co_await pages.Next();
    if (!page) co_return No(page.error());
    if (page->empty()) break;
    const Timestamp now = context_.clock.Now();
    if (action->action == QueueAction::kRemove)  // somebody is handing it on right now
      passed_over += std::erase_if(*page, [&](const Entry& e) { return !e.lease.owner.empty() && e.lease.until > now; });
    if (action->action == QueueAction::kHold) std::erase_if(*page, [](const Entry& e) { return e.entry.hold; });
    if (action->action == QueueAction::kRelease) std::erase_if(*page, [](const Entry& e) { return !e.entry.hold; });
    if (page->empty()) continue;
    std::vector<store::EntryId> ids;
    std::vector<store::JourneyEvent> events;
    const std::string by = "uid " + std::to_string(peer_.uid());
    for (const Entry& entry : *page) {
      ids.push_back(entry.id);
      store::JourneyEvent event;
      event.time = now;
      event.message = entry.message;
      event.kind = static_cast<int>(action->kind);
      event.recipient = entry.entry.recipient;
      AppendDetail(event.detail, "by", by);
      events.push_back(std::move(event));
    }
    if (!action->told) events.clear();
    // Some may be gone, or taken up, since they were looked at: the store writes the events of those that it changes.
    const auto acted = co_await Call<std::uint64_t>(
        [&](auto d) { context_.store.queue().ActOn(action->action, std::move(ids), now, std::move(events), std::move(d)); });
    if (!acted) co_return No(acted.error());
    count += *acted;
  }
  if (count > 0) context_.queue_changed();
  json::object answer = Yes();
  answer["count"] = count;
  answer["active"] = passed_over;
  co_return answer;
}

}  // namespace glasspost::server

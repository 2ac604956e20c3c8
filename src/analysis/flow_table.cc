#include "analysis/flow_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "wire/dns/recognise.h"

namespace glasspost::analysis {
namespace {

// Between two weighings at most so many octets come (of what is no message's; commands cost many times their octets), and so
// many packets.
constexpr std::size_t kMeasureOctets = std::size_t{16} << 10;
constexpr std::size_t kMeasurePackets = 256;
// Slots to begin with.
constexpr std::size_t kSlots = 1024;
// A text that is worth writing to the file.
constexpr std::size_t kLongText = std::size_t{16} << 10;

}  // namespace

using capture::Packet;

// First what every packet needs: a cache line, and what the reassembly needs behind it.
struct alignas(64) FlowTable::Flow {
  Endpoint sides[2];
  std::uint8_t transport = 0;
  Place place{};
  bool undecided = false;
  bool touched = false;
  std::uint64_t last_frame = 0;
  Timestamp last_now = 0;  // the clock's
  std::unique_ptr<Conversation> conversation;
  Timestamp last_time = 0;  // its own
  std::optional<capture::TcpConnection> tcp;

  std::uint64_t hash = 0;
  std::uint64_t first_frame = 0;
  Timestamp settle_until = 0;
  std::size_t weight = 0;  // octets of memory, as last weighed
  std::size_t text = 0;    // of these, told text
  std::uint64_t closed_frame = 0;
  Flow* previous = nullptr;
  Flow* next = nullptr;
  Flow* undecided_previous = nullptr;
  Flow* undecided_next = nullptr;

  // 0: they are the same.
  static std::uint64_t Difference(const Endpoint& e, const Address& address, std::uint16_t port) {
    const auto word = [](const Address& a, std::size_t at) { return LoadNative<std::uint64_t>(a.octets.data() + at); };
    return (word(e.address, 0) ^ word(address, 0)) | (word(e.address, 8) ^ word(address, 8)) | (std::uint64_t{e.port} ^ port);
  }
  // Of a packet that is its own.
  int SideOf(const Packet& p) const { return int{Difference(sides[0], p.source, p.source_port) != 0}; }
  // `side`: the packet's, if it is its own. No branches: which side it is, nobody can foretell.
  bool Is(const Packet& p, int& side) const {
    const std::uint64_t forth =
        Difference(sides[0], p.source, p.source_port) | Difference(sides[1], p.destination, p.destination_port);
    const std::uint64_t back =
        Difference(sides[1], p.source, p.source_port) | Difference(sides[0], p.destination, p.destination_port);
    side = int{forth != 0};
    return ((forth == 0) | (back == 0)) & (p.transport == transport);
  }
};

// With its share of the table, which has up to four slots a flow.
constexpr std::size_t FlowTable::FlowOctets() { return sizeof(Flow) + 4 * sizeof(Slot); }

std::uint64_t HashFlow(const Packet& p) {
  const auto end = [](const Address& a, std::uint16_t port) {
    std::uint64_t high, low;
    std::memcpy(&high, a.octets.data(), 8);
    std::memcpy(&low, a.octets.data() + 8, 8);
    std::uint64_t h = (high ^ (low + 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 29) ^ port) * 0x94d049bb133111ebu;
    return h ^ (h >> 32);
  };
  std::uint64_t h = end(p.source, p.source_port) + end(p.destination, p.destination_port) + p.transport;
  h = (h ^ (h >> 31)) * 0xd6e8feb86659fd93u;
  return h ^ (h >> 32);
}

void FlowTable::List::PushBack(Flow* f) {
  f->previous = tail;
  f->next = nullptr;
  (tail != nullptr ? tail->next : head) = f;
  tail = f;
}

void FlowTable::List::Remove(Flow* f) {
  (f->previous != nullptr ? f->previous->next : head) = f->next;
  (f->next != nullptr ? f->next->previous : tail) = f->previous;
}

void FlowTable::Undecided::PushBack(Flow* f) {
  f->undecided = true;
  f->undecided_previous = tail;
  f->undecided_next = nullptr;
  (tail != nullptr ? tail->undecided_next : head) = f;
  tail = f;
}

void FlowTable::Undecided::Remove(Flow* f) {
  (f->undecided_previous != nullptr ? f->undecided_previous->undecided_next : head) = f->undecided_next;
  (f->undecided_next != nullptr ? f->undecided_next->undecided_previous : tail) = f->undecided_previous;
  f->undecided = false;
}

FlowTable::FlowTable(const Report& report, const FlowLimits& limits, const std::unordered_set<std::uint64_t>* only)
    : report_(report), limits_(limits), only_(only), slots_(kSlots), slot_shift_(64 - std::countr_zero(kSlots)) {
  reassembly_budget_.limit = limits.held_octets;
  shared_.message_limit = limits.message_octets;
}

FlowTable::~FlowTable() {
  for (const Slot& s : slots_) delete s.flow;
}

// Open addressing, linear probing; an erased slot is closed by moving its followers up.
[[gnu::always_inline]] inline FlowTable::Flow* FlowTable::Find(const KeyedPacket& k, int& side) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = SlotOf(k.hash); slots_[i].flow != nullptr; i = (i + 1) & mask)
    if (slots_[i].hash == k.hash && slots_[i].flow->Is(k.packet, side)) return slots_[i].flow;
  return nullptr;
}

void FlowTable::Insert(Flow* f) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = SlotOf(f->hash);
  while (slots_[i].flow != nullptr) i = (i + 1) & mask;
  slots_[i] = {f->hash, f};
}

void FlowTable::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  --slot_shift_;
  for (const Slot& s : old)
    if (s.flow != nullptr) Insert(s.flow);
}

void FlowTable::Erase(Flow* f) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = SlotOf(f->hash);
  while (slots_[i].flow != f) i = (i + 1) & mask;
  for (std::size_t j = (i + 1) & mask; slots_[j].flow != nullptr; j = (j + 1) & mask) {
    const std::size_t home = SlotOf(slots_[j].hash);
    if (((j - home) & mask) >= ((j - i) & mask)) slots_[i] = slots_[j], i = j;
  }
  slots_[i] = {};
  --count_;
}

// Before another flow with this hash.
void FlowTable::EndAlike(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  Flow* oldest = nullptr;
  std::size_t count = 0;
  for (std::size_t i = SlotOf(hash); slots_[i].flow != nullptr; i = (i + 1) & mask) {
    if (slots_[i].hash != hash) continue;
    ++count;
    if (oldest == nullptr || slots_[i].flow->last_frame < oldest->last_frame) oldest = slots_[i].flow;
  }
  if (count >= limits_.alike) End(oldest);
}

bool FlowTable::Wanted(const Packet& p) const { return only_ == nullptr || only_->contains(p.frame); }

FlowTable::Flow* FlowTable::Create(const KeyedPacket& k) {
  const Packet& p = k.packet;
  const bool udp = p.transport == capture::kUdp;
  if (udp && !dns::LooksLikeDns(p.Payload(), p.source_port, p.destination_port)) return nullptr;
  EndAlike(k.hash);
  if ((count_ + 1) * 2 > slots_.size()) Grow();
  auto* f = new Flow;
  f->sides[0] = {p.source, p.source_port};
  f->sides[1] = {p.destination, p.destination_port};
  f->transport = p.transport;
  f->hash = k.hash;
  f->first_frame = p.frame;
  f->weight = FlowOctets() + sizeof(Conversation);
  octets_ += f->weight;
  ++count_;
  Insert(f);
  if (!udp) f->tcp.emplace(limits_.tcp, reassembly_budget_);
  f->conversation = std::make_unique<Conversation>(report_, shared_, p);
  undecided_.PushBack(f);
  f->last_now = k.now;
  Put(f, udp ? Place::kDatagrams : Place::kOpen);
  if (udp) next_sweep_ = std::min(next_sweep_, k.now + limits_.linger);
  if (Full()) Evict(f);
  return f;
}

// Remembers to weigh the flow, and does so now and then: not at each packet, but before much can have come. `octets`: of the
// packet, without those of messages, which have left nothing behind.
[[gnu::always_inline]] inline void FlowTable::Touch(Flow* f, std::size_t octets) {
  if (!f->touched) {
    f->touched = true;
    touched_.push_back(f);
  }
  unmeasured_ += octets;
  if (++packets_ >= kMeasurePackets || unmeasured_ >= kMeasureOctets) Measure(f);
}

void FlowTable::Measure(const Flow* current) {
  packets_ = unmeasured_ = 0;
  Arrange();
  for (Flow* f : touched_) {
    f->touched = false;
    Weigh(f);
  }
  touched_.clear();
  if (Full()) Evict(current);
}

void FlowTable::Weigh(Flow* f) {
  std::size_t weight = FlowOctets(), text = 0;
  if (f->tcp) weight += f->tcp->Held();
  if (f->conversation != nullptr) {
    text = f->conversation->TextHeld();
    if (text > kLongText && text_octets_ - f->text + text > limits_.text_octets) f->conversation->SpillText(), text = 0;
    weight += f->conversation->Held() + text;
  }
  octets_ += weight - f->weight;
  text_octets_ += text - f->text;
  f->weight = weight;
  f->text = text;
}

void FlowTable::Evict(const Flow* current) {
  while (Full() && EvictOne(current)) {
  }
}

// First what is only remembered so that its strays are passed over, then what has said nothing yet (a scan, half-open
// connections), then datagrams, which mostly are answered, at last conversations. False: nothing but `current` is left.
bool FlowTable::EvictOne(const Flow* current) {
  const auto oldest = [&](const List& list) { return list.head != nullptr && list.head == current ? current->next : list.head; };
  Flow* f = oldest(ListOf(Place::kIgnored));
  if (f == nullptr) f = undecided_.head != nullptr && undecided_.head == current ? current->undecided_next : undecided_.head;
  for (const Place place : {Place::kDatagrams, Place::kSettling, Place::kOpen})
    if (f == nullptr) f = oldest(ListOf(place));
  if (f != nullptr && f->place == Place::kOpen && f->touched && !f->undecided) {
    Arrange();
    f = oldest(ListOf(Place::kOpen));
  }
  if (f == nullptr) return false;
  End(f);
  return true;
}

bool FlowTable::Expired(const Flow& f, const KeyedPacket& k) const {
  const Packet& p = k.packet;
  if (f.place == Place::kDatagrams || f.place == Place::kIgnored) {
    if (k.seen - f.last_now > limits_.linger) return true;
    return f.place == Place::kIgnored && (p.flags & (capture::kSyn | capture::kAck)) == capture::kSyn;
  }
  return (p.flags & capture::kSyn) != 0 && f.tcp && f.tcp->BeginsAnother(f.SideOf(p), p);
}

[[gnu::always_inline]] inline void FlowTable::Feed(Flow* f, int side, const KeyedPacket& k) {
  const Packet& p = k.packet;
  f->conversation->OnPacket(side, p);
  if (f->tcp) {
    f->tcp->Add(side, p, *f->conversation);
    if (f->tcp->packets() == limits_.tcp.reorder_window + 1) NoteOneSided(f);
  }
  if (f->undecided) NoteDecision(f);
  if (f->conversation == nullptr || f->place != Place::kOpen || !f->tcp || !f->tcp->closed()) return;
  if (!f->tcp->reset() && f->tcp->fin_told(0) && f->tcp->fin_told(1) && f->tcp->held_octets() == 0) EndSpeech(f);
  f->settle_until = k.now + limits_.settle;
  f->closed_frame = p.frame;
  MoveTo(f, Place::kSettling);
  next_sweep_ = std::min(next_sweep_, f->settle_until);
}

// The flow that a packet belongs to if it is not just the next one of an open connection; `f` is what was found. Null: nothing is
// to be told of it.
FlowTable::Flow* FlowTable::Reconsider(Flow* f, const KeyedPacket& k) {
  const Packet& p = k.packet;
  if (only_ != nullptr && only_->contains(p.frame) && f != nullptr) End(f), f = nullptr;
  // By the packet itself, whether or not a sweep has come by: what is told must not depend on batches.
  if (f != nullptr && f->place == Place::kSettling && k.seen > f->settle_until) Tell(f), Ignore(f);
  if (f != nullptr && Expired(*f, k)) End(f), f = nullptr;
  if (f == nullptr) return Wanted(p) ? Create(k) : nullptr;
  if ((f->place == Place::kDatagrams || f->place == Place::kIgnored) && ListOf(f->place).tail != f) MoveTo(f, f->place);
  return f;
}

void FlowTable::Add(const KeyedPacket& k) {
  const Packet& p = k.packet;
  if (k.now > next_sweep_) Sweep(k.now);
  int side = 0;
  Flow* f = Find(k, side);
  const bool next_of_open = f != nullptr && f->place == Place::kOpen && (p.flags & capture::kSyn) == 0 && only_ == nullptr;
  if (!next_of_open) [[unlikely]] {
    f = Reconsider(f, k);
    if (f == nullptr) return;
    side = f->SideOf(p);
  }
  f->last_frame = p.frame;
  f->last_time = p.time;
  f->last_now = k.now;
  if (f->conversation == nullptr) return;
  const std::size_t passed = shared_.message_octets_passed;
  Feed(f, side, k);
  const std::size_t of_messages = shared_.message_octets_passed - passed;
  Touch(f, p.captured_length - std::min<std::size_t>(p.captured_length, of_messages));
}

void FlowTable::Put(Flow* f, Place place) {
  f->place = place;
  ListOf(place).PushBack(f);
}

void FlowTable::MoveTo(Flow* f, Place place) {
  ListOf(f->place).Remove(f);
  Put(f, place);
}

// Brings the open flows into the order of their last packets: those that had one lately go behind all others. Not done at each
// packet, for it touches the memory of the flow's neighbours, too.
void FlowTable::Arrange() {
  std::sort(touched_.begin(), touched_.end(), [](const Flow* a, const Flow* b) { return a->last_frame < b->last_frame; });
  for (Flow* f : touched_)
    if (f->place == Place::kOpen) MoveTo(f, Place::kOpen);
}

void FlowTable::NoteDecision(Flow* f) {
  switch (f->conversation->state()) {
    case Conversation::State::kUndecided:
      return;
    case Conversation::State::kNotMail:
      return Ignore(f);
    case Conversation::State::kTold:
      undecided_.Remove(f);
      decided.push_back(f->first_frame);
  }
}

// One direction is not in the capture: the observer need not wait for it.
void FlowTable::NoteOneSided(Flow* f) {
  for (int side = 0; side < 2; ++side)
    if (f->tcp->present(side) && !f->tcp->present(1 - side)) f->conversation->OnOneSided(side);
}

// No mail, or told already: only its place in the table stays, so that its further packets are passed over.
void FlowTable::Ignore(Flow* f) {
  if (f->undecided) undecided_.Remove(f);
  f->conversation.reset();
  f->tcp.reset();
  Weigh(f);
  MoveTo(f, Place::kIgnored);
  next_sweep_ = std::min(next_sweep_, f->last_now + limits_.linger);
}

void FlowTable::EndSpeech(Flow* f) {
  if (f->conversation == nullptr) return;
  const Origin now{f->last_frame, f->last_time};
  if (f->tcp) {
    if (f->tcp->packets() <= limits_.tcp.reorder_window) NoteOneSided(f);
    f->tcp->Flush(now, *f->conversation);
  }
  f->conversation->EndOfSpeech(now);
  if (f->undecided && f->conversation->state() == Conversation::State::kTold) NoteDecision(f);
}

void FlowTable::Tell(Flow* f) {
  EndSpeech(f);
  if (f->conversation == nullptr || f->conversation->state() != Conversation::State::kTold) return;
  Told t{f->first_frame, f->last_frame, {}, {}};
  f->conversation->Finish(t.text);
  t.note = f->conversation->teller().Note();
  told.push_back(std::move(t));
}

void FlowTable::End(Flow* f) {
  Tell(f);
  if (f->touched) touched_.erase(std::find(touched_.begin(), touched_.end(), f));
  octets_ -= f->weight;
  text_octets_ -= f->text;
  if (f->undecided) undecided_.Remove(f);
  ListOf(f->place).Remove(f);
  Erase(f);
  delete f;
}

void FlowTable::Sweep(Timestamp now) {
  const List& settling = ListOf(Place::kSettling);
  while (settling.head != nullptr && now > settling.head->settle_until) {
    Tell(settling.head);
    Ignore(settling.head);
  }
  next_sweep_ = settling.head != nullptr ? settling.head->settle_until : std::numeric_limits<Timestamp>::max();
  for (const Place place : {Place::kDatagrams, Place::kIgnored}) {
    const List& list = ListOf(place);
    while (list.head != nullptr && now - list.head->last_now > limits_.linger) End(list.head);
    if (list.head != nullptr) next_sweep_ = std::min(next_sweep_, list.head->last_now + limits_.linger);
  }
}

// Nothing holds up the numbers any more once all is decided; then everything is told in the order of last packets.
bool FlowTable::Flush(std::size_t flows) {
  for (; flows > 0 && undecided_.head != nullptr; --flows) {
    Flow* f = undecided_.head;
    EndSpeech(f);
    if (f->undecided) Ignore(f);
  }
  while (ListOf(Place::kIgnored).head != nullptr) End(ListOf(Place::kIgnored).head);
  Arrange();
  for (; flows > 0; --flows) {
    Flow* next = nullptr;
    for (const Place place : {Place::kOpen, Place::kSettling, Place::kDatagrams}) {
      Flow* head = ListOf(place).head;
      if (head != nullptr && (next == nullptr || head->last_frame < next->last_frame)) next = head;
    }
    if (next == nullptr) return true;
    End(next);
  }
  return false;
}

std::uint64_t FlowTable::oldest_last_frame() {
  std::uint64_t oldest = kNone;
  if (const Flow* head = ListOf(Place::kOpen).head; head != nullptr && head->touched) Arrange();
  for (const Place place : {Place::kOpen, Place::kDatagrams})
    if (const Flow* head = ListOf(place).head; head != nullptr) oldest = std::min(oldest, head->last_frame);
  if (const Flow* head = ListOf(Place::kSettling).head; head != nullptr) oldest = std::min(oldest, head->closed_frame);
  return oldest;
}

std::uint64_t FlowTable::oldest_undecided() const { return undecided_.head != nullptr ? undecided_.head->first_frame : kNone; }

}  // namespace glasspost::analysis

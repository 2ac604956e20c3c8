// The flows of one shard: finds the flow of a packet, keeps its reassembly and its conversation, ends it when it is over.
// One thread at a time. What it decides depends on its own packets' order and times only, so the number of threads does not
// matter.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/conversation.h"
#include "analysis/teller.h"
#include "capture/packet.h"
#include "capture/tcp_connection.h"

namespace glasspost::analysis {

struct FlowLimits {
  // Each of these is a shard's, and stops what no limit of one conversation can: very many of them. Beyond the first two, flows
  // are ended, those first that say least (see EvictOne), and of these the one that was silent for longest.
  std::size_t flows = 65'536;
  std::size_t flow_octets = std::size_t{6} << 20;     // what the flows hold in memory, with all that hangs on them
  std::size_t text_octets = std::size_t{1} << 20;     // of told text; beyond it long ones go to the temporary file
  std::size_t held_octets = std::size_t{2} << 20;     // what the reassemblies may hold together
  std::size_t message_octets = std::size_t{1} << 20;  // of messages held for their MIME structure; beyond it they go to the file
  Timestamp linger = 60'000'000'000;  // a UDP conversation's silence, and how long a closed connection's strays are passed over
  Timestamp settle = 2'000'000'000;   // after the close, in which packets still count as the conversation's
  // Flows whose hashes are the same in all 64 bits; of more the one silent for longest is ended. No capture has two by chance;
  // stops one that was made so that each packet is compared with every flow.
  std::size_t alike = 16;
  // Odd; where in the table a hash lies depends on it, and nothing that is told. Unknown to whoever made the capture, it stops
  // him from having all flows lie in one place.
  std::uint64_t table_key = 0x9e3779b97f4a7c15u;
  capture::TcpLimits tcp = {};
};

// A told conversation on its way to the collector.
struct Told {
  std::uint64_t first_frame = 0;
  std::uint64_t last_frame = 0;
  TextStore text;
  std::string note;
};

struct KeyedPacket {
  capture::Packet packet;
  Timestamp seen = 0;      // its own time, or now if that is later
  Timestamp now = 0;       // the CaptureClock's time then, which never goes back
  std::uint64_t hash = 0;  // of the 5-tuple, the same for both directions
};

// The same for both directions of a flow.
std::uint64_t HashFlow(const capture::Packet& packet);

class FlowTable {
 public:
  // `only`: conversations that begin with these frames; all others are passed over. Null: all.
  FlowTable(const Report& report, const FlowLimits& limits, const std::unordered_set<std::uint64_t>* only);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void Add(const KeyedPacket& keyed);
  // The capture has come to this time (by the CaptureClock): ends what was silent for long enough. Each packet does so first, so
  // what is told does not depend on when else this is called.
  void Sweep(Timestamp now);
  // The capture is over: ends everything, `flows` at a time, so that what was told can be taken away meanwhile. True: all is
  // ended.
  bool Flush(std::size_t flows);

  // What came since they were last taken away.
  std::vector<Told> told;
  std::vector<std::uint64_t> decided;  // first frames of conversations that will be told

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  // No conversation told from now on has an earlier last frame (kNone: there is none).
  std::uint64_t oldest_last_frame();
  // No flow decided from now on has an earlier first frame.
  std::uint64_t oldest_undecided() const;

 private:
  struct Flow;
  // A flow is in one of these lists, doubly linked through the flows themselves.
  enum class Place : std::uint8_t {
    kOpen,       // by last packet; what is `touched` only after Arrange
    kSettling,   // closed, by the time of the close
    kDatagrams,  // UDP, by last packet
    kIgnored,    // no mail, or told already; by last packet
  };
  struct List {
    Flow* head = nullptr;
    Flow* tail = nullptr;
    void PushBack(Flow* f);
    void Remove(Flow* f);
  };
  struct Undecided {
    Flow* head = nullptr;
    Flow* tail = nullptr;
    void PushBack(Flow* f);
    void Remove(Flow* f);
  };
  struct Slot {
    std::uint64_t hash = 0;
    Flow* flow = nullptr;
  };

  Flow* Find(const KeyedPacket& k, int& side) const;
  Flow* Reconsider(Flow* f, const KeyedPacket& k);
  Flow* Create(const KeyedPacket& k);
  void Insert(Flow* f);
  void Erase(Flow* f);
  void Touch(Flow* f, std::size_t octets);
  void Measure(const Flow* current);
  void Weigh(Flow* f);
  bool Full() const { return count_ > limits_.flows || octets_ > limits_.flow_octets; }
  void Evict(const Flow* current);
  bool EvictOne(const Flow* current);
  void Grow();
  bool Expired(const Flow& f, const KeyedPacket& k) const;
  bool Wanted(const capture::Packet& p) const;
  void Feed(Flow* f, int side, const KeyedPacket& k);
  void NoteDecision(Flow* f);
  static void NoteOneSided(Flow* f);
  void Ignore(Flow* f);
  List& ListOf(Place place) { return lists_[static_cast<std::size_t>(place)]; }
  const List& ListOf(Place place) const { return lists_[static_cast<std::size_t>(place)]; }
  void Put(Flow* f, Place place);
  void MoveTo(Flow* f, Place place);
  void Arrange();
  void EndSpeech(Flow* f);
  void Tell(Flow* f);
  void End(Flow* f);

  const Report& report_;
  const FlowLimits limits_;
  const std::unordered_set<std::uint64_t>* only_;
  capture::ReassemblyBudget reassembly_budget_;
  Shared shared_;
  std::size_t SlotOf(std::uint64_t hash) const { return static_cast<std::size_t>(hash * limits_.table_key >> slot_shift_); }
  void EndAlike(std::uint64_t hash);
  static constexpr std::size_t FlowOctets();

  std::vector<Slot> slots_;
  int slot_shift_;  // 64 less the bits of a slot's number
  std::size_t count_ = 0;
  std::size_t octets_ = 0;                                        // of all flows, as last weighed
  std::size_t text_octets_ = 0;                                   // of these, texts
  std::vector<Flow*> touched_;                                    // since the last Measure
  std::size_t unmeasured_ = 0;                                    // octets that came since
  std::size_t packets_ = 0;                                       // and packets
  Timestamp next_sweep_ = std::numeric_limits<Timestamp>::max();  // nothing is to be swept before this has passed
  std::array<List, 4> lists_;                                     // by Place
  Undecided undecided_;                                           // by first packet
};

}  // namespace glasspost::analysis

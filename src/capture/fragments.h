// IP fragments put together again (RFC 791 §3.2, RFC 8200 §4.5): in any order, with duplicates and overlaps. Where fragments
// overlap, the octets that came first stay, as most receivers do, and the overlap is told. No clock: "now" is the capture time
// of the fragment at hand. One table serves one capture, fragment by fragment in the order of its frames.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/origin.h"

namespace glasspost::capture {

struct FragmentLimits {
  // Incomplete datagrams at once. Stops a flood of first fragments whose rest never comes.
  std::size_t datagrams = 1024;
  // Octets that incomplete datagrams hold together. Stops a few of them at offset 65,000 from costing 64 KiB each for ever.
  std::size_t octets = std::size_t{8} << 20;
  // Separate stretches of one datagram. Stops a comb of 8-octet fragments with holes from costing time at each insertion.
  std::size_t stretches = 1024;
  // Age of a datagram's first fragment (RFC 8200 §4.5, RFC 1122 §3.3.2: 60 s). Stops an identification that is used again from
  // joining what does not belong together.
  Timestamp age = Timestamp{60} * 1'000'000'000;
};

struct FragmentKey {
  Address source;
  Address destination;
  std::uint32_t identification = 0;
  std::uint8_t protocol = 0;  // IPv4 only (RFC 791 §3.2); IPv6 has its identification alone
  bool operator==(const FragmentKey&) const = default;
};

struct Fragment {
  const std::uint8_t* data = nullptr;
  std::uint32_t offset = 0;    // octets from the beginning of the datagram's payload
  std::uint32_t length = 0;    // octets of it, as the IP header says
  std::uint32_t captured = 0;  // of these, octets that are in the capture
  bool more = false;           // not the last one
  std::uint8_t next = 0;       // IPv6: the fragment header's next header; the first fragment's counts
  Timestamp time = 0;
};

// A datagram's payload put together. Octets from `captured` to `length` were cut by the snap length, somewhere, and stand for
// nothing.
struct Datagram {
  std::vector<std::uint8_t> octets;
  std::uint32_t length = 0;
  std::uint32_t captured = 0;
  std::uint8_t next = 0;
  std::uint8_t fragments = 0;  // frames that belonged to it, duplicates too (255: that many or more)
  bool overlap = false;        // octets came twice
  bool conflict = false;       // ... and differed
};

// Stretches of a datagram that were seen, in order and never touching.
class Coverage {
 public:
  struct Stretch {
    std::uint32_t begin = 0, end = 0;
    bool operator==(const Stretch&) const = default;
  };
  // Calls fresh(begin, end) and old(begin, end) for the parts of [begin, end) that were not and that were covered; then it is.
  template <class Fresh, class Old>
  void Fill(std::uint32_t begin, std::uint32_t end, Fresh&& fresh, Old&& old);
  const std::vector<Stretch>& stretches() const { return stretches_; }

 private:
  std::vector<Stretch> stretches_;
};

class FragmentTable {
 public:
  explicit FragmentTable(const FragmentLimits& limits = {}) : limits_(limits) {}

  // True: `whole` is the datagram that this fragment completed. False: kept, or dropped because it cannot be right.
  bool Add(const FragmentKey& key, Fragment fragment, Datagram& whole);

  std::size_t pending() const { return entries_.size(); }
  std::size_t octets() const { return octets_; }
  // Datagrams given up: too old, or one too many.
  std::uint64_t given_up() const { return given_up_; }

 private:
  struct Entry {
    FragmentKey key;
    Timestamp since = 0;
    bool first_seen = false;
    bool end_known = false;
    std::uint32_t end = 0;  // of the datagram where known, else of what was seen
    Coverage claimed;       // as the headers say
    Coverage held;          // in the capture
    Datagram datagram;
  };
  struct Hash {
    std::size_t operator()(const FragmentKey& key) const;
  };
  using Entries = std::list<Entry>;  // oldest first

  Entry& Find(const FragmentKey& key, Timestamp now);
  bool MakeRoom(Entry& entry, std::uint32_t end);
  void Remove(Entries::iterator entry);
  void GiveUp(Entries::iterator entry);

  FragmentLimits limits_;
  Entries entries_;
  std::unordered_map<FragmentKey, Entries::iterator, Hash> index_;
  std::size_t octets_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace glasspost::capture

// What a server said about the sizes in a maildrop (STAT, LIST, the octet count behind RETR's +OK), held against each other and
// against what it sent (RFC 1939 §11). Nothing is framed by these numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::pop3 {

class Maildrop {
 public:
  // `listed`: for how many messages a size is remembered; stops a server that lists without end.
  explicit Maildrop(std::size_t listed) : limit_(listed) {}

  // Each gives in words what contradicts what was said before; empty if nothing does.
  std::string OnStat(Octets text);
  std::string OnList(Octets lines);  // lines joined by '\n', without the status line
  void OnListOne(Octets text);       // the answer to LIST with an argument
  // A whole message of `octets`; `stuffed` of them and the doubled dots; `printed` is the status line's count.
  std::string OnMessage(std::uint64_t number, std::uint64_t octets, std::uint64_t stuffed,
                        std::optional<std::uint64_t> printed) const;
  // Messages were marked or unmarked: STAT's and LIST's sums are no longer of the same messages.
  void OnDeletions() { stat_known_ = list_known_ = false; }
  void Clear();
  std::size_t Held() const { return entries_.size() * sizeof(Entry); }

  std::optional<std::uint64_t> SizeOf(std::uint64_t number) const;

 private:
  struct Entry {
    std::uint64_t number;
    std::uint64_t octets;
  };
  std::string Compare() const;
  void Remember(std::uint64_t number, std::uint64_t octets);

  std::size_t limit_;
  std::vector<Entry> entries_;  // by number, ascending
  bool stat_known_ = false;
  bool list_known_ = false;
  std::uint64_t stat_count_ = 0, stat_octets_ = 0;
  std::uint64_t list_count_ = 0, list_octets_ = 0;
};

}  // namespace glasspost::pop3

// Room on the disk of the data folder. Some is kept back from new mail and from conversations, so that on a disk that fills up
// mail can still be fetched, deleted and sent on, which is how room comes back.
#pragma once

#include <cstdint>
#include <string>

namespace glasspost::store {

class FreeSpace {
 public:
  // `reserve` octets are to stay free; 0: none.
  FreeSpace(std::string folder, std::uint64_t reserve) : folder_(std::move(folder)), reserve_(reserve) {}

  // Octets beyond the reserve, counting `reusable` ones that lie free within a file already; none where not even a quarter of the
  // reserve is free on the disk itself, for the WAL. A disk that does not tell has room. Any thread; about a microsecond.
  std::uint64_t Room(std::uint64_t reusable = 0) const;
  bool Low(std::uint64_t reusable = 0) const { return Room(reusable) == 0; }

 private:
  const std::string folder_;
  const std::uint64_t reserve_;
};

}  // namespace glasspost::store

// Octets of the client that wait until it is known what they are, with the packets that brought them and the gaps between.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::smtp {

class HeldOctets {
 public:
  struct Piece {
    std::uint64_t length = 0;
    bool gap = false;  // `length` octets were never captured
    Origin origin;
  };

  void Add(Octets octets, const Origin& origin) {
    if (octets.empty()) return;
    octets_.append(octets);
    if (Joins(origin)) {
      pieces_.back().length += octets.size();
    } else {
      pieces_.push_back({octets.size(), false, origin});
    }
    if (!gap_) contiguous_ += octets.size();
  }
  void AddGap(std::uint64_t length, const Origin& origin) {
    pieces_.push_back({length, true, origin});
    gap_ = true;
  }

  // Octets of this packet would make no new piece.
  bool Joins(const Origin& origin) const {
    return !empty() && !pieces_.back().gap && pieces_.back().origin.frame == origin.frame &&
           pieces_.back().origin.time == origin.time;
  }

  bool empty() const { return first_ == pieces_.size(); }
  std::size_t size() const { return octets_.size() - at_; }
  std::size_t Held() const { return octets_.size() + pieces_.size() * sizeof(Piece); }
  std::size_t pieces() const { return pieces_.size() - first_; }
  // What lies before the first gap.
  Octets Front() const { return Octets(octets_).substr(at_, contiguous_); }
  bool gap_follows() const { return gap_; }

  const Piece& front() const { return pieces_[first_]; }
  Octets front_octets() const {
    return front().gap ? Octets{} : Octets(octets_).substr(at_, static_cast<std::size_t>(front().length));
  }
  // Takes octets off the first piece; a gap goes whole. Views die.
  void Take(std::uint64_t length) {
    Piece& piece = pieces_[first_];
    if (piece.gap) {
      ++first_;
      Recount();
    } else {
      piece.length -= length;
      at_ += static_cast<std::size_t>(length);
      contiguous_ -= static_cast<std::size_t>(length);
      if (piece.length == 0) ++first_;
    }
    empty() ? Clear() : Compact();
  }
  void Clear() {
    octets_.clear();
    pieces_.clear();
    first_ = 0;
    at_ = contiguous_ = 0;
    gap_ = false;
  }

 private:
  // What was taken is given back once it is more than what is left: whoever is never read to the end holds no memory for it.
  void Compact() {
    if (at_ > kSpareOctets && at_ > octets_.size() - at_) {
      octets_.erase(0, at_);
      at_ = 0;
    }
    if (first_ > kSparePieces && first_ > pieces_.size() - first_) {
      pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }
  void Recount() {
    contiguous_ = 0;
    gap_ = false;
    for (std::size_t i = first_; i < pieces_.size(); ++i) {
      if ((gap_ = pieces_[i].gap)) return;
      contiguous_ += static_cast<std::size_t>(pieces_[i].length);
    }
  }

  static constexpr std::size_t kSpareOctets = 4096;
  static constexpr std::size_t kSparePieces = 64;

  std::string octets_;
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;       // of `pieces_` that is there still
  std::size_t at_ = 0;          // where the first piece begins
  std::size_t contiguous_ = 0;  // octets before the first gap
  bool gap_ = false;
};

}  // namespace glasspost::smtp

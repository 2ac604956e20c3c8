// Octets of the client that wait until it is known what they are, with the packets that brought them and the gaps between.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

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
    const bool joins = !pieces_.empty() && !pieces_.back().gap && pieces_.back().origin.frame == origin.frame &&
                       pieces_.back().origin.time == origin.time;
    if (joins) {
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

  bool empty() const { return pieces_.empty(); }
  std::size_t size() const { return octets_.size() - at_; }
  std::size_t pieces() const { return pieces_.size(); }
  // What lies before the first gap.
  Octets Front() const { return Octets(octets_).substr(at_, contiguous_); }
  bool gap_follows() const { return gap_; }

  const Piece& front() const { return pieces_.front(); }
  Octets front_octets() const {
    return front().gap ? Octets{} : Octets(octets_).substr(at_, static_cast<std::size_t>(front().length));
  }
  // Takes octets off the first piece; a gap goes whole. Views die when all is taken.
  void Take(std::uint64_t length) {
    Piece& piece = pieces_.front();
    if (piece.gap) {
      pieces_.pop_front();
      Recount();
    } else {
      piece.length -= length;
      at_ += static_cast<std::size_t>(length);
      contiguous_ -= static_cast<std::size_t>(length);
      if (piece.length == 0) pieces_.pop_front();
    }
    if (pieces_.empty()) Clear();
  }
  void Clear() {
    octets_.clear();
    pieces_.clear();
    at_ = contiguous_ = 0;
    gap_ = false;
  }

 private:
  void Recount() {
    contiguous_ = 0;
    gap_ = false;
    for (const Piece& piece : pieces_) {
      if ((gap_ = piece.gap)) return;
      contiguous_ += static_cast<std::size_t>(piece.length);
    }
  }

  std::string octets_;
  std::deque<Piece> pieces_;
  std::size_t at_ = 0;          // where the first piece begins
  std::size_t contiguous_ = 0;  // octets before the first gap
  bool gap_ = false;
};

}  // namespace glasspost::smtp

// Text that may grow without bound: in memory up to a limit, beyond it in the process's temporary file (analysis/spill_file.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/spill_file.h"

namespace glasspost::analysis {

class TextStore {
 public:
  static constexpr std::size_t kInMemory = std::size_t{1} << 20;

  TextStore() = default;
  TextStore(TextStore&&) = default;
  TextStore& operator=(TextStore&&) = default;

  void Append(std::string_view text) {
    memory_.append(text);
    if (memory_.size() > kInMemory) Spill();
  }
  void Append(TextStore&& other);
  // Memory for a text of this size, so far as it will be held in memory; grown once instead of by and by.
  void Reserve(std::uint64_t octets) { memory_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(octets, kInMemory))); }
  // The part in memory, to be appended to directly; call Settle() after.
  std::string& tail() { return memory_; }
  void Settle() {
    if (memory_.size() > kInMemory) Spill();
  }
  // Moves what is in memory into the file.
  void Spill();
  // Empty again; gives its memory back unless it is small.
  void Clear();

  bool empty() const { return memory_.empty() && spilled_ == nullptr; }
  std::uint64_t size() const { return (spilled_ == nullptr ? 0 : spilled_->octets) + memory_.size(); }
  bool in_file() const { return spilled_ != nullptr; }
  const std::string& memory() const { return memory_; }
  // False: the temporary file could not be written or read, text is missing.
  bool ok() const { return ok_; }

  // Calls f(std::string_view) for the text, piece by piece.
  template <class F>
  void ForEachPiece(F&& f) {
    if (spilled_ != nullptr) {
      std::string piece;
      for (const SpillFile::Place& place : spilled_->places) {
        for (std::uint64_t at = 0; at < place.length; at += piece.size()) {
          piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(place.length - at, kPiece)));
          const bool read = SpillFile::Shared().Read(place.offset + at, piece.data(), piece.size());
          ok_ = ok_ && read;
          if (read) f(std::string_view(piece));
        }
      }
    }
    if (!memory_.empty()) f(std::string_view(memory_));
  }

 private:
  static constexpr std::size_t kKept = std::size_t{64} << 10;    // of memory, by Clear
  static constexpr std::size_t kPiece = std::size_t{256} << 10;  // read at once
  struct Spilled {
    std::vector<SpillFile::Place> places;
    std::uint64_t octets = 0;
    ~Spilled();
  };

  std::string memory_;
  std::unique_ptr<Spilled> spilled_;
  bool ok_ = true;
};

}  // namespace glasspost::analysis

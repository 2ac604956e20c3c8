// Text that may grow without bound: in memory up to a limit, beyond it in a temporary file that nobody else sees.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace glasspost::analysis {

class TextStore {
 public:
  static constexpr std::size_t kInMemory = std::size_t{1} << 20;

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
  void swap(TextStore& other) noexcept { std::swap(*this, other); }
  bool empty() const { return size() == 0; }
  std::uint64_t size() const { return file_size_ + memory_.size(); }
  bool in_file() const { return file_ != nullptr; }
  const std::string& memory() const { return memory_; }
  // False: the temporary file could not be written or read, text is missing.
  bool ok() const { return ok_; }

  // Calls f(std::string_view) for the text, piece by piece.
  template <class F>
  void ForEachPiece(F&& f) {
    if (file_ != nullptr) {
      std::string piece(kInMemory, '\0');
      std::rewind(file_.get());
      for (std::uint64_t left = file_size_; left > 0;) {
        const std::size_t n =
            std::fread(piece.data(), 1, left < piece.size() ? static_cast<std::size_t>(left) : piece.size(), file_.get());
        if (n == 0) {
          ok_ = false;
          break;
        }
        f(std::string_view(piece.data(), n));
        left -= n;
      }
    }
    if (!memory_.empty()) f(std::string_view(memory_));
  }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  void Spill();

  std::string memory_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t file_size_ = 0;
  bool ok_ = true;
};

}  // namespace glasspost::analysis

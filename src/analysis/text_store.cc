#include "analysis/text_store.h"

#include <utility>

namespace glasspost::analysis {

void TextStore::Spill() {
  if (file_ == nullptr) file_.reset(std::tmpfile());
  if (file_ == nullptr || std::fseek(file_.get(), 0, SEEK_END) != 0 ||
      std::fwrite(memory_.data(), 1, memory_.size(), file_.get()) != memory_.size()) {
    ok_ = false;
  } else {
    file_size_ += memory_.size();
  }
  memory_.clear();
}

void TextStore::Append(TextStore&& other) {
  if (empty() && file_ == nullptr && other.in_file()) {  // takes it over, file and all
    const bool good = ok_ && other.ok_;
    *this = std::exchange(other, {});
    ok_ = good;
    return;
  }
  other.ForEachPiece([this](std::string_view piece) { Append(piece); });
  ok_ = ok_ && other.ok_;
}

}  // namespace glasspost::analysis

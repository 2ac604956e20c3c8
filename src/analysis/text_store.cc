#include "analysis/text_store.h"

namespace glasspost::analysis {

TextStore::Spilled::~Spilled() {
  for (const SpillFile::Place& place : places) SpillFile::Shared().Free(place);
}

void TextStore::Spill() {
  if (memory_.empty()) return;
  if (const auto place = SpillFile::Shared().Write(memory_)) {
    if (spilled_ == nullptr) spilled_ = std::make_unique<Spilled>();
    spilled_->places.push_back(*place);
    spilled_->octets += place->length;
  } else {
    ok_ = false;
  }
  // Its memory, too, is what there is too little of.
  std::string().swap(memory_);
}

void TextStore::Clear() {
  spilled_.reset();
  ok_ = true;
  if (memory_.capacity() > kKept) return std::string().swap(memory_);
  memory_.clear();
}

void TextStore::Append(TextStore&& other) {
  if (empty() && other.in_file()) {  // takes it over
    const bool good = ok_ && other.ok_;
    *this = std::exchange(other, {});
    ok_ = good;
    return;
  }
  if (other.spilled_ != nullptr) {
    // What lies in the file stays where it is.
    Spill();
    if (spilled_ == nullptr) {
      spilled_ = std::move(other.spilled_);
    } else {
      spilled_->places.insert(spilled_->places.end(), other.spilled_->places.begin(), other.spilled_->places.end());
      spilled_->octets += other.spilled_->octets;
      other.spilled_->places.clear();
      other.spilled_.reset();
    }
  }
  Append(other.memory_);
  ok_ = ok_ && other.ok_;
  other.memory_.clear();
}

}  // namespace glasspost::analysis

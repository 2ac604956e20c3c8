#include "analysis/collector.h"

#include <utility>

namespace glasspost::analysis {

Collector::~Collector() {
  if (file_ != nullptr) std::fclose(file_);
}

void Collector::Add(Told&& told) {
  auto w = std::make_unique<Waiting>();
  w->last_frame = told.last_frame;
  w->first_frame = told.first_frame;
  w->text = std::move(told.text);
  w->when_numbered = std::move(told.when_numbered);
  if (held_ + w->text.memory().size() > kHeldText && !w->text.in_file()) {
    Spill(*w);
  } else {
    held_ += w->text.memory().size();
  }
  waiting_.push(std::move(w));
}

void Collector::Spill(Waiting& w) {
  if (file_ == nullptr) file_ = std::tmpfile();
  if (file_ == nullptr || fseeko(file_, static_cast<off_t>(file_end_), SEEK_SET) != 0 ||
      std::fwrite(w.text.memory().data(), 1, w.text.size(), file_) != w.text.size()) {
    held_ += w.text.size();  // stays in memory
    return;
  }
  w.spilled = true;
  w.spilled_at = file_end_;
  w.spilled_length = w.text.size();
  file_end_ += w.text.size();
  w.text = {};
}

void Collector::Unspill(Waiting& w) {
  std::string& text = w.text.tail();
  text.resize(w.spilled_length);
  if (fseeko(file_, static_cast<off_t>(w.spilled_at), SEEK_SET) != 0 ||
      std::fread(text.data(), 1, text.size(), file_) != text.size()) {
    ok_ = false;
    text.clear();
  }
}

void Collector::Write(Waiting& w) {
  const auto at = numbers_.find(w.first_frame);
  const std::uint64_t number = at->second;
  numbers_.erase(at);
  if (w.spilled) {
    Unspill(w);
  } else {
    held_ -= w.text.memory().size();
  }
  if (w.when_numbered) w.when_numbered(number);
  report_.Write(number, w.text);
  ok_ = ok_ && w.text.ok();
  ++written_;
}

void Collector::Advance(std::uint64_t oldest_last_frame, std::uint64_t oldest_undecided) {
  while (!unnumbered_.empty() && unnumbered_.top() < oldest_undecided) {
    numbers_[unnumbered_.top()] = ++numbered_;
    if (on_number) on_number(numbered_, unnumbered_.top());
    unnumbered_.pop();
  }
  while (!waiting_.empty() && waiting_.top()->last_frame < oldest_last_frame && numbers_.contains(waiting_.top()->first_frame)) {
    // The queue gives only const access; the element leaves it right here.
    const auto w = std::move(const_cast<std::unique_ptr<Waiting>&>(waiting_.top()));
    waiting_.pop();
    Write(*w);
  }
  // Nothing that waits lies in the file any more: it begins anew.
  if (waiting_.empty()) file_end_ = 0;
}

}  // namespace glasspost::analysis

#include "analysis/collector.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace glasspost::analysis {
namespace {

constexpr std::size_t kSpillBuffer = std::size_t{1} << 20;  // texts written together

bool WriteAt(int fd, std::string_view text, std::uint64_t at) {
  while (!text.empty()) {
    const ssize_t n = pwrite(fd, text.data(), text.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return true;
}

bool ReadAt(int fd, std::string& text, std::uint64_t at) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

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

// Small texts are gathered and written together.
void Collector::Spill(Waiting& w) {
  w.spilled = true;
  w.spilled_at = file_end_ + buffer_.size();
  w.spilled_length = w.text.memory().size();
  buffer_ += w.text.memory();
  TextStore().swap(w.text);  // gives the memory back; an assignment would keep it
  if (buffer_.size() < kSpillBuffer) return;
  if (file_ == nullptr) file_ = std::tmpfile();
  if (file_ == nullptr || !WriteAt(fileno(file_), buffer_, file_end_)) ok_ = false;
  file_end_ += buffer_.size();
  buffer_.clear();
}

void Collector::Unspill(Waiting& w) {
  std::string& text = w.text.tail();
  if (w.spilled_at >= file_end_) {
    text.assign(buffer_, static_cast<std::size_t>(w.spilled_at - file_end_), w.spilled_length);
    return;
  }
  text.resize(w.spilled_length);
  if (file_ == nullptr || !ReadAt(fileno(file_), text, w.spilled_at)) {
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
  if (waiting_.empty()) file_end_ = 0, buffer_.clear();
}

}  // namespace glasspost::analysis

#include "analysis/waiting_texts.h"

#include <algorithm>
#include <cstring>

#include "analysis/spill_file.h"

namespace glasspost::analysis {
namespace {

// Octets written at once, and given back at once when they were read: with less the kernel has more holes to make.
constexpr std::size_t kWriteBuffer = std::size_t{1} << 20;

// Before each conversation of a run; its note and its text follow.
struct Head {
  std::uint64_t last_frame;
  std::uint64_t first_frame;
  std::uint64_t note_octets;
  std::uint64_t text_octets;
};

// A run as it is written.
class RunWriter {
 public:
  RunWriter() { buffer_.reserve(kWriteBuffer); }

  void Put(std::string_view octets) {
    if (buffer_.size() + octets.size() > kWriteBuffer) Flush();
    buffer_ += octets;
  }
  void Flush() {
    if (buffer_.empty()) return;
    const auto place = SpillFile::Shared().Write(buffer_);
    if (place) {
      places_.push_back(*place);
    } else {
      ok_ = false;
    }
    buffer_.clear();
  }
  bool ok() const { return ok_; }
  std::vector<SpillFile::Place> Places() { return std::move(places_); }

 private:
  std::string buffer_;
  std::vector<SpillFile::Place> places_;
  bool ok_ = true;
};

}  // namespace

// A run as it is read, with the next conversation's head at hand.
class WaitingTexts::Run {
 public:
  Run(std::vector<SpillFile::Place> places, std::size_t read_octets) : places_(std::move(places)), read_octets_(read_octets) {
    ReadHead();
  }
  ~Run() {
    for (; place_ < places_.size(); ++place_) SpillFile::Shared().Free(places_[place_]);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  bool done() const { return done_; }
  bool ok() const { return ok_; }
  Key key() const { return {head_.last_frame, head_.first_frame}; }

  WaitingText Take() {
    WaitingText w{head_.last_frame, head_.first_frame, {}, {}};
    w.text.Reserve(head_.text_octets);
    Pass(head_.note_octets, [&](std::string_view piece) { w.note += piece; });
    Pass(head_.text_octets, [&](std::string_view piece) { w.text.Append(piece); });
    ReadHead();
    return w;
  }

 private:
  void ReadHead() {
    char octets[sizeof(Head)];
    std::size_t have = 0;
    Pass(sizeof(Head), [&](std::string_view piece) {
      std::memcpy(octets + have, piece.data(), piece.size());
      have += piece.size();
    });
    done_ = have < sizeof(Head);
    if (!done_) std::memcpy(&head_, octets, sizeof(Head));
  }

  // Hands on the next octets of the run; fewer only at its end.
  template <class F>
  void Pass(std::uint64_t octets, F&& f) {
    while (octets > 0) {
      if (at_ == buffer_.size() && !Fill()) return;
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(octets, buffer_.size() - at_));
      f(std::string_view(buffer_).substr(at_, n));
      at_ += n;
      octets -= n;
    }
  }

  bool Fill() {
    if (place_ == places_.size()) return Empty();
    SpillFile::Place& place = places_[place_];
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(place.length - read_, read_octets_));
    buffer_.resize(n);  // mostly the size that it has: nothing is written into what is read over
    at_ = 0;
    if (!SpillFile::Shared().Read(place.offset + read_, buffer_.data(), n)) {
      ok_ = false;
      return Empty();
    }
    read_ += n;
    if (read_ == place.length) {
      SpillFile::Shared().Free(place);
      ++place_;
      read_ = 0;
    }
    return true;
  }

  bool Empty() {
    buffer_.clear();
    at_ = 0;
    return false;
  }

  std::vector<SpillFile::Place> places_;
  std::size_t place_ = 0;   // the one that is being read
  std::uint64_t read_ = 0;  // octets of it that were
  std::size_t read_octets_;
  std::string buffer_;
  std::size_t at_ = 0;
  Head head_{};
  bool done_ = false;
  bool ok_ = true;
};

WaitingTexts::WaitingTexts(const WaitingLimits& limits) : limits_(limits) {}
WaitingTexts::~WaitingTexts() = default;

bool WaitingTexts::Later(const WaitingText& a, const WaitingText& b) {
  return Key{a.last_frame, a.first_frame} > Key{b.last_frame, b.first_frame};
}

void WaitingTexts::Add(WaitingText&& w) {
  held_ += w.text.memory().size() + w.note.size();
  ok_ = ok_ && w.text.ok();
  heap_.push_back(std::move(w));
  std::push_heap(heap_.begin(), heap_.end(), Later);
  if (held_ > limits_.octets || heap_.size() > limits_.conversations) SpillAll();
}

void WaitingTexts::SpillAll() {
  std::sort(heap_.begin(), heap_.end(), [](const WaitingText& a, const WaitingText& b) { return Later(b, a); });
  RunWriter writer;
  bool whole = true;
  for (WaitingText& waiting : heap_) {
    WaitingText w = std::move(waiting);  // gives its memory back right after; an assignment would keep it
    if (!w.text.ok()) {
      ok_ = false;
      continue;
    }
    const Head head{w.last_frame, w.first_frame, w.note.size(), w.text.size()};
    writer.Put({reinterpret_cast<const char*>(&head), sizeof head});
    writer.Put(w.note);
    w.text.ForEachPiece([&](std::string_view piece) { writer.Put(piece); });
    whole = whole && w.text.ok();
  }
  writer.Flush();
  heap_.clear();
  held_ = 0;
  if (!writer.ok() || !whole) {  // a piece is missing, and what lies behind it cannot be found
    ok_ = false;
    for (const SpillFile::Place& place : writer.Places()) SpillFile::Shared().Free(place);
    return;
  }
  auto run = std::make_unique<Run>(writer.Places(), limits_.read_octets);
  if (run->done()) return;
  runs_.push_back(std::move(run));
  std::push_heap(runs_.begin(), runs_.end(), [](const auto& a, const auto& b) { return a->key() > b->key(); });
}

bool WaitingTexts::FromHeap() const {
  if (heap_.empty() || runs_.empty()) return runs_.empty();
  return Key{heap_.front().last_frame, heap_.front().first_frame} < runs_.front()->key();
}

WaitingTexts::Key WaitingTexts::Next() const {
  return FromHeap() ? Key{heap_.front().last_frame, heap_.front().first_frame} : runs_.front()->key();
}

WaitingText WaitingTexts::Take() {
  if (FromHeap()) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    WaitingText w = std::move(heap_.back());
    heap_.pop_back();
    held_ -= w.text.memory().size() + w.note.size();
    return w;
  }
  const auto later = [](const auto& a, const auto& b) { return a->key() > b->key(); };
  std::pop_heap(runs_.begin(), runs_.end(), later);
  Run& run = *runs_.back();
  WaitingText w = run.Take();
  ok_ = ok_ && run.ok();
  if (run.done()) {
    runs_.pop_back();
  } else {
    std::push_heap(runs_.begin(), runs_.end(), later);
  }
  return w;
}

}  // namespace glasspost::analysis

#include "analysis/collector.h"

#include <utility>

namespace glasspost::analysis {

void Collector::Add(Told&& told) {
  waiting_.Add({told.last_frame, told.first_frame, std::move(told.note), std::move(told.text)});
}

void Collector::Advance(std::uint64_t oldest_last_frame, std::uint64_t oldest_undecided) {
  first_frames_.Settle(oldest_undecided, [this](std::uint64_t number, std::uint64_t first_frame) {
    if (on_number) on_number(number, first_frame);
  });
  while (!waiting_.empty() && waiting_.next_last_frame() < oldest_last_frame &&
         first_frames_.settled(waiting_.next_first_frame())) {
    WaitingText w = waiting_.Take();
    if (w.text.ok()) report_.Write(first_frames_.RankOf(w.first_frame), w.note, w.text);  // half of one would pass for all of it
    ok_ = ok_ && w.text.ok();
    ++written_;
  }
}

}  // namespace glasspost::analysis

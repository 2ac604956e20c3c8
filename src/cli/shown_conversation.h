// The conversations of a command as they happen: told on the terminal by the code of `analyze`, kept as a packet file. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "analysis/dialogue_report.h"
#include "analysis/live/events.h"
#include "analysis/live/live_tap.h"
#include "analysis/live/recorder.h"
#include "analysis/live/tell.h"
#include "base/error.h"
#include "base/origin.h"

namespace glasspost::cli {

class ShownConversation final : public analysis::EventSink {
 public:
  struct Options {
    bool show = false;    // as it happens
    bool at_end = false;  // or when it is over
    bool heard = false;   // somebody else hears it: SetEar
    std::string save;     // "FILE.pcapng"; further conversations become FILE-2.pcapng, …; empty: not kept
    analysis::DialogueReport::Options dialogue;
  };
  // The error says why nothing can be saved there.
  static Expected<std::unique_ptr<ShownConversation>> Open(Protocol protocol, const Options& options);
  ~ShownConversation() override;

  // For the next connection; null if nobody wants to know.
  std::unique_ptr<Tap> NewTap();
  // Hears all that is told of the connections to come; outlives their taps. Only with `heard`.
  void SetEar(analysis::Ear* ear) { taps_->SetEar(ear); }
  // After the last connection: the file has its name when this returns.
  Expected<void> Close();

 private:
  explicit ShownConversation(const Options& options) : options_(options) {}
  std::uint64_t NextNumber() override { return ++last_; }
  void Part(std::uint64_t number, std::string octets) override;
  void Finish(analysis::EventsHead head) override;
  bool Followed(std::uint64_t) const override { return true; }

  const Options options_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::unique_ptr<analysis::Follower>> followers_;
  std::map<std::uint64_t, std::string> held_;  // at_end: what was said, within EventsLimits
  std::unique_ptr<analysis::Recorder> recorder_;
  std::unique_ptr<analysis::LiveTaps> taps_;
  std::string folder_;  // of what is being recorded
};

}  // namespace glasspost::cli

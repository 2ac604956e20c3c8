// What listens to a live connection: the same Conversation that captures are told by, fed with what net hears; and the recorder's
// ear, if there is one. After TLS was begun its handshake is told of the records, and what was within them comes in the clear.
//
// One thread at a time a tap; LiveTaps from any thread. A tap costs nothing to speak of until the first octet.
#pragma once

#include <memory>

#include "analysis/conversation.h"
#include "analysis/live/ear.h"
#include "analysis/live/events.h"
#include "analysis/live/recorder.h"
#include "analysis/teller.h"
#include "base/tap.h"

namespace glasspost::analysis {

struct LiveLimits {
  // Of a message that has parts, held for their structure; a larger one is told without it. Stops a session's message from being
  // in memory whole.
  std::size_t structured_message = std::size_t{64} << 10;
  // Of these, of all conversations of a thread.
  std::size_t message_octets = std::size_t{4} << 20;
};

struct LiveOptions {
  Protocol protocol = Protocol::kUnknown;  // what is spoken there; unknown: as it turns out
  bool we_are_client = false;
};

class LiveTap final : public Tap {
 public:
  // `report` tells the conversation (null: nobody wants to know) and writes it when it is over; `recording` may be null.
  LiveTap(std::uint64_t number, std::unique_ptr<Report> report, const LiveOptions& options, std::unique_ptr<Recording> recording);
  ~LiveTap() override;

  // The conversation's, also where it is kept or recorded.
  std::uint64_t number() const { return number_; }
  std::uint64_t conversation() const override { return number_; }

  void OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time) override;
  void OnOctets(Direction direction, Octets octets, Timestamp time) override;
  void OnTlsStart(Timestamp time) override;
  void OnRecords(Direction direction, Octets octets, Timestamp time) override;
  void OnTlsSecrets(Octets line) override;
  void OnTlsEstablished(Timestamp time) override;
  void OnClose(Closing how, Timestamp time) override;

 private:
  enum class Layer : std::uint8_t { kClear, kHandshake, kWithin };

  Conversation* Heard();
  void TellClose(Closing how, Timestamp time);

  const std::uint64_t number_;
  const LiveOptions options_;
  std::unique_ptr<Report> report_;
  std::unique_ptr<Recording> recording_;
  std::shared_ptr<Shared> shared_;  // of the thread that first heard something
  std::unique_ptr<Conversation> conversation_;
  Endpoint client_;
  Endpoint server_;
  Timestamp start_ = kNoTime;
  Timestamp last_ = kNoTime;
  Layer layer_ = Layer::kClear;
  bool closed_ = false;
};

// Makes the taps of one kind of connection (a listener's, the relay's). `sink` and `recorder` outlive the taps; with neither
// there are none.
class LiveTaps final : public TapSource {
 public:
  LiveTaps(const LiveOptions& options, const EventsOptions& events, EventSink* sink, Recorder* recorder);
  std::unique_ptr<Tap> NewTap() override { return NewLiveTap(); }
  std::unique_ptr<LiveTap> NewLiveTap();
  // Hears what the sink is told, of taps made from now on; outlives them.
  void SetEar(Ear* ear) { ear_ = ear; }

 private:
  LiveOptions options_;
  std::shared_ptr<const EventsOptions> events_;
  EventSink* sink_;
  Recorder* recorder_;
  Ear* ear_ = nullptr;
};

}  // namespace glasspost::analysis

#include "analysis/live/live_tap.h"

#include <algorithm>
#include <utility>

namespace glasspost::analysis {
namespace {

// A tap that is given up on another thread keeps it alive.
std::shared_ptr<Shared> SharedOfThread() {
  thread_local const std::shared_ptr<Shared> shared = [] {
    constexpr LiveLimits kLimits;
    auto s = std::make_shared<Shared>();
    s->message_limit = kLimits.message_octets;
    s->structured_message = kLimits.structured_message;
    s->spills = false;
    return s;
  }();
  return shared;
}

constexpr int SideOf(Direction d) { return d == Direction::kToServer ? 0 : 1; }

}  // namespace

LiveTap::LiveTap(std::uint64_t number, std::unique_ptr<Report> report, const LiveOptions& options,
                 std::unique_ptr<Recording> recording)
    : number_(number), options_(options), report_(std::move(report)), recording_(std::move(recording)) {}

LiveTap::~LiveTap() {
  if (!closed_ && start_ != kNoTime) OnClose(Closing::kReset, last_);
}

void LiveTap::OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time) {
  client_ = client;
  server_ = server;
  start_ = last_ = time;
  if (recording_ != nullptr) recording_->OnConnect(client, server, time);
}

// The wall clock may jump; a conversation does not go back behind its beginning.
Conversation* LiveTap::Heard() {
  if (report_ == nullptr || start_ == kNoTime) return nullptr;
  if (conversation_ == nullptr) {
    shared_ = SharedOfThread();
    const LiveBeginning beginning{client_, server_, start_, options_.protocol};
    conversation_ = std::make_unique<Conversation>(*report_, *shared_, beginning);
  }
  return conversation_.get();
}

void LiveTap::OnOctets(Direction direction, Octets octets, Timestamp time) {
  if (octets.empty()) return;
  last_ = time = std::max(time, start_);
  if (layer_ == Layer::kClear && recording_ != nullptr) recording_->OnOctets(direction, octets, time);
  Conversation* const c = Heard();
  if (c == nullptr) return;
  const Origin origin{0, time};
  if (layer_ != Layer::kClear) return c->OnDecrypted(SideOf(direction), octets, origin);
  c->OnWire(octets.size(), time);
  static_cast<capture::TcpEvents*>(c)->OnTcpOctets(SideOf(direction), octets, origin);
}

void LiveTap::OnTlsStart(Timestamp time) {
  last_ = time = std::max(time, start_);
  layer_ = Layer::kHandshake;
  if (recording_ != nullptr) recording_->OnTlsStart();
  if (Conversation* const c = Heard()) c->BeginTls({0, time});
}

// Once the handshake is over, records say nothing that is not told by what they hold; but they are what crosses the wire.
void LiveTap::OnRecords(Direction direction, Octets octets, Timestamp time) {
  if (octets.empty()) return;
  last_ = time = std::max(time, start_);
  if (recording_ != nullptr) recording_->OnOctets(direction, octets, time);
  Conversation* const c = Heard();
  if (c == nullptr) return;
  c->OnWire(octets.size(), time);
  if (layer_ == Layer::kHandshake) static_cast<capture::TcpEvents*>(c)->OnTcpOctets(SideOf(direction), octets, {0, time});
}

void LiveTap::OnTlsSecrets(Octets line) {
  if (recording_ != nullptr) recording_->OnTlsSecrets(line);
}

void LiveTap::OnTlsEstablished(Timestamp time) {
  last_ = std::max(time, start_);
  layer_ = Layer::kWithin;
  if (recording_ != nullptr) recording_->OnTlsEstablished();
}

void LiveTap::OnClose(Closing how, Timestamp time) {
  if (std::exchange(closed_, true)) return;
  time = std::max(time, start_);
  if (recording_ != nullptr) recording_->OnClose(how, options_.we_are_client, time);
  recording_.reset();
  TellClose(how, time);
}

// As packets would have shown it: of a peer that fell silent nothing more is seen, only that we gave up.
void LiveTap::TellClose(Closing how, Timestamp time) {
  if (conversation_ == nullptr) return;
  Conversation& c = *conversation_;
  capture::TcpEvents& tcp = c;
  const Origin origin{0, time};
  const int us = options_.we_are_client ? 0 : 1;
  const int first = how == Closing::kByPeer ? 1 - us : us;
  c.OnWire(0, time);
  if (how == Closing::kReset) {
    tcp.OnTcpReset(first, origin);
  } else {
    tcp.OnTcpFin(first, origin);
    if (how != Closing::kTimedOut) tcp.OnTcpFin(1 - first, origin);
  }
  c.EndOfSpeech(origin);
  if (c.state() == Conversation::State::kTold) {
    TextStore text;
    c.Finish(text);
    const std::string note = c.teller().Note();
    report_->Write(number_, note, text);
  }
  conversation_.reset();
}

LiveTaps::LiveTaps(const LiveOptions& options, const EventsOptions& events, EventSink* sink, Recorder* recorder)
    : options_(options), events_(std::make_shared<const EventsOptions>(events)), sink_(sink), recorder_(recorder) {}

std::unique_ptr<LiveTap> LiveTaps::NewLiveTap() {
  if (sink_ == nullptr && recorder_ == nullptr) return nullptr;
  const std::uint64_t number = sink_ != nullptr ? sink_->NextNumber() : recorder_->NextNumber();
  std::unique_ptr<Report> report;
  if (sink_ != nullptr) report = std::make_unique<EventsReport>(number, *sink_, events_);
  if (report != nullptr && ear_ != nullptr) report = WithEar(std::move(report), *ear_);
  auto recording = recorder_ != nullptr ? recorder_->NewRecording(number) : nullptr;
  return std::make_unique<LiveTap>(number, std::move(report), options_, std::move(recording));
}

}  // namespace glasspost::analysis

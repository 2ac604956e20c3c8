// What the tests of live conversations share: conversation files through a tap, reports into texts, a sink that keeps events.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "analysis/conversation_heads.h"
#include "analysis/dialogue_report.h"
#include "analysis/json_report.h"
#include "analysis/live/live_tap.h"
#include "analysis/pipeline.h"
#include "capture/frame_source.h"
#include "support/conversation_file.h"

namespace glasspost::analysis::live_test {

using test::ConversationFile;
using test::Step;

constexpr Timestamp kStart = 1'795'000'000'000'000'000;

inline Endpoint End(std::initializer_list<std::uint8_t> v4, std::uint16_t port) { return {Address::V4(v4.begin()), port}; }
inline const Endpoint kClient = End({192, 0, 2, 1}, 40'000);
inline Endpoint ServerOf(Protocol p) {
  return End({198, 51, 100, 25}, p == Protocol::kPop3 ? 110 : p == Protocol::kImap ? 143 : p == Protocol::kLmtp ? 24 : 25);
}

// A folder of its own, gone with it.
class Folder {
 public:
  Folder() {
    std::string form = (std::filesystem::temp_directory_path() / "glasspost-live-XXXXXX").string();
    path_ = mkdtemp(form.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
  }

 private:
  std::string path_;
};

// What a file's text is that `write` fills.
inline std::string TextOf(const std::function<void(std::FILE*)>& write) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  write(out);
  std::fclose(out);
  std::string whole(text, size);
  std::free(text);
  return whole;
}

// An end of a connection hears everything, from its beginning.
inline bool CanBeLive(const ConversationFile& file) {
  if (file.mid_stream || file.client_only || file.server_only) return false;
  for (const Step& s : file.steps)
    if (s.kind == Step::Kind::kGap) return false;
  return true;
}
inline bool HasTls(const ConversationFile& file) {
  for (const Step& s : file.steps)
    if (s.kind == Step::Kind::kTls) return true;
  return false;
}

// Of the conversation files, those that an end of a connection can hear; with TLS or without.
inline std::vector<std::filesystem::path> LiveFiles(bool tls) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : test::ConversationFiles()) {
    const auto file = test::ReadConversationFile(path);
    if (file && CanBeLive(*file) && (tls || !HasTls(*file))) files.push_back(path);
  }
  return files;
}
inline std::string NameOfFile(const ::testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

// The server's tap hears the dialogue. Of its end it knows who was first; a file without one ends with us.
inline void Hear(const ConversationFile& file, Tap& tap) {
  Timestamp time = file.steps.empty() ? kStart : file.steps.front().time;
  tap.OnConnect(kClient, ServerOf(file.protocol), time);
  std::optional<Closing> how;
  for (const Step& s : file.steps) {
    time = s.time;
    if (s.kind == Step::Kind::kOctets) tap.OnOctets(s.direction, s.octets, time);
    if (s.kind == Step::Kind::kTls) tap.OnTlsStart(time), tap.OnTlsEstablished(time);
    if (s.kind == Step::Kind::kReset) how = Closing::kReset;
    if (s.kind == Step::Kind::kFin && !how) how = s.direction == Direction::kToServer ? Closing::kByPeer : Closing::kByUs;
  }
  tap.OnClose(how.value_or(Closing::kByUs), time);
}

// A report that is somebody else's, for a tap that wants its own.
class Borrowed final : public Report {
 public:
  explicit Borrowed(Report& report) : report_(report) {}
  Wants wants() const override { return report_.wants(); }
  std::unique_ptr<Teller> NewTeller() const override { return report_.NewTeller(); }
  void Write(std::uint64_t number, Octets note, TextStore& text) override { report_.Write(number, note, text); }

 private:
  Report& report_;
};

// Tells the conversation as it is heard.
inline void TellLive(const ConversationFile& file, Report& report, const LiveOptions& options = {}) {
  LiveTap tap(1, std::make_unique<Borrowed>(report), options, nullptr);
  Hear(file, tap);
}

inline std::string LiveJson(const ConversationFile& file, const JsonReport::Options& json, const LiveOptions& options = {}) {
  return TextOf([&](std::FILE* out) {
    JsonReport report(out, json);
    TellLive(file, report, options);
  });
}
inline std::string LiveDialogue(const ConversationFile& file, const DialogueReport::Options& dialogue) {
  ConversationHeads heads({1}, dialogue.language, dialogue.style);
  TellLive(file, heads);
  return TextOf([&](std::FILE* out) {
    DialogueReport report(out, dialogue, heads.heads());
    TellLive(file, report);
  });
}
inline std::string CaptureJson(const std::vector<std::string>& files, const JsonReport::Options& json) {
  return TextOf([&](std::FILE* out) {
    JsonReport report(out, json);
    capture::FrameSource source(files);
    PipelineOptions options;
    options.inline_only = true;
    Run(source, report, options);
  });
}

// Without what only packets have.
inline std::string WithoutPackets(std::string json) {
  json = std::regex_replace(json, std::regex(R"("frames":\[[0-9,]*\])"), "\"frames\":[]");
  return std::regex_replace(json, std::regex(R"("packets":[0-9]+,"bytes":[0-9]+)"), "\"packets\":0,\"bytes\":0");
}

class KeptEvents final : public EventSink {
 public:
  std::uint64_t NextNumber() override { return ++numbers_; }
  void Part(std::uint64_t number, std::string octets) override {
    events[number] += octets;
    ++parts;
  }
  void Finish(EventsHead head) override { heads.push_back(std::move(head)); }
  bool Followed(std::uint64_t) const override { return followed; }

  std::map<std::uint64_t, std::string> events;
  std::vector<EventsHead> heads;
  int parts = 0;
  bool followed = false;

 private:
  std::uint64_t numbers_ = 0;
};

inline std::string EventsOf(const ConversationFile& file, const EventsOptions& options, const LiveOptions& live = {}) {
  KeptEvents kept;
  LiveTaps taps(live, options, &kept, nullptr);
  Hear(file, *taps.NewTap());
  return kept.events[1];
}

}  // namespace glasspost::analysis::live_test

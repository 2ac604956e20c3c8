#include "cli/shown_conversation.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace glasspost::cli {
namespace {

std::string NameOf(const std::string& file, std::size_t index) {
  if (index == 0) return file;
  const std::filesystem::path path(file);
  return (path.parent_path() / (path.stem().string() + "-" + std::to_string(index + 1) + path.extension().string())).string();
}

// {fmt} throws where the output cannot be written: that must not end what the conversation is for. stdio remembers it.
template <class Say>
void Tell(Say say) {
  try {
    say();
  } catch (const std::system_error&) {
  }
  std::fflush(stdout);
}

}  // namespace

Expected<std::unique_ptr<ShownConversation>> ShownConversation::Open(Protocol protocol, const Options& options) {
  std::unique_ptr<ShownConversation> shown(new ShownConversation(options));
  if (!options.save.empty()) {
    std::error_code ignored;
    if (std::filesystem::exists(options.save, ignored))
      return Fail("is there already", options.save, "name another file, or take it away");
    shown->folder_ = options.save + ".XXXXXX";  // beside it, so that it can be renamed
    if (::mkdtemp(shown->folder_.data()) == nullptr) {
      shown->folder_.clear();
      return Fail("cannot be written there", options.save);
    }
    analysis::RecorderOptions recorder;
    recorder.directory = shown->folder_;
    auto opened = analysis::Recorder::Open(recorder);
    if (!opened) return std::unexpected(opened.error());
    shown->recorder_ = std::move(*opened);
  }
  analysis::EventsOptions events;
  events.level = options.dialogue.full ? analysis::EventsOptions::Level::kFull : analysis::EventsOptions::Level::kHeaders;
  events.show_secrets = options.dialogue.show_secrets;
  events.we_are_client = true;
  const bool heard = options.show || options.at_end || options.heard;
  shown->taps_ = std::make_unique<analysis::LiveTaps>(analysis::LiveOptions{protocol, true}, events,
                                                      heard ? shown.get() : nullptr, shown->recorder_.get());
  return shown;
}

ShownConversation::~ShownConversation() { static_cast<void>(Close()); }

std::unique_ptr<Tap> ShownConversation::NewTap() { return taps_->NewTap(); }

void ShownConversation::Part(std::uint64_t number, std::string octets) {
  if (options_.at_end) held_[number] += octets;
  if (!options_.show) return;
  auto& follower = followers_[number];
  if (!follower) follower = std::make_unique<analysis::Follower>(stdout, number, options_.dialogue);
  Tell([&] { follower->Feed(octets); });
}

void ShownConversation::Finish(analysis::EventsHead head) {
  const auto at = followers_.find(head.number);
  if (at == followers_.end()) return;
  Tell([&] { at->second->Finish(); });
  followers_.erase(at);
}

Expected<void> ShownConversation::Close() {
  taps_.reset();
  recorder_.reset();         // writes what it heard
  std::uint64_t number = 0;  // a connection of which nothing was heard has none
  for (const auto& [key, events] : std::exchange(held_, {})) {
    std::fputc('\n', stdout);
    Tell([&] { analysis::TellDialogue(stdout, ++number, events, options_.dialogue); });
  }
  if (folder_.empty()) return {};
  const std::string folder = std::exchange(folder_, {});
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::size_t next = 0;
  for (std::size_t i = 0; i < files.size() && !error; ++i) {
    while (std::filesystem::exists(NameOf(options_.save, next), error)) ++next;  // nothing is overwritten
    if (!error) std::filesystem::rename(files[i], NameOf(options_.save, next), error);
  }
  const std::string why = error.message();
  const bool failed = static_cast<bool>(error);
  std::filesystem::remove_all(folder, error);
  if (failed) return Fail("cannot be written: " + why, options_.save);
  return {};
}

}  // namespace glasspost::cli

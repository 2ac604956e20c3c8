// Who leads a conversation: a person at the terminal, lines of standard input, or a script.
#pragma once

#include <string>
#include <vector>

#include "agent/talk/script.h"
#include "agent/talk/talker.h"
#include "cli/talk_view.h"
#include "net/asio.h"

namespace glasspost::cli {

struct TalkShellOptions {
  net::asio::io_context* context = nullptr;
  std::chrono::nanoseconds wait = std::chrono::seconds(30);
  std::string name;  // of the prompt: "smtp"
};

// Each of them ends the conversation. Exit statuses of agent/talk/plan.h.
int TalkOnTerminal(agent::talk::Talker& talker, TalkView& view, const TalkShellOptions& options);
// One line after the other, each once the one before it was answered.
int TalkByLines(agent::talk::Talker& talker, TalkView& view, const TalkShellOptions& options);
int TalkByScript(agent::talk::Talker& talker, TalkView& view, const TalkShellOptions& options,
                 const std::vector<agent::talk::Step>& script);

}  // namespace glasspost::cli

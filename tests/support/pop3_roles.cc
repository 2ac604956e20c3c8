#include "support/pop3_roles.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/base64.h"
#include "wire/pop3/rules.h"
#include "wire/text/dot_decoder.h"

namespace glasspost::test {
namespace {

using pop3::Command;
using pop3::Shape;
using pop3::Status;

// Takes a line off the front; false if there is no whole one.
bool TakeLine(Octets& octets, Octets& line) {
  const std::size_t end = octets.find("\r\n");
  if (end == Octets::npos) return false;
  line = octets.substr(0, end);
  octets.remove_prefix(end + 2);
  return true;
}

bool TakeBody(Shape shape, Octets& octets, Pop3Reply& reply) {
  if (shape == Shape::kMessage || shape == Shape::kText) {
    text::DotDecoder decoder;
    while (true) {
      const auto step = decoder.Feed(octets, [&](Octets o) { reply.message += o; });
      octets.remove_prefix(step.taken);
      if (step.done) return true;
      if (!step.look_alike) return false;
    }
  }
  for (Octets line; TakeLine(octets, line);) {
    if (line == ".") return true;
    // What is offered is each server's own.
    if (reply.command != Command::kCapa && reply.command != Command::kAuth) reply.said.append("\n").append(line);
  }
  return false;
}

bool ShowsNumbers(Command c) { return c == Command::kStat || c == Command::kList || c == Command::kUidl; }

void FillStatus(const pop3::StatusLine& s, bool numbers, Pop3Reply& reply) {
  reply.said = Name(s.status);
  reply.text = s.text;
  if (s.status == Status::kErr && !s.code.empty()) reply.said.append(" [").append(s.code).append("]");
  if (numbers && s.status == Status::kOk)
    if (const auto listing = pop3::ParseListing(s.text))
      reply.said += " " + std::to_string(listing->number) + " " + std::string(listing->rest);
}

void LearnUser(const std::vector<std::string>& lines, Pop3Dialogue& d) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const pop3::CommandLine c = pop3::ParseCommand(lines[i]);
    const std::string said = i + 1 < d.replies.size() ? d.replies[i + 1].said : "";
    const bool accepted = said.starts_with("+OK") || said == "-ERR [IN-USE]";
    if (c.command == Command::kUser) d.user = c.argument;
    if (c.command == Command::kPass && accepted) d.password = c.argument;
    if (!accepted || c.command == Command::kUser) continue;
    // AUTH PLAIN in its command or after it; AUTH LOGIN's second answer.
    const Octets word = Octets(lines[i]).substr(lines[i].rfind(' ') + 1);
    const auto decoded = DecodeBase64(word);
    if (!decoded) continue;
    const std::size_t name = decoded->find('\0');
    const std::size_t secret = decoded->rfind('\0');
    if (name != std::string::npos && secret > name) {
      d.user = decoded->substr(name + 1, secret - name - 1);
      d.password = decoded->substr(secret + 1);
    } else if (i >= 2 && EqualsNoCase(lines[i - 2], "AUTH LOGIN")) {
      d.user = DecodeBase64(lines[i - 1]).value_or("");
      d.password = *decoded;
    }
  }
}

void LearnMessages(Pop3Dialogue& d) {
  for (const Pop3Reply& r : d.replies) {
    if (!r.said.starts_with("+OK")) continue;
    const auto number = ParseNumber(Octets(r.argument).substr(0, r.argument.find(' ')));
    if (r.command == Command::kRetr && number) {
      d.messages[*number].content = r.message;
      d.messages[*number].octets = r.message.size();
    }
    if (!ShowsNumbers(r.command) || r.command == Command::kStat) continue;
    Octets said = r.said;
    while (!said.empty()) {
      const std::size_t end = std::min(said.find('\n'), said.size());
      Octets line = said.substr(0, end);
      said.remove_prefix(std::min(end + 1, said.size()));
      if (line.starts_with("+OK")) line.remove_prefix(3);
      const auto listing = pop3::ParseListing(line);
      if (!listing) continue;
      auto& m = d.messages[listing->number];
      if (r.command == Command::kUidl) m.id = listing->rest;
      if (r.command == Command::kList && m.octets == 0) m.octets = ParseNumber(listing->rest).value_or(0);
    }
  }
}

}  // namespace

std::vector<Pop3Reply> ParsePop3Replies(const std::vector<std::string>& client_lines, Octets octets, std::string& broken) {
  std::vector<Pop3Reply> replies;
  bool challenged = false;
  broken.clear();
  for (std::size_t i = 0; !octets.empty(); ++i) {
    Pop3Reply reply;
    pop3::CommandLine c;
    const bool answer = challenged;
    if (i > 0 && i <= client_lines.size() && !answer) c = pop3::ParseCommand(client_lines[i - 1]);
    reply.command = c.command;
    reply.argument = c.argument;
    Octets line;
    if (!TakeLine(octets, line)) {
      broken = octets;
      break;
    }
    const pop3::StatusLine s = pop3::ParseStatus(line, c.command == Command::kAuth || answer);
    if (s.status == Status::kNone) {
      broken = line;
      break;
    }
    challenged = s.status == Status::kContinue;
    const Shape shape =
        s.status == Status::kOk && i > 0 && !answer ? pop3::ShapeOf(c.command, !c.argument.empty()) : Shape::kSingle;
    FillStatus(s, ShowsNumbers(c.command) && shape == Shape::kSingle, reply);
    if (shape != Shape::kSingle && shape != Shape::kUnknown && !TakeBody(shape, octets, reply)) broken = "a body without end";
    replies.push_back(std::move(reply));
  }
  return replies;
}

Pop3Dialogue ReadPop3Dialogue(const ConversationFile& file) {
  Pop3Dialogue d;
  std::string client;
  std::string server;
  for (const Step& step : file.steps) {
    d.stls |= step.kind == Step::Kind::kTls;
    if (step.kind != Step::Kind::kOctets) continue;
    (step.direction == Direction::kToServer ? client : server) += step.octets;
  }
  Octets rest = client;
  for (Octets line; TakeLine(rest, line);) d.client_lines.emplace_back(line);
  std::string broken;
  d.replies = ParsePop3Replies(d.client_lines, server, broken);
  LearnUser(d.client_lines, d);
  LearnMessages(d);
  return d;
}

}  // namespace glasspost::test

#include "cli/unsent.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/ascii.h"
#include "base/disk.h"
#include "cli/state_folder.h"
#include "net/system_clock.h"
#include "wire/mime/compose.h"
#include "wire/mime/message_scan.h"

namespace glasspost::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// "20261123-091530.eml", as the clock on the wall here shows it.
std::string NameOf(Timestamp time) {
  const std::time_t seconds = time / kSecond;
  std::tm local{};
  char text[64];
  if (::localtime_r(&seconds, &local) == nullptr || std::strftime(text, sizeof text, "%Y%m%d-%H%M%S.eml", &local) == 0)
    return "message.eml";
  return text;
}

// Those of the envelope whom the header does not name.
std::string BlindField(const Outgoing& message) {
  mime::MessageScan scan({.digest = false, .journey = false, .limits = {}});
  OutgoingSource source(message);
  for (auto piece = source.Read(); piece.kind == smtp::MessageSource::Piece::Kind::kOctets && !scan.header_ended();
       piece = source.Read())
    scan.OnOctets(piece.octets);
  mime::HeaderDecoder decoder;
  const std::string block(scan.header());
  decoder.Parse(block);
  std::vector<mime::Mailbox> named;
  for (const auto& field : {decoder.summary().to, decoder.summary().cc})
    if (field) AddRecipients(named, mime::ParseAddresses(*field));
  const std::size_t open = named.size();
  AddRecipients(named, message.recipients);
  std::string out;
  mime::AppendAddressField(out, "Bcc", std::span(named).subspan(open));
  return out;
}

// A word of a shell's command.
std::string Word(const std::string& text) {
  const bool plain =
      std::ranges::all_of(text, [](char c) { return IsAlpha(c) || IsDigit(c) || Octets("/._-+@=:,").contains(c); });
  if (plain && !text.empty()) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

void Unsent::Hold(const Outgoing& message) {
  if (std::exchange(held_, true)) return;
  if (const auto written = Write(message); !written) line_.Complain(written.error());
}

Expected<void> Unsent::Write(const Outgoing& message) {
  const std::string state = StateFolder();
  if (state.empty()) return Fail("there is no place to keep what was typed", {}, "set HOME");
  const std::string folder = state + "/unsent";
  if (const auto made = MakeFolder(folder); !made) return made;
  auto file = NewFile::Make(folder, NameOf(net::SystemClock().Now()));
  if (!file) return std::unexpected(file.error());
  auto written = file->Write(BlindField(message));
  OutgoingSource source(message);
  using Kind = smtp::MessageSource::Piece::Kind;
  auto piece = source.Read();
  for (; written && piece.kind == Kind::kOctets; piece = source.Read()) written = file->Write(piece.octets);
  if (written && piece.kind != Kind::kEnd) written = Fail(message.composed ? message.composed->error() : std::string());
  if (written) written = file->Keep();
  if (written) written = SyncFolder(folder);
  if (written) path_ = file->path();
  return written;
}

void Unsent::Told(const Outgoing& message, const std::vector<smtp::Outcome>& outcomes) {
  missed_.clear();
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i].kind != smtp::Outcome::Kind::kAccepted) missed_.push_back(message.recipients[i].address);
  if (missed_.empty() && !path_.empty()) ::unlink(std::exchange(path_, {}).c_str());
  if (missed_.size() == outcomes.size()) missed_.clear();
}

std::string Unsent::Command() const {
  std::string command = missed_.empty() ? "glasspost send -t --message " : "glasspost send --message ";
  command += Word(path_);
  for (const std::string& address : missed_) command += " --to " + Word(address);
  return command;
}

void Unsent::Tell() {
  if (path_.empty()) return;
  line_.Complain({std::string(line_.Say("what was typed is kept here", "所写内容保存在此")), path_,
                  fmt::format(fmt::runtime(line_.Say("{} sends it", "可用 {} 发送")), Command())});
  path_.clear();
}

}  // namespace glasspost::cli

#include "agent/mbox_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <utility>

#include "agent/mbox.h"

namespace glasspost::agent {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

}  // namespace

Expected<void> MboxWriter::Prepare() {
  const std::string folder = std::filesystem::absolute(path_).parent_path();
  if (const auto made = MakeFolder(folder); !made) return made;
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) return Fail("is a folder; an mbox is a file", path_, "say --format maildir");
  const bool fresh = !std::filesystem::exists(path_, error);
  MailFile file;
  if (!file.Open(path_, O_WRONLY | O_CREAT | O_APPEND)) return SystemError("cannot be opened", path_);
  return fresh ? SyncFolder(folder) : Expected<void>();
}

Expected<void> MboxWriter::Begin() {
  if (!file_.Open(path_, O_RDWR | O_APPEND)) return SystemError("cannot be opened", path_);
  if (!LockMbox(file_.fd())) {
    file_.Close();
    return LockedByAnother(path_);
  }
  begin_ = ::lseek(file_.fd(), 0, SEEK_END);
  const std::time_t seconds = clock_.Now() / kNanoseconds;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char date[64];
  std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &utc);
  const auto ended = EndOfBefore(date);
  if (!ended) return std::unexpected(ended.error());
  ends_ = {};
  held_ = 0;
  line_begins_ = ended_ = true;
  told_ = false;
  size_ = 0;
  digest_ = {};
  place_ = begin_ + static_cast<off_t>(ended->size());
  static_cast<void>(file_.Gather(*ended));
  return Put(fmt::format("{}{}{}\n", kPostmark, kPostmarkSender, date));
}

Expected<void> MboxWriter::Write(Octets octets) {
  text_.clear();
  ends_.Append(text_, octets);
  return Quote(text_);
}

Expected<void> MboxWriter::End() {
  text_.clear();
  ends_.Finish(text_);
  auto step = Quote(text_);
  quoted_.clear();
  Release();
  quoted_ += ended_ ? "\n" : "\n\n";
  if (step) step = Put(quoted_);
  return step;
}

Expected<std::vector<std::string>> MboxWriter::Commit() {
  if (!file_.open()) return std::vector<std::string>();
  auto step = TellPlace(true);
  if (step) step = file_.Sync();
  if (!step) {
    Abandon();
    return std::unexpected(step.error());
  }
  file_.Close();  // and gives the lock back
  return std::vector<std::string>{path_};
}

void MboxWriter::Abandon() {
  if (!file_.open()) return;
  if (std::exchange(told_, false)) static_cast<void>(log_->OnWithdrawn());  // if not: what is cut off is no such message
  // If that fails too, a reader sees a message that is cut; it is fetched again.
  if (begin_ >= 0 && ::ftruncate(file_.fd(), begin_) != 0) errno = 0;
  file_.Close();
}

// What must come first, so that what is there ends where a message does: what somebody left unfinished stays a message of its
// own, and a postmark of which a part is there becomes whole, or it would be a line of the message before it.
Expected<std::string> MboxWriter::EndOfBefore(const std::string& date) {
  std::string tail(static_cast<std::size_t>(std::min<off_t>(begin_, kTail)), '\0');
  const ssize_t got = ::pread(file_.fd(), tail.data(), tail.size(), begin_ - static_cast<off_t>(tail.size()));
  if (got < 0) return SystemError("cannot be read", path_);
  tail.resize(static_cast<std::size_t>(got));
  if (tail.empty() || tail.ends_with("\n\n") || tail.ends_with("\n\r\n")) return std::string();
  torn_ = true;
  if (tail.ends_with('\n')) return std::string("\n");
  const std::size_t line = tail.rfind('\n') + 1;  // 0: there is none
  const Octets before = Octets(tail).substr(0, line), last = Octets(tail).substr(line);
  const bool first = line == 0 && begin_ == static_cast<off_t>(tail.size());
  const bool may_begin = first || before.ends_with("\n\n") || before.ends_with("\n\r\n");
  if (!may_begin || !IsTornPostmark(last)) return std::string("\n\n");
  const std::string rest =
      last.size() < kPostmark.size() ? fmt::format("{}{}", kPostmark.substr(last.size()), kPostmarkSender) : " ";
  return rest + date + "\n\n";
}

// Octets of the message. Of a large one a part is in the file early: never one that ends as a message does.
Expected<void> MboxWriter::Put(Octets octets) {
  size_ += octets.size();
  if (log_ != nullptr) digest_.Update(octets);
  if (!file_.Gather(octets)) return {};
  auto step = told_ ? Expected<void>() : TellPlace(false);
  if (step) step = file_.FlushText();
  return step;
}

Expected<void> MboxWriter::TellPlace(bool whole) {
  if (log_ == nullptr) return {};
  if (path_word_.empty()) path_word_ = PathWord(path_);
  std::string place = fmt::format("mbox {} {}", path_word_, place_);
  if (whole) place += fmt::format(" {} {}", place_ + static_cast<off_t>(size_), Hex(digest_.Finish()));
  told_ = true;
  return log_->OnPlacing(0, place);
}

// A line of ">…>From " gets one more: it can be taken away again, and no line begins a message that is none.
Expected<void> MboxWriter::Quote(Octets text) {
  quoted_.clear();
  for (const char c : text) {
    ended_ = c == '\n';
    if (line_begins_ && held_ == 0 && c == '>') {
      quoted_ += c;
    } else if (line_begins_ && c == kPostmark[held_]) {
      if (++held_ < kPostmark.size()) continue;
      quoted_ += '>';
      Release();
      line_begins_ = false;
    } else {
      Release();
      quoted_ += c;
      line_begins_ = ended_;
    }
  }
  return Put(quoted_);
}

}  // namespace glasspost::agent

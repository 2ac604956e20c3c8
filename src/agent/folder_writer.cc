#include "agent/folder_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/ascii.h"
#include "base/sha256.h"
#include "net/host_name.h"

namespace glasspost::agent {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::string HostName() {
  std::string out;
  for (const char c : net::ThisHost()) {
    if (c == '/')
      out += "\\057";
    else if (c == ':')
      out += "\\072";
    else
      out += c;
  }
  return out;
}

// A link, not a rename: it never takes the place of another file. Where there are no links the name, which is drawn, must do.
bool Name(const std::string& from_path, const std::string& name) {
  const char* const from = from_path.c_str();
  if (::link(from, name.c_str()) == 0) return true;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return false;
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0 ||
         (errno == EINVAL && ::access(name.c_str(), F_OK) != 0 && ::rename(from, name.c_str()) == 0);
}

void Unlink(MailFile& file) {
  file.Close();
  ::unlink(file.path().c_str());
}

}  // namespace

FolderWriter::FolderWriter(MailFormat format, std::string path, const Clock& clock, Randomness& randomness)
    : maildir_(format == MailFormat::kMaildir),
      path_(std::move(path)),
      host_(HostName()),
      clock_(clock),
      randomness_(randomness) {}

FolderWriter::~FolderWriter() {
  Abandon();
  Drop();
}

Expected<void> FolderWriter::Prepare() {
  if (const auto made = MakeFolder(path_); !made) return made;
  if (!maildir_) return {};
  for (const char* part : {"/tmp", "/new", "/cur"}) {
    if (const auto made = MakeFolder(path_ + part); !made) return made;
  }
  return {};
}

Expected<void> FolderWriter::Begin() {
  const Timestamp now = clock_.Now();
  const std::string drawn = randomness_.Draw(6);
  name_ = fmt::format("{}.M{:06}P{}Q{}R{}.{}", now / kNanoseconds, now % kNanoseconds / 1000, ::getpid(), ++count_,
                      Hex(AsBytes(drawn)), host_);
  if (!maildir_) name_ += ".eml";
  size_ = 0;
  ends_ = {};
  if (!file_.Open(path_ + (maildir_ ? "/tmp/" : "/.") + name_, O_WRONLY | O_CREAT | O_EXCL))
    return SystemError("cannot be made", file_.path());
  return {};
}

Expected<void> FolderWriter::Write(Octets octets) {
  if (!maildir_) return Put(octets);
  text_.clear();
  ends_.Append(text_, octets);
  return Put(text_);
}

Expected<void> FolderWriter::End() {
  text_.clear();
  ends_.Finish(text_);
  auto step = Put(text_);
  if (step) step = file_.Flush();
  if (!step) return step;
  waiting_.push_back({std::move(file_), Folder() + "/" + (maildir_ ? fmt::format("{},S={}", name_, size_) : name_)});
  return {};
}

Expected<std::vector<std::string>> FolderWriter::Commit() {
  std::vector<std::string> names;
  if (waiting_.empty()) return names;
  auto step = Settle(names);
  Drop();
  if (step) step = SyncFolder(Folder());
  if (step) return names;
  if (log_ != nullptr && !log_->OnWithdrawn()) return std::unexpected(step.error());  // who reads it may count on them
  for (const std::string& name : names) ::unlink(name.c_str());                       // none of them counts: they come again
  return std::unexpected(step.error());
}

void FolderWriter::Abandon() {
  if (file_.open()) Unlink(file_);
}

Expected<void> FolderWriter::Put(Octets octets) {
  size_ += octets.size();
  return file_.Put(octets);
}

// All octets first, then the names: none is seen that is not whole.
Expected<void> FolderWriter::Settle(std::vector<std::string>& names) {
  if (waiting_.size() > 1 && SyncsWhole(waiting_.front().file.fd())) {
    // The file that has been open longest tells of every error since.
    const auto synced = SyncFileSystem(waiting_.front().file.fd(), waiting_.front().file.path());
    if (!synced) return synced;
  } else {
    for (const Waiting& one : waiting_)
      if (const auto synced = SyncFile(one.file.fd(), one.file.path()); !synced) return synced;
  }
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& one = waiting_[i];
    if (const auto told = TellPlace(i); !told) return told;
    if (!Name(one.file.path(), one.name)) return SystemError("cannot be named", one.name);
    names.push_back(one.name);
  }
  return {};
}

Expected<void> FolderWriter::TellPlace(std::size_t nth) {
  if (log_ == nullptr) return {};
  if (path_word_.empty()) path_word_ = PathWord(path_);
  const std::string& name = waiting_[nth].name;
  const Octets base = Octets(name).substr(name.rfind('/') + 1);
  return log_->OnPlacing(nth, fmt::format("{} {} {}", maildir_ ? "maildir" : "eml", path_word_, base));
}

void FolderWriter::Drop() {
  for (Waiting& one : waiting_) Unlink(one.file);
  waiting_.clear();
}

}  // namespace glasspost::agent

#include "analysis/message_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "analysis/note.h"

namespace glasspost::analysis {
namespace {

constexpr std::size_t kMaxErrors = 1000;                   // listed one by one
constexpr mode_t kDirectoryMode = 0700, kFileMode = 0600;  // mail is private

constexpr std::size_t kSuffix = 6;  // octets that mkostemp chose

// A message that is written under a name for the time being.
struct Done {
  Octets suffix;
  std::uint64_t order = 0;
  bool truncated = false;
};

Done TakeDone(Octets& note) {
  Done d;
  d.suffix = note.substr(0, kSuffix);
  note.remove_prefix(d.suffix.size());
  const std::uint64_t n = TakeNumber(note);
  d.order = n / 2;
  d.truncated = n % 2 != 0;
  return d;
}

}  // namespace

class MessageFiles::FileTeller final : public Teller {
 public:
  FileTeller(const MessageFiles& files, std::unique_ptr<Teller> inner)
      : files_(files), wants_(files.inner_.wants()), inner_(std::move(inner)) {}
  ~FileTeller() override {
    for (Open& o : open_)
      if (o.fd >= 0) close(o.fd), files_.Discard(o.suffix);
    Octets done = done_;
    while (!done.empty()) files_.Discard(TakeDone(done).suffix);
  }

  void OnPacket(const ConversationFacts& f, int side, const capture::Packet& p) override { inner_->OnPacket(f, side, p); }
  void OnExchange(const ConversationFacts& f, const Exchange& e) override { inner_->OnExchange(f, e); }
  void OnFinding(const ConversationFacts& f, const Finding& x) override { inner_->OnFinding(f, x); }
  void Finish(const ConversationFacts& f, TextStore& text) override { inner_->Finish(f, text); }
  std::size_t TextHeld() const override { return inner_->TextHeld() + done_.size(); }
  void SpillText() override { inner_->SpillText(); }

  void OnMessageOctets(Direction direction, Octets octets) override {
    if (wants_.message_octets) inner_->OnMessageOctets(direction, octets);
    Open& o = open_[Index(direction)];
    if (o.fd < 0 && !o.failed) Start(o);
    while (o.fd >= 0 && !octets.empty()) {
      const ssize_t n = write(o.fd, octets.data(), octets.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return GiveUp(o, "cannot be written");
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void OnMessage(const ConversationFacts& f, const MessageFacts& m) override {
    inner_->OnMessage(f, m);
    Open& o = open_[Index(m.direction)];
    if (o.fd < 0 && !o.failed) Start(o);  // an empty message is one, too
    if (o.fd >= 0) {
      close(o.fd);
      done_ += o.suffix;
      PutNumber(done_, m.order * 2 + (m.truncated ? 1 : 0));
    }
    o = {};
  }

  std::string Note() override {
    std::string note;
    PutText(note, inner_->Note());
    note += done_;
    done_.clear();
    return note;
  }

 private:
  struct Open {
    int fd = -1;
    bool failed = false;
    std::string suffix;
  };
  void Start(Open& o) {
    o.fd = files_.NewPart(o.suffix);
    if (o.fd < 0) GiveUp(o, "cannot be created");
  }
  void GiveUp(Open& o, const char* what) {
    files_.Fail(
        {fmt::format("a message {}: {}", what, std::strerror(errno)), files_.directory_, "free space, or choose another folder"});
    if (o.fd >= 0) close(o.fd), files_.Discard(o.suffix);
    o.fd = -1;
    o.failed = true;
  }

  const MessageFiles& files_;
  const Report::Wants wants_;
  std::unique_ptr<Teller> inner_;
  Open open_[2];
  std::string done_;  // one Done after the other
};

Expected<void> MessageFiles::Prepare() const {
  const auto unusable = [this](int error) {
    return glasspost::Fail(fmt::format("no message is written: {}", std::strerror(error)), directory_,
                           "choose another folder with --messages");
  };
  if (mkdir(directory_.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return unusable(errno);
  struct stat status {};
  if (stat(directory_.c_str(), &status) != 0) return unusable(errno);
  if (!S_ISDIR(status.st_mode)) return unusable(ENOTDIR);
  if (access(directory_.c_str(), W_OK | X_OK) != 0) return unusable(errno);
  return {};
}

Report::Wants MessageFiles::wants() const {
  Wants w = inner_.wants();
  w.message_octets = true;
  return w;
}

std::unique_ptr<Teller> MessageFiles::NewTeller() const { return std::make_unique<FileTeller>(*this, inner_.NewTeller()); }

std::string MessageFiles::PartPath(Octets suffix) const { return directory_ + "/.part-" + std::string(suffix); }

int MessageFiles::NewPart(std::string& suffix) const {
  std::string path = PartPath("XXXXXX");
  const std::lock_guard lock(parts_mutex_);
  if (abandoned_) return errno = EINTR, -1;
  const int fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return fd;
  fchmod(fd, kFileMode);
  suffix = path.substr(path.size() - kSuffix);
  parts_.insert(suffix);
  return fd;
}

void MessageFiles::Discard(Octets suffix) const {
  const std::lock_guard lock(parts_mutex_);
  if (parts_.erase(std::string(suffix)) > 0) unlink(PartPath(suffix).c_str());
}

void MessageFiles::Abandon() const {
  const std::lock_guard lock(parts_mutex_);
  abandoned_ = true;
  for (const std::string& suffix : parts_) unlink(PartPath(suffix).c_str());
  parts_.clear();
}

// Now that the conversation has its number its messages get their names.
void MessageFiles::Write(std::uint64_t number, Octets note, TextStore& text) {
  inner_.Write(number, TakeText(note), text);
  while (!note.empty()) {
    const Done d = TakeDone(note);
    const std::string path = PartPath(d.suffix);
    const std::string name = fmt::format("{}/{:04}-{}{}.eml", directory_, number, d.order, d.truncated ? "-incomplete" : "");
    // link() fails where the name is taken; rename() would overwrite.
    if (link(path.c_str(), name.c_str()) == 0) {
      ++written_;
    } else {
      Fail({errno == EEXIST ? "not written: a file of this name is there already" : std::strerror(errno), name,
            "choose another folder"});
    }
    Discard(d.suffix);
  }
}

void MessageFiles::Fail(Error error) const {
  const std::lock_guard lock(mutex_);
  const bool again = !errors_.empty() && errors_.back().Text() == error.Text();  // a full disk is told once
  if (errors_.size() < kMaxErrors && !again)
    errors_.push_back(std::move(error));
  else
    ++unlisted_;
}

std::vector<Error> MessageFiles::errors() const {
  const std::lock_guard lock(mutex_);
  std::vector<Error> all = errors_;
  if (unlisted_ > 0) all.push_back({fmt::format("{} more messages are not written", unlisted_), directory_, {}});
  return all;
}

}  // namespace glasspost::analysis

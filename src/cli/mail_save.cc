#include "cli/mail_save.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "analysis/dialogue_message.h"
#include "base/disk.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "cli/mail_view.h"

namespace glasspost::cli {
namespace {

namespace json = server::json;

constexpr mode_t kFileMode = 0600;       // mail is private
constexpr unsigned kMostNames = 10'000;  // "a-2.txt", "a-3.txt" … that are tried

int Create(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode);
}

// "notes-2.txt"; a name that begins with its only dot has no extension.
std::string Numbered(const std::string& name, unsigned n) {
  const std::size_t dot = name.rfind('.');
  const bool extension = dot != std::string::npos && dot > 0 && name.size() - dot <= 16;
  const std::size_t stem = extension ? dot : name.size();
  return fmt::format("{}-{}{}", name.substr(0, stem), n, name.substr(stem));
}

}  // namespace

Expected<NewFile> NewFile::Make(const std::string& folder, const std::string& name) {
  for (unsigned n = 1; n < kMostNames; ++n) {
    const std::string path = folder + "/" + (n == 1 ? name : Numbered(name, n));
    const int fd = Create(path);
    if (fd >= 0) return NewFile(path, fd);
    if (errno != EEXIST && errno != ELOOP) return SystemError("cannot be made", path);
  }
  return Fail("all names like it are taken", folder + "/" + name, "choose another folder with --to");
}

Expected<NewFile> NewFile::MakeAt(const std::string& path) {
  const int fd = Create(path);
  if (fd >= 0) return NewFile(path, fd);
  if (errno == EEXIST || errno == ELOOP) return Fail("is there already, and nothing is overwritten", path);
  return SystemError("cannot be made", path);
}

NewFile::NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

Expected<void> NewFile::Write(Octets octets) { return WriteAll(fd_, octets, path_); }

Expected<void> NewFile::Keep() {
  if (const auto synced = SyncFile(fd_, path_); !synced) return synced;
  ::close(std::exchange(fd_, -1));
  return {};
}

Expected<std::string> SavePart(const LoadedMessage& message, const mime::Part& part, const std::string& folder) {
  auto file = NewFile::Make(folder, mime::SafeFilename(part));
  if (!file) return std::unexpected(file.error());
  Expected<void> written;
  mime::ReadPart(message.octets, part, [&](Octets piece) {
    written = file->Write(piece);
    return written.has_value();
  });
  if (written) written = file->Keep();
  if (!written) return std::unexpected(written.error());
  return file->path();
}

namespace {

int SaveSource(const MailCall& call, std::size_t place, const std::string& folder) {
  const std::uint64_t number = call.place.source().Entry(place).number;
  const auto named = [&] {  // an absolute path stays what it is
    return call.options.to.empty() ? call.words[1] : (std::filesystem::path(folder) / call.words[1]).string();
  };
  auto file = call.words.size() > 1 ? NewFile::MakeAt(named()) : NewFile::Make(folder, fmt::format("message-{}.eml", number));
  if (!file) return call.line.Complain(file.error()), EX_CANTCREAT;
  std::uint64_t size = 0;
  Expected<void> written;
  const auto read = call.place.source().Read(place, [&](Octets piece) {
    size += piece.size();
    written = file->Write(piece);
    return written;
  });
  if (written && !read) return call.place.Failed(read.error());
  if (written) written = file->Keep();
  if (!written) return call.line.Complain(written.error()), EX_CANTCREAT;
  if (call.line.json())
    fmt::print("{}\n", std::string_view(json::serialize(json::object{{"file", server::JsonText(file->path())}, {"size", size}})));
  else
    fmt::print("{}\n", ForTerminal(file->path()));
  return EX_OK;
}

void Tell(const MailCall& call, const mime::Part& part, const std::string& path) {
  if (!call.line.json()) {
    fmt::print("{}  {}\n", ForTerminal(path), call.line.style().Dim(ForTerminal(analysis::PartLine(part, call.line.language()))));
    return;
  }
  const json::object object{
      {"part", part.number}, {"file", server::JsonText(path)}, {"size", part.size}, {"sha256", Hex(part.sha256)}};
  fmt::print("{}\n", std::string_view(json::serialize(object)));
}

}  // namespace

int SaveMail(const MailCall& call) {
  const auto place = FindMessage(call, call.words.front());
  if (!place) return EX_NOINPUT;
  if (call.options.to.size() > 1) return call.line.Misused("save: one folder with --to"), EX_USAGE;
  const std::string folder = call.options.to.empty() ? "." : call.options.to.front();
  if (const auto made = MakeFolder(folder); !made) return call.line.Complain(made.error()), EX_CANTCREAT;
  if (call.options.source) return SaveSource(call, *place, folder);
  const auto message = LoadMessage(call.place.source(), *place);
  if (!message) return call.place.Failed(message.error());
  if (message->structure.parts.empty())
    return call.line.Complain({std::string(call.line.Say("the message is too large or too deeply nested to be taken apart",
                                                         "邮件过大或嵌套过深，无法拆分")),
                               call.words.front(), "glasspost mail save N --source FILE"}),
           EX_DATAERR;
  const std::string wanted = call.words.size() > 1 ? call.words[1] : "all";
  std::vector<const mime::Part*> parts;
  if (wanted == "all") parts = Attachments(message->structure);
  for (const mime::Part& part : message->structure.parts)
    if (part.number == wanted && !part.multipart && parts.empty()) parts.push_back(&part);
  if (parts.empty())
    return call.line.Complain({std::string(wanted == "all" ? call.line.Say("has no attachments", "没有附件")
                                                           : call.line.Say("there is no such part", "没有这个部分")),
                               wanted == "all" ? call.words.front() : wanted,
                               {}}),
           EX_NOINPUT;
  for (const mime::Part* const part : parts) {
    const auto path = SavePart(*message, *part, folder);
    if (!path) return call.line.Complain(path.error()), EX_CANTCREAT;
    Tell(call, *part, *path);
  }
  return EX_OK;
}

}  // namespace glasspost::cli

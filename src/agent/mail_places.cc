#include "agent/mail_places.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "agent/mail_file.h"
#include "agent/mbox_writer.h"
#include "base/ascii.h"
#include "base/disk.h"
#include "base/sha256.h"

namespace glasspost::agent {
namespace {

struct Place {
  enum class Kind : std::uint8_t { kNone, kMaildir, kEml, kMbox } kind = Kind::kNone;
  std::string path;
  std::string name;
  off_t begin = 0;
  off_t end = 0;  // 0: it is not whole
  std::string digest;
};

std::optional<std::string> ParsePathWord(Octets word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    const Octets digits = word.substr(i + 1, 2);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2 || value == 0) return {};
    out += static_cast<char>(value);
    i += 2;
  }
  return out.starts_with('/') ? std::optional(out) : std::nullopt;
}

std::optional<off_t> ParseOffset(Octets word) {
  const auto number = ParseNumber(word);
  if (!number || *number > (std::uint64_t{1} << 60)) return {};
  return static_cast<off_t>(*number);
}

Place ParsePlace(Octets text) {
  std::vector<Octets> words;
  for (std::size_t end = 0; end != Octets::npos && words.size() < 6; text.remove_prefix(end == Octets::npos ? 0 : end + 1)) {
    end = text.find(' ');
    words.push_back(text.substr(0, end));
  }
  const auto path = words.size() < 3 ? std::nullopt : ParsePathWord(words[1]);
  if (!path) return {};
  Place place;
  place.path = *path;
  if (words[0] == "mbox" && (words.size() == 3 || words.size() == 5)) {
    const auto begin = ParseOffset(words[2]);
    const auto end = words.size() == 5 ? ParseOffset(words[3]) : std::optional(off_t{0});
    if (!begin || !end || (words.size() == 5 && *end <= *begin)) return {};
    place.kind = Place::Kind::kMbox;
    place.begin = *begin;
    place.end = *end;
    if (words.size() == 5) place.digest = words[4];
    return place;
  }
  if (words.size() != 3 || words[2].empty() || words[2].contains('/')) return {};
  place.name = words[2];
  if (words[0] == "maildir") place.kind = Place::Kind::kMaildir;
  if (words[0] == "eml") place.kind = Place::Kind::kEml;
  return place;
}

bool IsNamed(const Place& place) {
  struct stat status {};
  const std::string folder = place.kind == Place::Kind::kMaildir ? place.path + "/new" : place.path;
  if (::lstat((folder + "/" + place.name).c_str(), &status) == 0) return true;
  if (place.kind != Place::Kind::kMaildir) return false;
  std::error_code error;  // ends the loop too
  for (std::filesystem::directory_iterator at(place.path + "/cur", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name == place.name || name.starts_with(place.name + ":")) return true;
  }
  return false;
}

// Up to `most` octets there; fewer at the end of the file.
Expected<std::string> ReadAt(const MailFile& file, off_t at, std::size_t most) {
  std::string octets(most, '\0');
  std::size_t got = 0;
  while (got < most) {
    const ssize_t n = ::pread(file.fd(), octets.data() + got, most - got, at + static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot be read", file.path());
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  octets.resize(got);
  return octets;
}

Expected<bool> HasDigest(const MailFile& file, const Place& place) {
  Sha256 digest;
  for (off_t at = place.begin; at < place.end;) {
    const auto most = std::min<off_t>(place.end - at, MailWriterLimits::kBuffer);
    const auto octets = ReadAt(file, at, static_cast<std::size_t>(most));
    if (!octets) return std::unexpected(octets.error());
    if (octets->empty()) return false;
    digest.Update(*octets);
    at += static_cast<off_t>(octets->size());
  }
  return Hex(digest.Finish()) == place.digest;
}

// From `begin` on there is a part of one message of ours, and nothing else: what other programs append begins with a postmark, or
// ends as a message does.
Expected<bool> IsTornMessage(const MailFile& file, off_t begin, off_t size) {
  const std::string head = fmt::format("{}{}", kPostmark, kPostmarkSender);
  std::string before;  // the end of the piece before
  for (off_t at = begin; at < size;) {
    const auto octets = ReadAt(file, at, MailWriterLimits::kBuffer);
    if (!octets) return std::unexpected(octets.error());
    if (octets->empty()) return false;
    if (at == begin && Octets(head).substr(0, octets->size()) != Octets(*octets).substr(0, head.size())) return false;
    const std::string both = before + *octets;
    if (both.contains(fmt::format("\n{}", kPostmark))) return false;
    before = both.substr(both.size() - std::min(both.size(), kPostmark.size()));
    at += static_cast<off_t>(octets->size());
  }
  return !before.ends_with("\n\n");
}

// Is it there in full? If not, what is there of it is cut off, if it is the last.
Expected<bool> SettleInMbox(const Place& place, bool last) {
  if (place.end == 0 && !last) return false;
  std::error_code error;
  if (!std::filesystem::is_regular_file(place.path, error)) return false;
  MailFile file;
  if (!file.Open(place.path, O_RDWR)) return SystemError("cannot be opened", place.path);
  if (!LockMbox(file.fd())) return LockedByAnother(place.path);
  const off_t size = ::lseek(file.fd(), 0, SEEK_END);
  if (place.end != 0 && size >= place.end) {
    const auto whole = HasDigest(file, place);
    if (!whole) return whole;
    if (!*whole) return false;  // somebody changed it, or it was torn and others came
    const auto synced = SyncFile(file.fd(), place.path);
    return synced ? Expected<bool>(true) : std::unexpected(synced.error());
  }
  const auto torn = !last || size <= place.begin ? Expected<bool>(false) : IsTornMessage(file, place.begin, size);
  if (!torn) return torn;
  if (*torn && ::ftruncate(file.fd(), place.begin) != 0) return SystemError("cannot be cut", place.path);
  return false;
}

}  // namespace

Expected<std::size_t> PlacesKept(const std::vector<std::string>& places) {
  std::vector<Place> parsed;
  for (const std::string& place : places) parsed.push_back(ParsePlace(place));
  std::size_t kept = parsed.size();
  for (; kept > 0; --kept) {
    const Place& place = parsed[kept - 1];
    if (place.kind == Place::Kind::kNone) continue;
    if (place.kind != Place::Kind::kMbox) {
      if (IsNamed(place)) break;
      continue;
    }
    const auto there = SettleInMbox(place, kept == parsed.size());
    if (!there) return std::unexpected(there.error());
    if (*there) break;
  }
  std::set<std::string> folders;  // the octets are on the disk before there is a name
  for (std::size_t i = 0; i < kept; ++i) {
    if (parsed[i].kind == Place::Kind::kEml) folders.insert(parsed[i].path);
    if (parsed[i].kind != Place::Kind::kMaildir) continue;
    folders.insert(parsed[i].path + "/new");
    folders.insert(parsed[i].path + "/cur");
  }
  for (const std::string& folder : folders)
    if (const auto synced = SyncFolder(folder); !synced) return std::unexpected(synced.error());
  return kept;
}

}  // namespace glasspost::agent

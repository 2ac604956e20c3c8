#include "agent/draft.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "wire/mime/compose.h"
#include "wire/mime/quoted_printable.h"

namespace glasspost::agent {
namespace {

constexpr std::size_t kLineOctets = 57;  // of a file, in a line of 76 base64 digits
constexpr std::size_t kPlainLine = 78;   // of text that is sent as it is (RFC 5322 §2.1.1)
constexpr std::size_t kPiece = DraftLimits::kPiece / kLineOctets * kLineOctets;

struct KnownType {
  std::string_view extension, type;
};
constexpr KnownType kTypes[] = {
    {"txt", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"ics", "text/calendar"},
    {"pdf", "application/pdf"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"pcap", "application/vnd.tcpdump.pcap"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"mp3", "audio/mpeg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"eml", "application/octet-stream"},  // message/rfc822 may not be in base64 (RFC 2046 §5.2.1)
};

std::uint64_t EncodedSize(std::uint64_t octets) {
  const std::uint64_t lines = (octets + kLineOctets - 1) / kLineOctets;
  return (octets + 2) / 3 * 4 + lines * 2;
}

bool IsPlain(Octets text) {
  std::size_t line = 0;
  for (const char c : text) {
    line = c == '\n' ? 0 : line + 1;
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet > 0x7e || (octet < ' ' && c != '\t' && c != '\r' && c != '\n') || line > kPlainLine + 1) return false;
  }
  return true;
}

void AppendBase64Lines(std::string& out, Octets octets) {
  for (; !octets.empty(); octets.remove_prefix(std::min(kLineOctets, octets.size()))) {
    out += EncodeBase64(octets.substr(0, kLineOctets));
    out += "\r\n";
  }
}

// What is mostly beyond ASCII is shorter in base64 (RFC 2045 §6.7).
bool PrefersBase64(Octets text) {
  const auto beyond = std::ranges::count_if(text, [](char c) { return static_cast<std::uint8_t>(c) > 0x7e; });
  return static_cast<std::size_t>(beyond) > text.size() / 6;
}

bool InUtf8(std::span<const mime::Mailbox> mailboxes) {
  return std::ranges::any_of(mailboxes, [](const mime::Mailbox& m) {
    return std::ranges::any_of(m.address, [](char c) { return static_cast<std::uint8_t>(c) > 0x7f; });
  });
}

Error FileError(const std::string& path) { return {std::string("cannot be read: ") + std::strerror(errno), path, {}}; }

}  // namespace

std::string_view TypeOfFile(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const KnownType& known : kTypes)
      if (EqualsNoCase(name.substr(dot + 1), known.extension)) return known.type;
  }
  return "application/octet-stream";
}

bool IsMessageId(Octets text) {
  constexpr std::size_t kLongest = 900;  // it stands on one line
  if (text.size() < 5 || text.size() > kLongest || text.front() != '<' || text.back() != '>') return false;
  const Octets within = text.substr(1, text.size() - 2);
  const std::size_t at = within.find('@');
  return at != 0 && at != Octets::npos && at + 1 < within.size() &&
         std::ranges::all_of(within, [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
}

std::string WithCrlf(Octets text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      if (text.substr(i).starts_with("\r\n")) ++i;
      out += "\r\n";
    } else {
      out += text[i];
    }
  }
  return out;
}

void ComposedMessage::AddText(Octets type, const std::string& text) {
  std::string body = WithCrlf(text);
  if (!body.empty() && !body.ends_with("\r\n")) body += "\r\n";
  std::string& out = segments_.back().text;
  const bool plain = IsPlain(body);
  const bool ascii = std::ranges::all_of(body, [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
  const mime::FieldParameter charset[] = {{"charset", ascii ? "us-ascii" : "utf-8"}};
  mime::AppendParameterField(out, "Content-Type", type, charset);
  const bool base64 = !plain && PrefersBase64(body);
  out += plain    ? "Content-Transfer-Encoding: 7bit\r\n\r\n"
         : base64 ? "Content-Transfer-Encoding: base64\r\n\r\n"
                  : "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
  if (base64)
    AppendBase64Lines(out, body);
  else
    out += plain ? body : mime::QuotedPrintable(body);
}

Expected<void> ComposedMessage::AddFile(const Attachment& attachment) {
  struct stat status {};
  if (::stat(attachment.path.c_str(), &status) != 0) return std::unexpected(FileError(attachment.path));
  if (!S_ISREG(status.st_mode)) return Fail("is no file that could be attached", attachment.path);
  const std::string name = attachment.name.empty() ? std::filesystem::path(attachment.path).filename().string() : attachment.name;
  const std::string type = attachment.type.empty() ? std::string(TypeOfFile(name)) : attachment.type;
  std::string& head = segments_.back().text;
  const mime::FieldParameter named[] = {{"name", name}}, filename[] = {{"filename", name}};
  mime::AppendParameterField(head, "Content-Type", type, named);
  mime::AppendParameterField(head, "Content-Disposition", "attachment", filename);
  head += "Content-Transfer-Encoding: base64\r\n\r\n";
  segments_.push_back({{}, attachment.path, static_cast<std::uint64_t>(status.st_size)});
  segments_.emplace_back();
  return {};
}

Expected<std::unique_ptr<ComposedMessage>> ComposedMessage::Make(const Draft& draft, Randomness& randomness) {
  if (!draft.message_id.empty() && !IsMessageId(draft.message_id))
    return Fail("is no message id", "Message-ID", "write it like <local@domain>");
  if (draft.text.size() > DraftLimits::kText || draft.html.size() > DraftLimits::kText)
    return Fail("is too long; attach it as a file", "the text");
  if (draft.attachments.size() > DraftLimits::kAttachments)
    return Fail("are too many; put them into an archive", "the attachments");
  std::unique_ptr<ComposedMessage> message(new ComposedMessage);
  message->message_id_ = draft.message_id;
  if (message->message_id_.empty()) {
    const std::string drawn = randomness.Draw(16);
    const std::size_t at = draft.from.address.rfind('@');
    message->message_id_ =
        '<' + Hex(AsBytes(drawn)) + '@' + (at == std::string::npos ? "localhost" : draft.from.address.substr(at + 1)) + '>';
  }
  message->utf8_ = InUtf8({&draft.from, 1}) || InUtf8(draft.to) || InUtf8(draft.cc) || InUtf8(draft.reply_to);
  message->segments_.emplace_back();
  std::string head;
  mime::AppendAddressField(head, "From", {&draft.from, 1});
  mime::AppendAddressField(head, "To", draft.to);
  mime::AppendAddressField(head, "Cc", draft.cc);
  mime::AppendAddressField(head, "Reply-To", draft.reply_to);
  mime::AppendTextField(head, "Subject", draft.subject);
  head += "Date: ";
  AppendRfc5322(head, draft.date);
  head += "\r\nMessage-ID: " + message->message_id_ + "\r\n";
  if (!draft.in_reply_to.empty()) mime::AppendTextField(head, "In-Reply-To", draft.in_reply_to);
  if (!draft.references.empty()) mime::AppendTextField(head, "References", draft.references);
  head += "MIME-Version: 1.0\r\n";
  message->segments_.back().text = std::move(head);

  const bool both = !draft.text.empty() && !draft.html.empty();
  const std::string drawn = randomness.Draw(12);
  const std::string boundary = "=_" + Hex(AsBytes(drawn));  // "=_" is in no base64 and no quoted-printable (RFC 2045 §6.7)
  const auto begin_multipart = [&](Octets type, const std::string& mark) {
    const mime::FieldParameter parameter[] = {{"boundary", mark}};
    mime::AppendParameterField(message->segments_.back().text, "Content-Type", type, parameter);
    message->segments_.back().text += "\r\n";
  };
  const auto divide = [&](const std::string& mark, bool last) {
    message->segments_.back().text += "--" + mark + (last ? "--\r\n" : "\r\n");
  };
  if (!draft.attachments.empty()) {
    begin_multipart("multipart/mixed", boundary);
    divide(boundary, false);
  }
  if (both) {
    const std::string inner = boundary + "a";
    begin_multipart("multipart/alternative", inner);
    divide(inner, false);
    message->AddText("text/plain", draft.text);
    divide(inner, false);
    message->AddText("text/html", draft.html);
    divide(inner, true);
  } else {
    message->AddText(draft.html.empty() ? "text/plain" : "text/html", draft.html.empty() ? draft.text : draft.html);
  }
  for (const Attachment& attachment : draft.attachments) {
    divide(boundary, false);
    if (const auto added = message->AddFile(attachment); !added) return std::unexpected(added.error());
  }
  if (!draft.attachments.empty()) divide(boundary, true);
  for (const Segment& segment : message->segments_)
    message->size_ += segment.path.empty() ? segment.text.size() : EncodedSize(segment.size);
  return message;
}

ComposedMessage::~ComposedMessage() {
  if (file_ >= 0) ::close(file_);
}

void ComposedMessage::Rewind() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  at_ = 0;
  read_ = 0;
  error_.clear();
}

smtp::MessageSource::Piece ComposedMessage::Read() {
  while (at_ < segments_.size()) {
    const Segment& segment = segments_[at_];
    if (!segment.path.empty()) {
      const Piece piece = ReadFile(segment);
      if (piece.kind != Piece::Kind::kEnd) return piece;
    }
    ++at_;
    if (segment.path.empty() && !segment.text.empty()) return {Piece::Kind::kOctets, segment.text};
  }
  return {};
}

// kEnd: the file's end.
smtp::MessageSource::Piece ComposedMessage::ReadFile(const Segment& segment) {
  const auto fail = [&](std::string why) -> Piece {
    error_ = segment.path + ": " + std::move(why);
    return {Piece::Kind::kFailed, {}};
  };
  if (file_ < 0) {
    file_ = ::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) return fail(FileError({}).what);
    read_ = 0;
  }
  raw_.resize(kPiece);
  std::size_t got = 0;
  while (got < kPiece) {  // whole lines, whatever pieces the file comes in
    const ssize_t n = ::read(file_, raw_.data() + got, kPiece - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(FileError({}).what);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  read_ += got;
  if (read_ > segment.size || (got < kPiece && read_ < segment.size)) return fail("has changed while it was being sent");
  if (got == 0) {
    ::close(std::exchange(file_, -1));
    return {};
  }
  encoded_.clear();
  AppendBase64Lines(encoded_, Octets(raw_).substr(0, got));
  return {Piece::Kind::kOctets, encoded_};
}

}  // namespace glasspost::agent

// A message as a person writes it, made into MIME (RFC 5322, RFC 2045, RFC 2046) that any server takes: ASCII, lines of at most
// 78 octets (RFC 5322 §2.1.1), unless an address itself is in UTF-8. Attachments are read while they are sent, so that their size
// does not matter.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/randomness.h"
#include "wire/mime/header.h"
#include "wire/smtp/client_session.h"

namespace glasspost::agent {

struct DraftLimits {
  static constexpr std::size_t kText = std::size_t{16} << 20;   // octets of body or HTML: they are held whole
  static constexpr std::size_t kPiece = std::size_t{54} << 10;  // octets of an attachment read at a time; lines of 57 fit into it
  static constexpr std::size_t kAttachments = 1000;
};

struct Attachment {
  std::string path;
  std::string name;  // empty: the file's
  std::string type;  // empty: by the name's extension, else application/octet-stream
};

struct Draft {
  mime::Mailbox from;
  std::vector<mime::Mailbox> to, cc, reply_to;  // who gets a blind copy is not written
  std::string subject;                          // UTF-8, as all text
  std::string text;                             // of the body; any line ends
  std::string html;                             // likewise; with text: multipart/alternative
  std::vector<Attachment> attachments;
  std::string in_reply_to;  // "<id>"
  std::string references;   // "<id> <id>"
  Timestamp date = 0;
  std::string message_id;  // "<…>"; empty: one is made
};

// The message, to be read once or, after Rewind, again. One thread.
class ComposedMessage final : public smtp::MessageSource {
 public:
  // Looks at the attachments' sizes. The error names the file that cannot be read.
  static Expected<std::unique_ptr<ComposedMessage>> Make(const Draft& draft, Randomness& randomness);
  ~ComposedMessage() override;

  // kFailed: an attachment is not what it was when it was looked at; error() says which.
  Piece Read() override;
  void Rewind();
  std::uint64_t size() const { return size_; }  // of the whole message
  bool utf8() const { return utf8_; }           // an address in its header is in UTF-8: it needs SMTPUTF8
  const std::string& message_id() const { return message_id_; }
  const std::string& error() const { return error_; }

 private:
  struct Segment {
    std::string text;        // as it is, or
    std::string path;        // a file's octets in base64
    std::uint64_t size = 0;  // of the file
  };
  ComposedMessage() = default;
  void AddText(Octets type, const std::string& text);
  Expected<void> AddFile(const Attachment& attachment);
  Piece ReadFile(const Segment& segment);

  std::vector<Segment> segments_;
  std::size_t at_ = 0;
  int file_ = -1;
  std::uint64_t read_ = 0;  // of the open file
  std::string raw_;
  std::string encoded_;
  std::uint64_t size_ = 0;
  bool utf8_ = false;
  std::string message_id_;
  std::string error_;
};

// "<local@domain>", printable ASCII without blanks and brackets within (RFC 5322 §3.6.4, leniently).
bool IsMessageId(Octets text);

// By the name's extension, for what people send; application/octet-stream for the rest.
std::string_view TypeOfFile(std::string_view name);

// Text with CRLF for each line end it has, whatever kind.
std::string WithCrlf(Octets text);

}  // namespace glasspost::agent

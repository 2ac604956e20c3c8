// What a list of mail tells of a message, from its beginning: who, what, when, and whether something is attached.
#pragma once

#include <string>

#include "agent/mail_source.h"
#include "wire/mime/header.h"
#include "wire/mime/message_scan.h"

namespace glasspost::agent {

// UTF-8, not escaped.
struct MailSummary {
  std::string from;       // the name of the first author, else the address
  std::string addresses;  // From, To and Cc whole: what is searched
  std::string subject;
  std::string message_id;    // "<…>"
  Timestamp date = kNoTime;  // that the sender says, else of the delivery
  bool attachment = false;   // a part has a name or says that it is one; where only the header is known, it is multipart/mixed
  bool flags_known = false;  // somebody keeps them
  bool seen = false, answered = false, flagged = false;
};

// Keeps its memory from message to message.
class MailSummarizer {
 public:
  MailSummary Summarize(const MailEntry& entry, const MailHead& head);

 private:
  mime::MessageScan scan_;
  mime::HeaderDecoder decoder_;
};

// `text` is in one of them, ASCII letters in either case.
bool Matches(const MailSummary& summary, Octets text);

}  // namespace glasspost::agent

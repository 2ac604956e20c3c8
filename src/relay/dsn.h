// Reports to the sender of a message: it could not be delivered, it is late, or (where that was asked for) it has arrived. A
// multipart/report (RFC 6522) of plain words, a message/delivery-status (RFC 3464) and the message's header or the whole of it
// (RFC 3462's parts); for addresses beyond ASCII the forms of RFC 6533. Pure: text in, text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::relay {

enum class NoticeKind : std::uint8_t { kFailed, kDelayed, kSuccess };

// RFC 3464 §2.3.3.
enum class Action : std::uint8_t { kFailed, kDelayed, kDelivered, kRelayed };
std::string_view Name(Action action);

struct NoticeRecipient {
  std::string address;  // forward-path
  std::string orcpt;    // RFC 3461 §4.2, "rfc822;xtext"; may be empty
  Action action = Action::kFailed;
  std::string status;      // "5.1.1"
  std::string diagnostic;  // "550 5.1.1 no such user", lines joined by '\n'
  bool smtp = false;       // these are the server's own words; else ours
  std::string remote;      // the host that said it; empty: none was reached
  Timestamp last_attempt = 0;
  Timestamp will_retry_until = 0;  // kDelayed
};

struct NoticeFacts {
  NoticeKind kind = NoticeKind::kFailed;
  std::string host;       // who reports
  std::string queue_id;   // of the message that it is about
  std::string notice_id;  // of the report
  std::string to;         // the sender, without brackets
  std::string envid;      // RFC 3461 §4.4, decoded; may be empty
  Timestamp arrived = 0;
  Timestamp now = 0;
  bool whole = false;  // the whole message follows, else its header
  bool message_eight_bit = false;
  bool message_smtputf8 = false;
  std::vector<NoticeRecipient> recipients;
};

struct Notice {
  std::string head;        // all before the message's own octets
  std::string tail;        // all behind them; a line end stands before it
  std::string message_id;  // with its brackets
  bool eight_bit = false;  // the report needs 8BITMIME
  bool smtputf8 = false;   // its header holds UTF-8
};

// `header`: the message's header block without the empty line; used unless `whole`, when the caller puts the message between head
// and tail.
Notice ComposeNotice(const NoticeFacts& facts, Octets header);

}  // namespace glasspost::relay

// A whole session, stage after stage, as swaks leads it: where to stop, and what status tells where it failed. swaks' statuses
// where it has one for the same thing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/talk/dialogue.h"

namespace glasspost::agent::talk {

enum class Stage : std::uint8_t {
  kConnect,
  kBanner,
  kHello,
  kTls,
  kAuth,
  kMail,
  kRcpt,
  kData,
  kMessage,
  kSelect,
  kList,
  kRetrieve,
  kQuit
};
// "helo"; also swaks' other words: from, to, dot, first-helo; POP3's and IMAP's: capa, stat, list, retr, select, fetch.
std::optional<Stage> ParseStage(std::string_view word);
std::string_view Name(Stage stage);

inline constexpr int kStatusUsage = 1, kStatusConnect = 2, kStatusOutput = 3, kStatusClosed = 6, kStatusBanner = 21,
                     kStatusHello = 22, kStatusMail = 23, kStatusRcpt = 24, kStatusData = 25, kStatusMessage = 26,
                     kStatusQuit = 27, kStatusAuth = 28, kStatusTls = 29, kStatusHelloAgain = 32;
// Of our own: the maildrop (STAT, SELECT), a list, a message fetched; a script's expectation.
inline constexpr int kStatusSelect = 41, kStatusList = 42, kStatusRetrieve = 43, kStatusExpected = 50;

struct PlanOptions {
  bool start_tls = false;  // STARTTLS, STLS
  std::string host;        // EHLO
  std::string from;
  std::vector<std::string> to;
  std::string user;       // empty: no login
  std::string mechanism;  // empty: the best that is offered, POP3 and IMAP: USER and PASS, LOGIN
  bool message = true;    // there is one to be sent
  bool pipeline = false;  // MAIL, RCPT and DATA at once
  std::optional<Stage> quit_after;
  std::optional<Stage> drop_after;
};

// 0, or the status of the stage that failed. The connection stands (implicit TLS included); it is ended here.
int RunPlan(Dialogue& dialogue, const PlanOptions& options);

}  // namespace glasspost::agent::talk

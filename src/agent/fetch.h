// Fetching a maildrop (RFC 1939) into a MailWriter: what is new by its unique-id, or all; deleting only what is on the disk.
//
// A message is kept (MailWriter::Commit), then remembered (FetchedIds::Add), then it may be deleted. Whatever breaks in between,
// it is still on the server or it is on the disk, and what was remembered is not fetched again; nor what came to its place before
// the process was killed, for that is announced first (PlaceLog, FetchedIds::Announce). Deletions are done by the server
// at QUIT only: those that a broken connection took back are ordered again the next time, from what is remembered.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/drive.h"
#include "agent/fetched_ids.h"
#include "agent/mail_writer.h"
#include "base/clock.h"
#include "base/randomness.h"

namespace glasspost::agent {

struct FetchLimits {
  // By how much a message may exceed `largest`, and what LIST said of it unless twice that is more: servers that count a line end
  // as one octet are wrong by a few hundredths, and by half where all lines are empty. Beyond it the connection is given up:
  // stops a server that sends on and on.
  static constexpr std::uint64_t kSizeSlack = std::uint64_t{1} << 20;
};

struct FetchOrders {
  bool all = false;                                // also what was fetched before
  bool remove = false;                             // delete what was fetched, now or earlier
  std::optional<unsigned> remove_after_days = {};  // delete what was fetched so long ago
  std::uint64_t at_most = 0;                       // messages; 0: no limit. The rest waits for the next time
  std::uint64_t largest = 0;                       // octets, as LIST says; larger ones stay. 0: no limit but the session's
  std::uint64_t after = 0;                         // a message's number: what an earlier conversation of this run came to
};

struct FetchProgress {
  std::uint64_t messages = 0;   // kept so far
  std::uint64_t of = 0;         // to be fetched
  std::uint64_t octets = 0;     // that came, of all of them
  std::uint64_t of_octets = 0;  // as LIST says
};

struct FetchReport {
  std::uint64_t listed = 0;      // messages in the maildrop
  std::uint64_t kept = 0;        // fetched and on the disk
  std::uint64_t remembered = 0;  // of these, by their unique-ids: another try does not fetch them again
  std::uint64_t octets = 0;      // of these
  std::uint64_t known = 0;       // fetched before
  std::uint64_t too_large = 0;
  std::uint64_t oversized = 0;       // sent on beyond FetchLimits::kSizeSlack: each ends its conversation, and stays
  std::uint64_t reached = 0;         // the number of the one that did: the next conversation goes on after it
  std::uint64_t left = 0;            // beyond at_most
  std::uint64_t removed = 0;         // DELE was answered with +OK, and QUIT too
  std::vector<std::string> remarks;  // what the server did that it should not: wrong sizes, refused messages, no unique-ids
  std::optional<Error> trouble;      // here, on the disk: nothing more was fetched
  std::optional<Error> unable;       // the server cannot do what is asked for
  pop3::ClientOutcome closed;
  bool complete = false;  // all that was to be fetched was, and the session ended in order
};

// One conversation over a connection that was just made. `ids` null: nothing is remembered, all is fetched. All references live
// until it is done.
net::Task<FetchReport> FetchMail(net::Stream& stream, const Peer& server, Randomness& randomness,
                                 const pop3::ClientOptions& options, const FetchOrders& orders, MailWriter& writer,
                                 FetchedIds* ids, std::function<void(const FetchProgress&)> on_progress = {});

}  // namespace glasspost::agent

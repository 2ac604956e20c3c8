// What a POP3 server session asks of whoever runs it, and what it is told. Each question is answered by the call of ServerSession
// named beside it, from within the question or later, exactly once; until then the session takes no further input. Views that are
// handed over are good during the call, and no longer than until the answer. After the session is gone nothing may be answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/octets.h"

namespace glasspost::pop3 {

// A maildrop as one session sees it: frozen when it was opened (RFC 1939 §8), whatever arrives meanwhile. Indexes count from 0
// and are message numbers less one. Lives until the session is gone.
class MaildropView {
 public:
  virtual ~MaildropView() = default;
  virtual std::uint32_t count() const = 0;
  // The message as ReadMessage gives it, each line with its CRLF, the last one too (RFC 1939 §11).
  virtual std::uint64_t OctetsOf(std::uint32_t index) const = 0;
  // 1 to 70 characters of 0x21 to 0x7E, never used again (RFC 1939 §7).
  virtual void AppendUniqueId(std::uint32_t index, std::string& out) const = 0;
  // The message's header holds UTF-8, and the operator wants it kept from clients that do not know it (RFC 6856 §2.1).
  virtual bool NeedsUtf8(std::uint32_t) const { return false; }
};

enum class LoginOutcome : std::uint8_t {
  kAccepted,
  kRefused,    // [AUTH]: name or password is wrong; never which of them
  kTemporary,  // [SYS/TEMP]
  kPermanent,  // [SYS/PERM]: right, but of no use here
};
enum class MaildropOutcome : std::uint8_t { kOpened, kInUse, kTemporary, kPermanent };
enum class ReadFailure : std::uint8_t { kTemporary, kPermanent };

class ServerHandler {
 public:
  virtual ~ServerHandler() = default;

  // USER and PASS, PLAIN, LOGIN: is it this user's password? → LoginDecided. `user` may be no account at all; answering takes as
  // long then as with one.
  virtual void CheckPassword(Octets user, Octets password) = 0;
  // APOP, CRAM-MD5, SCRAM: all that is stored of `user`, in Dovecot's notation, nothing if there is no such account
  // → VerifiersFound.
  virtual void FindVerifiers(Octets user) = 0;
  // SCRAM: the client proved that it knows the password, and has not heard so yet. False: its proof counts as a bad one.
  virtual bool MayWelcome() { return true; }
  // A mechanism without a password came to its end; `good`: the client proved that it knows it → LoginDecided, which cannot
  // accept what is not good, but its time may be chosen.
  virtual void Proven(Octets user, bool good) = 0;
  // The login was accepted: locks the maildrop (RFC 1939 §4) → MaildropOpened.
  virtual void OpenMaildrop() = 0;
  // Octets of a message from `offset`, at most `most` of them and at least one → MessageRead or MessageFailed. No further piece
  // is asked for before the last one has gone out.
  virtual void ReadMessage(std::uint32_t index, std::uint64_t offset, std::size_t most) = 0;
  // RETR's whole message is in the output now (TOP's never is); nothing is to be answered.
  virtual void Retrieved(std::uint32_t /*index*/) {}
  // QUIT: deletes just these and gives the lock back → Committed, after it is on disk. Asked with none too, for the lock.
  virtual void Commit(std::span<const std::uint32_t> deleted) = 0;
};

}  // namespace glasspost::pop3

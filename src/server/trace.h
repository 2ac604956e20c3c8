// Header fields that a server writes (RFC 5321 §4.4): Received before every message, Return-Path and Delivered-To before what
// lies in a mailbox, Date and Message-ID where a submitted message has none (RFC 6409 §8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::server {

struct ReceivedFacts {
  Octets hello;           // what the client calls itself
  Address client;         // whence it comes
  std::string_view host;  // ourselves
  std::string_view with;  // "ESMTPS" (RFC 3848)
  std::string_view tls;   // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none
  std::string_view queue_id;
  Octets recipient;  // if there is just one (RFC 5321 §7.2: no others are betrayed); else empty
  Timestamp time = 0;
};

// Of a message that a program on this machine handed over.
struct LocalReceivedFacts {
  std::uint64_t user = 0;  // its number
  std::string_view host;
  std::string_view queue_id;
  Octets recipient;
  Timestamp time = 0;
};

// Each a whole field with CRLF. Octets that have no place in a header field become '?'.
std::string ReceivedField(const ReceivedFacts& facts);
std::string LocalReceivedField(const LocalReceivedFacts& facts);
std::string ReturnPathField(Octets reverse_path);
std::string DeliveredToField(Octets account);
std::string DateField(Timestamp time);
std::string MessageIdField(std::string_view queue_id, std::string_view host);

// "Received" fields of a header block, and so the hosts that a message has passed (RFC 5321 §6.3).
std::size_t CountReceived(Octets header);

}  // namespace glasspost::server

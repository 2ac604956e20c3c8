// Numbers of the DNS and their names, as the IANA registry "Domain Name System (DNS) Parameters" and the RFCs give them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/octets.h"

namespace glasspost::dns {

// Record types (RFC 1035 §3.2.2 and later); those that the code speaks of. All that have names stand in layout.cc.
inline constexpr std::uint16_t kTypeA = 1, kTypeNs = 2, kTypeCname = 5, kTypeSoa = 6, kTypePtr = 12, kTypeMx = 15, kTypeTxt = 16,
                               kTypeAaaa = 28, kTypeSrv = 33, kTypeDname = 39, kTypeOpt = 41, kTypeDs = 43, kTypeRrsig = 46,
                               kTypeTlsa = 52, kTypeTsig = 250, kTypeIxfr = 251, kTypeAxfr = 252, kTypeAny = 255, kTypeCaa = 257;

inline constexpr std::uint16_t kClassIn = 1, kClassCh = 3, kClassHs = 4, kClassNone = 254, kClassAny = 255;

inline constexpr std::uint8_t kOpcodeQuery = 0, kOpcodeIquery = 1, kOpcodeStatus = 2, kOpcodeNotify = 4, kOpcodeUpdate = 5,
                              kOpcodeDso = 6;

inline constexpr std::uint16_t kRcodeNoError = 0, kRcodeFormErr = 1, kRcodeServFail = 2, kRcodeNxDomain = 3, kRcodeNotImp = 4,
                               kRcodeRefused = 5;

// Bits of the header's second word (RFC 1035 §4.1.1, RFC 4035 §3.1.6 and §3.2.2).
inline constexpr std::uint16_t kFlagQr = 0x8000, kFlagAa = 0x0400, kFlagTc = 0x0200, kFlagRd = 0x0100, kFlagRa = 0x0080,
                               kFlagZ = 0x0040, kFlagAd = 0x0020, kFlagCd = 0x0010;

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxMessage = 65535;  // the two-octet length over TCP (RFC 1035 §4.2.2)
inline constexpr std::size_t kMaxName = 255;       // octets with the root label (RFC 1035 §2.3.4)
inline constexpr std::size_t kMaxLabel = 63;       // RFC 1035 §2.3.4

inline constexpr std::uint16_t kPort = 53;

// Each appends the name, or RFC 3597 §5's form for a number that has none: "MX", "TYPE4711"; "IN", "CLASS7"; "OPCODE9";
// "RCODE23".
void AppendType(std::string& out, std::uint16_t type);
void AppendClass(std::string& out, std::uint16_t klass);
void AppendOpcode(std::string& out, std::uint8_t opcode);
void AppendRcode(std::string& out, std::uint16_t rcode);  // "NOERROR"; 16 is BADVERS (TSIG calls it BADSIG)

// The other way round, any case; also "TYPE4711" and "CLASS7".
std::optional<std::uint16_t> ParseType(Octets name);
std::optional<std::uint16_t> ParseClass(Octets name);

}  // namespace glasspost::dns

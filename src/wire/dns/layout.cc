#include "wire/dns/layout.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/ascii.h"

namespace glasspost::dns {
namespace {

using enum Part;

// By number.
constexpr TypeInfo kTypes[] = {
    {1, "A", {{kAddress4, Field::kDnsA}}},
    {2, "NS", {{kName, Field::kDnsNs}}},
    {3, "MD", {{kName, Field::kDnsMd}}},
    {4, "MF", {{kName, Field::kDnsMf}}},
    {5, "CNAME", {{kName, Field::kDnsCname}}},
    {6,
     "SOA",
     {{kName, Field::kDnsSoaMname},
      {kName, Field::kDnsSoaRname},
      {kNumber32, Field::kDnsSoaSerial},
      {kNumber32, Field::kDnsSoaRefresh},
      {kNumber32, Field::kDnsSoaRetry},
      {kNumber32, Field::kDnsSoaExpire},
      {kNumber32, Field::kDnsSoaMinimum}}},
    {7, "MB", {{kName, Field::kDnsMb}}},
    {8, "MG", {{kName, Field::kDnsMg}}},
    {9, "MR", {{kName, Field::kDnsMr}}},
    {10, "NULL", {}},
    {11, "WKS", {}},
    {12, "PTR", {{kName, Field::kDnsPtr}}},
    {13, "HINFO", {{kString, Field::kDnsHinfoCpu}, {kString, Field::kDnsHinfoOs}}},
    {14, "MINFO", {{kName, Field::kDnsMinfoR}, {kName, Field::kDnsMinfoE}}},
    {15, "MX", {{kNumber16, Field::kDnsMxPreference}, {kName, Field::kDnsMxExchange}}},
    {16, "TXT", {{kStrings, Field::kDnsTxt}}},
    {17, "RP", {{kPlainName, Field::kDnsRpMailbox}, {kPlainName, Field::kDnsRpTxt}}},
    {18, "AFSDB", {{kNumber16, Field::kDnsAfsdbSubtype}, {kPlainName, Field::kDnsAfsdbHost}}},
    {19, "X25", {{kString, Field::kDnsX25}}},
    {20, "ISDN", {{kStrings, Field::kDnsIsdn}}},
    {21, "RT", {{kNumber16, Field::kDnsRtPreference}, {kPlainName, Field::kDnsRtHost}}},
    {22, "NSAP", {}},
    {23, "NSAP-PTR", {{kPlainName, Field::kDnsPtr}}},
    {24,
     "SIG",
     {{kType, Field::kDnsRrsigType},
      {kNumber8, Field::kDnsRrsigAlgorithm},
      {kNumber8, Field::kDnsRrsigLabels},
      {kNumber32, Field::kDnsRrsigTtl},
      {kTime, Field::kDnsRrsigExpiration},
      {kTime, Field::kDnsRrsigInception},
      {kNumber16, Field::kDnsRrsigKeyTag},
      {kPlainName, Field::kDnsRrsigSigner},
      {kBase64, Field::kDnsRrsigSignature}}},
    {25,
     "KEY",
     {{kNumber16, Field::kDnsDnskeyFlags},
      {kNumber8, Field::kDnsDnskeyProtocol},
      {kNumber8, Field::kDnsDnskeyAlgorithm},
      {kBase64, Field::kDnsDnskeyKey}}},
    {26, "PX", {{kNumber16, Field::kDnsPxPreference}, {kPlainName, Field::kDnsPxMap822}, {kPlainName, Field::kDnsPxMap400}}},
    {27, "GPOS", {{kString, Field::kDnsGposLongitude}, {kString, Field::kDnsGposLatitude}, {kString, Field::kDnsGposAltitude}}},
    {28, "AAAA", {{kAddress6, Field::kDnsAaaa}}},
    {29, "LOC", {{kLocation, Field::kDnsLoc}}},
    {30, "NXT", {}},
    {31, "EID", {}},
    {32, "NIMLOC", {}},
    {33,
     "SRV",
     {{kNumber16, Field::kDnsSrvPriority},
      {kNumber16, Field::kDnsSrvWeight},
      {kNumber16, Field::kDnsSrvPort},
      {kPlainName, Field::kDnsSrvTarget}}},
    {34, "ATMA", {}},
    {35,
     "NAPTR",
     {{kNumber16, Field::kDnsNaptrOrder},
      {kNumber16, Field::kDnsNaptrPreference},
      {kString, Field::kDnsNaptrFlags},
      {kString, Field::kDnsNaptrService},
      {kString, Field::kDnsNaptrRegex},
      {kPlainName, Field::kDnsNaptrReplacement}}},
    {36, "KX", {{kNumber16, Field::kDnsKxPreference}, {kPlainName, Field::kDnsKxExchange}}},
    {37,
     "CERT",
     {{kNumber16, Field::kDnsCertType},
      {kNumber16, Field::kDnsCertKeyTag},
      {kNumber8, Field::kDnsCertAlgorithm},
      {kBase64, Field::kDnsCertificate}}},
    {38, "A6", {}},
    {39, "DNAME", {{kPlainName, Field::kDnsDname}}},
    {40, "SINK", {}},
    {41, "OPT", {{kOptions, Field::kDnsOption}}},
    {42, "APL", {}},
    {43,
     "DS",
     {{kNumber16, Field::kDnsDsKeyTag},
      {kNumber8, Field::kDnsDsAlgorithm},
      {kNumber8, Field::kDnsDsDigestType},
      {kHex, Field::kDnsDsDigest}}},
    {44, "SSHFP", {{kNumber8, Field::kDnsSshfpAlgorithm}, {kNumber8, Field::kDnsSshfpType}, {kHex, Field::kDnsSshfpFingerprint}}},
    {45, "IPSECKEY", {}},
    {46,
     "RRSIG",
     {{kType, Field::kDnsRrsigType},
      {kNumber8, Field::kDnsRrsigAlgorithm},
      {kNumber8, Field::kDnsRrsigLabels},
      {kNumber32, Field::kDnsRrsigTtl},
      {kTime, Field::kDnsRrsigExpiration},
      {kTime, Field::kDnsRrsigInception},
      {kNumber16, Field::kDnsRrsigKeyTag},
      {kPlainName, Field::kDnsRrsigSigner},
      {kBase64, Field::kDnsRrsigSignature}}},
    {47, "NSEC", {{kPlainName, Field::kDnsNsecNext}, {kTypeBitmap, Field::kDnsTypeBitmap}}},
    {48,
     "DNSKEY",
     {{kNumber16, Field::kDnsDnskeyFlags},
      {kNumber8, Field::kDnsDnskeyProtocol},
      {kNumber8, Field::kDnsDnskeyAlgorithm},
      {kBase64, Field::kDnsDnskeyKey}}},
    {49, "DHCID", {{kBase64, Field::kDnsDhcid}}},
    {50,
     "NSEC3",
     {{kNumber8, Field::kDnsNsec3Algorithm},
      {kNumber8, Field::kDnsNsec3Flags},
      {kNumber16, Field::kDnsNsec3Iterations},
      {kHexCounted, Field::kDnsNsec3Salt},
      {kBase32Counted, Field::kDnsNsec3Hash},
      {kTypeBitmap, Field::kDnsTypeBitmap}}},
    {51,
     "NSEC3PARAM",
     {{kNumber8, Field::kDnsNsec3Algorithm},
      {kNumber8, Field::kDnsNsec3Flags},
      {kNumber16, Field::kDnsNsec3Iterations},
      {kHexCounted, Field::kDnsNsec3Salt}}},
    {52,
     "TLSA",
     {{kNumber8, Field::kDnsTlsaUsage},
      {kNumber8, Field::kDnsTlsaSelector},
      {kNumber8, Field::kDnsTlsaMatching},
      {kHex, Field::kDnsTlsaData}}},
    {53,
     "SMIMEA",
     {{kNumber8, Field::kDnsTlsaUsage},
      {kNumber8, Field::kDnsTlsaSelector},
      {kNumber8, Field::kDnsTlsaMatching},
      {kHex, Field::kDnsTlsaData}}},
    {55, "HIP", {}},
    {56, "NINFO", {{kStrings, Field::kDnsTxt}}},
    {57, "RKEY", {}},
    {58, "TALINK", {}},
    {59,
     "CDS",
     {{kNumber16, Field::kDnsDsKeyTag},
      {kNumber8, Field::kDnsDsAlgorithm},
      {kNumber8, Field::kDnsDsDigestType},
      {kHex, Field::kDnsDsDigest}}},
    {60,
     "CDNSKEY",
     {{kNumber16, Field::kDnsDnskeyFlags},
      {kNumber8, Field::kDnsDnskeyProtocol},
      {kNumber8, Field::kDnsDnskeyAlgorithm},
      {kBase64, Field::kDnsDnskeyKey}}},
    {61, "OPENPGPKEY", {{kBase64, Field::kDnsOpenpgpkey}}},
    {62,
     "CSYNC",
     {{kNumber32, Field::kDnsCsyncSerial}, {kNumber16, Field::kDnsCsyncFlags}, {kTypeBitmap, Field::kDnsTypeBitmap}}},
    {63,
     "ZONEMD",
     {{kNumber32, Field::kDnsZonemdSerial},
      {kNumber8, Field::kDnsZonemdScheme},
      {kNumber8, Field::kDnsZonemdAlgorithm},
      {kHex, Field::kDnsZonemdDigest}}},
    {64,
     "SVCB",
     {{kNumber16, Field::kDnsSvcbPriority}, {kPlainName, Field::kDnsSvcbTarget}, {kParameters, Field::kDnsSvcbValue}}},
    {65,
     "HTTPS",
     {{kNumber16, Field::kDnsSvcbPriority}, {kPlainName, Field::kDnsSvcbTarget}, {kParameters, Field::kDnsSvcbValue}}},
    {99, "SPF", {{kStrings, Field::kDnsSpf}}},
    {104, "NID", {}},
    {105, "L32", {}},
    {106, "L64", {}},
    {107, "LP", {{kNumber16, Field::kDnsLpPreference}, {kPlainName, Field::kDnsLpName}}},
    {108, "EUI48", {{kEui, Field::kDnsEui48}}},
    {109, "EUI64", {{kEui, Field::kDnsEui64}}},
    {249, "TKEY", {}},
    {250,
     "TSIG",
     {{kPlainName, Field::kDnsTsigAlgorithm},
      {kNumber48, Field::kDnsTsigTime},
      {kNumber16, Field::kDnsTsigFudge},
      {kBase64Counted, Field::kDnsTsigMac},
      {kNumber16, Field::kDnsTsigOriginalId},
      {kRcode, Field::kDnsTsigError},
      {kBase64Counted, Field::kDnsTsigOther}}},
    {251, "IXFR", {}},
    {252, "AXFR", {}},
    {253, "MAILB", {}},
    {254, "MAILA", {}},
    {255, "ANY", {}},
    {256, "URI", {{kNumber16, Field::kDnsUriPriority}, {kNumber16, Field::kDnsUriWeight}, {kText, Field::kDnsUriTarget}}},
    {257, "CAA", {{kNumber8, Field::kDnsCaaFlags}, {kTag, Field::kDnsCaaTag}, {kText, Field::kDnsCaaValue}}},
    {258, "AVC", {{kStrings, Field::kDnsTxt}}},
    {259, "DOA", {}},
    {260, "AMTRELAY", {}},
    {32768, "TA", {}},
    {32769,
     "DLV",
     {{kNumber16, Field::kDnsDsKeyTag},
      {kNumber8, Field::kDnsDsAlgorithm},
      {kNumber8, Field::kDnsDsDigestType},
      {kHex, Field::kDnsDsDigest}}},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &TypeInfo::number));
static_assert(std::size(kTypes) < 255);

// Row of a low type number plus one; 0: none.
constexpr int kDirect = 261;
constexpr auto kRows = [] {
  std::array<std::uint8_t, kDirect> rows{};
  for (std::size_t i = 0; i < std::size(kTypes); ++i)
    if (kTypes[i].number < kDirect) rows[kTypes[i].number] = static_cast<std::uint8_t>(i + 1);
  return rows;
}();

}  // namespace

const TypeInfo* FindType(std::uint16_t type) {
  if (type < kDirect) return kRows[type] == 0 ? nullptr : &kTypes[kRows[type] - 1];
  const auto* at = std::ranges::lower_bound(kTypes, type, {}, &TypeInfo::number);
  return at != std::end(kTypes) && at->number == type ? at : nullptr;
}

const TypeInfo* FindTypeByName(std::string_view name) {
  const auto* at = std::ranges::find_if(kTypes, [&](const TypeInfo& t) { return EqualsNoCase(t.name, name); });
  return at == std::end(kTypes) ? nullptr : at;
}

std::span<const TypeInfo> AllTypes() { return kTypes; }

Field LengthField(Field field) {
  switch (field) {
    case Field::kDnsTxt:
      return Field::kDnsTxtLength;
    case Field::kDnsSpf:
      return Field::kDnsSpfLength;
    case Field::kDnsNsec3Salt:
      return Field::kDnsNsec3SaltLength;
    case Field::kDnsNsec3Hash:
      return Field::kDnsNsec3HashLength;
    case Field::kDnsTsigMac:
      return Field::kDnsTsigMacLength;
    case Field::kDnsTsigOther:
      return Field::kDnsTsigOtherLength;
    case Field::kDnsCaaTag:
      return Field::kDnsCaaTagLength;
    default:
      return Field::kDnsStringLength;
  }
}

}  // namespace glasspost::dns

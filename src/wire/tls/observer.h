// One conversation's TLS, listened to (RFC 8446, 5246): what of the handshake passes in the clear, and the hand-over to whoever
// can decrypt. Never stops: what is no TLS is remembered as malformed, what is encrypted is passed over without being copied.
//
// Who feeds it: the reassembly, from the stream's beginning (TLS from the first octet) or from the octet after an accepted
// STARTTLS or STLS (ObserverSink::OnTlsStart). Which side is the client is decided by the ClientHello: `swapped` says that the
// caller's directions were the wrong way round.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/origin.h"
#include "wire/exchange.h"
#include "wire/tls/certificate.h"
#include "wire/tls/handshake.h"
#include "wire/tls/records.h"

namespace glasspost::tls {

struct TlsLimits {
  std::size_t handshake_message = 512 * 1024;  // stops a peer that announces 16 MiB from having them gathered
  std::size_t certificates = 16;               // stops a chain of tiny certificates from becoming a large structure
  std::size_t handshake_messages = 64;         // read a direction; stops endless renegotiation in the clear
};

struct TlsInfo {
  Timestamp start = kNoTime;  // first octet of TLS
  std::string version;        // chosen: "TLSv1.3"; empty until a ServerHello was seen
  std::string cipher;         // chosen: "TLS_AES_256_GCM_SHA384"
  std::string sni;
  std::vector<std::string> alpn;  // offered
  std::string alpn_chosen;        // up to TLS 1.2; TLS 1.3 encrypts it
  std::vector<std::string> versions_offered;
  std::vector<std::uint16_t> suites_offered;  // names: CipherName()
  std::vector<CertificateInfo> certificates;  // the server's, up to TLS 1.2
  std::vector<CertificateInfo> client_certificates;
  std::string alert;  // "fatal handshake_failure", the worst that passed in the clear
  Direction alert_from = Direction::kToServer;
  bool client_hello_seen = false;
  bool server_hello_seen = false;
  bool retried = false;       // the server asked for another ClientHello
  bool ssl2_hello = false;    // ClientHello in SSLv2's framing
  bool encrypted = false;     // application data or a change of cipher was seen
  bool malformed = false;     // something was no TLS, or a handshake message lies about its lengths
  bool swapped = false;       // the ClientHello came from the side that the caller took for the server
  bool decrypted = false;     // the decryptor gave plain octets
  bool plain_server = false;  // the server speaks in the clear: no TLS came about; set by the caller, who reads its words
  std::uint64_t records = 0;

  // Octets that its texts take.
  std::size_t Held() const;
};

// The hand-over to decryption. A decryptor holds the keys (from a key log, or from the capture file's secrets) and is given every
// record of both directions, in the order of each direction and in the causal order of both, handshake included, so that it can
// derive its keys and count its sequence numbers. Without one, encrypted records are not even gathered.
class Decryptor {
 public:
  virtual ~Decryptor() = default;
  // `direction` is by role (kToServer: sent by the client), whatever the caller of the observer believed; before a ClientHello
  // was seen it is the caller's. `record` is one whole record with its header, good during the call. Gives the plain octets of
  // the application data in it (a view that is good until the next call), empty for any other record, or for one that it cannot
  // decrypt.
  virtual Octets OnRecord(Direction direction, Octets record, const Origin& origin) = 0;
  // A record of that direction is damaged or missing: `records_known` says whether exactly one is (sequence number + 1), else
  // how many is unknown.
  virtual void OnLostRecord(Direction direction, bool records_known) = 0;
};

// What TLS leads to. The caller feeds the plain octets into the protocol's observer again (directions are the caller's).
class TlsSink {
 public:
  virtual ~TlsSink() = default;
  virtual void OnPlainOctets(Direction direction, Octets octets, const Origin& origin) = 0;
  // Application data of unknown length is missing (a record was lost on the wire or cannot be decrypted).
  virtual void OnPlainGap(Direction direction, const Origin& origin) = 0;
  // The first encrypted octets passed: Observer::OnTlsEstablished.
  virtual void OnEncrypted(const Origin& origin) = 0;
  virtual void OnFinding(const Finding& finding) = 0;  // kMalformedTls, once a direction
};

class TlsObserver {
 public:
  // `sink` may be null (only info() is wanted); without a decryptor OnPlainOctets is never called. Both outlive the observer.
  explicit TlsObserver(TlsSink* sink = nullptr, Decryptor* decryptor = nullptr, const TlsLimits& limits = {})
      : sink_(sink), decryptor_(decryptor), limits_(limits) {}

  void OnOctets(Direction direction, Octets octets, const Origin& origin);
  void OnGap(Direction direction, std::uint64_t length, const Origin& origin);
  // Plain octets of that direction, from whoever decrypts beside the observer (an end of the connection that is listened to).
  void OnDecrypted(Direction direction, Octets plain, const Origin& origin);
  // Nothing more will come.
  void OnEnd(const Origin& origin, bool reset);

  const TlsInfo& info() const { return info_; }
  // Octets of memory that it holds, itself included; by lengths.
  std::size_t Held() const;

 private:
  struct Side {
    RecordSplitter splitter;
    std::string message;           // handshake message that crosses records
    std::size_t message_skip = 0;  // octets of one over the limit, still to come
    std::size_t messages = 0;
    bool ciphered = false;  // what this side sends from here on is encrypted
    bool stray = false;     // after a gap: the next handshake octets may be the middle of a message
    bool reported = false;
  };
  struct RecordSink;

  bool Wants(const Side& side, const RecordHeader& h) const;
  void OnRecord(Direction d, const RecordHeader& h, Bytes record, const Origin& origin);
  void OnSkipped(Direction d, const RecordHeader& h, const Origin& origin);
  void OnSsl2Hello(Direction d, Bytes record, const Origin& origin);
  void NoteType(Direction d, const RecordHeader& h, const Origin& origin);
  void OnHandshakeOctets(Direction d, Bytes octets, const Origin& origin);
  std::size_t TakeMessage(Direction d, Bytes octets, const Origin& origin);
  void OnMessage(Direction d, Bytes message, const Origin& origin);
  void OnClientHello(Direction d, const ClientHello& hello);
  void OnServerHello(const ServerHello& hello);
  void OnCertificates(Direction d, Bytes body, const Origin& origin);
  void OnAlert(Direction d, Bytes body);
  void OnEncrypted(const Origin& origin);
  void OnMalformed(Direction d, const char* what, const Origin& origin);
  Direction Role(Direction d) const { return info_.swapped ? Opposite(d) : d; }

  TlsSink* sink_;
  Decryptor* decryptor_;
  TlsLimits limits_;
  TlsInfo info_;
  std::uint16_t version_ = 0;  // chosen; 0 until known
  Side sides_[2];
};

}  // namespace glasspost::tls

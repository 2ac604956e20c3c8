// A frame whose fields may be given other values, by their names in the field table. Where they lie is learned once, when the
// frame is taken: other lengths and other types set into it do not move them. Longer values move what follows, and Finish writes
// the lengths and checksums anew that nobody wanted otherwise.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "capture/craft/place.h"
#include "capture/packet.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

// "tcp.flags.syn" to be "1". Of several fields of one name (tunnels, lines, records), `occurrence` counts them from 1 in the
// order of their octets.
struct Assignment {
  std::string name;
  std::size_t occurrence = 1;
  std::string value;
};
// "NAME=VALUE", "NAME#2=VALUE".
Expected<Assignment> ParseAssignment(Octets text);

// What is computed unless it is kept or set: "ip.len", "tcp.checksum" …
std::vector<std::string_view> ComputedFields();

class CraftedFrame {
 public:
  // Copies the frame; octets that the capture left out are not missed. The error: it is too long.
  static Expected<CraftedFrame> Take(const RawFrame& frame);

  // True: there is a TCP segment or a UDP datagram (of the innermost packet), whose payload may be set, and whose ports are
  // these.
  bool has_transport() const { return transport_ != 0; }
  std::uint8_t transport() const { return transport_; }
  std::uint16_t source_port() const { return source_port_; }
  std::uint16_t destination_port() const { return destination_port_; }
  Octets payload() const;
  // What the payload speaks: its fields have names then. Until the next call.
  void Speak(Spoken spoken) { spoken_ = spoken; }
  const Spoken& spoken() const { return spoken_; }

  // Leaves these as they are when the rest is computed. `name`: one of ComputedFields(); empty: all.
  Expected<void> Keep(Octets name);
  // Those that change a length first, so that numbers which say another length may stand anywhere in the list. After an error,
  // which says what cannot be set and why, some may have been.
  Expected<void> Set(const std::vector<Assignment>& assignments);
  // One question or record more in the section that the named field counts: "dns.count.answers" to be "a.test 60 IN A 192.0.2.1".
  Expected<void> Add(const Assignment& record);
  Expected<void> SetPayload(Octets octets);
  // Lengths and checksums. The error: one has no room for its value.
  Expected<void> Finish();

  LinkType link() const { return link_; }
  Octets octets() const { return octets_; }
  // The outermost IP packet: where it lies and its addresses, as they are now.
  struct IpPart {
    OctetRange range;
    Address source;
    Address destination;
    bool v6 = false;
  };
  std::optional<IpPart> OuterIp() const;
  // Every field that the frame has, those of the payload last.
  std::vector<Place> Places() const;
  // "Ethernet, IPv4, TCP, POP3", as the field table labels them.
  std::string Layers() const;

 private:
  struct Layer {
    Field header{};
    std::size_t start = 0;
    std::size_t header_end = 0;
    std::size_t end = 0;
  };
  class Collector;
  struct Transport;
  struct Target {
    bool in_message = false;
    std::size_t index = 0;  // in places_ or in the message's places
    Place place;
  };

  CraftedFrame() = default;
  std::vector<Place> InMessage() const;
  Expected<Target> Find(const Assignment& a) const;
  Expected<void> Put(const Assignment& a, const Target& target);
  Expected<void> Replace(std::size_t index, Octets octets);
  void MoveLayers(const Place& place, std::size_t length);
  void MovePlaces(std::size_t index, std::size_t length);
  Place* PlaceOf(Field field, std::size_t layer);
  bool Computes(const Place& place) const;
  Expected<void> Write(Field field, std::size_t layer, std::uint64_t value);
  Expected<void> WriteLengths(std::size_t layer);
  void WriteChecksums(std::size_t layer);
  void WriteTransportChecksum(std::size_t layer);
  void AddEmptyPlaces();
  std::size_t PayloadPlace() const;

  std::string octets_;
  LinkType link_{};
  std::vector<Layer> layers_;
  std::vector<Place> places_;
  std::set<Field> kept_;
  bool keep_all_ = false;
  bool fragment_ = false;  // of a longer packet, whose checksum nobody can know
  Spoken spoken_;
  std::uint8_t transport_ = 0;
  std::uint16_t source_port_ = 0;
  std::uint16_t destination_port_ = 0;
};

}  // namespace glasspost::capture

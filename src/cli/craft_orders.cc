#include "cli/craft_orders.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/unescape.h"
#include "capture/craft/value.h"

namespace glasspost::cli {
namespace {

// Of templates, and of what --as may name.
constexpr std::string_view kPatterns[] = {"syn", "tcp", "udp", "smtp", "pop3", "imap", "dns"};

std::unexpected<Error> NoSuch(const std::string& what, const std::string& where) {
  std::string all;
  for (const std::string_view p : kPatterns) all += (all.empty() ? "" : ", ") + std::string(p);
  const std::string_view nearest = Nearest(where, kPatterns);
  return Fail(what, where, nearest.empty() ? "there are " + all : "did you mean " + std::string(nearest) + "?");
}

Expected<Protocol> ProtocolNamed(const std::string& name) {
  for (const Protocol p : {Protocol::kSmtp, Protocol::kPop3, Protocol::kImap, Protocol::kDns, Protocol::kTls})
    if (EqualsNoCase(Name(p), name)) return p;
  return Fail("is no protocol that is known here", "--as " + name, "smtp, pop3, imap, dns or tls");
}

Expected<std::string> ReadPayload(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail("cannot be opened", path);
  std::string octets;
  char piece[4096];
  while (file.read(piece, sizeof piece) || file.gcount() > 0) {
    octets.append(piece, static_cast<std::size_t>(file.gcount()));
    if (octets.size() > capture::CraftLimits::kValue)
      return Fail("is too long", path, "a payload has at most " + std::to_string(capture::CraftLimits::kValue) + " octets");
  }
  return octets;
}

class Taker {
 public:
  explicit Taker(std::vector<std::string>& words) : words_(words) {}

  Expected<std::vector<PacketOrder>> Take() {
    std::vector<std::string> rest;
    while (at_ < words_.size()) {
      const std::string word = words_[at_++];
      const std::size_t equals = word.find('=');
      std::optional<std::string> joined;
      if (word.starts_with("--") && equals != std::string::npos) joined = word.substr(equals + 1);
      const std::string option = word.substr(0, joined ? equals : std::string::npos);
      const auto taken = Option(option, joined);
      if (!taken) return std::unexpected(taken.error());
      if (!*taken) rest.push_back(word);
    }
    if (!file_.empty() && !framed_) {
      orders_.insert(orders_.begin(), Begun());
      orders_.front().file = file_;
    }
    words_ = std::move(rest);
    return std::move(orders_);
  }

 private:
  // Those before the first packet are for every one.
  PacketOrder& Last() { return orders_.empty() ? common_ : orders_.back(); }
  PacketOrder Begun() const { return common_; }

  // False: it is no option of packets.
  Expected<bool> Option(const std::string& option, const std::optional<std::string>& joined) {
    static constexpr std::string_view kOptions[] = {"--from", "--frame",   "--template",     "--src",
                                                    "--dst",  "--text",    "--as",           "--add",
                                                    "--set",  "--payload", "--payload-file", "--payload-hex"};
    if (option == "--keep") return Keep(joined);
    if (std::ranges::find(kOptions, option) == std::end(kOptions)) return false;
    if (!joined && at_ == words_.size()) return Fail("wants something behind it", option);
    const std::string value = joined ? *joined : words_[at_++];
    const auto done =
        option == "--from" || option == "--frame" || option == "--template" ? Begin(option, value) : Detail(option, value);
    if (!done) return std::unexpected(done.error());
    return true;
  }

  Expected<bool> Keep(const std::optional<std::string>& joined) {
    std::string names = joined.value_or("");
    if (!joined && at_ < words_.size() && !words_[at_].starts_with('-')) names = words_[at_++];
    if (names.empty()) return Last().kept.emplace_back(), true;
    for (std::size_t at = 0; at <= names.size();) {
      const std::size_t comma = std::min(names.find(',', at), names.size());
      Last().kept.push_back(names.substr(at, comma - at));
      at = comma + 1;
    }
    return true;
  }

  Expected<void> Begin(const std::string& option, const std::string& value) {
    if (option == "--from") {
      if (!file_.empty() && !framed_) return Fail("no --frame was taken of it", file_);
      file_ = value;
      framed_ = false;
      return {};
    }
    if (orders_.size() == CraftBounds::kPackets)
      return Fail("are too many packets", option, "at most " + std::to_string(CraftBounds::kPackets));
    PacketOrder order = Begun();
    if (option == "--template") {
      if (std::ranges::find(kPatterns, value) == std::end(kPatterns)) return NoSuch("there is no such template", value);
      order.pattern = value;
    } else {
      const auto number = ParseNumber(value);
      if (!number || *number == 0) return Fail("is no frame's number", "--frame " + value, "they count from 1");
      if (file_.empty()) return Fail("of which capture?", "--frame " + value, "say --from FILE before it");
      order.file = file_;
      order.frame = *number;
      framed_ = true;
    }
    orders_.push_back(std::move(order));
    return {};
  }

  Expected<void> Detail(const std::string& option, const std::string& value) {
    PacketOrder& order = Last();
    if (option == "--src") return order.source = value, Expected<void>();
    if (option == "--dst") return order.destination = value, Expected<void>();
    if (option == "--as") {
      const auto protocol = ProtocolNamed(value);
      if (!protocol) return std::unexpected(protocol.error());
      return order.speaks = *protocol, Expected<void>();
    }
    if (option == "--set" || option == "--add") {
      auto assignment = capture::ParseAssignment(value);
      if (!assignment) return std::unexpected(assignment.error());
      return (option == "--set" ? order.sets : order.adds).push_back(std::move(*assignment)), Expected<void>();
    }
    auto octets = option == "--payload-file"  ? ReadPayload(value)
                  : option == "--payload-hex" ? capture::FromHex(value)
                                              : Unescape(value);
    if (!octets) return std::unexpected(octets.error());
    if (option == "--text")
      order.text = std::move(*octets);
    else
      order.payload = std::move(*octets);
    return {};
  }

  std::vector<std::string>& words_;
  std::size_t at_ = 0;
  std::string file_;
  bool framed_ = false;  // a frame of it was named
  PacketOrder common_;
  std::vector<PacketOrder> orders_;
};

}  // namespace

Expected<std::vector<PacketOrder>> TakePacketOrders(std::vector<std::string>& words) { return Taker(words).Take(); }

}  // namespace glasspost::cli

// What of the frames that are told octet by octet stays hidden: the octets of a request or reply in which something was masked,
// the secrets of the conversation wherever they stand, and what nobody knows to be harmless. TLS records hide themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/octets.h"
#include "base/redaction.h"

namespace glasspost::analysis {

class Veils {
 public:
  struct Veil {
    std::shared_ptr<const Secrets> secrets;  // of its conversation; may be null
    bool whole = false;                      // all of it is hidden, except a beginning that is `told`
    std::string told;
  };
  // Any thread. A frame of two conversations has the last one's.
  void Add(std::uint64_t frame, Veil veil);
  // After the last Add. Of `payload`, the frame's beginning with what the transport carries: '*' for each octet that is hidden,
  // ' ' for the others; of the same size. A frame that was never added has the secrets of all conversations hidden.
  std::string Hidden(std::uint64_t frame, Octets payload) const;

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Veil> veils_;
  std::vector<std::shared_ptr<const Secrets>> all_;
};

}  // namespace glasspost::analysis

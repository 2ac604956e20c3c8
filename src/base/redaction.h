// What becomes of secrets on their way out: Mask() is how one looks once it has left the observer, and Secrets remembers those of
// one conversation, so that whoever says them again (a server that echoes, a client that tries once more) does not give them
// away.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/octets.h"

namespace glasspost {

// Three stars and its octet count.
inline std::string Mask(std::size_t octets) { return "*** (" + std::to_string(octets) + (octets == 1 ? " octet)" : " octets)"); }
inline std::string Mask(Octets secret) { return Mask(secret.size()); }
// The secret itself if it may be shown.
inline std::string Secret(Octets secret, bool show) { return show ? std::string(secret) : Mask(secret); }

// The secrets of one conversation. A text is masked wherever one of them stands in it, without regard to case; where base64 says
// it, at any of the three places that an octet can have in a group, the whole base64 is. A secret that is the user's name is told
// with it anyway and is not masked: a mask in place of the name would be what tells it.
//
// Costs a comparison with null where none was seen, about a nanosecond for each `step` octets of text after that. Owns what it
// remembers; not thread-safe.
class Secrets {
 public:
  // Stops a client that tries passwords without end: beyond it the oldest is forgotten.
  static constexpr std::size_t kMost = 24;
  // Stops a token without end: of a longer one the beginning is looked for, and what follows is masked up to the next space.
  static constexpr std::size_t kOctets = 512;
  // A shorter one is masked only where it stands as a whole word, in its own case: "a" must not mask half of the text.
  static constexpr std::size_t kAnywhere = 6;
  // Of a text that is cut, so many octets of a secret's beginning at its end are masked too.
  static constexpr std::size_t kTorn = 4;
  // A mask may be longer than what it hides: at most so many octets become of a text by one Redact. What would be more is masked
  // as a whole, which stops a client whose password is a blank.
  static constexpr std::size_t Grown(std::size_t octets) { return 2 * octets + 256; }

  // `show`: nothing is secret.
  explicit Secrets(bool show = false);
  ~Secrets();
  Secrets(Secrets&&) noexcept;
  Secrets& operator=(Secrets&&) noexcept;

  bool show() const { return show_; }
  bool empty() const { return memory_ == nullptr; }

  // The octets of a secret; without quotes and the like around it, too. `whole`: false if only its beginning is known.
  void Remember(Octets secret, bool whole = true);
  // Base64 as it was sent.
  void RememberBase64(Octets text, bool whole = true);
  // Text that holds a secret, nobody knows where: all of it, its last word, and what base64 in it says.
  void RememberText(Octets text, bool whole = true);
  // The name that is told of the user whose secrets follow.
  void SetUser(Octets name) {
    if (!show_) user_.assign(name.substr(0, kOctets));
  }

  // Octets of memory that hang on it, by lengths.
  std::size_t Held() const;
  // Is `text` one of them?
  bool Knows(Octets text) const { return memory_ != nullptr && IsOne(text); }
  // `cut`: the text's end is missing.
  void Redact(std::string& text, bool cut = false) const {
    if (memory_ != nullptr) Replace(text, cut);
  }
  // Where they stand in `text`, each with its length: ascending, without overlap.
  std::vector<std::pair<std::size_t, std::size_t>> Places(Octets text) const;
  std::string Redacted(Octets text, bool cut = false) const {
    std::string out(text);
    Redact(out, cut);
    return out;
  }

 private:
  struct Memory;
  void RememberOne(Octets secret, bool whole, bool is_base64);
  bool IsOne(Octets text) const;
  bool IsUser(Octets secret) const;
  void Replace(std::string& text, bool cut) const;

  bool show_;
  std::string user_;
  std::unique_ptr<Memory> memory_;  // null: nothing was seen
};

// What base64 text says, though its beginning, its end or its padding is missing: as many whole octets as it has. Empty where it
// holds anything but the alphabet, with "=" around it.
std::string DecodeTornBase64(Octets text);

}  // namespace glasspost

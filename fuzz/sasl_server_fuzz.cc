// The server's side of SASL under any client: it always comes to an end, nobody without the password gets in, and an account
// that is none looks like one. Input: the first octet chooses the mechanism, the rest are the client's lines, as they are or,
// behind a '!', to be put into base64.
#include <cstdint>
#include <string>
#include <vector>

#include "base/base64.h"
#include "support/known_randomness.h"
#include "support/require.h"
#include "wire/sasl/server.h"

namespace {

using namespace glasspost;
using namespace glasspost::sasl;
using State = ServerExchange::State;
using glasspost::test::Require;

std::vector<std::string> Lines(Octets input) {
  std::vector<std::string> lines;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const Octets line = input.substr(0, end);
    lines.push_back(line.starts_with('!') ? EncodeBase64(line.substr(1)) : std::string(line));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return lines;
}

State Drive(Mechanism mechanism, const std::vector<std::string>& lines, const std::vector<std::string>& verifiers, bool password,
            std::size_t& used) {
  static const ServerOptions kOptions{.host = "mx", .made_up_salt_key = "key"};
  test::FixedRandomness randomness;
  ServerExchange server(mechanism, kOptions, randomness);
  used = 0;
  State state = lines.empty() || lines[0].empty() ? server.Begin({}) : server.Begin(lines[used++]);
  for (int questions = 0; questions < 20; ++questions) {
    if (state == State::kAskPassword) {
      state = server.PasswordIs(password);
      Require(server.password().empty());
    } else if (state == State::kAskVerifiers) {
      state = server.Verifiers(verifiers);
    } else if (state == State::kAskWelcome) {
      state = server.Welcome(true);
    } else if (state == State::kChallenge && used < lines.size()) {
      state = server.OnLine(lines[used++]);
    } else {
      Require(state != State::kProven || !server.user().empty());
      return state;
    }
  }
  Require(false);
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr Mechanism kMechanisms[] = {Mechanism::kPlain, Mechanism::kLogin, Mechanism::kCramMd5, Mechanism::kScram};
  static const std::vector<std::string> kStored = {"{ARGON2ID}x", MakeScramVerifier("never guessed 8c1f", "saltsaltsaltsalt"),
                                                   "{PLAIN}never guessed 8c1f"};
  const Mechanism mechanism = kMechanisms[data[0] & 3];
  const std::vector<std::string> lines = Lines(AsOctets({data + 1, size - 1}));
  std::size_t with = 0, without = 0;
  const State known = Drive(mechanism, lines, kStored, false, with);
  const State unknown = Drive(mechanism, lines, {}, false, without);
  Require(known != State::kProven && known == unknown && with == without);
  return 0;
}

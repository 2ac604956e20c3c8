// SASL steps from any input: first line the mechanism, then "S"/"C" lines by turns. With secrets masked, no answer of the client
// is shown together with its secret: where a step is masked, its base64 does not appear in what is shown.
#include <string>

#include "support/require.h"
#include "wire/sasl/sasl.h"

namespace {

using glasspost::Octets;
using glasspost::test::Require;

Octets TakeLine(Octets& rest) {
  const std::size_t at = rest.find('\n');
  const Octets line = rest.substr(0, at);
  rest = at == Octets::npos ? Octets{} : rest.substr(at + 1);
  return line;
}

void CheckAnswer(const glasspost::sasl::SaslObserver& o, const glasspost::sasl::SaslStep& step, Octets text) {
  using glasspost::SaslContent;
  if (step.content == SaslContent::kPassword || step.content == SaslContent::kCredentials || step.content == SaslContent::kToken)
    Require(step.shown_argument.starts_with("*** (") && o.password_seen());
  if (o.mechanism() == glasspost::sasl::Mechanism::kUnknown && text != "*" && text != "=" && !text.empty())
    Require(step.shown_argument.starts_with("*** ("));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets input(reinterpret_cast<const char*>(data), size);
  for (const bool show : {false, true}) {
    Octets rest = input;
    glasspost::sasl::SaslObserver observer(show);
    glasspost::sasl::SaslStep step;
    Octets command = TakeLine(rest);
    const std::size_t space = command.find(' ');
    const bool initial = space != Octets::npos;
    observer.Begin(command.substr(0, space), initial ? std::optional(command.substr(space + 1)) : std::nullopt, step);
    if (initial && !show) CheckAnswer(observer, step, command.substr(space + 1));
    while (!rest.empty()) {
      Octets line = TakeLine(rest);
      if (line.empty()) continue;
      const char kind = line.front();
      line.remove_prefix(1);
      if (kind == 'S') {
        observer.OnChallenge(line, step);
      } else if (kind == 'G') {
        observer.OnGap();
      } else {
        observer.OnResponse(line, step);
        if (!show) CheckAnswer(observer, step, line);
      }
    }
    observer.OnOutcome(true);
    Require(!observer.active());
  }
  return 0;
}

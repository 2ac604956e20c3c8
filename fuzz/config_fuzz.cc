// Settings from anybody: reading never crashes, every mistake has its place, and what was read without mistakes can be written
// and reads back the same. Input: a TOML file; behind a NUL, the environment's entries and the flags, one a line.
#include <cstdint>
#include <string>
#include <vector>

#include "server/config_reader.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::server;
using glasspost::test::Require;

std::vector<std::string> Lines(Octets text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets input = AsOctets({data, size});
  const std::size_t end = std::min(input.find('\0'), input.size());
  ConfigReader reader;
  reader.ReadText(input.substr(0, end), "f");
  std::vector<std::string> words = Lines(input.substr(std::min(end + 1, input.size())));
  std::vector<const char*> environment;
  for (const std::string& w : words) environment.push_back(w.c_str());
  environment.push_back(nullptr);
  reader.ReadEnvironment(environment.data());
  const std::size_t before = words.size();
  reader.ReadFlags(words);
  Require(words.size() <= before);
  const ReadConfig read = reader.Finish();
  Require(read.mistakes.size() <= ConfigLimits::kMistakes);
  for (const Mistake& m : read.mistakes) {
    Require(!m.Text().empty() && m.Text().find('\n') == std::string::npos);
    Require(m.where != "f" || m.place.line > 0 || input.size() > ValueLimits::kFileOctets);
  }
  if (!read.mistakes.empty()) return 0;
  ConfigReader again;
  again.ReadText(WriteConfig(read.config), "again");
  const ReadConfig reread = again.Finish();
  Require(reread.mistakes.empty());
  Require(reread.config == read.config);
  return 0;
}

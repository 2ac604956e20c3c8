#include "support/conversation_file.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"
#include "base/unescape.h"

namespace glasspost::test {
namespace {

constexpr Timestamp kSecond = 1'000'000'000;
constexpr Timestamp kStart = 1'700'000'000 * kSecond;
constexpr Timestamp kStepTime = 1'000'000;  // each line of the dialogue comes a millisecond after the one before

class Parser {
 public:
  explicit Parser(const std::string& name) { file_.name = name; }

  Expected<ConversationFile> Parse(const std::string& text) {
    std::istringstream in(text);
    std::string line;
    while (std::getline(in, line)) {
      ++line_number_;
      if (line.empty() || line[0] == '#') continue;
      const bool ok = expecting_ ? Expectation(line) : Head(line) || Dialogue(line);
      if (!ok) return Fail("not understood: " + line, file_.name + ":" + std::to_string(line_number_));
    }
    if (file_.protocol == Protocol::kUnknown) return Fail("names no protocol", file_.name);
    if (!expecting_) return Fail("expects nothing", file_.name);
    return std::move(file_);
  }

 private:
  bool Head(Octets line) {
    if (line.starts_with("protocol: ")) {
      for (const Protocol p : {Protocol::kSmtp, Protocol::kLmtp, Protocol::kPop3, Protocol::kImap})
        if (line.substr(10) == Name(p)) file_.protocol = p;
      return file_.protocol != Protocol::kUnknown;
    }
    if (line.starts_with("about: ")) {
      file_.about = line.substr(7);
      return true;
    }
    if (line.starts_with("roles: ")) return Roles(line.substr(7));
    if (!line.starts_with("options: ")) return false;
    std::istringstream words{std::string(line.substr(9))};
    for (std::string word; words >> word;) {
      if (word == "show-secrets") {
        file_.show_secrets = true;
      } else if (word == "mid-stream") {
        file_.mid_stream = true;
      } else if (word == "client-only") {
        file_.client_only = true;
      } else if (word == "server-only") {
        file_.server_only = true;
      } else if (word == "normalise") {
        file_.normalise = true;
      } else {
        return false;
      }
    }
    return true;
  }

  bool Roles(Octets line) {
    file_.drives_observer = false;
    std::istringstream words{std::string(line)};
    for (std::string word; words >> word;) {
      file_.drives_observer |= word == "observer";
      file_.drives_server |= word == "server";
      file_.drives_client |= word == "client";
      if (word != "observer" && word != "server" && word != "client") return false;
    }
    return true;
  }

  bool Dialogue(Octets line) {
    if (line == "expect") return expecting_ = true;
    if (line.starts_with("wait ")) {
      time_ += static_cast<Timestamp>(std::stod(std::string(line.substr(5))) * static_cast<double>(kSecond));
      return true;
    }
    if (line == "tls") return Add(Step::Kind::kTls, Direction::kToServer);
    if (line == "reset") return Add(Step::Kind::kReset, Direction::kToServer);
    if (line.size() < 2 || (line[0] != 'C' && line[0] != 'S')) return false;
    const Direction from = line[0] == 'C' ? Direction::kToServer : Direction::kToClient;
    const Octets rest = line.substr(1);
    if (rest == " fin") return Add(Step::Kind::kFin, from);
    if (rest.starts_with(" gap ")) {
      const auto length = ParseNumber(rest.substr(5));
      return length && Add(Step::Kind::kGap, from, {}, *length);
    }
    if (rest == ":") return Add(Step::Kind::kOctets, from, "\r\n");
    if (rest.starts_with(": ")) return Add(Step::Kind::kOctets, from, std::string(rest.substr(2)) + "\r\n");
    if (rest.starts_with("64: ")) {
      const auto octets = DecodeBase64(rest.substr(4));
      return octets && Add(Step::Kind::kOctets, from, *octets);
    }
    if (rest.starts_with("\\: ")) {
      const auto octets = Unescape(rest.substr(3));
      return octets && Add(Step::Kind::kOctets, from, *octets);
    }
    return rest.starts_with("\\*") && Repeated(from, rest.substr(2));
  }

  bool Repeated(Direction from, Octets rest) {
    const std::size_t colon = rest.find(": ");
    if (colon == Octets::npos) return false;
    const auto times = ParseNumber(rest.substr(0, colon));
    const auto piece = Unescape(rest.substr(colon + 2));
    if (!times || !piece) return false;
    std::string octets;
    octets.reserve(*times * piece->size());
    for (std::uint64_t i = 0; i < *times; ++i) octets += *piece;
    return Add(Step::Kind::kOctets, from, std::move(octets));
  }

  bool Add(Step::Kind kind, Direction direction, std::string octets = {}, std::uint64_t length = 0) {
    time_ += kStepTime;
    file_.steps.push_back({kind, direction, std::move(octets), length, time_});
    return true;
  }

  bool Expectation(const std::string& line) {
    if (IsDigit(line[0])) {
      file_.exchanges.push_back(line);
    } else if (line.starts_with("message ")) {
      file_.messages.push_back(line);
    } else if (line.starts_with("finding ")) {
      file_.findings.push_back(line);
    } else if (line == "tls-start" || line.starts_with("protocol ")) {
      file_.turns.push_back(line);
    } else {
      return false;
    }
    return true;
  }

  ConversationFile file_;
  int line_number_ = 0;
  bool expecting_ = false;
  Timestamp time_ = kStart;
};

}  // namespace

std::vector<std::filesystem::path> ConversationFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GLASSPOST_SOURCE_DIR "/tests/conversations"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::filesystem::path> FilesThatDrive(bool ConversationFile::*role, std::initializer_list<Protocol> protocols) {
  std::vector<std::filesystem::path> files = ConversationFiles();
  std::erase_if(files, [&](const auto& path) {
    const auto file = ReadConversationFile(path);
    return !file || !((*file).*role) || std::find(protocols.begin(), protocols.end(), file->protocol) == protocols.end();
  });
  return files;
}

std::string TestName(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  for (char& c : name)
    if (!IsAlpha(c) && !IsDigit(c)) c = '_';
  return name;
}

Expected<ConversationFile> ParseConversation(const std::string& name, const std::string& text) {
  return Parser(name).Parse(text);
}

Expected<ConversationFile> ReadConversationFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Fail("cannot be opened", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return ParseConversation(path.stem().string(), text.str());
}

std::string Escape(Octets octets) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < octets.size();) {
    const char c = octets[i];
    char32_t code_point = 0;
    const std::size_t length = Utf8Length(octets.substr(i), code_point);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c == '\0') {
      out += "\\0";
    } else if (length > 1 || (c >= ' ' && c < 0x7f)) {
      out += octets.substr(i, std::max<std::size_t>(length, 1));
      i += std::max<std::size_t>(length, 1);
      continue;
    } else {
      out += "\\x";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
    ++i;
  }
  return out;
}

}  // namespace glasspost::test

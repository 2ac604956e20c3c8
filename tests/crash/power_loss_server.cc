// The whole server on a disk that records what it is told, and that record played back: the two halves of power_loss_test.py.
//
//   power_loss_server serve RECORD with-sync|without-sync --config FILE    as `glasspost serve` until SIGTERM; then writes RECORD
//   power_loss_server cut RECORD
//       first says of each event "KIND TIME"; an empty line; then reads lines "EVENTS UNSYNCED SEED FOLDER" (EVENTS never
//       falling, UNSYNCED 0 to 3 as of `Unsynced`) and writes into FOLDER the files as a power cut after so many events may leave
//       them, and says "done"
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "net/system_clock.h"
#include "server/config_reader.h"
#include "server/server.h"
#include "support/recording_vfs.h"

namespace glasspost {
namespace {

constexpr std::uint64_t kCheckpointPages = 60;  // so that there are many checkpoints

void PutNumber(std::ostream& out, std::uint64_t n) { out.write(reinterpret_cast<const char*>(&n), sizeof n); }
void PutText(std::ostream& out, const std::string& text) {
  PutNumber(out, text.size());
  out << text;
}
std::uint64_t TakeNumber(std::istream& in) {
  std::uint64_t n = 0;
  in.read(reinterpret_cast<char*>(&n), sizeof n);
  return n;
}
std::string TakeText(std::istream& in) {
  std::string text(TakeNumber(in), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

bool WriteRecord(const std::string& path, const std::vector<DiskEvent>& record) {
  std::ofstream out(path, std::ios::binary);
  PutNumber(out, record.size());
  for (const DiskEvent& event : record) {
    PutNumber(out, static_cast<std::uint64_t>(event.kind));
    PutNumber(out, static_cast<std::uint64_t>(event.file));
    PutNumber(out, event.at);
    PutNumber(out, static_cast<std::uint64_t>(event.time));
    PutText(out, event.name);
    PutText(out, event.octets);
  }
  return static_cast<bool>(out.flush());
}

std::vector<DiskEvent> ReadRecord(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<DiskEvent> record(TakeNumber(in));
  for (DiskEvent& event : record) {
    event.kind = static_cast<DiskEvent::Kind>(TakeNumber(in));
    event.file = static_cast<int>(TakeNumber(in));
    event.at = TakeNumber(in);
    event.time = static_cast<std::int64_t>(TakeNumber(in));
    event.name = TakeText(in);
    event.octets = TakeText(in);
  }
  if (!in) record.clear();
  return record;
}

int Serve(const std::string& path, bool without_sync, std::vector<std::string> words) {
  const server::ReadConfig read = server::LoadConfig(words, ::environ);
  for (const server::Mistake& m : read.mistakes) fmt::print(stderr, "{}\n", m.Text());
  if (!read.mistakes.empty()) return 1;
  RecordingVfs vfs("record");
  store::SqliteOptions options;
  options.vfs = vfs.name();
  options.checkpoint_pages = kCheckpointPages;
  options.without_sync = without_sync;
  auto server = server::Server::Make(read.config, net::SystemClock(), SystemRandomness(), options);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().Text());
    return 3;
  }
  for (const auto& bound : (*server)->bound()) fmt::print("  {} {}\n", server::Name(bound.kind), bound.endpoint.Text());
  fmt::print("--data {}\n", (*server)->folder());
  std::fflush(stdout);
  (*server)->Run({});
  server->reset();
  return WriteRecord(path, vfs.TakeRecord()) ? 0 : 1;
}

int Cut(const std::string& path) {
  const std::vector<DiskEvent> record = ReadRecord(path);
  if (record.empty()) return 1;
  for (const DiskEvent& event : record) fmt::print("{} {}\n", static_cast<int>(event.kind), event.time);
  fmt::print("\n");
  std::fflush(stdout);
  PowerCutter cutter(record);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::size_t events = 0;
    int unsynced = 0;
    unsigned seed = 0;
    std::string folder;
    if (!(in >> events >> unsynced >> seed >> folder) || events > record.size()) return 1;
    std::mt19937 random(seed);
    cutter.Advance(events);
    for (const auto& [name, octets] : cutter.Cut(static_cast<Unsynced>(unsynced), random)) {
      std::ofstream out(folder + "/" + name, std::ios::binary);
      if (!(out << octets).flush()) return 1;
    }
    fmt::print("done\n");
    std::fflush(stdout);
  }
  return 0;
}

int Main(std::vector<std::string> words) {
  if (words.size() > 3 && words[0] == "serve")
    return Serve(words[1], words[2] == "without-sync", std::vector<std::string>(words.begin() + 3, words.end()));
  if (words.size() == 2 && words[0] == "cut") return Cut(words[1]);
  fmt::print(stderr, "usage: power_loss_server serve RECORD with-sync|without-sync --config FILE, or cut RECORD\n");
  return 2;
}

}  // namespace
}  // namespace glasspost

int main(int argc, char** argv) { return glasspost::Main(std::vector<std::string>(argv + 1, argv + argc)); }

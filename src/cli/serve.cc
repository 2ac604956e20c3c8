#include "cli/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/escape.h"
#include "cli/terminal.h"
#include "net/system_clock.h"
#include "server/config_reader.h"
#include "server/server.h"

namespace glasspost::cli {
namespace {

constexpr int kDone = 0, kMistakes = 1, kUsage = 2, kCannotStart = 3;

// What people want to know first: where it listens, and how to get a user.
void Introduce(const server::Server& server, const server::Config& config, analysis::Language language) {
  const bool zh = language == analysis::Language::kChinese;
  fmt::print("{}\n", zh ? "Glasspost 正在提供服务：" : "Glasspost serves mail:");
  for (const auto& bound : server.bound()) fmt::print("  {:<12} {}\n", server::Name(bound.kind), bound.endpoint.Text());
  for (const Endpoint& endpoint : server.http()) fmt::print("  {:<12} {} (/metrics /livez /readyz)\n", "http", endpoint.Text());
  fmt::print("{} {}\n", zh ? "数据在" : "Its data is in", ForTerminal(server.folder()));
  if (server.fresh())
    fmt::print(fmt::runtime(zh ? "这是第一次启动：建立了域 {}，postmaster 与 abuse 各有信箱。\n"
                               : "This is its first start: it made the domain {}, with mailboxes of postmaster and abuse.\n"),
               ForTerminal(server.first_domain()));
  const std::string domain = ForTerminal(server.default_domain());
  const std::string data = ForTerminal(server.folder());
  fmt::print("{}\n", zh ? "添加用户：" : "To add a user:");
  if (!server.has_default_domain()) fmt::print("  glasspost domain add {} --data {}\n", domain, data);
  fmt::print("  glasspost user add ada@{} --data {}\n", domain, data);
  if (config.server.classroom)
    fmt::print(
        "{}\n",
        zh ? "课堂模式（--classroom）：在回环地址上，AUTH LOGIN、USER、PASS 不用 TLS 也可以，口令以明文经过。"
           : "Classroom (--classroom): on loopback AUTH LOGIN, USER and PASS work without TLS, and passwords pass in the clear.");
  std::fflush(stdout);
}

}  // namespace

int RunServe(std::vector<std::string> words) {
  const std::vector<std::string> original = words;
  const auto load = [original] {
    std::vector<std::string> again = original;
    return server::LoadConfig(again, ::environ);
  };
  const server::ReadConfig read = server::LoadConfig(words, ::environ);
  if (!read.mistakes.empty()) {
    for (const server::Mistake& m : read.mistakes) fmt::print(stderr, "{}\n", m.Text());
    return kMistakes;
  }
  std::string wanted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--lang" && i + 1 < words.size()) {
      wanted = words[++i];
    } else if (words[i].starts_with("--lang=")) {
      wanted = words[i].substr(7);
    } else {
      fmt::print(stderr, "glasspost: serve: what is {}?\nglasspost help serve tells what there is.\n", ForTerminal(words[i]));
      return kUsage;
    }
  }
  auto server = server::Server::Make(read.config, net::SystemClock(), SystemRandomness());
  if (!server) {
    fmt::print(stderr, "glasspost: {}\n", ForTerminal(server.error().Text()));
    return kCannotStart;
  }
  Introduce(**server, read.config, LanguageOf(wanted));
  (*server)->Run(load);
  return kDone;
}

}  // namespace glasspost::cli

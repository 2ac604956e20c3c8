// What a message costs: the scan as octets pass, the header's decoding, the tree.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/mime/header.h"
#include "wire/mime/message_scan.h"
#include "wire/mime/structure.h"

namespace glasspost::mime {
namespace {

const std::string kPlainHeader =
    "Received: from host17.example.net (host [10.1.2.3])\r\n\tby mx.example.org with ESMTP id 0A1B2C3D;\r\n"
    "\tMon, 23 Nov 2026 01:02:03 +0000\r\nFrom: <alice@example.net>\r\nTo: <bob@example.org>,\r\n <carol@example.org>\r\n"
    "Subject: minutes of the meeting\r\nDate: Mon, 23 Nov 2026 01:02:03 +0000\r\nMessage-ID: <17.0a1b2c3d@example.net>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n";

std::string Encoded() {
  std::string h = kPlainHeader;
  h.replace(h.find("minutes of the meeting"), 22, "=?gb2312?B?1tDOxNb3zOI=?=");
  return h;
}

std::string Mail(std::size_t body) {
  std::string m = kPlainHeader + "\r\n";
  const std::string line = "The quick brown fox jumps over the lazy dog, and does so again and again.\r\n";
  while (m.size() < body) m += line;
  return m;
}

std::string Mixed(std::size_t body) {
  std::string m =
      "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png; "
      "name=a.png\r\n"
      "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.png\r\n\r\n";
  while (m.size() < body) m += "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
  return m + "--b--\r\n";
}

void DecodeHeader(benchmark::State& state, const std::string& header) {
  HeaderDecoder decoder;
  for (auto _ : state) {
    decoder.Parse(header);
    benchmark::DoNotOptimize(decoder.summary().subject);
  }
}
void PlainHeader(benchmark::State& state) { DecodeHeader(state, kPlainHeader); }
void EncodedHeader(benchmark::State& state) { DecodeHeader(state, Encoded()); }
BENCHMARK(PlainHeader);
BENCHMARK(EncodedHeader);

// In segments of Ethernet's size, as a capture has them. Argument: with the digest or without.
void Scan(benchmark::State& state) {
  const std::string mail = Mail(40'000);
  MessageScan scan(ScanOptions{.digest = state.range(0) != 0, .journey = false, .limits = {}});
  for (auto _ : state) {
    scan.Reset();
    for (std::size_t at = 0; at < mail.size(); at += 1460) scan.OnOctets(Octets(mail).substr(at, 1460));
    benchmark::DoNotOptimize(scan.FinishDigest());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(mail.size()));
}
BENCHMARK(Scan)->Arg(0)->Arg(1);

void Tree(benchmark::State& state) {
  const std::string mail = Mixed(static_cast<std::size_t>(state.range(0)));
  StructureOptions options;
  options.text = false;
  for (auto _ : state) benchmark::DoNotOptimize(ReadStructure(mail, options).parts.size());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(mail.size()));
}
BENCHMARK(Tree)->Arg(2'000)->Arg(40'000)->Arg(4'000'000);

}  // namespace
}  // namespace glasspost::mime

BENCHMARK_MAIN();

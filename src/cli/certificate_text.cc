#include "cli/certificate_text.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::cli {
namespace {

using agent::ProbeFault;

constexpr std::size_t kNames = 8;  // that are told

struct Words {
  std::string_view english, chinese;
};
constexpr Words kFaults[agent::kProbeFaultCount] = {
    {"it cannot be reached", "无法到达"},
    {"it broke off", "会话中断"},
    {"no TLS: passwords and mail would travel readable for everyone on the way", "没有 TLS：口令与邮件在途中人人可读"},
    {"the TLS handshake fails", "TLS 握手失败"},
    {"its certificate has expired", "证书已过期"},
    {"its certificate is not valid yet", "证书尚未生效"},
    {"its certificate expires soon", "证书即将到期"},
    {"its certificate is not for this host", "证书不属于该主机"},
    {"its certificate is signed by itself: nobody vouches for it", "证书是自签名的：没有机构为其担保"},
    {"its certificate cannot be traced to an authority that is trusted here", "证书无法追溯到此处信任的机构"},
    {"the key of its certificate is too weak", "证书的密钥太弱"},
    {"the signature on its certificate is too weak", "证书的签名算法太弱"},
    {"it still takes TLS 1.0 or 1.1 (RFC 8996 forbids both)", "仍接受 TLS 1.0 或 1.1（RFC 8996 已禁止）"},
    {"it takes nothing newer than TLS 1.1 (RFC 8996)", "最高只到 TLS 1.1（RFC 8996）"},
    {"it lets passwords be sent before TLS (RFC 8314 §3)", "允许在 TLS 之前发送口令（RFC 8314 §3）"},
};

std::string_view Say(analysis::Language language, std::string_view english, std::string_view chinese) {
  return language == analysis::Language::kChinese ? chinese : english;
}

std::string DateText(std::int64_t seconds) {
  std::string text;
  AppendRfc3339Seconds(text, seconds);
  return text.substr(0, 10);
}

}  // namespace

std::string Joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += ForTerminal(word);
  }
  return text;
}

std::string CertificateText(const agent::ProbedCertificate& certificate, Timestamp now, analysis::Language language) {
  const tls::CertificateInfo& info = certificate.info;
  std::vector<std::string> names = info.names;
  if (names.empty()) names.push_back(info.common_name.empty() ? info.subject : info.common_name);
  const std::size_t more = names.size() > kNames ? names.size() - kNames : 0;
  names.resize(names.size() - more);
  std::string text = Joined(names);
  if (more > 0) text += fmt::format(" +{}", more);
  const std::int64_t days = (info.not_after - now / 1'000'000'000) / (24 * 3600);
  text += fmt::format("{}{}", Say(language, "; by ", "；签发者 "), ForTerminal(info.issuer));
  text += fmt::format("{}{} – {}", Say(language, "; valid ", "；有效期 "), DateText(info.not_before), DateText(info.not_after));
  if (days >= 0) text += fmt::format(fmt::runtime(Say(language, " ({} days left)", "（剩 {} 天）")), days);
  text += fmt::format("; {} {}, {}", ForTerminal(certificate.strength.key), certificate.strength.key_bits,
                      ForTerminal(certificate.strength.signature));
  return text;
}

std::string_view FaultWords(ProbeFault fault, analysis::Language language) {
  const Words& words = kFaults[static_cast<int>(fault)];
  return Say(language, words.english, words.chinese);
}

}  // namespace glasspost::cli

#include "base/base64.h"
#include "lab/lab.h"

namespace glasspost::lab {
namespace {

// 76 characters a line (RFC 2045 §6.8).
std::string Base64Lines(Octets octets) {
  const std::string all = EncodeBase64(octets);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += 76) out += all.substr(at, 76) + "\r\n";
  return out;
}

}  // namespace

std::string ExperimentMessage(const std::string& date) {
  return "From: Alice <alice@localhost.test>\r\n"
         "To: Bob <bob@localhost.test>\r\n"
         "Cc: Carol <carol@localhost.test>\r\n"
         "Subject: =?UTF-8?B?" +
         EncodeBase64("实验：一封看得透的邮件") +
         "?=\r\n"
         "Date: " +
         date +
         "\r\n"
         "Message-ID: <experiment@localhost.test>\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"parts\"\r\n"
         "\r\n"
         "--parts\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: base64\r\n"
         "\r\n" +
         Base64Lines(
             "Dear Bob, dear Carol,\n\nthis message passes in the clear, so that every octet can be seen.\n\n"
             "你们好！这封邮件以明文传送，每个八位组都看得见。\n\nAlice\n") +
         "--parts\r\n"
         "Content-Type: text/csv; charset=us-ascii\r\n"
         "Content-Disposition: attachment; filename=\"steps.csv\"\r\n"
         "\r\n"
         "step,who,what\r\n"
         "1,client,EHLO\r\n"
         "2,client,AUTH LOGIN\r\n"
         "3,client,MAIL FROM\r\n"
         "4,client,RCPT TO\r\n"
         "5,client,DATA\r\n"
         "--parts--\r\n"
         "\r\n"
         ".A line that begins with a dot: it travels with two.\r\n";
}

}  // namespace glasspost::lab

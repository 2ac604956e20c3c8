// A server's certificate and its faults in words, for whoever shows one: probe, talk. Escaped for the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/probe.h"
#include "analysis/language.h"

namespace glasspost::cli {

// "localhost, 127.0.0.1; by CN=Test; valid 2026-01-01 – 2027-01-01 (39 days left); RSA 2048, sha256WithRSAEncryption"
std::string CertificateText(const agent::ProbedCertificate& certificate, Timestamp now, analysis::Language language);
// "its certificate has expired"
std::string_view FaultWords(agent::ProbeFault fault, analysis::Language language);
// Of several texts, one; each is escaped.
std::string Joined(const std::vector<std::string>& words, std::string_view between = ", ");

}  // namespace glasspost::cli

#include "wire/dns/matching.h"

namespace glasspost::dns {
namespace {

bool SameQuestions(const Message& query, const Message& answer) {
  if (answer.questions.empty() && !query.questions.empty())
    return answer.rcode() != kRcodeNoError && answer.rcode() != kRcodeNxDomain;
  if (answer.questions.size() != query.questions.size()) return false;
  for (std::size_t i = 0; i < query.questions.size(); ++i) {
    const Question& asked = query.questions[i];
    const Question& told = answer.questions[i];
    if (told.type != asked.type || told.klass != asked.klass) return false;
    if (!SameName(answer.NameOctets(told.name), query.NameOctets(asked.name))) return false;
  }
  return true;
}

}  // namespace

Match MatchAnswer(const Message& query, const Message& answer) {
  if (answer.fault.kind == FaultKind::kShortHeader || !answer.response()) return Match::kNoAnswer;
  if (answer.id != query.id) return Match::kWrongId;
  if (query.malformed() || answer.malformed() || SameQuestions(query, answer)) return Match::kAnswer;
  return Match::kWrongQuestion;
}

}  // namespace glasspost::dns

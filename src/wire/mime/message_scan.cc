#include "wire/mime/message_scan.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"

namespace glasspost::mime {
namespace {

// `line` begins a field of that name; blanks before the colon are allowed (RFC 5322 §4.5).
bool IsField(Octets line, Octets name) {
  if (!StartsWithNoCase(line, name)) return false;
  line.remove_prefix(name.size());
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line.starts_with(':');
}

// Enough of a line to tell whether it is a trace field.
constexpr std::size_t kTraceNameOctets = 24;

bool IsTraceField(Octets line) {
  return IsField(line, "Received") || IsField(line, "Return-Path") || IsField(line, "Delivered-To");
}

}  // namespace

void MessageScan::Reset() {
  state_ = State::kHeader;
  header_cut_ = has_date_ = has_message_id_ = last_cr_ = held_cr_ = journey_started_ = false;
  end_octets_ = 0;
  size_ = missing_ = header_octets_ = line_octets_ = 0;
  header_.clear();
  if (digest_dirty_) digest_.Finish(), digest_dirty_ = false;
  if (journey_dirty_) journey_.Finish(), journey_dirty_ = false;
}

void MessageScan::Take(Octets octets) {
  if (options_.digest) digest_.Update(octets), digest_dirty_ = true;
  if (state_ == State::kHeader) octets.remove_prefix(OnHeaderOctets(octets));
  if (journey_started_ && !octets.empty()) journey_.Update(octets);
}

std::size_t MessageScan::OnHeaderOctets(Octets octets) {
  if (held_cr_ && octets.front() != '\n') Keep("\r");
  held_cr_ = false;
  std::size_t at = 0;
  std::size_t header_end = 0;  // of the octets that belong to the header block proper
  while (at < octets.size()) {
    const void* found = std::memchr(octets.data() + at, '\n', octets.size() - at);
    const std::size_t end =
        found == nullptr ? octets.size() : static_cast<std::size_t>(static_cast<const char*>(found) - octets.data());
    const std::size_t piece = end - at;
    if (line_octets_ < kPrefixOctets && piece != 0) {
      const std::size_t n = std::min<std::size_t>(piece, kPrefixOctets - line_octets_);
      std::memcpy(prefix_.data() + line_octets_, octets.data() + at, n);
    }
    if (piece != 0) last_cr_ = octets[end - 1] == '\r';
    line_octets_ += piece;
    if (found == nullptr) {
      // A CR that begins a line may be half of the empty line: whether it is kept shows with the next octet.
      held_cr_ = line_octets_ == 1 && last_cr_;
      header_end = held_cr_ ? end - 1 : end;
      at = end;
      break;
    }
    at = end + 1;
    if (line_octets_ == 0 || (line_octets_ == 1 && last_cr_)) {
      state_ = State::kBody;
      end_octets_ = static_cast<std::uint8_t>(line_octets_ + 1);
      break;
    }
    header_end = at;
    OnHeaderLine();
    line_octets_ = 0;
    last_cr_ = false;
  }
  Keep(octets.substr(0, header_end));
  if (state_ == State::kBody && options_.journey) {
    StartJourney();
    if (journey_started_) journey_.Update(Octets("\r\n").substr(2 - end_octets_));
  }
  return at;
}

void MessageScan::OnHeaderLine() {
  const Octets line(prefix_.data(), std::min<std::size_t>(line_octets_, kPrefixOctets));
  if (line.empty()) return;
  const char first = ToLower(line.front());
  if (first == 'd' && IsField(line, "Date")) has_date_ = true;
  if (first == 'm' && IsField(line, "Message-ID")) has_message_id_ = true;
}

void MessageScan::Keep(Octets octets) {
  header_octets_ += octets.size();
  if (header_cut_) {
    if (journey_started_) journey_.Update(octets);
    return;
  }
  const std::size_t room = options_.limits.header_octets - header_.size();
  header_.append(octets.substr(0, room));
  if (octets.size() <= room) return;
  header_cut_ = true;
  if (!options_.journey) return;
  StartJourney();
  if (journey_started_) journey_.Update(octets.substr(room));
}

void MessageScan::StartJourney() {
  if (journey_started_) return;
  const TracePrefix trace = FindTracePrefix(header_, state_ == State::kBody && !header_cut_);
  if (!trace.ended && header_cut_) return;
  journey_started_ = journey_dirty_ = true;
  journey_.Update(Octets(header_).substr(trace.octets));
}

void MessageScan::OnGap(std::uint64_t length) {
  if (length == 0) return;
  missing_ += length;
  if (state_ != State::kHeader) return;
  if (held_cr_) Keep("\r"), held_cr_ = false;
  if (options_.journey) StartJourney();
  header_cut_ = true;
  state_ = State::kLost;
}

Digest MessageScan::FinishDigest() {
  if (!options_.digest) return {};
  digest_dirty_ = false;
  return digest_.Finish();
}

Digest MessageScan::FinishJourneyId() {
  if (!options_.journey) return {};
  // The message ended inside its header.
  if (state_ == State::kHeader && !header_cut_ && !journey_started_) {
    const TracePrefix trace = FindTracePrefix(header_, true);
    if (trace.octets < header_.size()) {
      journey_started_ = true;
      journey_.Update(Octets(header_).substr(trace.octets));
    }
  }
  if (!journey_started_) return {};
  if (held_cr_) journey_.Update("\r");
  journey_started_ = journey_dirty_ = false;
  return journey_.Finish();
}

TracePrefix FindTracePrefix(Octets header, bool complete) {
  TracePrefix result;
  bool in_trace = false;
  while (result.octets < header.size()) {
    const Octets rest = header.substr(result.octets);
    const std::size_t end = rest.find('\n');
    if (end == Octets::npos && !complete && rest.size() < kTraceNameOctets) return result;
    const Octets line = rest.substr(0, end);
    const bool continuation = line.starts_with(' ') || line.starts_with('\t');
    if (!(continuation && in_trace) && !IsTraceField(line)) {
      result.ended = true;
      return result;
    }
    in_trace = true;
    result.octets += end == Octets::npos ? rest.size() : end + 1;
  }
  result.ended = complete;
  return result;
}

}  // namespace glasspost::mime

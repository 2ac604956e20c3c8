// One sentence for what a command asks and for what a reply answers, in plain words. Texts stand in texts/*.inc.
#pragma once

#include <string>

#include "analysis/facts.h"
#include "analysis/language.h"
#include "wire/exchange.h"

namespace glasspost::analysis {

// `out` is replaced (its memory is used again): words of our own only, nothing of a peer; empty where there is no request.
void ExplainRequest(std::string& out, const Exchange& exchange, const ConversationFacts& facts, Language language);
// For one reply of the exchange (LMTP's data block has several).
void ExplainReply(std::string& out, const Exchange& exchange, const Reply& reply, const ConversationFacts& facts,
                  Language language);

// What a TCP packet of the handshake or the close does; `flags` as in capture::Packet.
enum class PacketRole { kSyn, kSynAck, kHandshakeAck, kFin, kFinAck, kLastAck, kReset };
std::string ExplainPacket(PacketRole role, bool from_client, Language language);

}  // namespace glasspost::analysis

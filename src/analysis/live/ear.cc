#include "analysis/live/ear.h"

#include <utility>

namespace glasspost::analysis {
namespace {

class HeardTeller final : public Teller {
 public:
  HeardTeller(std::unique_ptr<Teller> inner, Ear& ear) : inner_(std::move(inner)), ear_(ear) {}
  void OnPacket(const ConversationFacts& f, int side, const capture::Packet& p) override { inner_->OnPacket(f, side, p); }
  void OnExchange(const ConversationFacts& f, const Exchange& e) override {
    ear_.OnExchange(f, e);
    inner_->OnExchange(f, e);
  }
  void OnRequest(const ConversationFacts& f, const Exchange& e) override { ear_.OnRequest(f, e); }
  void OnMessage(const ConversationFacts& f, const MessageFacts& m) override { inner_->OnMessage(f, m); }
  void OnMessageOctets(Direction d, Octets octets) override { inner_->OnMessageOctets(d, octets); }
  void OnFinding(const ConversationFacts& f, const Finding& x) override {
    ear_.OnFinding(f, x);
    inner_->OnFinding(f, x);
  }
  void Finish(const ConversationFacts& f, TextStore& text) override { inner_->Finish(f, text); }
  std::size_t TextHeld() const override { return inner_->TextHeld(); }
  void SpillText() override { inner_->SpillText(); }
  std::string Note() override { return inner_->Note(); }

 private:
  std::unique_ptr<Teller> inner_;
  Ear& ear_;
};

class HeardReport final : public Report {
 public:
  HeardReport(std::unique_ptr<Report> inner, Ear& ear) : inner_(std::move(inner)), ear_(ear) {}
  Wants wants() const override {
    Wants wants = inner_->wants();
    wants.requests = true;
    return wants;
  }
  std::unique_ptr<Teller> NewTeller() const override { return std::make_unique<HeardTeller>(inner_->NewTeller(), ear_); }
  void Write(std::uint64_t number, Octets note, TextStore& text) override { inner_->Write(number, note, text); }

 private:
  std::unique_ptr<Report> inner_;
  Ear& ear_;
};

}  // namespace

std::unique_ptr<Report> WithEar(std::unique_ptr<Report> report, Ear& ear) {
  return std::make_unique<HeardReport>(std::move(report), ear);
}

}  // namespace glasspost::analysis

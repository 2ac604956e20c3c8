#include "agent/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glasspost::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Addresses(const std::vector<mime::Mailbox>& mailboxes) {
  std::vector<std::string> all;
  for (const mime::Mailbox& m : mailboxes) all.push_back(m.address);
  return all;
}

TEST(Reply, ToTheAuthorOrWhereTheAuthorWants) {
  EXPECT_THAT(Addresses(ReplyTo("From: Bob <bob@b.test>\nTo: ada@a.test\n", "ada@a.test", {}, false).to),
              ElementsAre("bob@b.test"));
  EXPECT_THAT(Addresses(ReplyTo("From: bob@b.test\nReply-To: list@b.test, x@y.test\n", "", {}, false).to),
              ElementsAre("list@b.test", "x@y.test"));
  EXPECT_THAT(Addresses(ReplyTo("From: bob@b.test\nReply-To: <>\n", "", {}, false).to), ElementsAre("bob@b.test"));
  EXPECT_THAT(Addresses(ReplyTo("Subject: nobody\n", "", {}, true).to), IsEmpty());
}

TEST(Reply, ToOneselfGoesOn) {
  const Octets header = "From: ADA@a.test\nTo: bob@b.test\nCc: carl@c.test\n";
  EXPECT_THAT(Addresses(ReplyTo(header, "ada@a.test", {}, false).to), ElementsAre("bob@b.test"));
  EXPECT_THAT(Addresses(ReplyTo("From: ada@a.test\n", "ada@a.test", {}, false).to), ElementsAre("ada@a.test"));
}

TEST(Reply, ToAllWithoutOneselfAndNobodyTwice) {
  const ReplyHeader reply = ReplyTo(
      "From: bob@b.test\nTo: Ada <ada@A.test>, carl@c.test, Bob <bob@b.test>\nCc: friends: dora@d.test, CARL@c.test;, "
      "me@a.test\n",
      "ada@a.test", {"me@a.test"}, true);
  EXPECT_THAT(Addresses(reply.to), ElementsAre("bob@b.test"));
  EXPECT_THAT(Addresses(reply.cc), ElementsAre("carl@c.test", "dora@d.test"));
}

TEST(Reply, Thread) {
  const ReplyHeader first = ReplyTo("From: a@b.c\nMessage-ID: <1@x>\n", "", {}, false);
  EXPECT_EQ(first.in_reply_to, "<1@x>");
  EXPECT_EQ(first.references, "<1@x>");
  EXPECT_EQ(ReplyTo("Message-ID: <3@x>\nReferences: <1@x>\n <2@x>\nIn-Reply-To: <9@x>\n", "", {}, false).references,
            "<1@x> <2@x> <3@x>");
  EXPECT_EQ(ReplyTo("Message-ID: <3@x>\nIn-Reply-To: <2@x> (Ada)\n", "", {}, false).references, "<2@x> <3@x>");
  EXPECT_EQ(ReplyTo("Message-ID: <3@x>\nIn-Reply-To: <1@x> <2@x>\n", "", {}, false).references, "<3@x>");
  const ReplyHeader none = ReplyTo("References: <1@x>\n", "", {}, false);
  EXPECT_EQ(none.in_reply_to + none.references, "");
}

TEST(Reply, ThreadAtTheLimit) {
  const auto of = [](std::size_t n) {
    std::string references = "References:";
    for (std::size_t i = 1; i <= n; ++i) references += "\n <" + std::to_string(i) + "@x>";
    return MessageIds(ReplyTo("Message-ID: <last@x>\n" + references + "\n", "", {}, false).references);
  };
  EXPECT_EQ(of(ReplyLimits::kReferences - 1).size(), ReplyLimits::kReferences);
  const auto cut = of(ReplyLimits::kReferences);
  EXPECT_EQ(cut.size(), ReplyLimits::kReferences);
  EXPECT_EQ(cut[0] + cut[1] + cut.back(), "<1@x><3@x><last@x>");
}

TEST(Reply, WhatIsNoIdIsLeftOut) {
  const std::string fits = "<" + std::string(ReplyLimits::kIdOctets - 2, 'i') + ">";
  const std::string longer = "<" + std::string(ReplyLimits::kIdOctets - 1, 'i') + ">";
  EXPECT_THAT(MessageIds("x <a@b><c d> <> <e\r\nBcc: f@g> <\xc3\xa9> <h" + longer + fits), ElementsAre("<a@b>", fits));
  EXPECT_THAT(MessageIds("<a@b"), IsEmpty());
}

TEST(Reply, Subjects) {
  for (const Octets subject :
       {"Hello", "Re: Hello", "RE:Hello", "re[2]: Re: Hello", "回复：Hello", "答复: Hello", "AW: Hello", "  Hello"})
    EXPECT_EQ(ReplySubject(subject), "Re: Hello") << subject;
  EXPECT_EQ(ReplySubject("Regarding: x"), "Re: Regarding: x");
  EXPECT_EQ(ReplySubject("Re[2 x"), "Re: Re[2 x");
  EXPECT_EQ(ReplySubject(""), "Re: ");
  EXPECT_EQ(ForwardSubject("Fw: 转发：x"), "Fwd: x");
  EXPECT_EQ(ForwardSubject("Re: x"), "Fwd: Re: x");
}

TEST(Reply, Quotes) {
  EXPECT_EQ(Quoted("one\r\n\r\n> two\n>three\n"), "> one\n>\n>> two\n>>three\n");
  EXPECT_EQ(Quoted("text\n\n-- \nAda\n"), "> text\n");
  EXPECT_EQ(Quoted("text\n--\nno signature"), "> text\n> --\n> no signature\n");
  EXPECT_EQ(Quoted(""), "");
}

}  // namespace
}  // namespace glasspost::agent

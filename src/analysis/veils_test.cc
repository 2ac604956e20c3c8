#include "analysis/veils.h"

#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

std::shared_ptr<const Secrets> Knowing(Octets secret) {
  auto secrets = std::make_shared<Secrets>();
  secrets->Remember(secret);
  return secrets;
}

TEST(Veils, NothingIsHiddenOfWhatHoldsNoSecret) {
  Veils veils;
  veils.Add(1, {nullptr, false, {}});
  veils.Add(2, {Knowing("wonderland"), false, {}});
  EXPECT_EQ(veils.Hidden(1, "STAT\r\n"), "      ");
  EXPECT_EQ(veils.Hidden(2, "STAT\r\n"), "      ");
  EXPECT_EQ(veils.Hidden(3, "STAT\r\n"), "      ");
  EXPECT_EQ(veils.Hidden(3, ""), "");
}

TEST(Veils, SecretsAreHiddenWhereTheyStand) {
  Veils veils;
  veils.Add(2, {Knowing("wonderland"), false, {}});
  EXPECT_EQ(veils.Hidden(2, "no wonderland"), "   **********");
}

TEST(Veils, OfAWholeFrameWhatMayBeToldIsShown) {
  Veils veils;
  veils.Add(2, {nullptr, true, "PASS "});
  EXPECT_EQ(veils.Hidden(2, "pass x\r\n"), "     ***");
  EXPECT_EQ(veils.Hidden(2, "PA"), "  ");
  EXPECT_EQ(veils.Hidden(2, "STAT\r\nPASS x"), std::string(12, '*'));
  veils.Add(3, {Knowing("wonderland"), true, "USER wonderland "});
  EXPECT_EQ(veils.Hidden(3, "USER wonderland x"), "     ********** *");
}

TEST(Veils, TlsRecordsHideThemselves) {
  Veils veils;
  veils.Add(2, {nullptr, true, {}});
  EXPECT_EQ(veils.Hidden(2, Octets("\x16\x03\x01\x02", 4)), "    ");
  EXPECT_EQ(veils.Hidden(2, Octets("\x16\x02\x01\x02", 4)), "****");
}

TEST(Veils, AFrameOfNoConversationHasTheSecretsOfAllHidden) {
  Veils veils;
  veils.Add(2, {Knowing("wonderland"), false, {}});
  veils.Add(3, {Knowing("looking-glass"), false, {}});
  EXPECT_EQ(veils.Hidden(9, "wonderland looking-glass"), "********** *************");
  EXPECT_EQ(veils.Hidden(3, "wonderland looking-glass"), "           *************");
}

}  // namespace
}  // namespace glasspost::analysis

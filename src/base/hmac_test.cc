// The published vectors of RFC 1321 §A.5, RFC 2202, RFC 4231 and RFC 7914 §11.
#include "base/hmac.h"

#include <gtest/gtest.h>

#include "base/randomness.h"
#include "base/sha256.h"

namespace glasspost {
namespace {

TEST(Hmac, PublishedVectors) {
  EXPECT_EQ(Hex(HmacMd5("Jefe", "what do ya want for nothing?")), "750c783e6ab0b503eaa86e310a5db738");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(Hex(HmacSha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(Hex(HashMd5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Hex(HashSha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Pbkdf2, PublishedVector) {
  EXPECT_EQ(Hex(Pbkdf2Sha256("passwd", "salt", 1)), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

TEST(Secrets, AreComparedAndWiped) {
  EXPECT_TRUE(SameSecret("", ""));
  EXPECT_TRUE(SameSecret("abc", "abc"));
  EXPECT_FALSE(SameSecret("abc", "abd"));
  EXPECT_FALSE(SameSecret("abc", "ab"));
  std::string secret = "wonderland";
  const char* const octets = secret.data();
  Wipe(secret);
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(octets[1], '\0');
}

TEST(Randomness, IsNotTheSameTwice) {
  const std::string one = SystemRandomness().Draw(32);
  EXPECT_EQ(one.size(), 32u);
  EXPECT_NE(one, SystemRandomness().Draw(32));
}

}  // namespace
}  // namespace glasspost

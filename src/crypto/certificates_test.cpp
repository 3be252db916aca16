// Goal:   what is refused is named: which certificate, which issuer, which key, which day.
// Method: chains made on the spot; each test takes one thing away or puts one wrong thing in.

#include "crypto/certificates.h"

#include <gtest/gtest.h>

#include "support/certificates.h"

namespace eilpost::crypto {
namespace {

using support::Authority;
using support::Identity;
using support::make_ca;

std::vector<Bytes> trust_nothing(ByteView /*subject*/) {
  return {};
}

class Certificates : public testing::Test {
 protected:
  // In the middle of the leaf's life: the machine's calendar is the certificates', too.
  [[nodiscard]] WallTime now() const {
    return read_certificates(leaf_.certificate_pem).front().not_before + std::chrono::hours(48);
  }
  [[nodiscard]] CheckedCertificates client(const std::string& pem) const {
    return check_client_certificates(pem, trust_nothing, now());
  }
  // The code and sentence of the one problem that there must be.
  static CertificateProblem only(const CheckedCertificates& checked) {
    EXPECT_EQ(checked.problems.size(), 1U);
    for (const auto& problem : checked.problems) SCOPED_TRACE(problem.detail);
    return checked.problems.empty() ? CertificateProblem{} : checked.problems.front();
  }

  Authority root_ = make_ca("Bank root");
  Authority upper_ = root_.make_intermediate("Bank upper");
  Authority lower_ = upper_.make_intermediate("Bank lower");
  Identity leaf_ = lower_.issue({.common_name = "client.example"});
};

TEST_F(Certificates, AFullChainPassesAndIsDescribed) {
  const CheckedCertificates checked = client(leaf_.chain_pem + root_.certificate_pem());
  ASSERT_TRUE(checked.problems.empty()) << checked.problems.front().detail;
  ASSERT_EQ(checked.certificates.size(), 4U);
  EXPECT_EQ(checked.certificates[0].subject, "CN=client.example");
  EXPECT_EQ(checked.certificates[0].issuer, "CN=Bank lower");
  EXPECT_EQ(checked.certificates[3].issuer, "CN=Bank root");
  EXPECT_LT(checked.certificates[0].not_before, now());
  EXPECT_GT(checked.certificates[0].not_after, now());
  EXPECT_TRUE(checked.was_in_order);
}

TEST_F(Certificates, AWrongOrderIsPutRight) {
  const std::string mixed = "Bag Attributes\n  friendlyName: x\n" + root_.certificate_pem() +
                            upper_.certificate_pem() + leaf_.certificate_pem +
                            lower_.certificate_pem();
  const CheckedCertificates checked = client(mixed);
  ASSERT_TRUE(checked.problems.empty()) << checked.problems.front().detail;
  EXPECT_FALSE(checked.was_in_order);
  EXPECT_EQ(checked.pem, leaf_.chain_pem + root_.certificate_pem());
}

TEST_F(Certificates, EachMissingLinkIsNamedWithTheOneThatItIssued) {
  const CertificateProblem no_root = only(client(leaf_.chain_pem));
  EXPECT_EQ(no_root.code, "issuer_missing");
  EXPECT_EQ(no_root.detail,
            "The chain is not complete: the issuer of \"CN=Bank upper\" is missing. Add the "
            "certificate \"CN=Bank root\".");
  const CertificateProblem no_upper =
      only(client(leaf_.certificate_pem + lower_.certificate_pem() + root_.certificate_pem()));
  EXPECT_TRUE(no_upper.detail.contains("issuer of \"CN=Bank lower\"")) << no_upper.detail;
  EXPECT_TRUE(no_upper.detail.contains("Add the certificate \"CN=Bank upper\""));
  const CertificateProblem alone = only(client(leaf_.certificate_pem));
  EXPECT_TRUE(alone.detail.contains("issuer of \"CN=client.example\"")) << alone.detail;
}

TEST_F(Certificates, ARootOfTheMachineEndsAChain) {
  std::string asked_name;
  const auto find_trusted = [&](ByteView subject) {
    asked_name = std::string(as_text(subject));
    std::vector<Bytes> found;
    for (const X509* each : {lower_.certificate(), root_.certificate()}) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(each, &der);
      const auto* bytes = reinterpret_cast<const std::byte*>(der);
      found.emplace_back(bytes, bytes + size);
      OPENSSL_free(der);
    }
    return found;
  };
  const auto checked = check_client_certificates(leaf_.chain_pem, find_trusted, now());
  EXPECT_TRUE(checked.problems.empty());
  EXPECT_TRUE(asked_name.contains("Bank root"));
  EXPECT_EQ(checked.certificates.size(), 3U);
  // One that is trusted but no root ends none.
  EXPECT_EQ(check_client_certificates(leaf_.certificate_pem, find_trusted, now()).problems.size(),
            1U);
}

TEST_F(Certificates, ANamesakeOfTheIssuerIsNotTheIssuer) {
  const Authority other = make_ca("Bank root");
  const CertificateProblem problem = only(client(leaf_.chain_pem + other.certificate_pem()));
  EXPECT_EQ(problem.code, "issuer_wrong");
  EXPECT_TRUE(problem.detail.contains("\"CN=Bank upper\" was not signed")) << problem.detail;
}

TEST_F(Certificates, WhatIsNoAuthorityCannotHaveIssued) {
  const Authority no_authority =
      root_.make_intermediate({.common_name = "Bank desk", .is_authority = false});
  const Identity leaf = no_authority.issue({.common_name = "client.example"});
  const CertificateProblem problem = only(client(leaf.chain_pem + root_.certificate_pem()));
  EXPECT_EQ(problem.code, "not_an_authority");
  EXPECT_TRUE(problem.detail.starts_with("\"CN=Bank desk\"")) << problem.detail;
}

TEST_F(Certificates, ExpiredAndEarlyOnesAreNamedWithTheirDay) {
  const Authority old =
      root_.make_intermediate({.common_name = "Bank old", .valid_until = -std::chrono::hours(1)});
  const Identity early = old.issue({.common_name = "early.example",
                                    .valid_from = std::chrono::hours(24 * 400),
                                    .valid_until = std::chrono::hours(24 * 500)});
  const CheckedCertificates checked = client(early.chain_pem + root_.certificate_pem());
  ASSERT_EQ(checked.problems.size(), 2U);
  EXPECT_EQ(checked.problems[0].code, "not_yet_valid");
  EXPECT_TRUE(checked.problems[0].detail.starts_with("\"CN=early.example\" is not valid before"));
  EXPECT_EQ(checked.problems[1].code, "expired");
  EXPECT_TRUE(checked.problems[1].detail.starts_with("\"CN=Bank old\" has expired on 2"));
}

TEST_F(Certificates, TheLastMomentCounts) {
  const std::string pem = leaf_.chain_pem + root_.certificate_pem();
  const WallTime end = read_certificates(leaf_.certificate_pem).front().not_after;
  const auto before =
      check_client_certificates(pem, trust_nothing, end - std::chrono::milliseconds(1));
  EXPECT_TRUE(before.problems.empty());
  EXPECT_EQ(only(check_client_certificates(pem, trust_nothing, end)).code, "expired");
}

TEST_F(Certificates, AStrayOneIsRefused) {
  const Authority other = make_ca("Other root");
  const CertificateProblem problem =
      only(client(leaf_.chain_pem + root_.certificate_pem() + other.certificate_pem()));
  EXPECT_EQ(problem.code, "stray_certificate");
  EXPECT_EQ(problem.detail,
            "\"CN=Other root\" is no part of the chain of \"CN=client.example\": remove it.");
}

TEST_F(Certificates, OneGivenTwiceIsTakenOnce) {
  const CheckedCertificates checked =
      client(leaf_.chain_pem + root_.certificate_pem() + root_.certificate_pem());
  EXPECT_TRUE(checked.problems.empty());
  EXPECT_EQ(checked.certificates.size(), 4U);
}

TEST_F(Certificates, WhatIsCutOffOrNoCertificateIsNamed) {
  const std::string whole = leaf_.chain_pem + root_.certificate_pem();
  struct Case {
    std::string pem;
    std::string code;
    std::string said;
  };
  const std::size_t last_line = whole.rfind("-----END");
  const Case cases[] = {
      {"", "not_pem", "There is no certificate in PEM"},
      {"MIIB", "not_pem", "There is no certificate in PEM"},
      {whole.substr(0, last_line), "not_whole", "Certificate 4 is not whole: its last line"},
      {whole.substr(0, last_line - 40) + whole.substr(last_line), "not_whole",
       "Certificate 4 is damaged or cut off"},
      {whole.substr(100), "not_whole", "Certificate 1 is not whole: the line -----BEGIN"},
      {leaf_.key_pem + whole, "not_pem", "Part 1 of the text is a private key"},
      {whole + "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
       "not_pem", "Part 5 of the text is a certificate request"},
      {"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n", "not_pem",
       "line breaks"},
  };
  for (const Case& each : cases) {
    const CertificateProblem problem = only(client(each.pem));
    EXPECT_EQ(problem.code, each.code) << problem.detail;
    EXPECT_TRUE(problem.detail.contains(each.said)) << problem.detail;
  }
}

TEST_F(Certificates, MoreThanTheLimitAreRefused) {
  std::string many;
  for (std::size_t i = 0; i <= kCertificatesMax; ++i) many += root_.certificate_pem();
  EXPECT_TRUE(only(client(many)).detail.contains("more than 100"));
}

TEST_F(Certificates, EachAuthorityMustLeadToARoot) {
  const auto check = [this](const std::string& pem) {
    return check_authorities(pem, trust_nothing, now());
  };
  const Authority other = make_ca("Other root");
  const std::string two = other.certificate_pem() + root_.certificate_pem();
  EXPECT_TRUE(check(two).problems.empty());
  EXPECT_EQ(check(two).pem, two);
  // A server's chain, pasted.
  EXPECT_TRUE(check(leaf_.chain_pem + root_.certificate_pem()).problems.empty());
  const CertificateProblem problem =
      only(check(other.certificate_pem() + upper_.certificate_pem()));
  EXPECT_TRUE(problem.detail.contains("issuer of \"CN=Bank upper\"")) << problem.detail;
}

TEST_F(Certificates, TheKeyMustBeTheLeafs) {
  const std::string chain = leaf_.chain_pem + root_.certificate_pem();
  EXPECT_FALSE(check_client_key(chain, leaf_.key_pem));
  const auto strange = check_client_key(chain, lower_.issue({}).key_pem);
  ASSERT_TRUE(strange);
  EXPECT_EQ(strange->detail,
            "The private key does not belong to the certificate \"CN=client.example\".");
  const auto of_authority = check_client_key(chain, lower_.key_pem());
  ASSERT_TRUE(of_authority);
  EXPECT_TRUE(of_authority->detail.contains("belongs to the authority \"CN=Bank lower\""));
  EXPECT_EQ(check_client_key(chain, "key")->code, "bad_key");
  EXPECT_TRUE(check_client_key(chain, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
                  ->detail.contains("passphrase"));
}

TEST_F(Certificates, Pkcs12IsTakenApart) {
  Identity whole = leaf_;
  whole.chain_pem += root_.certificate_pem();
  const std::string file = support::make_pkcs12(whole, "geheim");
  const auto identity = read_pkcs12(as_bytes(file), "geheim");
  ASSERT_TRUE(identity) << identity.error().detail;
  const CheckedCertificates checked = client(identity->certificate_pem);
  EXPECT_TRUE(checked.problems.empty());
  EXPECT_EQ(checked.pem, whole.chain_pem);
  EXPECT_FALSE(check_client_key(checked.pem, identity->key_pem));

  const auto wrong = read_pkcs12(as_bytes(file), "geraten");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().detail, "The password of the PKCS #12 file is wrong.");
  EXPECT_FALSE(read_pkcs12(as_bytes(file.substr(0, file.size() / 2)), "geheim"));
  EXPECT_TRUE(read_pkcs12(as_bytes(support::make_pkcs12(whole, "")), ""));
}

}  // namespace
}  // namespace eilpost::crypto

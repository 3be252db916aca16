#include "crypto/private_key.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string>

#include "base/encoding.h"

namespace eilpost::crypto {
namespace {

// Made for these tests alone with `openssl genpkey`.
constexpr const char* kRsaKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC9U4lB8UOjm1Bv\n"
    "H9l/EcaD08/p0DOnC/Aa6qpxb8E+QuIy/id3RNMbLcIOefK9uCG8fn2lxKEHm1CC\n"
    "8npIi1XICE+D3ZeAynrhksCzKEm3bN+sclxARsE1N33flS6KXvEBWQVa5XZVubmf\n"
    "4QSjsJGi7vJyMcV3PpebLly7H2IkHFd+9tXSar/xOgH+w8sWxirlp6XSc3qM02x6\n"
    "I8ddq1bNp0QllIqTKrDvtBhmSGI8qZFu5GB+UnhAKNmu6ME+35umqfelaPiXNVJP\n"
    "9KYPQ1O/+C95h/viLYUqfTqN3SVIyxl9BNIw+AI40cWOIWT/TBh6NXQX7/X1jmHZ\n"
    "LTRIfe03AgMBAAECggEAByhYVmuLoMInbqa9RJuPGL7HlnxY55DWTqjehr6wh0Jk\n"
    "u4Qg89Zgm3TFvbcIi/mhH4zcrTQGLnvFtchQV9vErh+k+e7vt7PFT4U1JHt6cKUn\n"
    "aPqYgumUi7GBtb6LGDocpxi5e2/qDbWheeo6OwIFj4EJyMgZl2IraHd+k/3Mv7at\n"
    "7xzkGudu8KLmQOvmBUHKUSQRKjNdJVHFnrarhwWJcfWBzuZf41dwbwcKqxIBkSV1\n"
    "TtckPmdhFJFGaaU+g+7qbFqbRERzitIHAMRQXjWQIc/O2y7VjDnQuJLRdazAnqtz\n"
    "3vpxLvxRTmP53w2a4bBM+9Qu1uC/zcKh4BZYbURJWQKBgQDjZhumrLMgxoe++nGU\n"
    "yXznR143lmCj73C9WFUnw4GR5So2NRIp3tnUqIQd9O3O5qi4CjreNjq7Pz4HEx5Y\n"
    "3JPZ6x0GK9+n8fwohOgooWtefK8gONmoGFc/uMOqfLCRg/x02mQs+dH90lWTIaj8\n"
    "WcrieR328jO4Iq5segRV0octNQKBgQDVI40MqJs5WhqPfpIs0IalyEPjcbZltyfm\n"
    "SnO1b2pMPpiP+yrIICa6VwP+fsj2ROsAR9uCMNl84UOCpQ5pgI85a/ROM/XS6Fvd\n"
    "FHG7ioFxAU13yDQxYCs+IxMj8LVzJNsODJH078T3ew08RVShnbPFDw69nVtkT4GX\n"
    "5LL1cEa6OwKBgFr90LKxCDxlNIxGyowu07v34st7cNAoT4R0hB6VLJOkj2+BbPM0\n"
    "KRXfGH6kM0RHJ9v8u/GO4ZFrjPZnwAzutnrMiaCejbA2NCBCjmMztDLq0WijVvTc\n"
    "SI1G8YSWwFB579sSSGN204AtWfC111ii1Xwp2sOlxuw3dHQTnwh4ZX7BAoGAbMhV\n"
    "UDWp6+6yCbT3FEplvq1lAOvjxSxi/+XWAq9X2IxGP45Y+oV2XrrUvgqltRPdwWnr\n"
    "fhpClrs+QqrNnUlRUGRp75QTjk6rvD2YArkhcbTRfiY/hUfpKjCqrzhG0/rmltgR\n"
    "kqrho9I5Ih7coBQmUZhq1JpAsAToRsciE6T3ZEsCgYA9BX4dbyMfvx5ym55pgzuC\n"
    "6IX+pRLBy1yTsNRU5xi+5TjBfhLacxLK6PyFAXXQZHHTenUcIP1GsfIpYZw2HNaq\n"
    "lbkyWVsI9c6vHl/F00pPmmDaLTKFXLTSdZ9iKUINbbMprT7j09TTwFu/2TKkekFy\n"
    "Xz6uRsreRUWcuyW1UlPxkg==\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kP256Key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkF/5qCBvEdgMP3Qc\n"
    "j1U05LEXL15aqTajj/ScIvpGIgihRANCAAS7sgWE2amj4sku3NUQL+Cu4jOdfN7X\n"
    "QFgNitUml3w32fUqkv+v8mLra0XE3tjpOJj42k2mzbqZGIwli3vLTXpT\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kP384Key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDsP75O1laJ2Pk6BiA1\n"
    "NcX0TmzawAovHEsjzqqE1ATcZ46VOlewNZ1gwAB3ukPVugehZANiAATquqc6xlXh\n"
    "oI/hlgInlN4bG9juhofyjY8ixk9g7vE4b2HBIiiDfvduFROYfroJl30EJ478kN77\n"
    "rCdIrtP7BtVAuKv1Q/PQemfZqhI5NP71Wyy+tHBDOta5a2ohJFQca8U=\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kEd25519Key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIBFf8NkeWMjOfqjsYdE4JG05YIUwYnmMoKxD/RKG9PE8\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kKeyWithPassphrase =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg7EoaqzyIAZQICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJhXVaTsGHgFGCPqFAxrepkEgZBe\n"
    "yOB1WtuZZ3Gq+ErIJSL2tXsV7JQG8R5WTcJZgnGwVSHqlhx7pgNMQJ7BuvdSQlQV\n"
    "jvlwNa4eLgMklzyoHYWrknk298mcyRK9Pi3y0fCuhJG7slUB3MLdiHEC8DjwDf5W\n"
    "0Xu6UyFbK65rvl+1gTETkCFY3Qe4dy60fU5nq63sB3XsBCjvSBcu4k6+QPoUFCI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
constexpr const char* kShortRsaKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMZibdCPaTewX5GE\n"
    "68rAPUxx8cN5muqQQzJOdu4E3MnZJktYKPq4UqEcFCA46o28DGqfDtsbcl26jWu7\n"
    "AtAoJ+T7vvgxLpOE2WJVIXgKVPgCwzELvSqM3W6DO52sTscnJ9hB+iVEHw2bVbOy\n"
    "jwMwWLuH96zMWzXW3huoJ5E8Ucs7AgMBAAECgYBkbDj4pU/2z8Jg8G9H0C53fwqK\n"
    "EAm6iVJqqcuMS0vUpaa75yG/YQT65zLM6OLa4oFKi7/CbE9lYOTrztvqsRkX7LdY\n"
    "DZ8LPZRlaxenkq5p+XWMeveK1cNqEZ+pzhXuIRAeukj6DtYPHHWVV9svYasJzth3\n"
    "3d4LkmF1YMIpW7e68QJBAPbtDiqvIe504NVV45vyw7wgDzVAitep5RG72F9j450f\n"
    "Wdi89nMBl99t+KWvtSK3g4QWT1EcrIsD6OkjPTbcPckCQQDNrLi/QcX04MxK/1CZ\n"
    "ZXaZ/wfAZs19BauewGri6H64nd/YnaF0+DhAXSoLEfpzv6w6ltr5ix7nS9/GZ8Gj\n"
    "J/LjAkAhAGfPTp7TVu2htZv5AMYmQ4ak0F5+GmfSKe/uN9R48HK6o+6wSjs5EmKU\n"
    "ClrELBC4u56YMaPh5IDhf+MzjNX5AkEAxgIBIvA5mlVJmPJQMD4EfqGOXucZ8cEh\n"
    "xoZM4QMf7LDhLnQjWq8VyLFoppu6WPEw6H8PdatAJ0FewG5nd6IgLQJBAI+utci+\n"
    "b+XSXG9iXvM6UFVaWHbr49H55gS/lRD2r+qE6bZdGdDjmofZRvWEIbPXEc22qnnH\n"
    "hwDqMtE8HYAMzJY=\n"
    "-----END PRIVATE KEY-----\n";

constexpr std::string_view kMessage = "header.payload";

PrivateKey key_of(std::string_view pem) {
  return PrivateKey::parse(pem).value();
}

Bytes signature_of(std::string_view pem, JwtAlgorithm algorithm) {
  return key_of(pem).sign(algorithm, as_bytes(kMessage)).value();
}

// Verifies with OpenSSL alone; `signature` as OpenSSL has it.
bool verifies(const char* pem, const char* digest, const Bytes& signature, bool is_pss,
              std::string_view message = kMessage) {
  BIO* const source = BIO_new_mem_buf(pem, -1);
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(source, nullptr, nullptr, nullptr);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  EXPECT_EQ(EVP_DigestVerifyInit_ex(context, &parameters, digest, nullptr, nullptr, key, nullptr),
            1);
  if (is_pss) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 32);
  }
  const int result = EVP_DigestVerify(
      context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
      reinterpret_cast<const unsigned char*>(message.data()), message.size());
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(source);
  return result == 1;
}

// Both numbers of a JWS signature in the ASN.1 form.
Bytes to_der(const Bytes& joined) {
  const auto* const from = reinterpret_cast<const unsigned char*>(joined.data());
  const int half = static_cast<int>(joined.size() / 2);
  ECDSA_SIG* const signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(from, half, nullptr), BN_bin2bn(from + half, half, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  const auto* const first = reinterpret_cast<const std::byte*>(der);
  Bytes bytes(first, first + size);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return bytes;
}

TEST(PrivateKey, Rs256AndEdDsaAgreeWithAnotherSigner) {
  EXPECT_EQ(encode_base64url(signature_of(kRsaKey, JwtAlgorithm::rs256)),
            "dl28F3lWjpAarEkWGkaQgRzca--8mQ8s4v7ddum3XeAbvvpi3AvYPJ-FFt8AgMOmOYNTwSzm5W8P"
            "3w6LP-2fEYoA70kmy11gaPZUkCl8uPZb7krBIj6a1YxektJj3wvoN4iufm_VBYW2wrRtj3ke2sLN"
            "ocixbiwesN5h7PytbRjEmnyzLDoWPVWwX0rYCDjm1c7vqCYWAjZbtFCuBQA8lB5TndAosKroL8J3"
            "4e0ece4BamEi2dndEDVhtFgoGWkRu9efWBUc0D85G8sEOEEYrM-KEuW5dLvQWZuGexA-eI0fjvU7"
            "1SG54JtoG-PV8IA9OJnxdjAYiSffa9jUJ-P1fg");
  EXPECT_EQ(encode_base64url(signature_of(kEd25519Key, JwtAlgorithm::ed_dsa)),
            "6afxadWlBFQIXVc4Q0YNjE7xiKJ1J7mxFWhdJj2LG0X7Z3Gx6tQTplDj1N4fqRzn_dH6HZJdZ1uO"
            "W860AqX7DQ");
}

TEST(PrivateKey, Ps256Verifies) {
  const Bytes signature = signature_of(kRsaKey, JwtAlgorithm::ps256);
  EXPECT_TRUE(verifies(kRsaKey, "SHA256", signature, /*is_pss=*/true));
  EXPECT_FALSE(verifies(kRsaKey, "SHA256", signature, /*is_pss=*/false));
}

// Many times, because numbers with a leading zero byte are rare and have their full length too.
TEST(PrivateKey, EcdsaSignaturesHaveTheirFullLengthAndVerify) {
  for (int i = 0; i < 600; ++i) {
    const Bytes signature = signature_of(kP256Key, JwtAlgorithm::es256);
    ASSERT_EQ(signature.size(), 64U);
    ASSERT_TRUE(verifies(kP256Key, "SHA256", to_der(signature), /*is_pss=*/false));
  }
  const Bytes signature = signature_of(kP384Key, JwtAlgorithm::es384);
  EXPECT_EQ(signature.size(), 96U);
  EXPECT_TRUE(verifies(kP384Key, "SHA384", to_der(signature), /*is_pss=*/false));
}

// RFC 7515, appendix A.3: its signature verifies here, and so does ours of the same message.
TEST(PrivateKey, Es256AgreesWithTheExampleOfRfc7515) {
  constexpr const char* kKey =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
      "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
      "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
      "-----END PRIVATE KEY-----\n";
  constexpr std::string_view kExample =
      "eyJhbGciOiJFUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const Bytes theirs = decode_base64url(
                           "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8I"
                           "SlSApmWQxfKTUJqPP3-Kg6NU1Q")
                           .value();
  EXPECT_TRUE(verifies(kKey, "SHA256", to_der(theirs), /*is_pss=*/false, kExample));
  const Bytes ours = key_of(kKey).sign(JwtAlgorithm::es256, as_bytes(kExample)).value();
  EXPECT_TRUE(verifies(kKey, "SHA256", to_der(ours), /*is_pss=*/false, kExample));
  EXPECT_FALSE(verifies(kKey, "SHA256", to_der(ours), /*is_pss=*/false));
}

TEST(PrivateKey, SignsOnlyByTheAlgorithmsOfItsKind) {
  const auto names = [](std::string_view pem) {
    const PrivateKey key = key_of(pem);
    std::string names_of_all;
    for (const char* name : {"RS256", "PS256", "ES256", "ES384", "EdDSA"}) {
      const JwtAlgorithm algorithm = parse_jwt_algorithm(name).value();
      EXPECT_EQ(name_of(algorithm), name);
      const Result<Bytes> signature = key.sign(algorithm, as_bytes(kMessage));
      EXPECT_EQ(signature.has_value(), key.can_sign(algorithm));
      if (signature) names_of_all += std::string(name) + " ";
      if (!signature) EXPECT_EQ(signature.error().code, ErrorCode::bad_input);
    }
    return names_of_all;
  };
  EXPECT_EQ(names(kRsaKey), "RS256 PS256 ");
  EXPECT_EQ(names(kP256Key), "ES256 ");
  EXPECT_EQ(names(kP384Key), "ES384 ");
  EXPECT_EQ(names(kEd25519Key), "EdDSA ");
  EXPECT_EQ(parse_jwt_algorithm("none"), std::nullopt);
  EXPECT_EQ(parse_jwt_algorithm("rs256"), std::nullopt);
}

TEST(PrivateKey, WhatIsNoUsableKeyIsRefused) {
  const std::string truncated = std::string(kRsaKey).substr(0, 700);
  for (const std::string& pem :
       {std::string(), std::string("x"), truncated, std::string(kKeyWithPassphrase),
        std::string(kShortRsaKey), std::string(100'000, 'x')}) {
    const Result<PrivateKey> key = PrivateKey::parse(pem);
    ASSERT_FALSE(key.has_value()) << pem.substr(0, 50);
    EXPECT_EQ(key.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace eilpost::crypto

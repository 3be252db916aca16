// `eilpost check-certificate`: the sentences that saving a destination would answer, without
// saving.

#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "base/iso_time.h"
#include "crypto/certificates.h"
#include "env/real/real_clock.h"
#include "env/real/tls_context.h"
#include "main/commands.h"

namespace eilpost::main {
namespace {

constexpr std::size_t kFilesMax = 100;
constexpr std::streamsize kFileBytesMax = 1L << 20U;

int complain(std::string_view text, int exit_code) {
  fmt::print(stderr, "{}\n", text);
  return exit_code;
}

Result<std::string> read(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  if (!stream) return fail(ErrorCode::bad_input, name + " cannot be read.");
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), std::ssize(text));
  if (stream.gcount() > kFileBytesMax) {
    return fail(ErrorCode::bad_input, name + " is too large to hold certificates.");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

// What the files hold together, as if pasted one after the other.
struct Given {
  std::string certificates;
  std::string key;
};

bool is_pkcs12(const std::string& name) {
  return name.ends_with(".p12") || name.ends_with(".pfx");
}

Result<Given> read_all(const CheckCertificateArguments& arguments) {
  Given given;
  for (const std::string& name : arguments.files) {
    EILPOST_ASSIGN_OR_RETURN(const std::string text, read(name));
    if (!is_pkcs12(name)) {
      given.certificates += text;
      if (!text.ends_with('\n')) given.certificates += '\n';
      continue;
    }
    const auto identity = crypto::read_pkcs12(as_bytes(text), arguments.password);
    if (!identity) return fail(ErrorCode::bad_input, identity.error().detail);
    given.certificates += identity->certificate_pem;
    given.key = identity->key_pem;
  }
  if (!arguments.key_file.empty()) {
    EILPOST_ASSIGN_OR_RETURN(given.key, read(arguments.key_file));
  }
  return given;
}

void show(const crypto::CheckedCertificates& checked, WallTime now) {
  for (const crypto::Certificate& each : checked.certificates) {
    const auto left = std::chrono::floor<std::chrono::days>(each.not_after - now).count();
    fmt::print("{}\n  issued by {}\n  valid until {}{}\n", each.subject, each.issuer,
               format_iso_time(each.not_after),
               left < 0 ? std::string() : fmt::format(" ({} days)", left));
  }
  if (!checked.was_in_order) {
    fmt::print(
        "The order is wrong: the leaf comes first, then each issuer. Saving puts it right.\n");
  }
}

int check_certificate(const CheckCertificateArguments& arguments) {
  const Result<Given> given = read_all(arguments);
  if (!given) return complain(given.error().detail, kExitFailed);
  const auto trust = env::SystemTrust::load("");
  if (!trust) return complain(trust.error().detail, kExitFailed);
  const auto find_trusted = [&trust](ByteView subject) { return (*trust)->find(subject); };
  const WallTime now = env::RealClock().wall_now();
  crypto::CheckedCertificates checked =
      arguments.are_authorities
          ? crypto::check_authorities(given->certificates, find_trusted, now)
          : crypto::check_client_certificates(given->certificates, find_trusted, now);
  show(checked, now);
  if (!given->key.empty() && !checked.pem.empty()) {
    const auto wrong = crypto::check_client_key(checked.pem, given->key);
    if (wrong) checked.problems.push_back(*wrong);
  }
  for (const crypto::CertificateProblem& each : checked.problems) {
    fmt::print(stderr, "{}\n", each.detail);
  }
  if (!checked.problems.empty()) return kExitFailed;
  fmt::print("{}\n", given->key.empty() ? "The chain is complete."
                                        : "The chain is complete, and the key belongs to it.");
  return 0;
}

}  // namespace

void add_check_certificate(CLI::App& app, CheckCertificateArguments& arguments, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "check-certificate",
      "Say whether a destination would take these certificates, and what is wrong with them.");
  command
      ->add_option("files", arguments.files,
                   "PEM files, taken as if pasted one after the other, or a .p12 or .pfx file.")
      ->required()
      ->expected(1, kFilesMax);
  command->add_option("--key", arguments.key_file, "The private key of the client certificate.");
  command
      ->add_option("--password", arguments.password,
                   "Of a PKCS #12 file; better given as the variable, which no list of processes "
                   "shows.")
      ->envname("EILPOST_PKCS12_PASSWORD");
  command->add_flag("--authorities", arguments.are_authorities,
                    "They are for `ca_certificates`: each must lead to a root.");
  command->callback([&] { exit_code = check_certificate(arguments); });
}

}  // namespace eilpost::main

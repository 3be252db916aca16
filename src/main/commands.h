#pragma once
// The commands of `eilpost`, each with its arguments. A command runs when the line was parsed, and
// leaves its exit code.
//
// Exit codes: 0 success; 1 it failed (a sentence on stderr says why); 2 a wrong option or value.

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace eilpost::main {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct ServeArguments {
  std::map<std::string, std::string> flags;  // by option name
  std::string config_file;
};

struct SendArguments {
  std::string url = "http://127.0.0.1:8080";
  std::string key;
  std::string type;
  std::string data;
  std::string id;
  std::string user;
  std::string file;
};

struct TailArguments {
  std::string url = "http://127.0.0.1:8080";
  std::string api_key;
  bool as_json = false;
};

struct CheckCertificateArguments {
  std::vector<std::string> files;
  std::string key_file;
  std::string password;
  bool are_authorities = false;
};

void add_check_certificate(CLI::App& app, CheckCertificateArguments& arguments, int& exit_code);
void add_rotate_key(CLI::App& app, ServeArguments& arguments, int& exit_code);
void add_serve(CLI::App& app, ServeArguments& arguments, int& exit_code);
void add_send(CLI::App& app, SendArguments& arguments, int& exit_code);
void add_tail(CLI::App& app, TailArguments& arguments, int& exit_code);

}  // namespace eilpost::main

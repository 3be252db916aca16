#pragma once
// Every way in which Eilpost's own operations can fail, in one list.
//
// Numbers are stable: they are shown to users and written to logs. Never reuse one.

#include <cstdint>
#include <string>
#include <string_view>

namespace eilpost {

// X(name, number, text)
#define EILPOST_ERRORS(X)                                                      \
  X(disk_failed, 1001, "The disk refused an operation.")                       \
  X(disk_full, 1002, "No space is left on the disk.")                          \
  X(not_found, 1003, "There is no such file or record.")                       \
  X(already_locked, 1004, "Another process uses this data folder.")            \
  X(journal_corrupt, 1101, "The journal holds a record that is not valid.")    \
  X(record_too_large, 1102, "A record is larger than the limit.")              \
  X(record_gone, 1103, "The record was trimmed from the journal.")             \
  X(bad_config, 1201, "The configuration is not valid.")                       \
  X(bad_input, 1202, "The input is not valid.")                                \
  X(database_failed, 1301, "The database refused an operation.")               \
  X(database_corrupt, 1302, "The database holds something that is not valid.") \
  X(crypto_failed, 1401, "A cryptographic operation failed.")                  \
  X(name_not_resolved, 1501, "The host name could not be resolved.")           \
  X(connect_failed, 1502, "The connection could not be made.")                 \
  X(tls_failed, 1503, "The TLS handshake failed.")                             \
  X(connection_reset, 1504, "The connection was closed by the other side.")    \
  X(timed_out, 1505, "The time limit passed.")                                 \
  X(listen_failed, 1506, "The address could not be listened on.")              \
  X(protocol_violated, 1507, "The other side did not follow the protocol.")    \
  X(blocked_address, 1508, "The address is not allowed.")                      \
  X(too_large, 1509, "A message is larger than the limit.")

enum class ErrorCode : std::uint16_t {
#define EILPOST_ERROR_ENUM(name, number, text) name = number,
  EILPOST_ERRORS(EILPOST_ERROR_ENUM)
#undef EILPOST_ERROR_ENUM
};

std::string_view name_of(ErrorCode code);
std::string_view text_of(ErrorCode code);

// What went wrong. `code` is for programs, `detail` is for the person who reads the log; it never
// holds secrets and is never parsed.
struct Error {
  ErrorCode code;
  std::string detail;
};

}  // namespace eilpost

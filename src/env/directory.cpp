#include "env/directory.h"

#include <utility>

namespace eilpost::env {

Result<Bytes> read_file(Directory& directory, std::string_view name, std::uint64_t bytes_max) {
  EILPOST_ASSIGN_OR_RETURN(const auto file, directory.open(name, OpenMode::read));
  EILPOST_ASSIGN_OR_RETURN(const std::uint64_t size_bytes, file->size());
  if (size_bytes > bytes_max) return fail(ErrorCode::too_large, std::string(name));
  Bytes content(size_bytes);
  EILPOST_ASSIGN_OR_RETURN(const std::size_t count, file->read_at(0, content));
  content.resize(count);
  return content;
}

Result<void> replace_file(Directory& directory, std::string_view name, ByteView bytes) {
  const std::string temporary = std::string(name) + ".new";
  {
    EILPOST_ASSIGN_OR_RETURN(const auto file, directory.open(temporary, OpenMode::create_new));
    EILPOST_RETURN_IF_ERROR(file->write_at(0, bytes));
    EILPOST_RETURN_IF_ERROR(file->sync());
  }
  EILPOST_RETURN_IF_ERROR(directory.rename(temporary, name));
  return directory.sync();
}

}  // namespace eilpost::env

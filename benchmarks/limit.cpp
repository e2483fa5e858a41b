// The limit: the same fold as a scan's, as fast as a native program can be expected to do it.
//
//   limit FOLDER
//
// Unpacks with libdeflate (zlib where NO_LIBDEFLATE is defined), reads with simdjson On-Demand, and keeps of each
// session and network the first and last event, the 64 events with the lowest CRC-32 of their id, hours, keys,
// programs, calls, deliveries and role, and the keys that services took for sessions.  It does not judge, salvage
// broken input, or bound anything but the events.  `checksum` adds up what was kept, in the form of
// benchmarks/agreement.py.

#include <simdjson.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#ifndef NO_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "limit_ledger.hpp"
#include "limit_record.hpp"

namespace limit {

class Unpacking {  // of gzip files with one member or several
 public:
#ifndef NO_LIBDEFLATE
  ~Unpacking() { libdeflate_free_decompressor(library_); }
  size_t operator()(const string& packed, std::vector<char>& plain) {
    size_t size = 0, at = 0, read = 0, written = 0;
    while (at < packed.size() && packed[at] == '\x1f') {
      auto outcome =
          libdeflate_gzip_decompress_ex(library_, packed.data() + at, packed.size() - at, plain.data() + size,
                                        plain.size() - simdjson::SIMDJSON_PADDING - size, &read, &written);
      if (outcome == LIBDEFLATE_INSUFFICIENT_SPACE) {
        plain.resize(2 * plain.size());
        continue;
      }
      if (outcome != LIBDEFLATE_SUCCESS) return 0;
      at += read;
      size += written;
    }
    return size;
  }

 private:
  libdeflate_decompressor* library_ = libdeflate_alloc_decompressor();
#else
  size_t operator()(const string& packed, std::vector<char>& plain) {
    z_stream stream{};
    inflateInit2(&stream, 31);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = packed.size();
    size_t size = 0;
    int outcome = Z_OK;
    while (outcome == Z_OK || (outcome == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK)) {
      if (plain.size() < size + 2 * simdjson::SIMDJSON_PADDING) plain.resize(2 * plain.size());
      stream.next_out = reinterpret_cast<Bytef*>(plain.data() + size);
      stream.avail_out = plain.size() - simdjson::SIMDJSON_PADDING - size;
      size_t room = stream.avail_out;
      outcome = inflate(&stream, Z_NO_FLUSH);
      size += room - stream.avail_out;
    }
    inflateEnd(&stream);
    return outcome == Z_STREAM_END ? size : 0;
  }
#endif
};

string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  string packed(file.tellg(), '\0');
  file.seekg(0);
  file.read(packed.data(), packed.size());
  return packed;
}

}  // namespace limit

int main(int count, char** arguments) {
  using namespace limit;
  if (count != 2) return 2;
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::recursive_directory_iterator(arguments[1]))
    if (entry.is_regular_file() && entry.path().extension() == ".gz") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  Ledger ledger;
  Unpacking unpack;
  ondemand::parser parser;
  std::vector<char> plain(1 << 23);
  for (auto& path : paths) {
    size_t size = unpack(content(path), plain);
    ondemand::document document = parser.iterate(plain.data(), size, plain.size());
    for (auto one : document["Records"].get_array()) {
      Record record;
      members(one.value(), [&](string_view key, ondemand::value value) { read_field(key, value, record); });
      ledger.take(record);
    }
  }
  ledger.settle();
  ledger.print();
  fflush(stdout);
  std::_Exit(0);  // what was kept goes with the process
}

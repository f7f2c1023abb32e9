#include "common/session/last_list.h"

#include "common/base/cache_directory.h"
#include "common/base/file_identity.h"
#include "common/base/numbers.h"
#include "common/base/output_file.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace pygc::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "pygc.list/1";
constexpr std::size_t lists_kept = 64;
constexpr std::uintmax_t max_file_size = 4U << 20U;

/// FNV-1a: a name of the file; the key itself stands in it.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  }
  return hash;
}

fs::path directory() {
  const std::string cache = cache_directory();
  return cache.empty() ? fs::path() : fs::path(cache) / "lists";
}

fs::path file_of(const std::string& key) {
  const fs::path lists = directory();
  return key.empty() || lists.empty() ? fs::path() : lists / fmt::format("{:016x}", hash_of(key));
}

/// The lists that were used longest ago go.
void remove_old(const fs::path& lists) {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (auto each = fs::directory_iterator(lists, error); !error && each != fs::directory_iterator();
       each.increment(error)) {
    std::error_code gone;
    files.emplace_back(fs::last_write_time(each->path(), gone), each->path());
  }
  std::ranges::sort(files);
  for (std::size_t i = 0; i + lists_kept < files.size(); ++i) {
    fs::remove(files[i].second, error);
  }
}

struct List {
  std::string command;
  std::vector<Address> objects;
};

/// Without objects when there is none.
List read_list(const std::string& key) {
  List list;
  const fs::path path = file_of(key);
  std::error_code error;
  if (path.empty() || fs::file_size(path, error) > max_file_size || error) {
    return list;
  }
  std::ifstream file(path);
  std::string line;
  std::string its_key;
  if (!std::getline(file, line) || line != first_line || !std::getline(file, its_key) ||
      its_key != key || !std::getline(file, list.command)) {
    return list;
  }
  while (std::getline(file, line)) {
    const auto address = number_in<Address>(line, 16);
    if (!address) {
      return {};
    }
    list.objects.push_back(*address);
  }
  return list;
}

} // namespace

std::string process_identity(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // proc(5): behind the name, which may have blanks and parentheses, starttime is the 20th field.
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string field;
  for (int i = 0; i < 20; ++i) {
    fields >> field;
  }
  return fields ? fmt::format("{}:{}", pid, field) : std::string();
}

std::string list_key(const Options& options, const target::Info& target,
                     const Surroundings& surroundings) {
  std::string key;
  if (!options.core.empty()) {
    const std::string identity = options.core == "-" ? "" : file_identity(options.core);
    key = identity.empty() ? "" : "core " + identity;
  } else if (target.kind == target::Kind::core) {
    key = surroundings.stop_id.empty() ? "" : "core " + surroundings.stop_id;
  } else if (target.kind == target::Kind::live) {
    const std::string identity = process_identity(target.pid);
    key = identity.empty() ? "" : "process " + identity;
  } else {
    key = fmt::format("remote {}", target.pid);
  }
  if (!key.empty() && !surroundings.debugger.empty()) {
    key += " in " + surroundings.debugger;
  }
  std::ranges::replace(key, '\n', ' '); // of a path
  return key;
}

void keep_list(const Surroundings& surroundings) {
  const std::vector<Address>& objects = surroundings.numbering.objects();
  const fs::path path = file_of(surroundings.list_key);
  if (objects.empty() || path.empty()) {
    return;
  }
  std::string words = fmt::format("pygc {}", fmt::join(surroundings.words, " "));
  std::ranges::replace(words, '\n', ' ');
  std::string text = fmt::format("{}\n{}\n{}\n", first_line, surroundings.list_key, words);
  for (const Address object : objects) {
    fmt::format_to(std::back_inserter(text), "{:x}\n", object);
  }
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (auto file = OutputFile::open(path, 0600); file && file->write(text) && file->commit()) {
    remove_old(path.parent_path());
  }
}

Result<Address> object_of_list(const Surroundings& surroundings, std::size_t number) {
  const List list = read_list(surroundings.list_key);
  if (list.objects.empty()) {
    return fail(
        ErrorKind::usage, 0,
        fmt::format("there is no ${}: no list of this target has been shown yet (pygc find, "
                    "refs, why, garbage, leaks, dominators, check number what they list){}",
                    number,
                    surroundings.debugger.empty()
                        ? ""
                        : fmt::format("; the debugger's own value is (${})", number)));
  }
  if (number == 0 || number > list.objects.size()) {
    return fail(ErrorKind::usage, 0,
                fmt::format("there is no ${}: the last list ({}) has $1 to ${}", number,
                            list.command, list.objects.size()));
  }
  return list.objects[number - 1];
}

} // namespace pygc::session

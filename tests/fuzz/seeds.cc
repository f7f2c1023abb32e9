// Writes what fuzzing begins with: DIRECTORY/TARGET/NAME.
#include "common/protocol/wire.h"
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_messages.h"
#include "common/replay/protocol/replayer_protocol.h"
#include "tests/unit/image_builder.h"

#include <cstdio>
#include <initializer_list>
#include <string>
#include <sys/mman.h>

namespace pygc {
namespace {

using image::testing::append;
using image::testing::append_plain;
using image::testing::Bytes;

class Seeds {
public:
  explicit Seeds(std::string directory) : directory_(std::move(directory)) {}

  void write(const std::string& target, const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path path = std::filesystem::path(directory_) / target / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void write(const std::string& target, const std::string& name, const std::string& text) const {
    write(target, name, bytes_of(text));
  }

  static Bytes bytes_of(const std::string& text) {
    Bytes bytes;
    append(bytes, text.data(), text.size());
    return bytes;
  }

private:
  std::string directory_;
};

void cores(const Seeds& seeds) {
  image::testing::CoreBuilder core;
  core.add_thread(7, 6, 0x401010, 0x7ff000, 0x700000);
  core.add_thread(8, 0, 0x401020, 0x7fe000, 0x700000);
  core.add_pid(7);
  core.add_auxiliary({{AT_PHDR, 0x400040}, {AT_ENTRY, 0x401000}, {AT_BASE, 0x500000}});
  const Bytes library = image::testing::make_library("0123456789abcdef0123");
  core.segments = {{.address = 0x400000,
                    .size = 0x1000,
                    .flags = PF_R,
                    .saved = Bytes(library.begin(), library.begin() + 0x1000)},
                   {.address = 0x401000, .size = 0x1000, .flags = PF_R | PF_X, .saved = {}},
                   {.address = 0x402000,
                    .size = 0x2000,
                    .flags = PF_R | PF_W,
                    .saved = image::testing::filled(0x2000, 0x22)},
                   {.address = 0x7fe000,
                    .size = 0x2000,
                    .flags = PF_R | PF_W,
                    .saved = image::testing::filled(0x1000, 0x40)}};
  core.mappings = {{0x400000, 0x401000, 0, "/bin/program"},
                   {0x401000, 0x402000, 0x1000, "/bin/program"},
                   {0x402000, 0x403000, 0x2000, "/bin/program"}};
  seeds.write("core", "plain", core.build());
  core.skew = 0x318;
  seeds.write("core", "between_pages", core.build());
  core.extended_count = true;
  seeds.write("core", "extended_count", core.build());
  seeds.write("elf_file", "library", library);
}

std::string framed(wire::Type type, const std::string& payload) {
  Bytes bytes;
  append_plain(bytes, wire::magic);
  append_plain(bytes, wire::protocol_version);
  append_plain(bytes, static_cast<std::uint16_t>(type));
  append_plain(bytes, static_cast<std::uint32_t>(payload.size()));
  append_plain(bytes, std::uint32_t{0});
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) + payload;
}

void messages(const Seeds& seeds) {
  wire::Hello hello{.words = {"check", "--json"}, .stop_id = "core 1", .debugger = "gdb"};
  hello.executable_path = "/bin/program";
  machine::Thread thread;
  const wire::ThreadsAnswer threads{.threads = {thread, thread}};
  const wire::MappingsAnswer mappings{
      .known = true,
      .mappings = {{.start = 0x1000, .end = 0x2000, .file_offset = 0, .path = "/bin/program"}}};
  const wire::EvaluateAnswer value{.ok = true, .value = 5};
  const wire::Done done{.status = 1,
                        .actions = {{.kind = wire::ActionKind::breakpoint, .address = 0x1000}}};
  wire::CommandTable table{.family = "pygc", .commands = {{"check", "checks", "help"}}};
  seeds.write("wire", "hello", wire::encode(hello));
  seeds.write("wire", "threads", wire::encode(threads));
  seeds.write("wire", "mappings", wire::encode(mappings));
  seeds.write("wire", "evaluate", wire::encode(value));
  seeds.write("wire", "done", wire::encode(done));
  seeds.write("wire", "commands", wire::encode_commands(table));
  seeds.write("wire", "maps",
              std::string("00400000-00401000 r-xp 00000000 08:01 12  /bin/program\n"));
  seeds.write("wire", "stream",
              framed(wire::Type::hello, wire::encode(hello)) +
                  framed(wire::Type::threads_answer, wire::encode(threads)) +
                  framed(wire::Type::mappings_answer, wire::encode(mappings)) +
                  framed(wire::Type::evaluate_answer, wire::encode(value)));
}

template <class... Parts> Bytes packet(std::uint8_t files, const Parts&... parts) {
  Bytes body;
  (append_plain(body, parts), ...);
  Bytes whole;
  append_plain(whole, static_cast<std::uint16_t>(body.size()));
  append(whole, body.data(), body.size());
  append_plain(whole, files);
  return whole;
}

void packets(const Seeds& seeds) {
  using namespace replay::protocol;
  Setup setup;
  setup.window_size = 1 << 20;
  Bytes all;
  const auto add = [&](const Bytes& bytes) { append(all, bytes.data(), bytes.size()); };
  add(packet(1, setup));
  add(packet(1, Map{.count = 2},
             RegionRecord{.start = 0x1000, .end = 0x2000, .protection = PROT_READ},
             RegionRecord{
                 .start = 0x2000, .end = 0x4000, .protection = PROT_READ, .source = Source::file}));
  add(packet(0, Walk{}));
  add(packet(0, Lock{}));
  Bytes command = packet(0, Command{});
  command.pop_back(); // commands bring no descriptors
  add(command);
  seeds.write("packets", "conversation", all);
  seeds.write("replies", "rounds", Bytes(64));
  Bytes sweep(64);
  sweep.front() = std::byte{1};
  seeds.write("replies", "sweep", sweep);
  seeds.write("lists", "sound", Bytes(1, std::byte{12}));
  seeds.write("lists", "damaged", Seeds::bytes_of("\x0c\x01\x00\x00\x03\x05\x01\x01\x02"));
}

} // namespace
} // namespace pygc

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("usage: pygc_fuzz_seeds DIRECTORY\n", stderr);
    return 2;
  }
  const pygc::Seeds seeds(words[1]);
  pygc::cores(seeds);
  pygc::messages(seeds);
  pygc::packets(seeds);
  return 0;
}

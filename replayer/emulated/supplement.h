// What carries out instructions that the emulator lacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pygc::replayer {

/// How such instructions reach the target's memory. False: the access is wrong, and dealt with.
class SupplementMemory {
public:
  virtual bool read(std::uint64_t address, std::span<std::byte> to) = 0;
  virtual bool write(std::uint64_t address, std::span<const std::byte> from) = 0;

protected:
  ~SupplementMemory() = default;
};

class Supplement {
public:
  Supplement() = default;
  Supplement(const Supplement&) = delete;
  Supplement& operator=(const Supplement&) = delete;
  virtual ~Supplement() = default;

  enum class Result : std::uint8_t {
    done,    // the emulator goes on behind it
    faulted, // a wrong access
    unknown, // not one of ours
  };
  virtual Result execute(std::uint64_t pc, std::span<const std::byte> bytes) = 0;

  /// Registers that the emulator does not have, as at a function's entry.
  virtual void reset() = 0;
};

} // namespace pygc::replayer

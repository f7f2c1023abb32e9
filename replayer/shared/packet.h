// Packets of the control socket.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/shared/system.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pygc::replayer {

/// The analysis and this replayer do not understand each other.
[[noreturn]] void broken_protocol();

/// One packet with the descriptors that came along (before the lock-in: afterwards none can).
class Packet {
public:
  /// Waits for the next one. Ends the process when the analysis is gone, or the packet is larger
  /// than any can be.
  void receive();

  /// Is it such a struct, whole and alone?
  template <class T> bool is(replay::protocol::Kind kind) const {
    return size_ == sizeof(T) && has(kind);
  }
  template <class T> bool begins_with(replay::protocol::Kind kind) const {
    return size_ >= sizeof(T) && has(kind);
  }
  template <class T> T get(std::size_t offset = 0) const {
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(value));
    return value;
  }

  std::size_t size() const { return size_; }
  std::size_t file_count() const { return file_count_; }
  int file(std::size_t index) const { return files_[index]; }

private:
  bool has(replay::protocol::Kind kind) const {
    return size_ >= sizeof(kind) && get<replay::protocol::Kind>() == kind;
  }

  alignas(8) std::array<char, sizeof(replay::protocol::Map) +
                                  replay::protocol::max_regions_per_packet *
                                      sizeof(replay::protocol::RegionRecord)> bytes_{};
  std::size_t size_ = 0;
  std::array<int, replay::protocol::max_files_per_packet> files_{};
  std::size_t file_count_ = 0;
};

/// Waits for a packet that is to be a T. False: it is larger or smaller. Ends the process when the
/// analysis is gone.
template <class T> bool read_packet(T& packet) {
  // One byte more than it has, so that a larger one is not taken for it.
  alignas(T) std::array<char, sizeof(T) + 1> bytes;
  const std::int64_t size = system::read(bytes.data(), bytes.size());
  if (size <= 0) {
    system::end(replay::protocol::exit_done);
  }
  std::memcpy(&packet, bytes.data(), sizeof(T));
  return size == sizeof(T);
}

/// Ends the process when the analysis is gone.
void send_reply(const replay::protocol::Reply& reply);

} // namespace pygc::replayer

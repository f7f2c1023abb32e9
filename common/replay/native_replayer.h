// The native engine: a process of its own runs the target's code as it is.
#pragma once

#include "common/replay/image_regions.h"
#include "common/replay/protocol/replayer_protocol.h"
#include "common/replay/replay.h"
#include "common/replay/replayer_process.h"
#include "common/replay/shared_window.h"

namespace pygc::replay {

class NativeReplayer final : public Replayer {
public:
  /// One attempt. Errors: replayer (`clash` is set when another attempt may do better), cancelled.
  /// `early`: the process, if it was started before; it is moved from.
  static Result<std::unique_ptr<NativeReplayer>>
  start(const image::AddressSpace& memory, const Options& options,
        const std::function<bool()>& cancelled, bool& clash, ReplayerProcess* early = nullptr);

  Result<RoundResult> run(const Round& round) override;
  Result<std::vector<Visit>> visits(std::span<const Address> containers, Address function,
                                    std::vector<Incident>* incidents) override;
  Result<EdgesResult>
  edges(std::span<const Address> objects, std::span<const Address> clear_collecting,
        const std::function<Result<void>(std::span<const Edge>)>& take) override;
  void use_visitor(Address visit_decref) override { visit_decref_ = visit_decref; }
  std::uint64_t failed_regions() const override { return failed_regions_; }

  pid_t pid() const { return process_.pid(); }

private:
  friend class EmulatedReplayer; // it speaks the same protocol, and one command more
  friend class NativeSweep;      // and three more

  /// The image is mapped, and the replayer not locked in.
  static Result<std::unique_ptr<NativeReplayer>> prepare(const image::AddressSpace& memory,
                                                         const Options& options,
                                                         const std::function<bool()>& cancelled,
                                                         Writable writable, bool& clash,
                                                         ReplayerProcess* early = nullptr);

  NativeReplayer(ReplayerProcess process, SharedWindow window, const image::AddressSpace& memory);

  Result<void> set_up(const Options& options);
  Result<void> map(const image::AddressSpace& memory, Writable writable,
                   std::span<const image::Range> idle);
  /// Asks for the lock-in, which the first command waits for: reading the image goes on meanwhile.
  Result<void> start_lock();
  Result<void> finish_lock();
  /// Errors of the caller's making.
  static Result<void> check(const Round& round);
  Result<protocol::Command> lay_out(const Round& round, RoundResult& result);
  Result<void> clear(const Round& round, const protocol::Command& prototype);
  /// Carries the command out piece by piece, as its buffers fill.
  Result<void> carry_out(protocol::Command command, std::vector<Incident>* incidents,
                         const std::function<Result<void>(const protocol::Reply&)>& take);
  Result<protocol::Command> start_edges(std::span<const Address> objects,
                                        std::span<const Address> clear_collecting);
  /// For each object what its head is to hold, or has held, while edges are streamed: piece by
  /// piece, `each` with the index of the piece's first object and its command.
  Result<void> for_numbers(
      const protocol::Command& edges, protocol::Kind kind,
      const std::function<Result<void>(std::uint64_t first, const protocol::Command& piece)>& each);
  Result<void> take_edges(const protocol::Command& command, const protocol::Reply& reply,
                          std::vector<Edge>& edges) const;
  Result<void> take_incidents(const protocol::Command& command, const protocol::Reply& reply,
                              std::vector<Incident>& incidents) const;
  Result<void> take_decrements(const protocol::Command& command, const protocol::Reply& reply,
                               RoundResult& result) const;
  void take_gc_refs(const Round& round, const protocol::Command& command,
                    RoundResult& result) const;

  template <class Packet>
  Result<protocol::Reply> ask(const Packet& packet, std::span<const int> files = {}) {
    return ask_bytes(std::as_bytes(std::span(&packet, 1)), files);
  }
  Result<protocol::Reply> ask_bytes(std::span<const std::byte> packet, std::span<const int> files);
  Result<protocol::Reply> receive_reply();
  /// Memory that the replayer waits for.
  Result<void> bring(Address address);

  ReplayerProcess process_;
  SharedWindow window_;
  const image::AddressSpace& memory_;
  bool locked_ = false;
  Address visit_decref_ = 0;
  LentWord lent_;
  std::uint64_t failed_regions_ = 0;
};

} // namespace pygc::replay

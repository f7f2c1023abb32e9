// The emulated engine's process speaks the native one's protocol; tracing is added here.
#pragma once

#include "common/replay/emulated.h"
#include "common/replay/native_replayer.h"

#include <memory>

namespace pygc::replay {

class EmulatedReplayer final : public Tracer {
public:
  explicit EmulatedReplayer(std::unique_ptr<NativeReplayer> process);

  Result<RoundResult> run(const Round& round) override { return process_->run(round); }
  void use_visitor(Address visit_decref) override { process_->use_visitor(visit_decref); }
  Result<std::vector<Visit>> visits(std::span<const Address> containers, Address function,
                                    std::vector<Incident>* incidents) override {
    return process_->visits(containers, function, incidents);
  }
  Result<EdgesResult>
  edges(std::span<const Address> objects, std::span<const Address> clear_collecting,
        const std::function<Result<void>(std::span<const Edge>)>& take) override;
  std::uint64_t failed_regions() const override { return process_->failed_regions(); }
  using Tracer::trace;
  Result<Trace> trace(std::span<const TraceRequest> requests,
                      std::span<const Address> watched) override;
  Result<Trace> trace_cleared(std::span<const TraceRequest> requests,
                              const AttachedThread& thread) override;

  pid_t pid() const { return process_->pid(); }

private:
  Result<Trace> carry_out(protocol::Kind kind, std::span<const TraceRequest> requests,
                          std::span<const Address> watched, const AttachedThread& thread);
  Result<protocol::Command> lay_out(std::span<const TraceRequest> requests,
                                    std::span<const Address> watched);
  Result<void> take(const protocol::Command& command, const protocol::Reply& reply, Trace& trace,
                    std::size_t requests) const;

  std::unique_ptr<NativeReplayer> process_;
};

} // namespace pygc::replay

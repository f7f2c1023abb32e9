// The emulator with the target's memory, and the loop that carries a job's calls out in it, one
// after the other, each watched: what it executes, how long, and how it ends.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/fault_guard.h"
#include "replayer/emulated/guest_memory.h"
#include "replayer/emulated/supplement.h"
#include "replayer/emulated/translation.h"
#include "replayer/shared/endless_functions.h"

#include <cstdint>
#include <memory>
#include <span>
#include <unicorn/unicorn.h>
#include <vector>

namespace pygc::replayer {

struct Call {
  std::uint64_t function = 0;
  std::uint64_t object = 0;  // first argument, and third
  std::uint64_t visitor = 0; // second
};

/// Calls to make, and who is told of what happens in them.
class Job {
public:
  /// Asked when nothing is running. False: there are no more.
  virtual bool next(Call& call) = 0;
  /// The call has returned.
  virtual void completed(std::uint64_t result) = 0;
  /// The call has ended otherwise. `container` is not set.
  virtual void ended(const replay::protocol::IncidentRecord& incident) = 0;
  /// The visitor at Engine::record_visitor() was called. False: no room; the job ends here.
  virtual bool visit(std::uint64_t object) = 0;
  /// Before each access; the stack is left out.
  virtual void load(std::uint64_t address, unsigned size) = 0;
  virtual void store(std::uint64_t pc, std::uint64_t address, unsigned size) = 0;
  /// A watched function is about to run; it returns to `return_address`.
  virtual void called(std::uint64_t function, std::uint64_t return_address) = 0;

protected:
  ~Job() = default;
};

/// In instructions.
struct Budget {
  std::uint64_t without_visit = 0; // 0: no such limit
  std::uint64_t altogether = 0;
};

class Engine final : private FaultListener, private SupplementMemory {
public:
  /// Takes over the emulator, or null where there is none. The memory is arranged and outlives the
  /// engine, `progress` too. nullptr: no emulator.
  static std::unique_ptr<Engine> create(uc_engine* emulator, const replay::protocol::Setup& setup,
                                        const GuestMemory& memory, std::uint64_t* progress);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  void run(Job& job, const Budget& budget);

  /// From now on the job is told when these begin.
  void watch_functions(std::span<const std::uint64_t> functions);

  /// Executed so far.
  std::uint64_t instructions() const { return count_; }

  /// Visitors of our own, to be passed to traverse functions.
  static std::uint64_t record_visitor();
  static std::uint64_t decrement_visitor();

private:
  static constexpr std::uint64_t stack_size = 8 << 20;
  static constexpr std::uint64_t stack_top = replay::protocol::own_stack + stack_size;
  static constexpr bool in_stack(std::uint64_t address) {
    return address >= replay::protocol::own_stack && address < stack_top;
  }

  bool in_own_page(std::uint64_t address) const {
    return address - replay::protocol::own_start < own_page_.size();
  }

  Engine(uc_engine* emulator, const GuestMemory& memory, std::uint64_t* progress);

  bool prepare(const replay::protocol::Setup& setup);
  bool map_memory(const replay::protocol::Setup& setup);
  bool add_hooks();

  static void on_code(uc_engine* emulator, std::uint64_t pc, std::uint32_t size, void* engine);
  static void on_access(uc_engine* emulator, uc_mem_type type, std::uint64_t address, int size,
                        std::int64_t value, void* engine);
  static bool on_invalid_access(uc_engine* emulator, uc_mem_type type, std::uint64_t address,
                                int size, std::int64_t value, void* engine);
  static void on_interrupt(uc_engine* emulator, std::uint32_t number, void* engine);
  static bool on_invalid_instruction(uc_engine* emulator, void* engine);

  void memory_fault(std::uint64_t address, bool write_protected) override;
  bool read(std::uint64_t address, std::span<std::byte> to) override;
  bool write(std::uint64_t address, std::span<const std::byte> from) override;
  /// A part of the access that lies in one region; nullptr when it is wrong.
  std::byte* access(std::uint64_t address, std::size_t& size, bool write);
  void execute_supplement(std::uint64_t pc, std::span<const std::byte> bytes);
  /// An instruction that was not met before, one of our own or the first of a watched or fatal
  /// function.
  void inspect(std::uint64_t pc);
  void run_own_code(std::uint64_t offset);
  void start_next_call();
  void at_checkpoint();
  void set_checkpoint();
  /// The next call that is to be made: functions that do not end are passed over. False: none.
  bool take_call(Call& call);
  /// At the first instruction of a fatal function.
  void stop_at_fatal_function(std::uint64_t function);
  /// Ends the call under way.
  void stop(replay::protocol::Outcome outcome, std::uint64_t address, std::int64_t number);
  void finish();
  void after_incident();

  /// Of the function that begins here; 0 when the stack has none.
  std::uint64_t return_address() const;
  std::uint64_t get(int reg) const;
  void set(int reg, std::uint64_t value);

  const GuestMemory& memory_;
  std::uint64_t* progress_;
  uc_engine* emulator_ = nullptr;
  uc_context* initial_ = nullptr;
  std::span<std::byte> own_page_; // our own code
  std::byte* stack_ = nullptr;

  Translation translation_;
  std::unique_ptr<Supplement> supplement_;

  Job* job_ = nullptr;
  Budget budget_;
  bool in_call_ = false;
  bool finished_ = false;
  volatile bool stopping_ = false;
  replay::protocol::IncidentRecord incident_;

  std::uint64_t pc_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t checkpoint_ = 0;
  std::uint64_t call_began_ = 0; // by count_
  std::uint64_t last_visit_ = 0;
  std::vector<std::uint64_t> watched_; // functions, ascending
  std::vector<std::uint64_t> fatal_;   // functions, ascending
  EndlessFunctions endless_;
  std::uint64_t function_ = 0;       // of the call under way
  std::vector<std::uint64_t> known_; // instructions met before, by their low bits
};

} // namespace pygc::replayer

#include "replayer/emulated/engine.h"

#include "common/machine/page.h"
#include "replayer/emulated/machine.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using machine::Instruction;
using protocol::Outcome;
using ::pygc::machine::page_size;

constexpr std::uint64_t max_instruction = 15;
constexpr std::size_t known_count = std::size_t{1} << 16;
// How often the analysis sees that we are alive.
constexpr std::uint64_t progress_interval = 1 << 16;

std::byte* anonymous(std::uint64_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

} // namespace

Engine::Engine(uc_engine* emulator, const GuestMemory& memory, std::uint64_t* progress)
    : memory_(memory), progress_(progress), emulator_(emulator),
      known_(known_count, ~std::uint64_t{0}) {}

Engine::~Engine() {
  if (initial_ != nullptr) {
    uc_context_free(initial_);
  }
  if (emulator_ != nullptr) {
    uc_close(emulator_);
  }
  ::munmap(own_page_.data(), own_page_.size());
  ::munmap(stack_, stack_size);
}

std::unique_ptr<Engine> Engine::create(uc_engine* emulator, const protocol::Setup& setup,
                                       const GuestMemory& memory, std::uint64_t* progress) {
  std::unique_ptr<Engine> engine(new Engine(emulator, memory, progress));
  return engine->prepare(setup) ? std::move(engine) : nullptr;
}

std::uint64_t Engine::record_visitor() {
  return protocol::own_start + machine::record_visitor;
}

std::uint64_t Engine::decrement_visitor() {
  return protocol::own_start + machine::decrement_visitor;
}

bool Engine::prepare(const protocol::Setup& setup) {
  if (emulator_ == nullptr || !map_memory(setup) || !translation_.install(emulator_) ||
      !add_hooks()) {
    return false;
  }
  SupplementMemory& memory = *this;
  supplement_ = machine::make_supplement(emulator_, memory);
  set(machine::registers.thread_pointer, setup.thread_pointer);
  std::ranges::copy_if(setup.fatal_functions, std::back_inserter(fatal_),
                       [](std::uint64_t function) { return function != 0; });
  std::ranges::sort(fatal_);
  return uc_context_alloc(emulator_, &initial_) == UC_ERR_OK &&
         uc_context_save(emulator_, initial_) == UC_ERR_OK;
}

bool Engine::map_memory(const protocol::Setup& setup) {
  std::byte* own_page = anonymous(page_size());
  stack_ = anonymous(stack_size);
  if (own_page == nullptr || stack_ == nullptr) {
    return false;
  }
  own_page_ = {own_page, page_size()};
  machine::write_own_code(own_page_, setup);
  bool mapped = uc_mem_map_ptr(emulator_, protocol::own_start, own_page_.size(),
                               UC_PROT_READ | UC_PROT_EXEC, own_page) == UC_ERR_OK &&
                uc_mem_map_ptr(emulator_, protocol::own_stack, stack_size,
                               UC_PROT_READ | UC_PROT_WRITE, stack_) == UC_ERR_OK;
  for (const auto& area : memory_.areas()) {
    mapped = mapped && uc_mem_map_ptr(emulator_, area.start, area.end - area.start, UC_PROT_ALL,
                                      area.host) == UC_ERR_OK;
  }
  return mapped;
}

bool Engine::add_hooks() {
  auto add = [this](int type, auto* callback) {
    uc_hook hook = 0;
    return uc_hook_add(emulator_, &hook, type, reinterpret_cast<void*>(callback), this, 1, 0) ==
           UC_ERR_OK;
  };
  return add(UC_HOOK_CODE, &on_code) && add(UC_HOOK_MEM_INVALID, &on_invalid_access) &&
         add(UC_HOOK_INTR, &on_interrupt) && add(UC_HOOK_INSN_INVALID, &on_invalid_instruction) &&
         add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, &on_access);
}

std::uint64_t Engine::get(int reg) const {
  std::uint64_t value = 0;
  uc_reg_read(emulator_, reg, &value);
  return value;
}

void Engine::set(int reg, std::uint64_t value) {
  uc_reg_write(emulator_, reg, &value);
}

void Engine::run(Job& job, const Budget& budget) {
  job_ = &job;
  budget_ = budget;
  finished_ = false;
  while (!finished_) {
    uc_context_restore(emulator_, initial_);
    supplement_->reset();
    incident_ = {};
    in_call_ = false;
    stopping_ = false;
    checkpoint_ = count_ + progress_interval;
    {
      const FaultScope faults(*this);
      uc_emu_start(emulator_, protocol::own_start + machine::driver,
                   protocol::own_start + machine::never_reached, 0, 0);
    }
    if (!finished_) {
      translation_.forget();
      after_incident();
    }
  }
  job_ = nullptr;
}

void Engine::on_code(uc_engine* /*emulator*/, std::uint64_t pc, std::uint32_t /*size*/,
                     void* engine) {
  auto& self = *static_cast<Engine*>(engine);
  if (self.stopping_) {
    return;
  }
  self.pc_ = pc;
  if (++self.count_ >= self.checkpoint_) {
    self.at_checkpoint();
  }
  if (self.known_[pc % known_count] != pc) {
    self.inspect(pc);
  }
}

void Engine::watch_functions(std::span<const std::uint64_t> functions) {
  watched_.assign(functions.begin(), functions.end());
  std::ranges::sort(watched_);
  std::ranges::fill(known_, ~std::uint64_t{0});
}

void Engine::inspect(std::uint64_t pc) {
  if (in_own_page(pc)) {
    run_own_code(pc - protocol::own_start);
    return;
  }
  const bool watched = std::ranges::binary_search(watched_, pc);
  if (watched && in_call_) {
    job_->called(pc, return_address());
  }
  if (in_call_ && std::ranges::binary_search(fatal_, pc)) {
    stop_at_fatal_function(pc);
    return;
  }
  const GuestRegion* region = memory_.find(pc);
  if (region == nullptr || (region->protection & PROT_EXEC) == 0) {
    stop(Outcome::fault, pc, SIGSEGV);
    return;
  }
  const std::span bytes(region->host + (pc - region->start),
                        std::min(region->end - pc, max_instruction));
  switch (machine::classify(bytes)) {
  case Instruction::ordinary:
    if (!watched) {
      known_[pc % known_count] = pc;
    }
    return;
  case Instruction::unsupported:
    execute_supplement(pc, bytes);
    return;
  case Instruction::privileged:
    stop(Outcome::fault, 0, SIGSEGV);
    return;
  case Instruction::system_call:
    stop(Outcome::syscall, 0, static_cast<std::int64_t>(get(machine::registers.system_call)));
    return;
  case Instruction::illegal:
    stop(Outcome::illegal_instruction, 0, SIGILL);
    return;
  }
}

void Engine::run_own_code(std::uint64_t offset) {
  if (offset == machine::driver) {
    start_next_call();
  } else if (offset == machine::record_visitor) {
    last_visit_ = count_;
    if (!job_->visit(get(machine::registers.first_argument))) {
      finish();
    }
  } else if (offset == machine::decrement_visitor) {
    last_visit_ = count_;
  }
}

void Engine::start_next_call() {
  if (in_call_) {
    in_call_ = false;
    job_->completed(get(machine::registers.result));
  }
  Call call;
  if (!take_call(call)) {
    finish();
    return;
  }
  function_ = call.function;
  in_call_ = true;
  call_began_ = count_;
  last_visit_ = count_;
  set_checkpoint();
  set(machine::registers.function, call.function);
  set(machine::registers.first_argument, call.object);
  set(machine::registers.second_argument, call.visitor);
  set(machine::registers.third_argument, call.object);
  set(machine::registers.sp, stack_top - 64);
}

bool Engine::take_call(Call& call) {
  while (job_->next(call)) {
    if (!endless_.gives_up(call.function)) {
      return true;
    }
    protocol::IncidentRecord skipped;
    skipped.address = call.function;
    skipped.outcome = Outcome::skipped;
    job_->ended(skipped);
  }
  return false;
}

void Engine::stop_at_fatal_function(std::uint64_t function) {
  stop(Outcome::assertion, function, 0);
  incident_.pc = return_address();
  const machine::Registers& at = machine::registers;
  incident_.arguments = {get(at.first_argument), get(at.second_argument), get(at.third_argument),
                         get(at.fourth_argument), get(at.fifth_argument)};
}

void Engine::set_checkpoint() {
  checkpoint_ = std::min(count_ + progress_interval, call_began_ + budget_.altogether);
  if (budget_.without_visit != 0) {
    checkpoint_ = std::min(checkpoint_, last_visit_ + budget_.without_visit);
  }
}

void Engine::at_checkpoint() {
  *progress_ += 1;
  const bool stuck = budget_.without_visit != 0 && count_ - last_visit_ >= budget_.without_visit;
  if (in_call_ && (stuck || count_ - call_began_ >= budget_.altogether)) {
    stop(Outcome::timeout, 0, SIGPROF);
    return;
  }
  set_checkpoint();
}

void Engine::stop(Outcome outcome, std::uint64_t address, std::int64_t number) {
  if (stopping_) {
    return;
  }
  incident_.outcome = outcome;
  incident_.pc = pc_;
  incident_.address = address;
  incident_.number = number;
  stopping_ = true;
  uc_emu_stop(emulator_);
}

void Engine::finish() {
  finished_ = true;
  stopping_ = true;
  uc_emu_stop(emulator_);
}

void Engine::memory_fault(std::uint64_t address, bool write_protected) {
  stop(write_protected ? Outcome::write : Outcome::fault, address, SIGSEGV);
}

bool Engine::on_invalid_access(uc_engine* /*emulator*/, uc_mem_type type, std::uint64_t address,
                               int /*size*/, std::int64_t /*value*/, void* engine) {
  auto& self = *static_cast<Engine*>(engine);
  const std::uint64_t at = self.translation_.faulting_address(address);
  if (Translation::is_canonical(at) &&
      (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT)) {
    self.pc_ = at;
  }
  self.stop(type == UC_MEM_WRITE_PROT ? Outcome::write : Outcome::fault, at, SIGSEGV);
  return false;
}

void Engine::on_interrupt(uc_engine* /*emulator*/, std::uint32_t number, void* engine) {
  auto& self = *static_cast<Engine*>(engine);
  switch (machine::classify_interrupt(number)) {
  case machine::Interrupt::breakpoint:
    self.stop(Outcome::trap, 0, SIGTRAP);
    return;
  case machine::Interrupt::arithmetic:
    self.stop(Outcome::trap, 0, SIGFPE);
    return;
  case machine::Interrupt::system_call: // such calls have a number of 32 bits
    self.stop(Outcome::syscall, 0,
              static_cast<std::uint32_t>(self.get(machine::registers.system_call)));
    return;
  case machine::Interrupt::other:
    self.stop(Outcome::fault, 0, SIGSEGV);
    return;
  }
}

bool Engine::on_invalid_instruction(uc_engine* /*emulator*/, void* engine) {
  auto& self = *static_cast<Engine*>(engine);
  const GuestRegion* region = self.memory_.find(self.pc_);
  auto meaning = Instruction::illegal;
  if (region != nullptr) {
    meaning = machine::classify_refused({region->host + (self.pc_ - region->start),
                                         std::min(region->end - self.pc_, max_instruction)});
  }
  self.stop(meaning == Instruction::unsupported ? Outcome::unsupported_instruction
                                                : Outcome::illegal_instruction,
            0, SIGILL);
  return false;
}

void Engine::on_access(uc_engine* /*emulator*/, uc_mem_type type, std::uint64_t address, int size,
                       std::int64_t /*value*/, void* engine) {
  auto& self = *static_cast<Engine*>(engine);
  if (self.stopping_ || !self.in_call_ || in_stack(address)) {
    return;
  }
  if (type == UC_MEM_WRITE) {
    self.job_->store(self.pc_, address, static_cast<unsigned>(size));
  } else if (type == UC_MEM_READ) {
    self.job_->load(address, static_cast<unsigned>(size));
  }
}

std::uint64_t Engine::return_address() const {
  const std::uint64_t sp = get(machine::registers.sp);
  std::uint64_t address = 0;
  if (in_stack(sp) && stack_top - sp >= sizeof(address)) {
    std::memcpy(&address, stack_ + (sp - protocol::own_stack), sizeof(address));
  }
  return address;
}

void Engine::after_incident() {
  if (!stopping_) {
    stop(Outcome::fault, 0, SIGSEGV); // the emulator gave up
  }
  auto& incident = incident_;
  // A fault while fetching the instruction that a jump has led to.
  if (incident.outcome != Outcome::assertion && incident.address != 0 &&
      incident.address == get(machine::registers.pc)) {
    incident.outcome = Outcome::fault;
    incident.pc = incident.address;
  }
  if (in_own_page(incident.pc)) {
    // In a visitor: its caller passed something that is no object.
    incident.pc = return_address();
  }
  if (in_call_) {
    in_call_ = false;
    if (incident.outcome == Outcome::timeout) {
      endless_.timed_out(function_);
    }
    job_->ended(incident);
  }
}

} // namespace pygc::replayer

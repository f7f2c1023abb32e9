#include "common/replay/shared_window.h"

#include "common/machine/page.h"

#include <atomic>
#include <cerrno>
#include <string>
#include <sys/mman.h>
#include <utility>

namespace pygc::replay {
namespace {

constexpr std::uint64_t alignment = 64;

} // namespace

SharedWindow::SharedWindow(UniqueFd fd, std::byte* base, std::uint64_t size)
    : fd_(std::move(fd)), base_(base), size_(size) {}

SharedWindow::SharedWindow(SharedWindow&& other) noexcept
    : fd_(std::move(other.fd_)), base_(std::exchange(other.base_, nullptr)), size_(other.size_),
      used_(other.used_) {}

SharedWindow::~SharedWindow() {
  if (base_ != nullptr) {
    ::munmap(base_, size_);
  }
}

Result<SharedWindow> SharedWindow::create(std::uint64_t size) {
  UniqueFd fd(::memfd_create("pygc-replay", MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return fail(ErrorKind::replayer, 0,
                std::string("no memory to share with the replayer: ") + std::strerror(errno));
  }
  void* base =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (base == MAP_FAILED) {
    return fail(ErrorKind::replayer, 0,
                std::string("no memory to share with the replayer: ") + std::strerror(errno));
  }
  return SharedWindow(std::move(fd), static_cast<std::byte*>(base), size);
}

std::uint64_t SharedWindow::progress() const {
  return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(base_)).load(std::memory_order_relaxed);
}

void SharedWindow::release() {
  const std::uint64_t first = machine::page_up(protocol::window_header_size);
  const std::uint64_t end = machine::page_up(used_);
  if (first < end && end <= size_) {
    ::madvise(base_ + first, end - first, MADV_REMOVE); // that it cannot costs memory, no more
  }
  restart();
}

std::uint64_t SharedWindow::most(std::size_t element_size) const {
  return room() < alignment ? 0 : (room() - alignment) / element_size;
}

Result<std::uint64_t> SharedWindow::allocate(std::uint64_t count, std::size_t element_size) {
  if (room() < alignment || count > most(element_size)) {
    return fail(ErrorKind::limit, 0, "too many objects for the replayer's shared memory");
  }
  const std::uint64_t offset = used_;
  used_ += (count * element_size + alignment - 1) / alignment * alignment;
  return offset;
}

} // namespace pygc::replay

// A hand-made image with debug information: structs and their members, variables of functions.
#pragma once

#include "common/image/debug_knowledge.h"
#include "tests/unit/support/heap_builder.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pygc::tests {

class KnowingImage final : public image::ProcessImage, public image::DebugKnowledge {
public:
  explicit KnowingImage(const FakeImage& image) : image_(image) {}

  /// By size of the struct and offset.
  std::map<std::pair<std::uint64_t, std::uint64_t>, image::StructMember> members;
  std::vector<image::Frame> frames; // of every thread

  const image::AddressSpace& memory() const override { return image_.memory(); }
  const std::vector<std::unique_ptr<image::Module>>& modules() const override {
    return image_.modules();
  }
  const image::Module* module_at(Address address) const override {
    return image_.module_at(address);
  }
  std::string describe_code(Address address) const override {
    return image_.describe_code(address);
  }
  Result<std::vector<image::Frame>> unwind(const target::Thread&, std::size_t,
                                           image::FrameDetail) const override {
    return frames;
  }
  Result<image::StructMember> find_member(const image::MemberQuery& query) const override {
    const auto found = members.find({query.size, query.offset});
    return found == members.end() || query.functions.empty()
               ? Result<image::StructMember>(fail(ErrorKind::no_symbol, 0, "none"))
               : found->second;
  }
  Result<std::vector<image::Frame>> unwind_held(const target::Thread&, std::size_t) const override {
    return frames;
  }

private:
  const FakeImage& image_;
};

} // namespace pygc::tests

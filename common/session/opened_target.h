// What was read of a target: its memory put together, its CPythons, its heap. Knows nothing of the
// command that asked, so that the next one may go on with it.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/cpython/runtime.h"
#include "common/heap/heap.h"
#include "common/image/module.h"
#include "common/target/target.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pygc::session {

/// The CPythons of a target, the chosen one first, and a reader of its objects.
class Python {
public:
  Python(const image::ProcessImage& image, std::vector<cpython::Runtime> runtimes)
      : runtimes_(std::move(runtimes)), reader_(image, runtimes_.front()) {}
  Python(const Python&) = delete;
  Python& operator=(const Python&) = delete;
  ~Python() = default;

  const std::vector<cpython::Runtime>& runtimes() const { return runtimes_; }
  cpython::ObjectReader& reader() { return reader_; }

private:
  const std::vector<cpython::Runtime> runtimes_;
  cpython::ObjectReader reader_;
};

/// Each part is made once, when it is first asked for. None is altered or replaced afterwards: what
/// refers to one may do so as long as the target exists.
class OpenedTarget {
public:
  OpenedTarget(std::unique_ptr<target::Target> target, std::unique_ptr<image::ProcessImage> image,
               std::string process_root)
      : target_(std::move(target)), image_(std::move(image)),
        process_root_(std::move(process_root)) {}

  const target::Target& target() const { return *target_; }
  const image::ProcessImage& image() const { return *image_; }

  /// Finds the CPythons and puts the chosen one first. Errors as cpython::find_runtimes(), usage
  /// (there are not so many).
  Result<void> find_python(const std::string& tables, std::size_t chosen);
  /// With the visitor, once it has been found by what it does. Not before find_python().
  Python& python() { return with_visitor_ ? *with_visitor_ : *python_; }
  const Python& python() const { return with_visitor_ ? *with_visitor_ : *python_; }

  /// visit_decref has to be found by what it does: the runtime has stack references, and no
  /// symbols.
  bool lacks_visitor() const;
  /// What that search gave; 0: none behaves so.
  void add_visitor(Address visit_decref);

  /// Errors as heap::walk_heap().
  Result<const heap::Heap*> heap(const std::function<bool()>& cancelled);
  bool has_heap() const { return heap_.has_value(); }

private:
  std::unique_ptr<target::Target> target_;
  std::unique_ptr<image::ProcessImage> image_;
  std::string process_root_; // in front of the paths of files that the process calls otherwise
  std::unique_ptr<Python> python_;
  bool visitor_searched_ = false;
  std::unique_ptr<Python> with_visitor_;
  std::optional<heap::Heap> heap_;
};

} // namespace pygc::session

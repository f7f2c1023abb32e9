// What commands that answer questions about objects share.
#pragma once

#include "common/session/context.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::commands {

/// A sentence for memory of a process that could not be read; nothing when all could.
std::optional<std::string> unread_memory(const session::Context& context);

/// Adds a sentence for a truncated core, and for memory of a process that could not be read.
void add_target_reasons(const session::Context& context, std::vector<std::string>& reasons);

/// Of a name of a type, or a pattern (analysis/explore/type_matcher.h): nothing when a tracked
/// object is of such a type or it is empty, else a sentence, with the name that may be meant.
std::optional<std::string> unknown_type(cpython::ObjectReader& reader, const heap::Heap& heap,
                                        const std::string& pattern);
/// Says it among the diagnostics.
void tell_unknown_type(session::Surroundings& surroundings, cpython::ObjectReader& reader,
                       const heap::Heap& heap, const std::string& pattern);

/// Delivers what a command has to say, and says which other CPythons there are. Returns the status
/// of a complete answer, or of an incomplete one. Errors as deliver().
Result<int> answer(session::Context& context, session::Surroundings& surroundings,
                   const session::Options& options, std::string_view text, bool complete);

/// The same of what is told piece by piece: `tell` is given where to. When the answer is not
/// complete a line of diagnostics says so.
Result<int> stream_answer(
    session::Context& context, session::Surroundings& surroundings, const session::Options& options,
    bool complete,
    const std::function<Result<void>(const std::function<Result<void>(std::string_view)>&)>& tell);

/// Of a way for which another one stands in: nothing, unless the user has had enough.
template <class T> Result<std::optional<T>> no_answer(const Error& error) {
  return error.kind == ErrorKind::cancelled ? Result<std::optional<T>>(std::unexpected(error))
                                            : std::nullopt;
}

/// The object that the user means: a number, `$N` or `%N` of the last list (session/last_list.h), a
/// name of Python's (cpython::object_at_path), or else an expression of the debugger's.
class ObjectWord {
public:
  /// To be made before the target is opened: an expression that is no name of Python's is evaluated
  /// at once, since GDB has the command run anew to that end. Errors: usage.
  static Result<ObjectWord> read(target::Session& session, const std::string& text);

  /// Errors: usage, of what is neither a name nor an expression; memory_*.
  Result<Address> object(session::Context& context, session::Surroundings& surroundings) const;

private:
  std::optional<std::size_t> number_; // of the last list
  std::string name_;
  Address address_ = 0; // when it is no name
};

} // namespace pygc::commands

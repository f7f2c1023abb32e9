#include "common/commands/explore_target.h"

#include "common/analysis/explore/type_matcher.h"
#include "common/base/numbers.h"
#include "common/base/suggestion.h"
#include "common/commands/output_sink.h"
#include "common/commands/status.h"
#include "common/cpython/objects/object_path.h"
#include "common/session/last_list.h"

#include <fmt/format.h>

namespace pygc::commands {

std::optional<std::string> unread_memory(const session::Context& context) {
  const auto traffic = context.target().traffic();
  if (!traffic || traffic->unreadable == 0) {
    return std::nullopt;
  }
  return fmt::format("{} bytes of the process's memory could not be read", traffic->unreadable);
}

void add_target_reasons(const session::Context& context, std::vector<std::string>& reasons) {
  if (context.target().info().truncated) {
    reasons.emplace_back("the core file is truncated");
  }
  if (auto unread = unread_memory(context)) {
    reasons.push_back(std::move(*unread));
  }
}

std::optional<std::string> unknown_type(cpython::ObjectReader& reader, const heap::Heap& heap,
                                        const std::string& pattern) {
  if (pattern.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> known;
  for (const Address type : heap.types.distinct()) {
    const analysis::TypeNames names = analysis::names_of_type(reader, type);
    if (names.match(pattern)) {
      return std::nullopt;
    }
    known.insert(known.end(), names.names.begin(), names.names.end());
  }
  return fmt::format("no tracked object is of a type '{}'{}", pattern,
                     did_you_mean(pattern, known));
}

void tell_unknown_type(session::Surroundings& surroundings, cpython::ObjectReader& reader,
                       const heap::Heap& heap, const std::string& pattern) {
  if (const auto unknown = unknown_type(reader, heap, pattern)) {
    surroundings.session.diagnostics("pygc: " + *unknown + "\n");
  }
}

Result<int> answer(session::Context& context, session::Surroundings& surroundings,
                   const session::Options& options, std::string_view text, bool complete) {
  if (auto delivered = deliver(surroundings.session, options.output, text); !delivered) {
    return std::unexpected(delivered.error());
  }
  context.tell_other_runtimes();
  return complete ? status_clean : status_incomplete;
}

Result<int> stream_answer(
    session::Context& context, session::Surroundings& surroundings, const session::Options& options,
    bool complete,
    const std::function<Result<void>(const std::function<Result<void>(std::string_view)>&)>& tell) {
  auto sink = OutputSink::open(surroundings.session, options.output);
  if (!sink) {
    return std::unexpected(sink.error());
  }
  auto told = tell([&](std::string_view text) { return sink->write(text); });
  if (told) {
    told = sink->commit();
  }
  if (!told) {
    return std::unexpected(told.error());
  }
  context.tell_other_runtimes();
  if (complete) {
    return status_clean;
  }
  surroundings.session.diagnostics("pygc: the list is incomplete; pygc check says why\n");
  return status_incomplete;
}

namespace {

Result<Address> evaluated(target::Session& session, const std::string& text) {
  auto address = session.evaluate(text);
  if (address && *address == 0) {
    return fail(ErrorKind::usage, 0, fmt::format("'{}' is no address of an object", text));
  }
  return address;
}

/// Of "$3", or "%3", which a shell leaves alone. What else begins so is the debugger's.
std::optional<std::size_t> list_number(std::string_view text) {
  return text.starts_with('$') || text.starts_with('%') ? number_in<std::size_t>(text.substr(1))
                                                        : std::nullopt;
}

} // namespace

Result<ObjectWord> ObjectWord::read(target::Session& session, const std::string& text) {
  ObjectWord word;
  word.number_ = list_number(text);
  if (word.number_) {
    return word;
  }
  if (cpython::is_object_path(text)) {
    word.name_ = text;
    return word;
  }
  const auto address = evaluated(session, text);
  if (!address) {
    return std::unexpected(address.error());
  }
  word.address_ = *address;
  return word;
}

Result<Address> ObjectWord::object(session::Context& context,
                                   session::Surroundings& surroundings) const {
  if (number_) {
    return session::object_of_list(surroundings, *number_);
  }
  if (name_.empty()) {
    return address_;
  }
  const auto found = cpython::object_at_path(context.reader(), name_);
  if (found || found.error().kind != ErrorKind::not_found || found.error().address != 0) {
    return found; // the debugger is not asked about what begins as a name of Python's
  }
  const auto address = evaluated(surroundings.session, name_);
  if (address) {
    return address;
  }
  const std::string& reason = found.error().reason;
  return fail(ErrorKind::usage, 0,
              reason.ends_with('?') ? reason
                                    : fmt::format("{}; {}", reason, address.error().reason));
}

} // namespace pygc::commands

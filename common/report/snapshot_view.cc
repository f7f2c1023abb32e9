#include "common/report/snapshot_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/printable.h"
#include "common/report/kit/text.h"

#include <fmt/format.h>

namespace pygc::report {

std::string snapshot_json(const Subject& subject, const WrittenSnapshot& snapshot) {
  std::vector<std::string> incomplete_because;
  if (snapshot.unreadable != 0) {
    incomplete_because.push_back(fmt::format(
        "{} bytes of the process could not be read and count as zeros", snapshot.unreadable));
  }
  Json document = envelope("snapshot", subject, incomplete_because);
  document["file"] = snapshot.path;
  document["bytes"] = snapshot.bytes;
  document["disk_bytes"] = snapshot.disk_bytes;
  document["unreadable_bytes"] = snapshot.unreadable;
  return document_text(document);
}

std::string snapshot_text(const WrittenSnapshot& snapshot) {
  return fmt::format("{}: {} bytes, {} of them on the disk\n", printable(snapshot.path),
                     grouped(snapshot.bytes), grouped(snapshot.disk_bytes));
}

} // namespace pygc::report

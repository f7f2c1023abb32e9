// What a command runs in: where its output goes, where its helpers lie, and the target it was
// given.
#pragma once

#include "common/protocol/wire_actions.h"
#include "common/report/kit/numbering.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"
#include "common/target/session.h"
#include "common/target/target.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pygc::session {

class KeptTarget;

struct Surroundings {
  target::Session& session;
  /// Opens the debugger's target. Empty: a CORE argument or --pid is needed.
  std::function<Result<std::unique_ptr<target::Target>>()> open_target;
  std::string executable;            // what the debugger takes for the executable, or empty
  std::string sysroot;               // the debugger's, or empty
  std::string replayer_directory;    // holds pygc-replayer-native
  std::string share_directory;       // holds layouts/
  bool terminal = false;             // colour is welcome
  unsigned width = 80;               // columns
  bool controls = false;             // a debugger is there that carries out actions
  std::vector<wire::Action> actions; // which a command may leave here
  std::vector<std::string> words;    // the command as given: its name and arguments
  report::Subject subject = {};      // what of the target has been found, for documents of errors
  KeptTarget* kept = nullptr;        // what earlier commands have opened; null: there were none
  std::string stop_id = {};          // where the debugger's target stands; empty: it may move
  std::string debugger = {};         // which process it is; empty: there is none
  std::string list_key = {};         // by which last_list.h knows the target
  report::Numbering numbering = {};  // of the objects that the command's text shows

  /// Of text that goes to `output`, or to the session when that is empty.
  report::Style style(const std::string& output) {
    return {.width = width, .colour = terminal && output.empty(), .numbering = &numbering};
  }
};

} // namespace pygc::session

// What a replayer gives up beside system calls, as far as the kernel and the user's rights let it:
// the sandbox holds without it, and would hold less if it had a hole.
#pragma once

namespace pygc::replayer {

/// The working directory is /. Of root: the user and the groups of nobody, all capabilities, also
/// those of programs that are run. Of others: a user namespace of its own, without capabilities in
/// it. Landlock, where the kernel has it, lets no file be reached by a name, no port be bound or
/// connected to, no process outside be signalled. To be called when the last file is open and
/// new privileges are out of reach; the caller asks again to die with its parent, for a change of
/// user undoes that.
void give_up_privileges();

} // namespace pygc::replayer

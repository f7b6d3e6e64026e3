// Pages about the log on disk. See page.hpp.
#pragma once

#include <array>

#include "cli/explain/page.hpp"

namespace leat::cli {

inline constexpr std::array log_pages = {
    ErrorPage{
     Code::log_full,
     "the log takes no more changes",
     "The log has reached queue.max_bytes, or its disk is full, because at least one sink has "
     "not taken what it holds. Appending waits and goes on by itself as soon as there is "
     "room. (With on_log_full: drop_lane the slowest sink is given up instead.)",
     waits_at_source,
     "`leat status FILE` shows which sink is behind and why; mend that one first.\n"
     "If the disk is full, make room on it.\n"
     "Or raise queue.max_bytes and start again.\n"
     "Watch the source's disk meanwhile, and max_slot_wal_keep_size.",
    },
    ErrorPage{
     Code::log_full_soon,
     "the log will be full within the hour",
     "At the rate of the last minute, what the slowest sink has not taken reaches "
     "queue.max_bytes within an hour.",
     "Nothing is lost and nothing waits yet.",
     "`leat status FILE` shows which sink is behind; mend it or make it faster.\n"
     "Or raise queue.max_bytes, if the disk has the room, and start again.",
    },
    ErrorPage{
     Code::log_disk_full,
     "the disk of the log is full",
     "There is no room on the disk of the log, or the user's quota is used up. It is waited "
     "for.",
     waits_at_source,
     "Make room on the disk, or raise the quota. Do not remove files of the log by hand.",
    },
    ErrorPage{
     Code::log_disk,
     "the disk of the log failed",
     "Reading, writing or syncing a file of the log failed. After a failed sync nobody knows "
     "what is on the disk, so it is never tried again: the pipeline ends, and the next start "
     "looks what is really there.",
     "Nothing that was confirmed to the source is taken back. What was not confirmed is sent "
     "again after a start.",
     "Look at the disk: the kernel's messages (dmesg), a file system that became read-only, "
     "SMART.\n"
     "Start again once the disk can be trusted; the log is examined as a whole.\n"
     "If a file is damaged then, go on with: leat explain LOG-DAMAGED",
    },
    ErrorPage{
     Code::log_folder,
     "the folder of the log cannot be used",
     "The folder does not exist and cannot be made, is no folder, or this user may not write "
     "there. Relative paths are relative to the folder leat was started in.",
     waits_at_source,
     "Give the user that runs leat the right to write in it, or name another folder in "
     "queue.path.\n"
     "Do not name another folder for a pipeline that has run already: the old one holds its "
     "progress. Move the folder instead.",
    },
    ErrorPage{
     Code::log_folder_gone,
     "the folder of the log is gone",
     "The folder was unmounted, removed, renamed or replaced while the pipeline ran. It ends "
     "before it makes a file in whatever is there instead.",
     "What was confirmed to the source is in the folder that is gone. What was not is sent "
     "again.",
     "Mount or put back the same folder, and start again.\n"
     "If it is lost for good, so is what no sink had taken.",
     or_start_anew,
    },
    ErrorPage{
     Code::log_in_use,
     "another process uses the log",
     "One log belongs to one process at a time; the lock is the kernel's and ends with the "
     "process. The message names its id.",
     not_started,
     "If that process is this pipeline: it runs already; stop it first if you want to start "
     "it anew.\n"
     "If not: give this pipeline a folder of its own in queue.path.",
    },
    ErrorPage{
     Code::log_foreign,
     "the log belongs to another pipeline",
     "The folder, or a file in it, was made by a pipeline of another name. A pipeline that is "
     "renamed in its file is another pipeline.",
     not_started,
     "Put the old name back, or name another folder in queue.path.\n"
     "If the message names a single file, somebody has copied it there: take it out.",
    },
    ErrorPage{
     Code::log_version,
     "written by another version of leat",
     "The log, or the progress in a sink's file, has a format that this version does not "
     "read, or holds something it does not know.",
     waits_at_source,
     "Use the version that wrote the log, or a newer one.\n"
     "Let the old version run with --only deliver until every sink has everything, if you "
     "must go on with a new log.",
    },
    ErrorPage{
     Code::log_damaged,
     "the log is damaged",
     "Bytes within the log are not what was written: a failing disk, or a file that was "
     "changed, cut or removed by somebody. A torn end after a crash is no damage and is cut "
     "by itself; this is in the middle, where everything had been confirmed.",
     "Changes behind the damage that no sink has taken cannot be delivered. What the sinks "
     "hold is whole. The source has forgotten the changes that were confirmed.",
     "Stop, and copy the folder as it is before anything else.\n"
     "Look what is there: leat log inspect FOLDER\n"
     "If there is a good copy of the very same state of the folder, put it back. An older "
     "state does not fit: see leat explain PG-SLOT-AHEAD",
     or_start_anew,
    },
    ErrorPage{
     Code::log_rebuild,
     "a sink needs a rebuild",
     "The log no longer holds what this sink needs next: the sink was dropped because the log "
     "was full (on_log_full: drop_lane).",
     "The sink stops with what it has, whole up to that point. Capture and the other sinks go "
     "on.",
     "Start again: the sink asks for an image of its tables, which is filled beside what it "
     "holds and takes its place.",
    },
    ErrorPage{
     Code::log_size,
     "the size limit of the log is too small",
     "queue.max_bytes must hold at least four segments of queue.segment_bytes.",
     not_started,
     "Raise queue.max_bytes or lower queue.segment_bytes.",
    },
    ErrorPage{
     Code::log_none,
     "there is no log in this folder",
     "`leat log inspect` was given a folder without a log.json.",
     only_this_request,
     "Give the folder that queue.path names; without one that is data/PIPELINE.",
    },
};

}  // namespace leat::cli

// Pages about the DuckDB sink. See page.hpp.
#pragma once

#include <array>

#include "cli/explain/page.hpp"

namespace leat::cli {

inline constexpr std::array duckdb_pages = {
    ErrorPage{
     Code::duckdb_in_use,
     "another process has the warehouse file open",
     "DuckDB lets one process at a time into a file that is written to. The message names the "
     "process where it is known.",
     waits_in_log,
     "Stop the process that holds it, then start again.\n"
     "To read the warehouse while the pipeline runs: `leat query`, a copy, or `leat pause` "
     "(see the guide on reading).",
    },
    ErrorPage{
     Code::duckdb_file,
     "the warehouse file is not a sound DuckDB file",
     "The file is something else, or damaged. Leat never writes into a file that DuckDB "
     "refuses.",
     waits_in_log,
     "If the path is wrong, correct it. If the file is somebody else's, leave it alone.\n"
     "If it is damaged: put back a copy of it together with its .wal file, if the copy has "
     "one. An older copy is brought up to date from the log, as far back as rewind_time and "
     "rewind_bytes reach.",
     or_start_anew,
    },
    ErrorPage{
     Code::duckdb_path,
     "the path of the warehouse file cannot be used",
     "The folder does not exist, the path is a folder, or this user may not write there. "
     "Relative paths are relative to the folder leat was started in.",
     waits_in_log,
     "Make the folder, give this user the right to write, or correct the path.",
    },
    ErrorPage{
     Code::duckdb_version,
     "the file is of another DuckDB version",
     "A newer DuckDB has written the file in a form that the DuckDB in leat does not read.",
     waits_in_log,
     "Put back the file from before it was opened with the newer DuckDB; or export the tables "
     "with the newer one.\n"
     "Open the warehouse with the DuckDB of the same version or read it only.",
    },
    ErrorPage{
     Code::duckdb_foreign,
     "the file belongs to another pipeline or sink",
     "The file says in _leat_progress whose rows it holds, and that is not this pipeline, "
     "this sink, or this log. After `leat drop` the former warehouse belongs to a log that is "
     "gone.",
     waits_in_log,
     "After `leat drop`: move the file away; a new one is made and filled.\n"
     "Otherwise give each sink a file of its own, or put the old names of pipeline and sink "
     "back.",
    },
    ErrorPage{
     Code::duckdb_superseded,
     "another process has taken over",
     "A process that was started later has written to this file. This one must not go on, or "
     "rows would be written twice.",
     "Nothing is lost or doubled: the later process has all of it.",
     "Stop this process. Look why the pipeline runs twice; two machines with two copies of "
     "the log are the usual reason.",
    },
    ErrorPage{
     Code::duckdb_table_taken,
     "a table name is taken",
     "The file has a table of this name that leat did not make, the name is one leat keeps "
     "for itself, or two source tables have one name there.",
     waits_in_log,
     "Rename that table, name another file, or leave the table out.\n"
     "Give it another name by a transform: name: OTHER, sql: SELECT * FROM TABLE",
    },
    ErrorPage{
     Code::duckdb_altered,
     "the warehouse differs from what leat wrote",
     "Somebody has changed tables or rows of this pipeline in the file, so that a change of "
     "the source finds no place. Leat commits nothing of that epoch.",
     waits_in_log,
     "Put back a copy of the file from before it was changed; it is brought up to date from "
     "the log.",
     or_start_anew,
    },
    ErrorPage{
     Code::duckdb_schema,
     "a table cannot be kept or followed in DuckDB",
     "The table has a type, a name or a change of schema that DuckDB, or leat in DuckDB, does "
     "not take. The message says which.",
     waits_in_log,
     "Leave the table out of the sink (tables of the sink), or give it another form by a "
     "transform.",
     or_start_anew,
    },
    ErrorPage{
     Code::duckdb_incomplete,
     "an update came without a value that is needed",
     "PostgreSQL leaves a large value out of an update that does not change it. The row it "
     "belongs to is not in the warehouse, so the value cannot be taken from there.",
     waits_in_log,
     "Let the source send whole rows: ALTER TABLE NAME REPLICA IDENTITY FULL;",
     or_start_anew,
    },
    ErrorPage{
     Code::duckdb_memory,
     "DuckDB has too little memory",
     "A statement needs more than memory_limit of the sink allows. It is tried again, and "
     "will fail again unless the rows are smaller or the limit is higher.",
     waits_in_log,
     "Raise memory_limit of the sink: about ten times the largest values of one commit. Then "
     "start again.",
    },
    ErrorPage{
     Code::duckdb_busy,
     "the warehouse file cannot be read or written now",
     "The file system refused, the disk is full or read-only, or a lock is held for a moment. "
     "It is tried again with growing pauses.",
     waits_in_log,
     "Look at the message: make room on the disk of the warehouse, or make it writable. The "
     "sink goes on by itself.",
    },
    ErrorPage{
     Code::duckdb_statement,
     "a statement failed in DuckDB",
     "DuckDB refused a statement of leat. The message is DuckDB's.",
     waits_in_log,
     "If the message names the disk, memory or the file, mend that and start again.\n"
     "Otherwise report it with the message.",
    },
    ErrorPage{
     Code::duckdb_stage,
     "the sink's work folder has no room",
     "Rows of a large epoch wait in a file beside the log until they are committed. The file "
     "cannot be made or written. It is tried again.",
     waits_in_log,
     "Make room on the disk of the log, or give this user the right to write there.",
    },
    ErrorPage{
     Code::duckdb_copy,
     "the copy for readers was not made",
     "The copy that copy.path asks for could not be made or put in place, or it gave way to a "
     "checkpoint or the end of the sink. It is tried again after copy.every. The former copy "
     "stays as it is.",
     "Nothing is lost: the warehouse itself is not touched by it; readers see an older state "
     "meanwhile.",
     "Look at the path: the folder must exist, be writable, and have room for the warehouse "
     "once more, twice while it is made.",
    },
    ErrorPage{
     Code::duckdb_library,
     "the DuckDB library does not fit",
     "The libduckdb.so that was found is not of the version leat was built with, or refuses "
     "one of its settings.",
     not_started,
     "Put the library that came with leat beside the program, and unset LD_LIBRARY_PATH.",
    },
};

}  // namespace leat::cli

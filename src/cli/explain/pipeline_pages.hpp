// Pages about transforms, rows, sinks, the pipeline file, commands and requests. See page.hpp.
#pragma once

#include <array>

#include "cli/explain/page.hpp"

namespace leat::cli {

inline constexpr std::array pipeline_pages = {
    ErrorPage{
     Code::transform_sql,
     "the SQL of a transform is refused",
     "The query does not parse, does not fit the tables as they are, or is of a kind that "
     "cannot be computed row by row and again with the same outcome. The message gives line "
     "and column within the SQL.",
     waits_in_log,
     "Correct the SQL; `leat check FILE` compiles it and shows the columns that come out. The "
     "guide on transforms lists what is allowed.\n"
     "A column that was dropped at the source must leave the SQL too.\n"
     "A field that few documents of MongoDB have is no column until one of them was read: declare "
     "it, source.columns: {COLLECTION: {types: {FIELD: TYPE}}}.",
    },
    ErrorPage{
     Code::transform_names,
     "names of transforms and tables clash",
     "Two transforms have one name, one reads itself in a circle, a transform reads a table "
     "that the source does not have, or a transform has the name of another table of the "
     "source.",
     not_started,
     "Give each transform a name of its own, and let it read a table of source.tables or "
     "another transform.",
    },
    ErrorPage{
     Code::transform_notes,
     "the notes of what tables are made by cannot be read",
     "Beside its log leat notes by which SQL and rules each table of a sink is made, so that it "
     "sees when they were changed. The file is damaged.",
     waits_in_log,
     "Remove the file that the message names: the sink's tables are read anew then, beside what "
     "it holds.",
    },
    ErrorPage{
     Code::row_rejected,
     "a row cannot go on",
     "A row breaks an expectation with otherwise: stop. The sink stops before it commits. (A row "
     "of which the sink cannot hold a value stops nothing: it is set aside as a dead letter, with "
     "a transform and without one.)",
     waits_in_log,
     "The message names the rule and the commit. Change the row at the source: the earlier "
     "form of it is in the log, though, and comes first.\n"
     "Change the expectation (otherwise: dead_letter, drop or warn), then start again.",
    },
    ErrorPage{
     Code::row_ratio,
     "too many rows are rejected",
     "More than bad_ratio_max of the rows since the last commit were rejected. That is rather "
     "a wrong transform than wrong rows, so the sink stops and commits nothing of them.",
     waits_in_log,
     "Look at the rules and the SQL first: leat dead-letters list FILE shows those of earlier "
     "commits.\n"
     "Correct the transform, or raise bad_ratio_max, and start again; it goes on from the "
     "same place.",
    },
    ErrorPage{
     Code::letters_open,
     "rows were set aside",
     "Rows that broke an expectation or could not be computed are in the file of dead "
     "letters, and are not in the sink.",
     "Nothing is lost: each row is kept with its reason. The sink lacks it, or holds the last "
     "good form of it.",
     "Look: leat dead-letters list FILE, then leat dead-letters show FILE ID\n"
     "Mend the row at the source: a letter is superseded when a good form of the row arrives.\n"
     "Mend the transform if the rule was wrong; rows set aside by it before come again with "
     "their next change.",
    },
    ErrorPage{
     Code::letters_full,
     "there are too many dead letters",
     "The file of dead letters of this sink has reached its limit of a million letters. No "
     "row is ever dropped, so the sink stops.",
     waits_in_log,
     "Look what rejects the rows, and mend that first.\n"
     "Keep or export the letters (leat dead-letters export), stop the pipeline, move the file "
     "away, and start again.",
    },
    ErrorPage{
     Code::letters_store,
     "the file of dead letters cannot be used",
     "The file, or its folder, cannot be made, written or read. Without it a rejected row "
     "would be lost, so nothing is committed meanwhile.",
     waits_in_log,
     "Make room on the disk of the log, and give this user the right to write there.\n"
     "See that no other program has the file locked.",
    },
    ErrorPage{
     Code::sink_unknown,
     "no such sink",
     "The pipeline has no sink of that name. A table cannot be paused alone.",
     only_this_request,
     "Use a name from the pipeline file; a sink without a name is called as its type.",
    },
    ErrorPage{
     Code::sink_needs_image,
     "a sink needs an image of its tables",
     "The target is new, was emptied, or is older than what the log holds, so it is filled from "
     "the source; but this process was told not to read the source.",
     waits_in_log,
     "leat run FILE, without --only deliver.",
    },
    ErrorPage{
     Code::sink_paused,
     "a sink is paused",
     "A person has paused it. The pause outlives the process, and nothing reaches this sink "
     "until it is resumed. `leat run --until-caught-up` refuses, because it could never end.",
     waits_in_log,
     "leat resume FILE SINK",
    },
    ErrorPage{
     Code::sink_behind,
     "a sink does not keep up",
     "The oldest change that is not in the sink is more than a minute old: it is catching up "
     "after a stop, is slow, or has stopped.",
     waits_in_log,
     "leat status FILE: if the sink has another condition that does not hold, mend that.\n"
     "If it works and the lag shrinks, wait. If the lag grows, look at disk and processor, at "
     "long queries, and at the size of the source's transactions.",
    },
    ErrorPage{
     Code::sink_closed,
     "the sink cannot be asked now",
     "The sink is being opened, is paused, or has stopped.",
     only_this_request,
     "Ask again; leat status FILE says how it is.",
    },
    ErrorPage{
     Code::file_invalid,
     "the pipeline file is refused",
     "Every mistake in it is shown with line, column and a suggestion. An environment "
     "variable or a file that a value refers to may be missing.",
     not_started,
     "Correct the places shown; leat check FILE looks again.\n"
     "docs/reference/configuration.md, or leat reference configuration, lists every key.",
    },
    ErrorPage{
     Code::file_unreadable,
     "the pipeline file cannot be read",
     "The file does not exist, is a folder, is too large, or this user may not read it.",
     not_started,
     "Give the path of the file, and the right to read it.",
    },
    ErrorPage{
     Code::run_absent,
     "no process runs the pipeline",
     "Nobody listens on the socket in the pipeline's data folder. Relative paths of the file "
     "are relative to the folder a command is started in: give the command in the same folder "
     "as leat run.",
     waits_at_source,
     "Start it: leat run FILE",
    },
    ErrorPage{
     Code::run_folder,
     "a folder of the pipeline cannot be used",
     "A folder or a file beside the log cannot be made, changed or removed.",
     waits_at_source,
     "Give the user of leat the right to write in the folder of the log.",
    },
    ErrorPage{
     Code::run_output,
     "a file that was asked for cannot be written",
     "The report, or the file of leat init, cannot be written, or exists already.",
     "The pipeline itself has done what it did: only the file is missing.",
     "Give a path in a folder that this user may write, and for init one that is not taken.",
    },
    ErrorPage{
     Code::run_argument,
     "an argument is not understood",
     "A time, an id, a code or a name on the command line is not one that leat knows, or a "
     "question of `leat drop` was not answered with the pipeline's name.",
     only_this_request,
     "Write times as 2026-01-31 or 2026-01-31T12:00 (UTC); take ids from leat dead-letters "
     "list, and codes from leat explain.\n"
     "In scripts, give leat drop --yes.\n"
     "leat simulate wants a URI that begins with postgresql:// or mongodb://.",
    },
    ErrorPage{
     Code::simulate_tables,
     "leat simulate will not touch a table",
     "A table that the sample data needs is there, and nothing says that a simulation made it: it "
     "may be real. Tables of a simulation have a comment in PostgreSQL, and a $comment in the "
     "validator of their collection in MongoDB.",
     only_this_request,
     "Make a database for the simulation alone, and name it at the end of the URI.\n"
     "Where the table is sample data all the same, drop it.",
    },
    ErrorPage{
     Code::simulate_server,
     "MongoDB does not take what leat simulate writes",
     "The server was not reached, refused the user, or refused a write; the message says which. "
     "What was written before stays.",
     only_this_request,
     "Look whether the server runs and is a replica set's primary, and correct the URI.\n"
     "The user needs the role readWrite on the database, for the mix nasty also dbAdmin.\n"
     "Run it again: it goes on with the rows that are there.",
    },
    ErrorPage{
     Code::http_port,
     "the port of http.listen cannot be opened",
     "Another process listens there, the address is not of this machine, or this user may not "
     "use the port. The pipeline refuses to start rather than run unwatched.",
     waits_at_source,
     "Stop the other process, or choose another port in http.listen.",
    },
    ErrorPage{
     Code::http_socket,
     "the socket of the pipeline cannot be opened",
     "leat status, query and pause reach a running pipeline over a socket in its data folder. "
     "It cannot be made or reached; a path for a socket has at most 107 bytes.",
     waits_at_source,
     "Choose a shorter queue.path, on a local disk, where this user may write.",
    },
    ErrorPage{
     Code::query_refused,
     "the query is refused",
     "leat query takes one SELECT over tables. What writes, reads files or changes settings "
     "is refused, and so is what DuckDB cannot answer; the message says why.",
     only_this_request,
     "Write one SELECT over the tables of the warehouse; with --format arrow, cast columns "
     "that arrow has no type for to VARCHAR.",
    },
    ErrorPage{
     Code::query_rows,
     "the answer has too many rows",
     "An arrow stream cannot say that rows are missing, so it is refused beyond 100,000 rows.",
     only_this_request,
     "Add a LIMIT, aggregate, or let the sink make a copy and read that.",
    },
};

}  // namespace leat::cli

// Pages about the source. See page.hpp.
#pragma once

#include <array>

#include "cli/explain/page.hpp"

namespace leat::cli {

inline constexpr std::array postgres_pages = {
    ErrorPage{
     Code::source_silent,
     "the source does not answer",
     "A question that leat asks the source on a connection of its own, every two seconds, has "
     "had no answer for six. The server is overloaded, stopped in its tracks, or cut off by "
     "the network; capture may still believe that it is connected.",
     waits_at_source,
     "Ask the server yourself: psql with the uri of the pipeline file.\n"
     "If it is stopped or cut off, mend that; leat connects again by itself.\n"
     "If it answers you at once, look at its load, its locks and its number of connections.",
    },
    ErrorPage{
     Code::pg_unreachable,
     "no connection to the PostgreSQL server",
     "The server refuses connections, does not answer, is starting or stopping, has no "
     "connection left, or has closed the one leat had. Leat tries again with growing pauses, "
     "up to half a minute, for as long as it runs.",
     waits_at_source,
     "Look whether the server runs, and whether host and port in source.uri are right: psql "
     "with that uri.\n"
     "Look at max_connections and max_wal_senders if it says that too many clients are "
     "connected.\n"
     "Nothing needs to be started again here: leat goes on by itself once the server answers.",
    },
    ErrorPage{
     Code::pg_login,
     "the server refuses the login",
     "Role, password or pg_hba.conf do not let this connection in. Leat uses ordinary "
     "connections to the database and one replication connection; both need a line in "
     "pg_hba.conf, and a line for the database covers both for logical replication.",
     waits_at_source,
     "Correct user and password in source.uri; special characters of the password are written "
     "%40 and so on.\n"
     "Let pg_hba.conf allow the role, from this host, to this database; then SELECT "
     "pg_reload_conf();\n"
     "Run `leat check FILE`, then `leat run FILE`.",
    },
    ErrorPage{
     Code::pg_database,
     "the database does not exist",
     "The server has no database of the name in source.uri.",
     not_started,
     "Correct the name at the end of source.uri; psql -l lists what there is.",
    },
    ErrorPage{
     Code::pg_right,
     "the role lacks a right",
     "The server refused something that the role of source.uri may not do: replicate, read a "
     "table, or make a publication. The message names what.",
     waits_at_source,
     "Run `leat check FILE`: it prints the statement for each right that is missing.\n"
     "Let the owner of the tables, or a superuser, run those statements. The guide on "
     "PostgreSQL has them all for a role of least rights.\n"
     "Start again.",
    },
    ErrorPage{
     Code::pg_uri,
     "source.uri is not a connection string",
     "libpq cannot read source.uri, or a special character of the password that is not "
     "escaped has moved into the host. The text is not shown because it holds the password.",
     not_started,
     "Write postgresql://user:password@host:port/database.\n"
     "Write special characters of the password in percent form: @ is %40, : is %3A, / is %2F, "
     "# is %23.\n"
     "Better keep the password out of the file: ${env:NAME} or ${file:PATH}.",
    },
    ErrorPage{
     Code::pg_refused,
     "the server refused a statement",
     "A statement of leat failed at the server for a reason that has no page of its own. The "
     "message is the server's, the SQLSTATE stands before it. What may pass (a lock, a "
     "cancelled statement) is tried again; the rest stops capture.",
     waits_at_source,
     "Read the message, and the server's log at that time.\n"
     "Mend what it names, then start again if leat has stopped.",
    },
    ErrorPage{
     Code::pg_version,
     "PostgreSQL is too old",
     "Leat reads PostgreSQL 14 to 18, and source.failover takes 17.",
     not_started,
     "Upgrade the server to 14 or newer, or point source.uri at one.",
    },
    ErrorPage{
     Code::pg_standby,
     "the server is a standby",
     "Leat makes a publication and a slot, and a standby takes neither. A pipeline that ran before "
     "tries again: in a failover the standby is promoted soon.",
     not_started,
     "Point source.uri at the primary.",
    },
    ErrorPage{
     Code::pg_wal_level,
     "wal_level is not logical",
     "The server does not write into its log what logical replication needs.",
     not_started,
     "Run: ALTER SYSTEM SET wal_level = logical;\n"
     "Restart the server: a reload is not enough.\n"
     "Run `leat check FILE`.",
    },
    ErrorPage{
     Code::pg_slots_full,
     "no replication slot or sender is free",
     "Every pipeline needs one replication slot and one sender while it runs. All that the "
     "server allows are taken, or it allows none.",
     not_started,
     "Find slots that nobody reads: SELECT slot_name, active FROM pg_replication_slots;\n"
     "Drop those that nobody needs: SELECT pg_drop_replication_slot('NAME'); one that "
     "somebody will come back for must stay.\n"
     "Or raise max_replication_slots and max_wal_senders and restart the server.",
    },
    ErrorPage{
     Code::pg_slot_lost,
     "the replication slot is gone or invalidated",
     "The server no longer keeps the changes that leat has not read: the slot was dropped, or "
     "it was invalidated because it held more than max_slot_wal_keep_size or was idle for too "
     "long. Changes between the last one in the log and now cannot be read any more. Capture "
     "stops; it never goes on over a gap.",
     "Changes since the last one in the log are missing in the warehouse. Everything before "
     "is there: sinks still take what the log holds. A lost slot holds nothing back at the "
     "source.",
     "Find out why: the server's log names the slot at the moment it was invalidated or "
     "dropped.\n"
     "Let it not happen again: raise max_slot_wal_keep_size, or shorten the time for which "
     "the pipeline is stopped.",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_slot_at_risk,
     "the slot may be lost at the next checkpoint",
     "The slot holds back more than max_slot_wal_keep_size. The server removes what it still "
     "needs at one of its next checkpoints unless leat catches up first.",
     "Nothing is lost yet. When it is, changes since the last one in the log cannot be read "
     "any more, and the pipeline needs a new snapshot.",
     "Raise the bound at once: ALTER SYSTEM SET max_slot_wal_keep_size = '200GB'; SELECT "
     "pg_reload_conf();\n"
     "See that capture reads: `leat status FILE`. If the log is full, mend that first (leat "
     "explain LOG-FULL).\n"
     "Look whether the server's disk has room for it.",
    },
    ErrorPage{
     Code::pg_slot_ahead,
     "the slot is ahead of the log",
     "Somebody else has read the slot or moved it, or the log's folder was put back from an "
     "older copy. The server has forgotten changes that the log does not hold.",
     "Changes in between are missing in the warehouse, and nobody can say which. Capture "
     "refuses to go on.",
     "Look who else reads the slot; each pipeline needs a slot of its own.\n"
     "If the log's folder was replaced by an older copy and the newer one still exists, put "
     "the newer one back and start again.",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_slot_foreign,
     "the slot belongs to somebody else",
     "A replication slot of this name exists, but it is of another plugin, of another "
     "database, or was there before this pipeline was started for the first time.",
     not_started,
     "Choose another name in source.slot.\n"
     "Or, if nobody uses it: SELECT pg_drop_replication_slot('NAME'); a slot left over by "
     "this pipeline, whose log was removed by hand, is dropped like that too.",
    },
    ErrorPage{
     Code::pg_slot_in_use,
     "another process reads the slot",
     "The server lets one reader at a time use a slot. It may be this pipeline running "
     "elsewhere, or a connection that the server has not yet found to be dead; leat tries "
     "again, and the latter passes within wal_sender_timeout.",
     waits_at_source,
     "See who it is: SELECT pid, application_name, client_addr FROM pg_stat_replication;\n"
     "Stop the other process. Never run one pipeline twice.",
    },
    ErrorPage{
     Code::pg_slot_name,
     "the slot has another name than before",
     "source.slot is not a name for a slot, or is not the one this pipeline was started with.",
     waits_at_source,
     "Put the old name back into source.slot; names are of lower-case letters, digits and "
     "underscores.",
     or_start_anew,
    },
    ErrorPage{
     Code::pg_other_cluster,
     "the source is another database cluster",
     "The system identifier of the server is not the one this pipeline was started with: "
     "source.uri points elsewhere, or the cluster was made anew, for instance by a dump and a "
     "restore or by pg_upgrade.",
     "Capture refuses to go on: the same positions mean other changes there. What the log "
     "holds still goes to the sinks. The slot at the old cluster, if there is one, keeps its "
     "log.",
     "If source.uri is wrong, correct it.\n"
     "If the cluster is really a new one: drop the slot at the old cluster if that still "
     "runs.",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_timeline,
     "the server was promoted or restored",
     "A standby was promoted, or the server was restored from a backup, and the log holds changes "
     "that the new timeline does not have: the old primary had committed them, and they did not "
     "reach the standby. Or the server is the old primary, which the failover has left behind.",
     "Capture refuses to go on, because the log and the server disagree. What the log holds still "
     "goes to the sinks.",
     "If the message says that the server was left behind, point source.uri at the one that was "
     "promoted.\n"
     "Let it not happen again: name the standbys' slots in synchronized_standby_slots (PostgreSQL "
     "17), so that leat reads nothing that they do not have.",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_went_back,
     "the server is behind the log",
     "The server's log ends before a change that leat already holds, or the server keeps log for "
     "the slot from further back than it once did: it was restored from a backup, or lost the "
     "end of its log in a crash with fsync = off. How far the slot was is noted once a minute, "
     "so a server that is put back by less than that, and has written as much again before leat "
     "looks, goes unnoticed.",
     "Capture refuses to go on: the warehouse may hold changes that the server no longer has.",
     "",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_publication,
     "the publication does not fit",
     "The publication lacks a table, publishes too much or too little, has filters or column "
     "lists, or cannot be found. Or its options were altered while the pipeline was running or "
     "stopped: what it did not publish meanwhile cannot be read. A stream that differs from the "
     "image would make the warehouse wrong. A publication of your own must have every table that "
     "is added to source.tables; one of leat's is altered by leat.",
     "What a publication left out after it was altered is missing. Otherwise nothing is lost: "
     "nothing more is read, and the server keeps its write-ahead log for the slot, on its own "
     "disk, until leat reads again.",
     "Run the statement that the message gives, as the owner of the publication, and start again. "
     "A table that was added, or that was not published for a while, is then read anew, and the "
     "others go on.\n"
     "Or take the table out of source.tables again.\n"
     "If the message says that the publication was altered, only the next step goes on from here.",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_publication_gone,
     "the publication was dropped",
     "The publication of this pipeline does not exist any more. The server decides by the "
     "publication as it was at the time of each change, so changes made while there was none "
     "cannot be read.",
     "Changes made while there was no publication are missing. What the log holds still goes "
     "to the sinks; the slot keeps the server's log until `leat drop`.",
     "",
     or_read_anew,
    },
    ErrorPage{
     Code::pg_table_missing,
     "a table does not exist",
     "source.tables names a table that the database does not have, or it was dropped or "
     "renamed.",
     waits_at_source,
     "Correct the name in source.tables, written schema.table as the catalog has it.\n"
     "Or create the table, or take it out of the list if it is gone for good.",
    },
    ErrorPage{
     Code::pg_table_kind,
     "not a table whose changes can be read",
     "Views, foreign tables, unlogged and temporary tables have no changes in the server's "
     "log, and neither has a partition that is one of these.",
     not_started,
     "Name the tables below a view, or the other partitions of a partitioned table.\n"
     "An unlogged table: ALTER TABLE NAME SET LOGGED;",
    },
    ErrorPage{
     Code::pg_table_names,
     "source.tables or source.columns cannot be taken as it is",
     "The list is empty, names a table twice, or two tables would have one name in the sinks, "
     "where schema public is left out and names are compared without case. Or a pattern or an "
     "exclusion matches nothing, or source.columns excludes a column that is not there, is part "
     "of the key, or cannot be left out by this server.",
     not_started,
     "Correct source.tables or source.columns as the message says; capture one of two tables "
     "with one name by another pipeline.",
    },
    ErrorPage{
     Code::pg_no_identity,
     "a table has nothing to tell its rows apart by",
     "Once a table is published for updates, the server refuses UPDATE and DELETE on it "
     "unless it has a primary key or a replica identity. Leat refuses to publish it rather "
     "than let the application fail. A key with a generated column is not sent by the server. "
     "PostgreSQL 18 refuses them too where a table has a generated column and REPLICA IDENTITY "
     "FULL. Partitions must have the replica identity of the table they belong to.",
     not_started,
     "Add a primary key, or run: ALTER TABLE NAME REPLICA IDENTITY FULL;\n"
     "Or set source.insert_only if the tables only ever get inserts.",
    },
    ErrorPage{
     Code::pg_schema_change,
     "a table changed in a way that is not followed",
     "Columns that are added, dropped, renamed or widened are followed. Another change of a "
     "table (another type, another key or replica identity, a table made anew under its name) "
     "changes rows that the server does not send, so the table is read anew, beside what the "
     "sinks hold of it, and the other tables go on. So is one that was taken out of the "
     "publication, even if it has been put back, and one of whose partitions was attached with "
     "rows, detached or dropped. Under source.on_schema_change: freeze any change stops capture, "
     "and under a discarding contract one of a key, or one that cannot be told.",
     waits_at_source,
     "Nothing; `leat status` shows how far the new image is.\n"
     "Frozen: set source.on_schema_change to evolve and start again.",
    },
    ErrorPage{
     Code::pg_schema_waits,
     "a transaction is not visible yet",
     "A row has come for which leat must look at its table (its columns changed, or it came without "
     "some of them), but its transaction is not visible to others at the server. With "
     "synchronous_standby_names set, a commit is sent before it is visible, and stays invisible as "
     "long as its standby is away. Leat tries again.",
     waits_at_source,
     "Look who waits: SELECT pid, query FROM pg_stat_activity WHERE wait_event = 'SyncRep';\n"
     "Bring the synchronous standby back, or take it out of synchronous_standby_names and "
     "reload.",
    },
    ErrorPage{
     Code::pg_value,
     "a value cannot be taken",
     "A value of a row does not fit the column type that leat has chosen for it, such as a "
     "numeric of more than 38 digits. In a snapshot and in the stream the column goes over to "
     "text by itself where that is possible.",
     waits_at_source,
     "The message names column and type. Change the value at the source, or the type of the "
     "column, or leave the table out.",
     or_start_anew,
    },
    ErrorPage{
     Code::pg_snapshot_again,
     "the snapshot begins again",
     "A table was made, rewritten or changed between the moment of the snapshot and its lock, "
     "or holds values that must be taken as text. The image would be wrong, so it is begun "
     "anew, with the next try.",
     "Nothing is lost. Rows of the broken image are thrown away.",
     "Wait. If it happens again and again, look what rewrites tables: VACUUM FULL, CLUSTER, "
     "ALTER TABLE, and keep that away from the first snapshot.",
    },
    ErrorPage{
     Code::pg_stream,
     "the replication stream is not understood",
     "The server sent bytes that this version of leat has no rule for. Either the server is "
     "newer than 18 and speaks otherwise, or something between the two changes what is sent.",
     waits_at_source,
     "Look at the version of the server, and for proxies in between.\n"
     "Report it with the message and both versions.",
    },
    ErrorPage{
     Code::pg_decoding,
     "the server fails at decoding its log",
     "The server met an internal error (XX000 and the like) where it turns its log into changes. "
     "What was chance passes: leat tries again with growing pauses. What lies in the log, through "
     "a fault of the server, comes again each time, and no reader of this slot gets past it; one "
     "that was seen is \"unexpected duplicate for tablespace 0, relfilenode\" after tables were "
     "rewritten.",
     waits_at_source,
     "Update the server to the newest minor version and restart it.\n"
     "If it comes again: stop leat, drop the slot (SELECT pg_drop_replication_slot(…), the name "
     "is in `leat check`), and start with `on_gap: resnapshot` in `run:`. All tables are read "
     "anew and swapped in.",
    },
    ErrorPage{
     Code::pg_work_folder,
     "the source's work folder cannot be used",
     "Large transactions wait in files beside the log (folder source) until they commit. A "
     "file there cannot be made, written or read. Leat tries again if it may pass.",
     waits_at_source,
     "Make room on that disk, or give the user of leat the right to write there.",
    },
};

}  // namespace leat::cli

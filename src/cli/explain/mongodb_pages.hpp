// Pages about the MongoDB source. See page.hpp.
#pragma once

#include <array>

#include "cli/explain/page.hpp"

namespace leat::cli {

inline constexpr std::string_view waits_in_oplog =
    "Nothing is lost yet. Nothing more is read: the changes wait in the server's oplog, for as long "
    "as that reaches back (`leat check FILE` says how long).";
inline constexpr std::string_view gap_at_source =
    "What the sinks hold stays as it is. Nothing more is read, because changes behind it are missing "
    "and leat never leaves any out silently.";

inline constexpr std::array mongodb_pages = {
    ErrorPage{
     Code::mongo_unreachable,
     "no connection to the MongoDB server",
     "The server refuses connections, does not answer, has closed the connection, is in an "
     "election, or stepped down. Leat tries again with growing pauses, up to half a minute, "
     "for as long as it runs, and goes on where it stood.",
     waits_in_oplog,
     "Look whether the servers of source.uri run and have a primary: rs.status() in the "
     "shell.\n"
     "Look whether hosts, port and replicaSet in source.uri are right.\n"
     "Nothing needs to be started again here: leat goes on by itself once the server answers.",
    },
    ErrorPage{
     Code::mongo_login,
     "the server refuses the credentials",
     "User, password, authSource or authMechanism of source.uri do not let leat in.",
     waits_in_oplog,
     "Correct user and password in source.uri; special characters of the password are "
     "written %40 and so on.\n"
     "Add authSource=admin where the user is defined there.\n"
     "Run `leat check FILE`, then `leat run FILE`.",
    },
    ErrorPage{
     Code::mongo_right,
     "the user lacks a right",
     "The server refused something that the user of source.uri may not do. A change stream "
     "over one database takes the role read on it; over several, readAnyDatabase on admin. "
     "The message names what was refused.",
     waits_in_oplog,
     "Grant the role: `leat check FILE` prints the command.\n"
     "Then `leat run FILE`.",
    },
    ErrorPage{
     Code::mongo_uri,
     "source.uri is not a MongoDB connection string",
     "It does not parse, or has options that do not go together.",
     not_started,
     "Write it as mongodb://user:password@host:port/database?replicaSet=rs0, or as "
     "mongodb+srv://.\n"
     "Write special characters of user and password as %40 and so on.",
    },
    ErrorPage{
     Code::mongo_tls,
     "no TLS connection to the server",
     "The server's certificate is not signed by a known CA, is not for this host, or the "
     "server asks for a certificate of the client.",
     waits_in_oplog,
     "Add tls=true&tlsCAFile=/path/ca.pem to source.uri.\n"
     "Add tlsCertificateKeyFile=/path/client.pem where the server asks for a certificate.\n"
     "Look whether the host of source.uri is the one in the certificate.",
    },
    ErrorPage{
     Code::mongo_refused,
     "the server refused a command",
     "The server answered with an error that leat does not know how to go on from. The "
     "message holds the server's words and its code.",
     waits_in_oplog,
     "Look the code up in the server's list of errors, and at the server's log.\n"
     "Mend what it names, then `leat run FILE`.",
     or_start_anew,
    },
    ErrorPage{
     Code::mongo_version,
     "the server is too old",
     "Leat follows MongoDB 5.0 and newer.",
     not_started,
     "Upgrade the server, best to 6.0.9 or newer: then documents come as they were after "
     "each update, and changes larger than 16 MB are split.",
    },
    ErrorPage{
     Code::mongo_standalone,
     "the server is no member of a replica set",
     "Change streams read the oplog, which only replica sets and sharded clusters have. A "
     "set of one member is enough.",
     not_started,
     "Start mongod with --replSet rs0 and run rs.initiate() in its shell, once.\n"
     "Add replicaSet=rs0 to source.uri, then `leat run FILE`.",
    },
    ErrorPage{
     Code::mongo_history_lost,
     "the oplog no longer reaches back to where leat stands",
     "Leat was stopped, or could not keep up, for longer than the oplog reaches back. What "
     "changed in between cannot be read any more.",
     gap_at_source,
     "Give the oplog more room, so that it does not come again: "
     "db.adminCommand({replSetResizeOplog: 1, minRetentionHours: 24}).",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_oplog_at_risk,
     "the oplog will soon not reach back to where leat stands",
     "The oplog is full, and less than a quarter of it is left before the changes that leat "
     "has not read are removed.",
     waits_in_oplog,
     "Give it more room at once: db.adminCommand({replSetResizeOplog: 1, size: MEGABYTES}).\n"
     "Look why leat is behind: `leat status FILE`.",
    },
    ErrorPage{
     Code::mongo_token,
     "the server does not know where leat stands",
     "The resume token that leat noted means nothing to this server: it is another "
     "deployment, one restored from a backup, or one downgraded.",
     gap_at_source,
     "If source.uri names the wrong deployment, correct it.",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_other_deployment,
     "this is another deployment",
     "The replica set behind source.uri is not the one that leat has read from.",
     gap_at_source,
     "If source.uri names the wrong deployment, correct it.",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_went_back,
     "the server went back in time",
     "Its newest change is older than what leat has read. It was restored from a backup, or "
     "lost what was written without majority.",
     gap_at_source,
     "If an older copy of the data was put in place by mistake, put the right one back.",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_event_too_large,
     "a change is larger than the server can send",
     "One change with its document is larger than 16 MB, which servers before 6.0.9 cannot "
     "send; from there on they split it, but not a single field of that size.",
     gap_at_source,
     "Upgrade the server to 6.0.9 or newer.\n"
     "Keep such documents smaller: an update sends the whole document and the changed fields.",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_stream,
     "the change stream cannot go on",
     "The server sent something that is not a change event, or gave the stream up for good.",
     waits_in_oplog,
     "Look at the server's log.\n"
     "Report it, with the version of the server and what the message says.",
     or_read_anew,
    },
    ErrorPage{
     Code::mongo_collection_names,
     "the list of collections cannot be used",
     "source.collections is empty, names one twice, has an entry that matches nothing, or "
     "two of its collections have one name in the sinks. Or source.columns names a collection "
     "that is not captured, or leaves out _id.",
     not_started,
     "Correct source.collections or source.columns as the message says.\n"
     "Capture one of two collections with one name by a pipeline of its own.",
    },
    ErrorPage{
     Code::mongo_collection_missing,
     "no such collection",
     "source.collections names a collection that does not exist.",
     not_started,
     "Correct the name; upper and lower case count.\n"
     "Or create it, empty: db.createCollection(\"name\").",
    },
    ErrorPage{
     Code::mongo_collection_kind,
     "not a collection that can be followed",
     "Views have no changes of their own, and time series collections send none.",
     not_started,
     "Capture the collections that the view is made of, and build the view over the "
     "warehouse.\n"
     "Leave a time series collection out.",
    },
    ErrorPage{
     Code::mongo_delta,
     "a transform needs more than the fields that changed",
     "With update_mode: delta an update brings its changed fields alone, and a transform of the "
     "collection computes from others, filters, or checks an expectation.",
     waits_in_oplog,
     "Remove update_mode from the source: then documents are read again after an update.\n"
     "Or switch post images on for the collection: `leat check FILE` prints the command.\n"
     "Or let the transform name and rename columns only.",
    },
    ErrorPage{
     Code::mongo_work_folder,
     "a note of the source cannot be read or written",
     "Leat notes in the pipeline's data folder which columns the collections have. The disk "
     "is full, the folder is not writable, or the file is damaged.",
     waits_in_oplog,
     "Make room, and the folder below queue.path writable for the user that runs leat.\n"
     "Then `leat run FILE`.",
     or_start_anew,
    },
};

}  // namespace leat::cli

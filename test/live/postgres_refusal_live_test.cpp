// What is wrong at the server gets a clear answer with the remedy, and nothing is made before it.
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

auto shared() -> PostgresServer& { return PostgresServer::shared(); }

auto expect_error(const Result<void>& result, Fault fault, const std::string& what,
                  const std::string& hint) -> void {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().fault, fault) << result.error().what;
    EXPECT_NE(result.error().what.find(what), std::string::npos) << result.error().what;
    EXPECT_NE(result.error().hint.find(hint), std::string::npos) << result.error().hint;
    EXPECT_EQ(result.error().what.find("hunter2"), std::string::npos);
}

class PostgresRefusal : public testing::Test {
protected:
    std::string uri_ = shared().make_database();
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
    auto expect_nothing_made() -> void {
        EXPECT_EQ(sql("SELECT count(*) FROM pg_publication"), "0");
    }
};

TEST_F(PostgresRefusal, WrongPassword) {
    sql("CREATE ROLE guarded LOGIN REPLICATION PASSWORD 'right'");
    PostgresServer server;
    run_sql(server.uri(), "CREATE ROLE guarded LOGIN REPLICATION PASSWORD 'right'");
    run_sql(server.uri(), "ALTER SYSTEM SET password_encryption = 'scram-sha-256'");
    const auto file = run_sql(server.uri(), "SHOW hba_file");
    run_sql(server.uri(), "COPY (SELECT 'host all guarded 127.0.0.1/32 scram-sha-256') TO PROGRAM 'cat > " +
                          file + ".new'");
    run_sql(server.uri(), "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; cat " + file + " >> " + file + ".new && mv " +
                          file + ".new " + file + "'");
    run_sql(server.uri(), "SELECT pg_reload_conf()");
    auto uri = server.uri("postgres", "guarded:hunter2");
    SourceRun run(uri, {"t"});
    EXPECT_TRUE(eventually([&] {
        const auto opened = run.open();
        return !opened && opened.error().what.find("password") != std::string::npos;
    }));
    expect_error(run.open(), Fault::config, "password authentication failed", "password");
    SourceRun none(server.uri("postgres", "guarded"), {"t"});
    expect_error(none.open(), Fault::config, "password", "password");
    run_sql(server.uri(), "DROP ROLE guarded");
    sql("DROP ROLE guarded");
}

TEST_F(PostgresRefusal, UnknownDatabase) {
    SourceRun run(shared().uri("nowhere"), {"t"});
    expect_error(run.open(), Fault::config, "\"nowhere\" does not exist", "database name");
}

TEST_F(PostgresRefusal, ServerDownIsWorthARetry) {
    SourceRun run("postgresql://postgres:hunter2@127.0.0.1:1/x", {"t"});
    expect_error(run.open(), Fault::retry, "refused", "Start the server");
}

TEST_F(PostgresRefusal, OfSeveralHostsThePrimaryIsTaken) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    auto uri = uri_;
    uri.insert(uri.find("127"), "127.0.0.1:1,");
    EXPECT_TRUE(SourceRun(uri, {"t"}).open().has_value());
    expect_error(SourceRun(uri + "?target_session_attrs=standby", {"t"}).open(), Fault::retry,
                 "refused; cannot connect: ", "Start the server");
    expect_error(SourceRun("postgresql://127.0.0.1:1,127.0.0.1:2/x", {"t"}).open(), Fault::retry,
                 "\"127.0.0.1\", port 2 failed", "Start the server");
}

TEST_F(PostgresRefusal, ConnectionStringThatIsNone) {
    for (const auto* uri : {"postgresql://u:hunter2@host:1:1/x", "postgresql://u:hunter2@[host/x",
                            "postgresql://u:p@hunter2@host/x", "host=x password"})
        expect_error(SourceRun(uri, {"t"}).open(), Fault::config,
                     "not a PostgreSQL connection string", "postgresql://");
}

TEST_F(PostgresRefusal, WalLevelReplica) {
    PostgresServer server({15, {{"wal_level", "replica"}}});
    run_sql(server.uri(), "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(server.uri(), {"t"});
    expect_error(run.open(), Fault::config, "wal_level is replica", "SET wal_level = logical");
}

TEST_F(PostgresRefusal, RoleWithoutReplication) {
    sql("CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE plain LOGIN");
    SourceRun run(uri_.replace(uri_.find("postgres@"), 9, "plain@"), {"t"});
    expect_error(run.open(), Fault::config, "role plain may not replicate",
                 "ALTER ROLE \"plain\" REPLICATION");
}

TEST_F(PostgresRefusal, TableThatMayNotBeRead) {
    sql("CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE blind LOGIN REPLICATION");
    const auto own = uri_;
    SourceRun run(std::string(uri_).replace(uri_.find("postgres@"), 9, "blind@"), {"t"});
    expect_error(run.open(), Fault::config, "no right to read public.t", "GRANT SELECT");
    sql("GRANT SELECT ON t TO blind");
    expect_error(run.open(), Fault::config, "CREATE PUBLICATION", "owner of the tables run: CREATE");
    sql("CREATE PUBLICATION mine FOR TABLE t");
    run.config.publication = "mine";
    EXPECT_TRUE(run.open().has_value());
    EXPECT_TRUE(run.take_image().has_value());
}

TEST_F(PostgresRefusal, NoFreeSlot) {
    PostgresServer server({15, {{"max_replication_slots", "1"}}});
    run_sql(server.uri(), "CREATE TABLE t (id int PRIMARY KEY); "
                          "SELECT pg_create_physical_replication_slot('other')");
    SourceRun run(server.uri(), {"t"});
    expect_error(run.open(), Fault::config, "no replication slot is free", "max_replication_slots");
}

TEST_F(PostgresRefusal, TablesThatCannotBeCaptured) {
    sql("CREATE VIEW v AS SELECT 1 AS id; CREATE UNLOGGED TABLE u (id int PRIMARY KEY)");
    expect_error(SourceRun(uri_, {"missing"}).open(), Fault::config,
                 "table does not exist: public.missing", "source.tables");
    expect_error(SourceRun(uri_, {"v"}).open(), Fault::config, "public.v is a view", "tables");
    expect_error(SourceRun(uri_, {"u"}).open(), Fault::config, "unlogged", "SET LOGGED");
    expect_error(SourceRun(uri_, {"v", "public.v"}).open(), Fault::config, "twice", "Remove");
    expect_nothing_made();
}

TEST_F(PostgresRefusal, MissingIdentityIsToldBeforeThePublicationIsMade) {
    sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int); CREATE TABLE c (id int "
        "PRIMARY KEY); ALTER TABLE c REPLICA IDENTITY NOTHING");
    expect_error(SourceRun(uri_, {"a", "b", "c"}).open(), Fault::config, "public.b, public.c",
                 "ALTER TABLE \"public\".\"b\" REPLICA IDENTITY FULL; ALTER TABLE \"public\".\"c\"");
    expect_nothing_made();
    sql("UPDATE b SET id = 1");
}

TEST_F(PostgresRefusal, PublicationsThatDoNotFit) {
    uri_ = PostgresServer::shared(15).make_database();
    sql("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY)");
    SourceRun run(uri_, {"a"});
    run.config.publication = "mine";
    expect_error(run.open(), Fault::config, "publication does not exist",
                 "CREATE PUBLICATION \"mine\" FOR TABLE \"public\".\"a\"");
    sql("CREATE PUBLICATION mine FOR TABLE b");
    expect_error(run.open(), Fault::config, "lacks \"public\".\"a\"", "ADD TABLE \"public\".\"a\"");
    sql("ALTER PUBLICATION mine SET TABLE a WHERE (id > 5)");
    expect_error(run.open(), Fault::config, "row filter or a column list", "whole table");
    sql("ALTER PUBLICATION mine SET TABLE a (id)");
    expect_error(run.open(), Fault::config, "row filter or a column list", "whole table");
    sql("ALTER PUBLICATION mine SET TABLE a, b; ALTER PUBLICATION mine SET (publish = 'insert')");
    expect_error(run.open(), Fault::config, "does not publish exactly", "SET (publish = 'insert, u");
    sql("ALTER PUBLICATION mine SET (publish = 'insert, update, delete, truncate')");
    EXPECT_TRUE(run.open().has_value());
    run.config.publication.clear();
    sql("CREATE PUBLICATION leat_test FOR TABLE a, b");
    EXPECT_TRUE(run.open().has_value());
    EXPECT_EQ(sql("SELECT tablename FROM pg_publication_tables WHERE pubname = 'leat_test'"), "a");
}

TEST_F(PostgresRefusal, ForeignSlotIsNotTouched) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    sql("SELECT pg_create_logical_replication_slot('" + run.slot() + "', 'pgoutput')");
    ASSERT_TRUE(run.open().has_value());
    const auto begun = run.take_image();
    ASSERT_FALSE(begun.has_value());
    EXPECT_EQ(begun.error().fault, Fault::config);
    EXPECT_NE(begun.error().what.find("exists already"), std::string::npos);
    ASSERT_TRUE(run.open().has_value());
    EXPECT_TRUE(run.take_image({.generation = 2, .lineage = 2, .is_retake = true}).has_value());
}

class PostgresLostSlot : public PostgresRefusal {
protected:
    PostgresLostSlot() {
        sql("CREATE TABLE t (id int PRIMARY KEY)");
        run_.start();
        sql("INSERT INTO t VALUES (1)");
        run_.read_all();
        run_.close();
        eventually([&] {
            return sql("SELECT NOT active FROM pg_replication_slots WHERE slot_name = '" +
                       run_.slot() + "'") == "t";
        });
    }
    SourceRun run_{uri_, {"t"}};
};

TEST_F(PostgresLostSlot, Dropped) {
    sql("SELECT pg_drop_replication_slot('" + run_.slot() + "')");
    expect_error(run_.reopen(), Fault::fatal, "slot is gone", "on_gap");
}

TEST_F(PostgresLostSlot, MadeAnewIsAheadOfUs) {
    sql("SELECT pg_drop_replication_slot('" + run_.slot() + "')");
    sql("INSERT INTO t VALUES (2)");
    sql("SELECT pg_create_logical_replication_slot('" + run_.slot() + "', 'pgoutput')");
    expect_error(run_.reopen(), Fault::fatal, "ahead of what leat holds", "on_gap");
}

TEST_F(PostgresLostSlot, OfAnotherPlugin) {
    sql("SELECT pg_drop_replication_slot('" + run_.slot() + "')");
    sql("SELECT pg_create_logical_replication_slot('" + run_.slot() + "', 'test_decoding')");
    expect_error(run_.reopen(), Fault::config, "is not this pipeline's", "source.slot");
}

TEST_F(PostgresLostSlot, OurPositionIsAheadOfTheServer) {
    auto position = run_.position();
    position.commit += std::uint64_t{1} << 40U;
    run_.set_position(position);
    expect_error(run_.reopen(), Fault::fatal, "went back in time", "on_gap");
}

TEST_F(PostgresLostSlot, AnotherClusterOrTimelineOrSlotName) {
    const auto position = run_.position();
    auto other = position;
    other.token = "1/1/" + run_.slot();
    run_.set_position(other);
    expect_error(run_.reopen(), Fault::fatal, "another database cluster", "source.uri");
    other.token = position.token.substr(0, position.token.find('/')) + "/9/" + run_.slot();
    run_.set_position(other);
    expect_error(run_.reopen(), Fault::config, "a failover has left behind", "was promoted");
    run_.set_position(position);
    run_.config.slot += "x";
    expect_error(run_.reopen(), Fault::config, "slot of this pipeline was", "source.slot");
}

TEST_F(PostgresLostSlot, InUseIsWorthARetry) {
    ASSERT_TRUE(run_.reopen().has_value());
    SourceRun second(uri_, {"t"});
    second.config.slot = run_.slot();
    second.set_position(run_.position());
    second.adopt_schemas(run_);
    const auto opened = second.reopen();
    expect_error(opened, Fault::retry, "is active for PID", "");
}

TEST_F(PostgresLostSlot, TableAddedLater) {
    sql("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)");
    run_.config.tables.push_back("u");
    ASSERT_TRUE(run_.reopen().has_value());
    const auto image = run_.take_image({.generation = 2, .tables = {{"public", "u"}},
                                        .is_anew = false});
    ASSERT_TRUE(image.has_value()) << image.error().what;
    EXPECT_EQ(image->size(), 1U);
    sql("INSERT INTO u VALUES (2); INSERT INTO t VALUES (3)");
    EXPECT_EQ(row_texts(run_.read_all()).size(), 2U);
}

TEST_F(PostgresLostSlot, PublicationDropped) {
    sql("DROP PUBLICATION leat_test");
    expect_error(run_.reopen(), Fault::fatal, "publication is gone", "on_gap");
}

TEST(PostgresInvalidatedSlot, SaysSo) {
    PostgresServer server({15, {{"max_slot_wal_keep_size", "1MB"}, {"min_wal_size", "32MB"},
                                {"max_wal_size", "32MB"}}});
    run_sql(server.uri(), "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(server.uri(), {"t"});
    run.start();
    run.close();
    for (int i = 0; i < 6; ++i)
        run_sql(server.uri(), "SELECT pg_switch_wal(); INSERT INTO t VALUES (" + std::to_string(i) + ")");
    EXPECT_TRUE(eventually([&] {
        run_sql(server.uri(), "CHECKPOINT");
        return run_sql(server.uri(), "SELECT wal_status FROM pg_replication_slots") == "lost";
    }));
    expect_error(run.reopen(), Fault::fatal, "invalidated", "on_gap");
}

}  // namespace

}  // namespace leat::live

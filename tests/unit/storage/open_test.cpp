// What is at the path before a store starts, and what it leaves there.

#include <fstream>

#include "storage/file/migration.hpp"
#include "storage/file/schema.hpp"
#include "storage/file/sqlite_open.hpp"
#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

namespace {

namespace fs = std::filesystem;

void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void run_sql(const std::string& path, const char* sql) {
    auto db = Db::open(path, Db::Mode::create);
    REQUIRE(db);
    const auto done = db->run(sql);
    REQUIRE_MESSAGE(done, done.error().message);
}

/// Files in the folder whose names begin so.
std::vector<std::string> files(const TempDir& dir, const std::string& prefix) {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(dir.path()))
        if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    return found;
}

/// A file of a store with one session, stopped.
void make_store(const TempDir& dir) {
    Stage stage(dir);
    stage.start();
    stage.commit(Batch().save(client_of("c")));
}

/// The file as it is while the store runs, at the name that the store of `to` uses.
void copy_running(const Stage& from, const TempDir& to) {
    for (const char* part : {"", "-wal"})
        if (fs::exists(from.path() + part)) fs::copy_file(from.path() + part, to.file("comqtt.db") + part);
}

}  // namespace

TEST_CASE("a missing file is made, with the marks of its kind") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    CHECK(stage.number("PRAGMA application_id") == kApplicationId);
    CHECK(stage.number("PRAGMA user_version") == kSchemaVersion);
    CHECK(stage.number("PRAGMA auto_vacuum") == 2);
    CHECK(stage.clients().clients.empty());
}

TEST_CASE("an orderly end leaves one file, marked as closed; while it runs it is not") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    stage.commit(Batch().save(client_of("c")));
    CHECK(stage.number("SELECT value FROM state WHERE name='clean'") == 0);
    stage.stop();
    CHECK(files(dir, "") == std::vector<std::string>{dir.file("comqtt.db")});
    CHECK(stage.number("SELECT value FROM state WHERE name='clean'") == 1);
}

TEST_CASE("a store that was not closed loses nothing that was committed") {
    const TempDir dir, copy;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    Batch batch;
    batch.save(client);
    batch.queue(client, 1, message_of("t", "x"));
    stage.commit(batch);
    copy_running(stage, copy);
    Stage other(copy);
    other.start();
    CHECK(other.clients().clients.size() == 1);
    CHECK(other.page("c")->messages.size() == 1);
    CHECK(files(copy, "comqtt.db.bad").empty());
}

TEST_CASE("a folder that does not exist is an error with path and reason") {
    const TempDir dir;
    StoreConfig config;
    config.path = dir.file("missing/comqtt.db");
    const auto started = make_sqlite_store(config)->init();
    REQUIRE(!started);
    CHECK(started.error().status == Status::io);
    CHECK(started.error().message.find(dir.file("missing/comqtt.db")) != std::string::npos);
    CHECK(started.error().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("a path that is a folder is an error and stays a folder") {
    const TempDir dir;
    fs::create_directory(dir.file("comqtt.db"));
    Stage stage(dir);
    const auto started = stage.init();
    REQUIRE(!started);
    CHECK(started.error().status == Status::io);
    CHECK(fs::is_directory(dir.file("comqtt.db")));
}

TEST_CASE("a second store on the same file is refused, by any name of it") {
    const TempDir dir;
    Stage first(dir);
    first.start();
    Stage second(dir);
    const auto refused = second.init();
    REQUIRE(!refused);
    CHECK(refused.error().message.find("in use") != std::string::npos);
    fs::create_symlink(dir.file("comqtt.db"), dir.file("other.db"));
    StoreConfig config;
    config.path = dir.file("other.db");
    CHECK(!make_sqlite_store(config)->init());
    first.stop();
    CHECK(second.init());
}

TEST_CASE("a file of a newer version is refused, naming both versions, and not touched") {
    const TempDir dir;
    make_store(dir);
    run_sql(dir.file("comqtt.db"), "PRAGMA user_version=99");
    const std::string before = read_file(dir.file("comqtt.db"));
    Stage stage(dir);
    const auto refused = stage.init();
    REQUIRE(!refused);
    CHECK(refused.error().status == Status::unsupported);
    CHECK(refused.error().message.find("99") != std::string::npos);
    CHECK(refused.error().message.find("versions up to 1") != std::string::npos);
    CHECK(read_file(dir.file("comqtt.db")) == before);
}

/// Nothing is written, renamed or made beside it.
void check_left_alone(const TempDir& dir, const char* words) {
    const std::string before = read_file(dir.file("comqtt.db"));
    const auto names = files(dir, "");
    for (const OnDamage damage : {OnDamage::rename, OnDamage::stop}) {
        StoreConfig config;
        config.on_damage = damage;
        Stage stage(dir, config);
        const auto refused = stage.init();
        REQUIRE(!refused);
        CHECK(refused.error().status == Status::storage);
        CHECK(refused.error().message.find(dir.file("comqtt.db")) != std::string::npos);
        CHECK_MESSAGE(refused.error().message.find(words) != std::string::npos, refused.error().message);
    }
    CHECK(files(dir, "") == names);
    CHECK(read_file(dir.file("comqtt.db")) == before);
}

TEST_CASE("a file that was never a store is an error and left as it is") {
    const TempDir dir;
    SUBCASE("text") {
        write_file(dir.file("comqtt.db"), std::string(8192, 'x'));
        check_left_alone(dir, "another file");
    }
    SUBCASE("one byte") {
        write_file(dir.file("comqtt.db"), "x");
        check_left_alone(dir, "another file");
    }
    SUBCASE("our schema as text") {
        write_file(dir.file("comqtt.db"), kSchema);
        check_left_alone(dir, "another file");
    }
    SUBCASE("a database without a mark") {
        run_sql(dir.file("comqtt.db"),
                "PRAGMA journal_mode=DELETE; CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
        check_left_alone(dir, "another program");
    }
    SUBCASE("a damaged database without a mark") {
        run_sql(dir.file("comqtt.db"),
                "PRAGMA journal_mode=DELETE; CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
        std::string content = read_file(dir.file("comqtt.db"));
        std::fill(content.begin() + 100, content.end(), 'x');
        write_file(dir.file("comqtt.db"), content);
        check_left_alone(dir, "another program");
    }
    SUBCASE("a database with the mark of another program") {
        run_sql(dir.file("comqtt.db"), "PRAGMA application_id=77; CREATE TABLE precious (x)");
        check_left_alone(dir, "another program");
    }
}

TEST_CASE("an empty file, and a database without anything in it, become a store") {
    const TempDir dir;
    SUBCASE("empty") { write_file(dir.file("comqtt.db"), ""); }
    SUBCASE("nothing in it") { run_sql(dir.file("comqtt.db"), "CREATE TABLE t (x); DROP TABLE t"); }
    Stage stage(dir);
    stage.start();
    CHECK(stage.number("PRAGMA application_id") == kApplicationId);
    CHECK(files(dir, "comqtt.db.bad-").empty());
}

TEST_CASE("a store whose first bytes are ruined is set aside unchanged, and a fresh one made") {
    const TempDir dir;
    make_store(dir);
    std::string content = read_file(dir.file("comqtt.db"));
    std::fill_n(content.begin(), 120, 'x');
    write_file(dir.file("comqtt.db"), content);
    Stage stage(dir);
    stage.start();
    CHECK(stage.clients().clients.empty());
    const auto aside = files(dir, "comqtt.db.bad-");
    REQUIRE(aside.size() == 1);
    CHECK(read_file(aside[0]) == content);
    CHECK(stage.lines.count(LogLevel::error, aside[0]) == 1);
    CHECK(stage.lines.count(LogLevel::error, "comqtt store check") == 1);
}

TEST_CASE("on-damage stop leaves the file and refuses to start") {
    const TempDir dir;
    make_store(dir);
    std::string content = read_file(dir.file("comqtt.db"));
    std::fill(content.begin() + 4096, content.end(), 'x');
    write_file(dir.file("comqtt.db"), content);
    StoreConfig config;
    config.on_damage = OnDamage::stop;
    Stage stage(dir, config);
    const auto refused = stage.init();
    REQUIRE(!refused);
    CHECK(refused.error().status == Status::storage);
    CHECK(refused.error().message.find("cannot be used") != std::string::npos);
    CHECK(files(dir, "comqtt.db.bad-").empty());
    CHECK(read_file(dir.file("comqtt.db")) == content);
}

TEST_CASE("a file that lacks a table is set aside") {
    const TempDir dir;
    make_store(dir);
    run_sql(dir.file("comqtt.db"), "DROP TABLE received");
    Stage stage(dir);
    stage.start();
    CHECK(files(dir, "comqtt.db.bad-").size() == 1);
    CHECK(stage.clients().clients.empty());
}

TEST_CASE("damaged pages are found after an end that was not in order") {
    const TempDir dir;
    {
        Stage stage(dir);
        stage.start();
        const auto client = client_of("c");
        Batch batch;
        batch.save(client);
        for (uint64_t position = 1; position <= 2000; ++position)
            batch.queue(client, position, message_of("t", std::to_string(position)));
        stage.commit(batch);
    }
    run_sql(dir.file("comqtt.db"),
            "UPDATE state SET value=0 WHERE name='clean'; PRAGMA wal_checkpoint(TRUNCATE)");
    std::string content = read_file(dir.file("comqtt.db"));
    for (size_t at = content.size() / 2; at < content.size() / 2 + 4096 * 4; ++at) content[at] = 'x';
    write_file(dir.file("comqtt.db"), content);
    Stage stage(dir);
    stage.start();
    CHECK(files(dir, "comqtt.db.bad-").size() == 1);
}

TEST_CASE("files are set aside with their logs, under names that are free") {
    const TempDir dir;
    const std::string path = dir.file("s.db");
    std::vector<std::string> names;
    for (int i = 0; i < 3; ++i) {
        write_file(path, std::to_string(i));
        write_file(path + "-wal", "log " + std::to_string(i));
        const auto name = set_aside(path);
        REQUIRE(name);
        names.push_back(*name);
        CHECK(!fs::exists(path));
        CHECK(!fs::exists(path + "-wal"));
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(read_file(names[static_cast<size_t>(i)]) == std::to_string(i));
        CHECK(read_file(names[static_cast<size_t>(i)] + "-wal") == "log " + std::to_string(i));
    }
}

TEST_CASE("migrations run in order in one transaction; a step that fails leaves the old version") {
    const TempDir dir;
    auto db = Db::open(dir.file("m.db"), Db::Mode::create);
    REQUIRE(db);
    REQUIRE(db->run("CREATE TABLE t (a); PRAGMA user_version=1"));
    const Migration steps[] = {{2, "ALTER TABLE t ADD COLUMN c DEFAULT 7"},
                               {1, "ALTER TABLE t ADD COLUMN b"}};
    REQUIRE(migrate(*db, 1, 3, steps));
    CHECK(*db->number("PRAGMA user_version") == 3);
    REQUIRE(db->run("INSERT INTO t (a, b) VALUES (1, 2)"));
    CHECK(*db->number("SELECT c FROM t") == 7);

    const Migration broken[] = {{3, "ALTER TABLE t ADD COLUMN d"}, {4, "ALTER TABLE none ADD COLUMN e"}};
    CHECK(!migrate(*db, 3, 5, broken));
    CHECK(*db->number("PRAGMA user_version") == 3);
    CHECK(!db->prepare("SELECT d FROM t"));
    CHECK(!migrate(*db, 3, 6, broken));  // no step leads from 5
}

}  // namespace comqtt::storage::test

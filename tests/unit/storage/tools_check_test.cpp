#include <sys/file.h>

#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

/// What check says of a store that `sql` was done to.
Report check_after(const std::string& sql, bool expect_sound = false) {
    const Folder folder;
    const std::string path = folder / "s.db";
    make_store(path, some_of_all());
    if (!sql.empty()) change(path, sql);
    Report report;
    const auto done = check_store(path, report.line());
    CHECK(static_cast<bool>(done) == expect_sound);
    if (!done) CHECK(done.error().status == Status::storage);
    return report;
}

}  // namespace

TEST_SUITE("storage/tools_check") {
    TEST_CASE("a sound store is sound, and is counted") {
        const Report report = check_after("", true);
        for (const char* line : {"sessions: 2", "subscriptions: 2", "messages: 2", "queued: 2",
                                 "in flight: 3", "retained: 1", "blocked: 1"}) {
            CAPTURE(line);
            CHECK(report.has(line));
        }
        CHECK_FALSE(report.has("problem"));
    }

    TEST_CASE("rows of a session that is not there are told") {
        CHECK(check_after("DELETE FROM sessions WHERE client_id = 'beta'").has("has 2 queued messages"));
        CHECK(check_after("DELETE FROM sessions WHERE client_id = 'beta'").has("has 1 subscriptions"));
        CHECK(check_after("DELETE FROM sessions WHERE client_id = 'beta'").has("has 1 received"));
    }

    TEST_CASE("rows that an ended session has left are no problem") {
        check_after(
            "INSERT INTO removed SELECT id FROM sessions WHERE client_id = 'beta';"
            "DELETE FROM sessions WHERE client_id = 'beta'",
            true);
        CHECK(check_after("INSERT INTO removed SELECT id FROM sessions").has("has ended and is there"));
    }

    TEST_CASE("a queued message without its message is told") {
        CHECK(check_after("DELETE FROM messages WHERE id = 2")
                  .has("queued message of 'alpha' at position 2: there is no message 2"));
        CHECK(check_after("UPDATE queue SET message = NULL WHERE position = 2").has("without a message"));
    }

    TEST_CASE("references that are counted wrongly are told") {
        CHECK(check_after("UPDATE messages SET refs = 9 WHERE id = 1")
                  .has("message 1: refs is 9, it is queued 2"));
        CHECK(
            check_after("DELETE FROM queue WHERE position = 2").has("message 2: refs is 1, it is queued 0"));
    }

    TEST_CASE("a packet identifier used twice is told") {
        CHECK(check_after("UPDATE queue SET packet_id = 7 WHERE position = 2")
                  .has("session of 'alpha': packet identifier 7 is used by 2 messages"));
    }

    TEST_CASE("values that cannot be are told with where they are") {
        CHECK(check_after("UPDATE subscriptions SET filter = 'a/#/b' WHERE filter = 'a/#'")
                  .has("subscription of 'alpha' to 'a/#/b'"));
        CHECK(check_after("UPDATE sessions SET will = x'00' WHERE client_id = 'alpha'")
                  .has("session of 'alpha': will cannot be decoded"));
        CHECK(check_after("UPDATE retained SET topic = 'x/+'").has("retained message of 'x/+'"));
        CHECK(check_after("UPDATE queue SET position = -1 WHERE position = 1")
                  .has("position is out of range: -1"));
    }

    TEST_CASE("what is no store is told from a damaged one") {
        const Folder folder;
        Report report;
        CHECK(check_store(folder / "none.db", report.line()).error().status == Status::not_found);
        CHECK(check_store(folder / "", report.line()).error().status == Status::invalid_argument);
        write_file(folder / "text.db", std::string(5000, 'x'));
        CHECK(check_store(folder / "text.db", report.line()).error().status == Status::storage);
        write_file(folder / "empty.db", "");
        CHECK(check_store(folder / "empty.db", report.line()).error().status == Status::storage);
        make_store(folder / "new.db", {});
        change(folder / "new.db", "PRAGMA user_version=99");
        CHECK(check_store(folder / "new.db", report.line()).error().status == Status::unsupported);
        make_store(folder / "other.db", {});
        change(folder / "other.db", "DROP TABLE retained");
        CHECK(check_store(folder / "other.db", report.line()).error().status == Status::storage);
    }

    TEST_CASE("a store that somebody has is left alone by every tool") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        write_file(folder / "in.jsonl", exported(path));
        const auto held = lock_store(path);
        REQUIRE(held);
        Report report;
        for (const auto& done :
             {check_store(path, report.line()), repair_store(path, report.line()),
              export_store(path, [](std::string_view) { return true; }),
              import_store(path, folder / "in.jsonl", ImportFormat::detect, report.line())}) {
            REQUIRE_FALSE(done);
            CHECK(done.error().status == Status::state);
            CHECK(done.error().message.find("is in use") != std::string::npos);
        }
        CHECK(report.lines.empty());
    }

    TEST_CASE("check changes nothing and leaves nothing beside the store") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        const auto before = read_file(path);
        Report report;
        CHECK(check_store(path, report.line()));
        const auto after = read_file(path);
        REQUIRE(before);
        REQUIRE(after);
        CHECK(*before == *after);
        CHECK(folder.names("s.db") == std::vector<std::string>{"s.db"});
    }

    TEST_CASE("check reads the log of a store that was not closed, and lets it be") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        auto db = Db::open(path, Db::Mode::existing);
        REQUIRE(db);
        REQUIRE(db->run("PRAGMA wal_autocheckpoint=0; UPDATE messages SET refs = 50"));
        const std::string copy = folder / "copy.db";
        REQUIRE(copy_store(path, copy));  // as a broker that was killed leaves it
        const auto before = read_file(copy + "-wal");
        Report report;
        CHECK_FALSE(check_store(copy, report.line()));
        CHECK(report.has("refs is 50"));
        const auto after = read_file(copy + "-wal");
        REQUIRE(before);
        REQUIRE(after);
        CHECK(*before == *after);
    }
}

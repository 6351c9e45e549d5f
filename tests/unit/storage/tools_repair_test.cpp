#include <fstream>

#include "storage/tools/page_file.hpp"
#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

constexpr int64_t kPage = 4096;

/// Many pages in each of the large tables.
Rows many() {
    Rows rows;
    for (int c = 0; c < 200; ++c) {
        const std::string id = "client-" + std::to_string(1000 + c);
        rows.push_back({TableId::sessions, session(id)});
        for (int i = 0; i < 5; ++i)
            rows.push_back(
                {TableId::subscriptions, subscription(id, "some/topic/" + std::to_string(i) + "/#")});
    }
    for (int m = 1; m <= 2000; ++m)
        rows.push_back({TableId::messages, message(m, "t/" + std::to_string(m), std::string(300, 'p'))});
    for (int m = 1; m <= 2000; ++m)
        rows.push_back({TableId::queue, queued("client-" + std::to_string(1000 + m % 200), m, m)});
    for (int r = 0; r < 500; ++r)
        rows.push_back(
            {TableId::retained, retained("r/" + std::to_string(10'000 + r), std::string(100, 'r'))});
    // Larger than a page, so that it goes over several.
    rows.push_back({TableId::retained, retained("large", std::string(50'000, 'L'))});
    return rows;
}

void overwrite(const std::string& path, int64_t page, char with) {
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp((page - 1) * kPage);
    stream << std::string(static_cast<size_t>(kPage), with);
    REQUIRE(stream.good());
}

/// Pages of a table, in order; interior ones first when asked for.
std::vector<int64_t> pages_of(const std::string& path, const std::string& table, bool interior) {
    auto db = open_to_look(path);
    REQUIRE(db);
    auto found =
        Statement::make(*db, "SELECT pageno FROM dbstat WHERE name = '" + table + "' AND pagetype = '" +
                                 (interior ? "internal" : "leaf") + "' ORDER BY path");
    REQUIRE(found);
    std::vector<int64_t> pages;
    for (auto more = found->step(); more && *more; more = found->step()) pages.push_back(found->number(0));
    REQUIRE_FALSE(pages.empty());
    return pages;
}

void expect_sound(const std::string& path) {
    Report report;
    const auto done = check_store(path, report.line());
    for (const std::string& line : report.lines) INFO(line);
    CHECK(done);
}

}  // namespace

TEST_SUITE("storage/tools_repair") {
    TEST_CASE("a sound store is the same after a repair, and the old one is kept") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        const std::string before = exported(path);
        Report report;
        REQUIRE(repair_store(path, report.line()));
        CHECK(exported(path) == before);
        expect_sound(path);
        const auto bad = folder.names("s.db.bad-");
        REQUIRE(bad.size() == 1);
        CHECK(exported(folder / bad[0]) == before);
        CHECK(folder.names("s.db.repair").empty());
    }

    TEST_CASE("a damaged page in the middle of a table costs that page only") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, many());
        const auto leaves = pages_of(path, "messages", false);
        REQUIRE(leaves.size() > 50);
        overwrite(path, leaves[leaves.size() / 3], '\0');
        overwrite(path, leaves[leaves.size() / 2], '\x7F');
        Report report;
        CHECK_FALSE(check_store(path, report.line()));
        CHECK(report.has("problem: database:"));
        report.lines.clear();
        REQUIRE(repair_store(path, report.line()));
        CHECK(report.has("damaged: messages: page " + std::to_string(leaves[leaves.size() / 3])));
        CHECK(report.has("there is no message"));
        expect_sound(path);
        const int64_t kept = number(path, "SELECT count(*) FROM messages");
        CHECK(kept < 2000);
        CHECK(kept > 1950);
        CHECK(number(path, "SELECT count(*) FROM queue") == kept);
        CHECK(number(path, "SELECT max(id) FROM messages") == 2000);
        CHECK(number(path, "SELECT count(*) FROM sessions") == 200);
        CHECK(number(path, "SELECT count(*) FROM subscriptions") == 1000);
        CHECK(number(path, "SELECT count(*) FROM retained WHERE length(payload) = 50000") == 1);
        CHECK(folder.names("s.db.bad-").size() == 1);
    }

    TEST_CASE("the pages below a damaged page are found without it") {
        for (const char* table : {"messages", "queue", "retained", "subscriptions"}) {
            CAPTURE(table);
            const Folder folder;
            const std::string path = folder / "s.db";
            make_store(path, many());
            overwrite(path, pages_of(path, table, true).front(), '\x55');
            Report report;
            CHECK_FALSE(check_store(path, report.line()));
            REQUIRE(repair_store(path, report.line()));
            expect_sound(path);
            CHECK(number(path, "SELECT count(*) FROM messages") >= 1900);
            CHECK(number(path, "SELECT count(*) FROM queue") >= 1900);
            CHECK(number(path, "SELECT count(*) FROM retained") >= 450);
            CHECK(number(path, "SELECT count(*) FROM subscriptions") >= 900);
        }
    }

    TEST_CASE("what was deleted does not come back") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, many());
        change(path,
               "PRAGMA secure_delete=OFF; DELETE FROM queue WHERE position > 1000;"
               "DELETE FROM messages WHERE id > 1000");
        overwrite(path, pages_of(path, "messages", true).front(), '\x55');
        Report report;
        REQUIRE(repair_store(path, report.line()));
        CHECK(number(path, "SELECT max(id) FROM messages") == 1000);
        expect_sound(path);
    }

    TEST_CASE("every page may be damaged: what comes out is sound") {
        const Folder folder;
        const std::string whole = folder / "whole.db";
        make_store(whole, some_of_all());
        const int64_t pages = number(whole, "PRAGMA page_count");
        for (int64_t page = 2; page <= pages; ++page) {
            CAPTURE(page);
            const std::string path = folder / ("s" + std::to_string(page) + ".db");
            REQUIRE(copy_store(whole, path));
            overwrite(path, page, static_cast<char>(0xA5));
            Report report;
            REQUIRE(repair_store(path, report.line()));
            expect_sound(path);
        }
    }

    TEST_CASE("a store without its first page is given up, and stays as it is") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        overwrite(path, 1, 'x');
        const auto before = read_file(path);
        Report report;
        CHECK(repair_store(path, report.line()).error().status == Status::storage);
        const auto after = read_file(path);
        CHECK(*before == *after);
        CHECK(folder.names("s.db.").empty());
    }

    TEST_CASE("rows that belong to nothing are left out, references are counted anew") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        change(path,
               "DELETE FROM sessions WHERE client_id = 'beta'; DELETE FROM messages WHERE id = 2;"
               "UPDATE messages SET refs = 77; UPDATE sessions SET will = x'00';"
               "INSERT INTO retained VALUES ('bad/#', 0, NULL, 0, x'', NULL, '')");
        Report report;
        REQUIRE(repair_store(path, report.line()));
        expect_sound(path);
        CHECK(number(path, "SELECT count(*) FROM queue") == 1);
        CHECK(number(path, "SELECT refs FROM messages") == 1);
        CHECK(number(path, "SELECT count(*) FROM subscriptions") == 1);
        CHECK(number(path, "SELECT count(*) FROM retained") == 1);
        CHECK(number(path, "SELECT count(*) FROM sessions WHERE will IS NULL") == 1);
        CHECK(report.has("left out: session of 'alpha': will cannot be decoded"));
        CHECK(report.has("dropped: retained message of 'bad/#'"));
    }

    TEST_CASE("a packet identifier used twice is taken from the second message, which is sent again") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        change(path, "UPDATE queue SET packet_id = 7 WHERE position = 2");
        Report report;
        REQUIRE(repair_store(path, report.line()));
        expect_sound(path);
        CHECK(number(path, "SELECT packet_id FROM queue WHERE position = 2") == 0);
        CHECK(number(path, "SELECT count(*) FROM queue") == 4);
    }

    TEST_CASE("what is only in the log is kept") {
        const Folder folder;
        const std::string path = folder / "s.db";
        make_store(path, some_of_all());
        auto db = Db::open(path, Db::Mode::existing);
        REQUIRE(db);
        REQUIRE(
            db->run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
                    "INSERT INTO retained VALUES ('logged', 0, NULL, 0, x'01', NULL, '')"));
        const std::string copy = folder / "copy.db";
        REQUIRE(copy_store(path, copy));  // as a broker that was killed leaves it
        Report report;
        REQUIRE(repair_store(copy, report.line()));
        CHECK(number(copy, "SELECT count(*) FROM retained") == 2);
        expect_sound(copy);
    }

    TEST_CASE("records that do not fit their bytes are refused") {
        Row row;
        const auto read = [&](std::string_view bytes) { return read_record(ByteView(bytes), row); };
        CHECK(
            read(std::string_view("\x03\x01\x0F\x7F"
                                  "a",
                                  5)));
        CHECK(row == Row{Value::integer(127), Value::text("a")});
        CHECK(read(std::string_view("\x02\x06\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 10)));
        CHECK(row == Row{Value::integer(-2)});
        CHECK_FALSE(read(""));
        CHECK_FALSE(read("\x05"));
        CHECK_FALSE(read(std::string_view("\x02\x06\x01", 3)));
        CHECK_FALSE(read(std::string_view("\x02\x0A", 2)));
        CHECK_FALSE(read("\x0B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
        CHECK_FALSE(read(std::string_view("\x00", 1)));
    }
}

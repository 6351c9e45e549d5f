#include "storage/tools/replace.hpp"

#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

namespace fs = std::filesystem;

Rows clients(const std::string& prefix, int count) {
    Rows rows;
    for (int i = 0; i < count; ++i) rows.push_back({TableId::sessions, session(prefix + std::to_string(i))});
    return rows;
}

/// Client ids of the store as a broker that starts would find them, in a copy of the folder.
std::vector<std::string> found_at(const std::string& path) {
    const Folder other;
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path()))
        fs::copy_file(entry.path(), other / entry.path().filename().string());
    const std::string copy = other / fs::path(path).filename().string();
    REQUIRE_MESSAGE(file_exists(copy), "no store is at the path");
    auto db = open_to_look(copy);
    REQUIRE_MESSAGE(db, db.error().message);
    auto rows = Statement::make(*db, "SELECT client_id FROM sessions ORDER BY client_id");
    REQUIRE(rows);
    std::vector<std::string> ids;
    for (auto more = rows->step(); more && *more; more = rows->step()) ids.emplace_back(rows->text(0));
    return ids;
}

}  // namespace

TEST_CASE("at every step of a replacement a whole store is at the path, and in the end both are there") {
    bool with_log = false;
    SUBCASE("the old store was closed in order") {}
    SUBCASE("the old store has a log") { with_log = true; }
    const Folder folder;
    const std::string path = folder / "s.db", fresh = folder / "s.db.repair-new";
    make_store(path, clients("old", 3));
    make_store(fresh, clients("new", 2));
    std::vector<std::string> old_ids{"old0", "old1", "old2"};
    if (with_log) {
        // As a process leaves it that ends without closing its store.
        auto db = Db::open(path, Db::Mode::existing);
        REQUIRE(db);
        sqlite3_db_config(db->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        REQUIRE(db->run("UPDATE sessions SET client_id='old9' WHERE client_id='old1'"));
        old_ids = {"old0", "old2", "old9"};
    }
    REQUIRE((file_size(path + "-wal") > 0) == with_log);
    REQUIRE(found_at(path) == old_ids);
    const std::vector<std::string> new_ids{"new0", "new1"};

    int steps = 0;
    bool changed = false;
    const auto name = replace_store(path, fresh, [&] {
        ++steps;
        const auto ids = found_at(path);
        CHECK((ids == new_ids || (ids == old_ids && !changed)));
        changed = changed || ids == new_ids;
    });
    REQUIRE_MESSAGE(name, name.error().message);
    CHECK(steps >= 2);
    CHECK(found_at(path) == new_ids);
    CHECK(found_at(*name) == old_ids);
    CHECK(folder.names("s.db.repair").empty());
    CHECK((file_size(*name + "-wal") > 0) == with_log);
}

TEST_CASE("a store whose log cannot be applied is replaced, and kept with its log") {
    const Folder folder;
    const std::string path = folder / "s.db", fresh = folder / "s.db.repair-new";
    make_store(fresh, clients("new", 2));
    std::ofstream(path, std::ios::binary) << std::string(8192, 'x');
    std::ofstream(path + "-wal", std::ios::binary) << std::string(5000, 'w');
    const auto name = replace_store(path, fresh);
    REQUIRE(name);
    CHECK(found_at(path) == std::vector<std::string>{"new0", "new1"});
    CHECK(file_size(*name) == 8192);
    CHECK(file_size(*name + "-wal") == 5000);
}

TEST_CASE("a tool takes the lock that a broker takes, by whatever name the store is given") {
    const Folder folder;
    const std::string path = folder / "s.db", other = folder / "other.db";
    make_store(path, clients("c", 1));
    fs::create_symlink(path, other);
    const auto held = lock_store(path);
    REQUIRE(held);
    CHECK(!lock_store(other));
}

TEST_CASE("a store repaired by way of a link stays where it is, and the link a link") {
    const Folder folder;
    const std::string path = folder / "s.db", other = folder / "other.db";
    make_store(path, clients("c", 2));
    fs::create_symlink(path, other);
    Report report;
    REQUIRE(repair_store(other, report.line()));
    CHECK(fs::is_symlink(other));
    CHECK(!fs::is_symlink(path));
    CHECK(found_at(path) == std::vector<std::string>{"c0", "c1"});
    CHECK(folder.names("s.db.bad-").size() == 1);
}

#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

Result<void> import_text(const Folder& folder, const std::string& path, const std::string& text,
                         ImportFormat format = ImportFormat::detect) {
    write_file(folder / "in", text);
    Report report;
    return import_store(path, folder / "in", format, report.line());
}

std::string without_line(const std::string& text, const std::string& part) {
    const size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    const size_t begin = text.rfind('\n', at) + 1;
    return text.substr(0, begin) + text.substr(text.find('\n', at) + 1);
}

std::string with(std::string text, const std::string& old, const std::string& fresh) {
    const size_t at = text.find(old);
    REQUIRE(at != std::string::npos);
    return text.replace(at, old.size(), fresh);
}

}  // namespace

TEST_SUITE("storage/tools_import") {
    TEST_CASE("what was exported and imported is exported the same again") {
        const Folder folder;
        make_store(folder / "a.db", some_of_all());
        const std::string text = exported(folder / "a.db");
        REQUIRE(import_text(folder, folder / "b.db", text));
        CHECK(exported(folder / "b.db") == text);
        Report report;
        CHECK(check_store(folder / "b.db", report.line()));
        CHECK(number(folder / "b.db", "SELECT refs FROM messages WHERE id = 1") == 2);
        CHECK(number(folder / "b.db", "PRAGMA auto_vacuum") == 2);
        for (const char* part : {R"("type":"session","client_id":"alpha")", R"("payload":"b25l")",
                                 R"("type":"counter","name":"messages_received","value":12)"}) {
            CAPTURE(part);
            CHECK(text.find(part) != std::string::npos);
        }
    }

    TEST_CASE("an import into the store it came from changes nothing") {
        const Folder folder;
        make_store(folder / "a.db", some_of_all());
        const std::string text = exported(folder / "a.db");
        REQUIRE(import_text(folder, folder / "a.db", text));
        Report report;
        CHECK(check_store(folder / "a.db", report.line()));
        CHECK(number(folder / "a.db", "SELECT count(*) FROM messages") == 2);
        CHECK(number(folder / "a.db", "SELECT count(*) FROM queue") == 4);
    }

    TEST_CASE("sessions and retained messages of a file replace those of the same name, others stay") {
        const Folder folder;
        make_store(folder / "a.db", some_of_all());
        make_store(folder / "b.db", {{TableId::sessions, session("beta")},
                                     {TableId::sessions, session("gamma")},
                                     {TableId::messages, message(1, "new", "n")},
                                     {TableId::queue, queued("beta", 1, 1)},
                                     {TableId::retained, retained("r/1", "newer")},
                                     {TableId::retained, retained("r/2", "x")}});
        REQUIRE(import_text(folder, folder / "a.db", exported(folder / "b.db")));
        Report report;
        CHECK(check_store(folder / "a.db", report.line()));
        CHECK(number(folder / "a.db", "SELECT count(*) FROM sessions") == 3);
        CHECK(number(folder / "a.db", "SELECT count(*) FROM retained") == 2);
        CHECK(number(folder / "a.db", "SELECT payload = x'6e65776572' FROM retained WHERE topic = 'r/1'") ==
              1);
        CHECK(number(folder / "a.db",
                     "SELECT count(*) FROM queue q JOIN sessions s ON s.id = q.session "
                     "JOIN messages m ON m.id = q.message WHERE client_id = 'beta' AND "
                     "topic = 'new'") == 1);
        CHECK(number(folder / "a.db", "SELECT count(*) FROM queue") == 3);
    }

    TEST_CASE("rows that an ended session has left do not become those of a new session") {
        const Folder folder;
        const std::string path = folder / "a.db";
        make_store(path, some_of_all());
        change(path,
               "INSERT INTO removed SELECT id FROM sessions WHERE client_id = 'beta';"
               "DELETE FROM sessions WHERE client_id = 'beta'");
        make_store(folder / "b.db", {{TableId::sessions, session("gamma")}});
        REQUIRE(import_text(folder, path, exported(folder / "b.db")));
        Report report;
        CHECK(check_store(path, report.line()));
        CHECK(number(path, "SELECT count(*) FROM removed") == 0);
        CHECK(number(path,
                     "SELECT count(*) FROM queue q JOIN sessions s ON s.id = q.session "
                     "WHERE client_id = 'gamma'") == 0);
        CHECK(number(path, "SELECT count(*) FROM queue") == 2);
    }

    TEST_CASE("a bad line is told by its number, and nothing is imported") {
        const Folder folder;
        make_store(folder / "a.db", some_of_all());
        const std::string text = exported(folder / "a.db");
        const std::string queued_line = R"({"type":"queued","client_id":"alpha","position":1,)";
        const std::pair<std::string, std::string> cases[] = {
            {with(text, "\"b25l\"", "\"b25\""), "line 6: payload is not base64"},
            {with(text, "\"a/#\"", "\"a/#/b\""), "line 4: subscription of 'alpha' to 'a/#/b': filter"},
            {without_line(text, R"("client_id":"alpha","username")"),
             "line 3: subscription of 'alpha' to 'a/#': there is no such session"},
            {without_line(text, R"("type":"message","id":2)"), "there is no message 2"},
            {without_line(text, R"("type":"retained")"), "line 15: 13 records, 14 were exported"},
            {without_line(text, R"("type":"comqtt-store")"), "line 1: the file has no head"},
            {without_line(text, R"("type":"end")"), "line 16: the file ends early"},
            {text.substr(0, text.size() / 2), "not JSON"},
            {text + "{\"type\":\"end\",\"records\":14}\n", "line 17: after the end"},
            {text + "x", "line 17: not JSON"},
            {with(text, "\"packet_id\":0", "\"packet_id\":7"), "have packet identifier 7"},
            {with(text, queued_line, R"({"type":"queued","client_id":"alpha","position":2,)"),
             "is there twice"},
        };
        for (const auto& [bad, why] : cases) {
            CAPTURE(why);
            const auto done = import_text(folder, folder / "b.db", bad, ImportFormat::json);
            REQUIRE_FALSE(done);
            CHECK(done.error().status == Status::invalid_argument);
            INFO(done.error().message);
            CHECK(done.error().message.find(why) != std::string::npos);
            CHECK_FALSE(file_exists(folder / "b.db"));
            CHECK_FALSE(import_text(folder, folder / "a.db", bad, ImportFormat::json));
            CHECK(exported(folder / "a.db") == text);
        }
    }

    TEST_CASE("what is neither an export nor a mosquitto.db is refused") {
        const Folder folder;
        for (const char* text : {"", "hello",
                                 "\x7F"
                                 "ELF"}) {
            const auto done = import_text(folder, folder / "b.db", text);
            REQUIRE_FALSE(done);
            CHECK(done.error().status == Status::invalid_argument);
            CHECK_FALSE(file_exists(folder / "b.db"));
        }
        Report report;
        CHECK(import_store(folder / "b.db", folder / "none", ImportFormat::detect, report.line())
                  .error()
                  .status == Status::not_found);
        write_file(folder / "text.db", std::string(5000, 'x'));
        make_store(folder / "a.db", {});
        CHECK(import_text(folder, folder / "text.db", exported(folder / "a.db")).error().status ==
              Status::storage);
        CHECK(file_exists(folder / "text.db"));
    }

    TEST_CASE("an export can be stopped") {
        const Folder folder;
        make_store(folder / "a.db", some_of_all());
        int lines = 0;
        const auto done = export_store(folder / "a.db", [&](std::string_view) { return ++lines < 3; });
        REQUIRE_FALSE(done);
        CHECK(done.error().status == Status::cancelled);
        CHECK(lines == 3);
    }
}

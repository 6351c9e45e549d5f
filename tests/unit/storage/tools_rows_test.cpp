#include "storage/tools/base64.hpp"
#include "storage/tools/json_rows.hpp"
#include "storage/tools/row_rules.hpp"
#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

std::string problem_of(TableId table, const Row& row) {
    const auto problem = find_problem(table_of(table), row);
    return problem ? problem->text : "";
}

Row with(Row row, size_t column, Value value) {
    row[column] = std::move(value);
    return row;
}

std::string parse_error(std::string_view line) {
    const auto parsed = parse_line(line);
    return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_SUITE("storage/tools_rows") {
    TEST_CASE("base64 keeps every byte and refuses what it did not write") {
        std::string all;
        for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
        for (size_t size : {0u, 1u, 2u, 3u, 4u, 255u, 256u}) {
            const std::string bytes = all.substr(0, size);
            CHECK(from_base64(to_base64(bytes)) == bytes);
        }
        CHECK(to_base64("foobar") == "Zm9vYmFy");
        CHECK(to_base64("fo") == "Zm8=");
        for (const char* bad :
             {"A", "AA", "AAA", "AA=A", "====", "A===", "AB==", "AAB=", "A A=", "AAA\n", "AA-_"}) {
            CAPTURE(bad);
            CHECK_FALSE(from_base64(bad));
        }
    }

    TEST_CASE("the list of columns is that of the schema") {
        const Folder folder;
        make_store(folder / "s.db", {});
        auto db = open_to_look(folder / "s.db");
        REQUIRE(db);
        for (const Table& table : all_tables()) {
            CAPTURE(table.name);
            auto columns =
                Statement::make(*db, "SELECT name, type, \"notnull\", pk FROM pragma_table_info('" +
                                         std::string(table.name) + "')");
            REQUIRE(columns);
            for (const Column& column : table.columns) {
                CAPTURE(column.name);
                const auto more = columns->step();
                REQUIRE(more);
                REQUIRE(*more);
                CHECK(columns->text(0) == column.name);
                const bool is_text = column.kind == ColumnKind::text;
                const bool is_blob = column.kind == ColumnKind::blob;
                CHECK(columns->text(1) == (is_text ? "TEXT" : is_blob ? "BLOB" : "INTEGER"));
                const bool is_key = columns->number(3) != 0;
                CHECK((columns->number(2) != 0 || is_key) == !column.nullable);
            }
            const auto more = columns->step();
            REQUIRE(more);
            CHECK_FALSE(*more);
        }
    }

    TEST_CASE("rows that the store writes have no problem") {
        for (const TableRow& each : some_of_all()) CHECK(problem_of(each.table, each.row) == "");
    }

    TEST_CASE("each column is judged by what it holds") {
        const Row s = session("a");
        CHECK(problem_of(TableId::sessions, with(s, session_row::client_id, Value::text(""))) != "");
        CHECK(problem_of(TableId::sessions, with(s, session_row::client_id, Value::text("\xFF"))) != "");
        CHECK(problem_of(TableId::sessions, with(s, session_row::version, Value::integer(6))) != "");
        CHECK(problem_of(TableId::sessions, with(s, session_row::version, Value::text("5"))) != "");
        CHECK(problem_of(TableId::sessions, with(s, session_row::username, {})) == "username is missing");
        CHECK(problem_of(TableId::sessions, with(s, session_row::will, Value::blob("junk"))) ==
              "will cannot be decoded");
        for (const char* filter : {"", "a/#/b", "$share/g", "a+"})
            CHECK(problem_of(TableId::subscriptions, subscription("a", filter)) != "");
        for (int64_t options : {3, 0x30, 0x40, -1})
            CHECK(problem_of(TableId::subscriptions, with(subscription("a", "x"), subscription_row::options,
                                                          Value::integer(options))) != "");
        CHECK(problem_of(TableId::messages, message(1, "a/#", "")) != "");
        CHECK(problem_of(TableId::messages, message(0, "a", "")) != "");
        CHECK(problem_of(TableId::messages,
                         with(message(1, "a", ""), message_row::flags, Value::integer(3))) != "");
        CHECK(problem_of(TableId::messages,
                         with(message(1, "a", ""), message_row::properties, Value::blob("\x03"))) != "");
        CHECK(problem_of(TableId::retained, retained("", "x")) != "");
    }

    TEST_CASE("a queued message has a message, a position, and a packet identifier when it is sent") {
        const Row q = queued("a", 1, 1);
        CHECK(problem_of(TableId::queue, queued("a", 0, 1)) != "");
        CHECK(problem_of(TableId::queue, with(q, queue_row::message, {})) == "without a message");
        CHECK(problem_of(TableId::queue, with(q, queue_row::packet_id, Value::integer(65'536))) != "");
        CHECK(problem_of(TableId::queue, with(queued("a", 1, 1, 5), queue_row::flags, Value::integer(0))) !=
              "");
        CHECK(problem_of(TableId::queue, released("a", 1, 0)) != "");
        CHECK(problem_of(TableId::queue, with(q, queue_row::identifiers, Value::blob("abc"))) != "");
        CHECK(problem_of(TableId::queue,
                         with(q, queue_row::identifiers, Value::blob(std::string(4, '\0')))) != "");
        CHECK(problem_of(TableId::queue, with(q, queue_row::share, Value::text("a/b"))) != "");
        for (const char* receiver : {"$share/g/a/b", "$retained", "$client/one"})
            CHECK(problem_of(TableId::queue, with(q, queue_row::share, Value::text(receiver))) == "");
    }

    TEST_CASE("a row is the same after it was JSON") {
        for (const TableRow& each : some_of_all()) {
            const auto line = parse_line(record_line(table_of(each.table), each.row));
            REQUIRE(line);
            CHECK(line->kind == JsonLine::Kind::record);
            CHECK(line->table == each.table);
            CHECK(line->row == each.row);
        }
        const Row odd = with(session("a"), session_row::username, Value::text("\xFF\xFE"));
        const auto line = parse_line(record_line(table_of(TableId::sessions), odd));
        REQUIRE(line);
        CHECK(line->row == odd);
    }

    TEST_CASE("a line that is no record says why") {
        CHECK(parse_error("") == "not JSON");
        CHECK(parse_error("[]") == "not an object");
        CHECK(parse_error("{}") == "type is missing");
        CHECK(parse_error(R"({"type":"sauce"})") == "unknown type 'sauce'");
        CHECK(parse_error(R"({"type":"blocked"})") == "client_id is missing");
        CHECK(parse_error(R"({"type":"blocked","client_id":5})") == "client_id is not a text");
        CHECK(parse_error(R"({"type":"blocked","client_id":{"base64":"!"}})") == "client_id is not base64");
        CHECK(parse_error(R"({"type":"blocked","client_id":"x","more":1})") == "unknown member 'more'");
        CHECK(parse_error(R"({"type":"received","client_id":"x","packet_id":1.5})") ==
              "packet_id is not a whole number");
        CHECK(parse_error(R"({"type":"received","client_id":"x","packet_id":18446744073709551615})") ==
              "packet_id is out of range");
        CHECK(parse_error(R"({"type":"comqtt-store","version":2})") != "");
    }

    TEST_CASE("a report shows no control characters and no endless text") {
        CHECK(printable("a\n\x1B[31mb") == "a??[31mb");
        CHECK(printable("\xFFz") == "?z");
        CHECK(printable("\xC3\xA4") == "\xC3\xA4");
        CHECK(printable(std::string(1000, 'x')).size() < 300);
    }
}

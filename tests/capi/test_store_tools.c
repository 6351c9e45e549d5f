/* Tools for the file of a store: what goes in comes out, what cannot be is told. */
#include <unistd.h>

#include "check.h"

#define REFUSED(call) CHECK_STATUS(call, COMQTT_ERR_INVALID_ARGUMENT)

static char folder[64];

static comqtt_str in_folder(const char* name) {
    static char paths[8][128];
    static unsigned next;
    char* path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return S(path);
}

static void write_text(comqtt_str path, const char* text) {
    FILE* file = fopen(path.ptr, "wb");
    if (!CHECK(file != NULL)) return;
    fputs(text, file);
    fclose(file);
}

typedef struct lines {
    char text[4096];
    size_t size;
    int count;
    int stop_after;
} lines;

static bool take_line(void* user, comqtt_str line) {
    lines* it = user;
    if (it->size + line.len + 1 < sizeof it->text) {
        memcpy(it->text + it->size, line.ptr, line.len);
        it->size += line.len;
        it->text[it->size++] = '\n';
    }
    return ++it->count != it->stop_after;
}

static const char kExport[] =
    "{\"type\":\"comqtt-store\",\"version\":1,\"schema\":1}\n"
    "{\"type\":\"retained\",\"topic\":\"t\",\"created_ms\":1,\"qos\":1,\"payload\":\"aGk=\",\"origin\":"
    "\"me\"}\n"
    "{\"type\":\"blocked\",\"client_id\":\"villain\"}\n"
    "{\"type\":\"end\",\"records\":2}\n";

static void what_is_imported_is_exported(void) {
    comqtt_str store = in_folder("a.db");
    comqtt_str file = in_folder("a.jsonl");
    lines out = {.size = 0};
    write_text(file, kExport);
    CHECK_OK(comqtt_store_import(store, file, COMQTT_IMPORT_DETECT, NULL, NULL, NULL));
    CHECK_OK(comqtt_store_export(store, take_line, &out, NULL));
    CHECK(out.size == strlen(kExport) && memcmp(out.text, kExport, out.size) == 0);
    memset(&out, 0, sizeof out);
    CHECK_OK(comqtt_store_check(store, take_line, &out, NULL));
    CHECK(strstr(out.text, "retained: 1\n") != NULL);
    CHECK_OK(comqtt_store_check(store, NULL, NULL, NULL));
    memset(&out, 0, sizeof out);
    CHECK_OK(comqtt_store_repair(store, take_line, &out, NULL));
    CHECK(strstr(out.text, "a.db.bad-") != NULL);
    memset(&out, 0, sizeof out);
    CHECK_OK(comqtt_store_export(store, take_line, &out, NULL));
    CHECK(out.size == strlen(kExport) && memcmp(out.text, kExport, out.size) == 0);
}

static void lines_can_be_stopped(void) {
    comqtt_str store = in_folder("b.db");
    lines out = {.stop_after = 2};
    write_text(in_folder("b.jsonl"), kExport);
    CHECK_OK(comqtt_store_import(store, in_folder("b.jsonl"), COMQTT_IMPORT_JSON, NULL, NULL, NULL));
    CHECK_STATUS(comqtt_store_export(store, take_line, &out, NULL), COMQTT_ERR_CANCELLED);
    CHECK_INT(out.count, 2);
    out.count = 0;
    CHECK_OK(comqtt_store_check(store, take_line, &out, NULL));
    CHECK_INT(out.count, 2);
}

static void wrong_arguments_are_refused(void) {
    comqtt_str none = {NULL, 0};
    comqtt_str zero = {"a\0b", 3};
    comqtt_str store = in_folder("none.db");
    comqtt_error* error = NULL;
    lines out = {.size = 0};
    REFUSED(comqtt_store_check(none, NULL, NULL, NULL));
    REFUSED(comqtt_store_check(S(""), NULL, NULL, NULL));
    REFUSED(comqtt_store_check(zero, NULL, NULL, &error));
    CHECK(strstr(comqtt_error_message(error).ptr, "zero byte") != NULL);
    comqtt_error_free(error);
    REFUSED(comqtt_store_repair(none, NULL, NULL, NULL));
    REFUSED(comqtt_store_export(none, take_line, &out, NULL));
    REFUSED(comqtt_store_export(store, NULL, NULL, NULL));
    REFUSED(comqtt_store_import(none, store, COMQTT_IMPORT_DETECT, NULL, NULL, NULL));
    REFUSED(comqtt_store_import(store, none, COMQTT_IMPORT_DETECT, NULL, NULL, NULL));
    REFUSED(comqtt_store_import(store, store, -1, NULL, NULL, NULL));
    REFUSED(comqtt_store_import(store, store, 3, NULL, NULL, NULL));
    REFUSED(comqtt_store_check(S(folder), NULL, NULL, NULL));
    CHECK_INT(out.count, 0);
}

static void what_is_not_there_is_not_made(void) {
    comqtt_str store = in_folder("none.db");
    comqtt_error* error = NULL;
    lines out = {.size = 0};
    CHECK_STATUS(comqtt_store_check(store, take_line, &out, &error), COMQTT_ERR_NOT_FOUND);
    CHECK_STATUS(comqtt_error_status(error), COMQTT_ERR_NOT_FOUND);
    comqtt_error_free(error);
    CHECK_STATUS(comqtt_store_repair(store, take_line, &out, NULL), COMQTT_ERR_NOT_FOUND);
    CHECK_STATUS(comqtt_store_export(store, take_line, &out, NULL), COMQTT_ERR_NOT_FOUND);
    CHECK_STATUS(
        comqtt_store_import(store, in_folder("none.jsonl"), COMQTT_IMPORT_DETECT, take_line, &out, NULL),
        COMQTT_ERR_NOT_FOUND);
    CHECK_INT(out.count, 0);
    CHECK(access(store.ptr, F_OK) != 0);
}

static void what_is_no_store_is_told(void) {
    comqtt_str file = in_folder("text.db");
    comqtt_error* error = NULL;
    write_text(file,
               "this is a text of some length, and neither a database nor anything else that is known here");
    CHECK_STATUS(comqtt_store_check(file, NULL, NULL, NULL), COMQTT_ERR_STORAGE);
    CHECK_STATUS(comqtt_store_repair(file, NULL, NULL, NULL), COMQTT_ERR_STORAGE);
    CHECK_STATUS(comqtt_store_import(in_folder("new.db"), file, COMQTT_IMPORT_DETECT, NULL, NULL, NULL),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_store_import(in_folder("new.db"), file, COMQTT_IMPORT_MOSQUITTO, NULL, NULL, &error),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK(strstr(comqtt_error_message(error).ptr, "offset 0") != NULL);
    comqtt_error_free(error);
    error = NULL;
    CHECK_STATUS(comqtt_store_import(in_folder("new.db"), file, COMQTT_IMPORT_JSON, NULL, NULL, &error),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK(strstr(comqtt_error_message(error).ptr, "line 1") != NULL);
    comqtt_error_free(error);
    CHECK(access(in_folder("new.db").ptr, F_OK) != 0);
}

int main(void) {
    const char* where = getenv("TMPDIR");
    char command[128];
    snprintf(folder, sizeof folder, "%.40s/comqtt-store-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(folder)) return 1;
    RUN(what_is_imported_is_exported);
    RUN(lines_can_be_stopped);
    RUN(wrong_arguments_are_refused);
    RUN(what_is_not_there_is_not_made);
    RUN(what_is_no_store_is_told);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK_INT(system(command), 0);
    return check_summary();
}

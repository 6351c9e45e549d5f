/* Options: typed setters, text, errors that help, the list. */
#include "check.h"

static void values_go_in_and_come_out(void) {
    comqtt_options* options = NULL;
    comqtt_options* copy = NULL;
    int64_t number = 0;
    bool flag = true;
    char text[32];
    size_t len = 0;
    CHECK_OK(comqtt_options_new(&options));
    CHECK(comqtt_options_get_int(options, "capabilities.receive-maximum", &number));
    CHECK_INT(number, 1024);
    CHECK_OK(comqtt_options_set_int(options, "capabilities.receive-maximum", 20, NULL));
    CHECK_OK(comqtt_options_set_bool(options, "inline-client", false, NULL));
    CHECK_OK(comqtt_options_set_str(options, "clock", S("manual"), NULL));
    CHECK_OK(comqtt_options_set(options, "capabilities.maximum-qos", S("1"), NULL));
    CHECK_OK(comqtt_options_set(options, "mqtt.options.capabilities.topic-alias-maximum", S("5"), NULL));
    CHECK_OK(comqtt_options_clone(options, &copy));
    CHECK_OK(comqtt_options_set_int(options, "capabilities.receive-maximum", 30, NULL));
    comqtt_options_free(options);
    CHECK(comqtt_options_get_int(copy, "capabilities.receive-maximum", &number));
    CHECK_INT(number, 20);
    CHECK(comqtt_options_get_int(copy, "capabilities.topic-alias-maximum", &number));
    CHECK_INT(number, 5);
    CHECK(comqtt_options_get_bool(copy, "inline-client", &flag));
    CHECK(!flag);
    CHECK_OK(comqtt_options_get(copy, "clock", NULL, 0, &len));
    CHECK_INT(len, 6);
    CHECK_STATUS(comqtt_options_get(copy, "clock", text, 5, &len), COMQTT_ERR_BUFFER_TOO_SMALL);
    CHECK_OK(comqtt_options_get(copy, "clock", text, sizeof text, &len));
    CHECK(len == 6 && memcmp(text, "manual", 6) == 0);
    CHECK(!comqtt_options_get_int(copy, "inline-client", &number));
    CHECK(!comqtt_options_get_bool(copy, "no-such-key", &flag));
    CHECK_STATUS(comqtt_options_get(copy, "no-such-key", NULL, 0, &len), COMQTT_ERR_NOT_FOUND);
    comqtt_options_free(copy);
}

static void expect_error(comqtt_status got, comqtt_error* error, const char* needle, int line) {
    check_status(got, COMQTT_ERR_CONFIG, __FILE__, line, "refused");
    if (!check_report(error && strstr(comqtt_error_message(error).ptr, needle), __FILE__, line,
                      "the text helps"))
        printf("    \"%s\" is not in \"%s\"\n", needle, error ? comqtt_error_message(error).ptr : "");
    comqtt_error_free(error);
}

static void errors_say_what_to_do(void) {
    comqtt_options* options = NULL;
    comqtt_error* error = NULL;
    comqtt_status status;
    CHECK_OK(comqtt_options_new(&options));
    status = comqtt_options_set_int(options, "capabilities.recieve-maximum", 20, &error);
    expect_error(status, error, "capabilities.receive-maximum", __LINE__);
    error = NULL;
    status = comqtt_options_set_int(options, "capabilities.receive-maximum", 70000, &error);
    expect_error(status, error, "65535", __LINE__);
    error = NULL;
    status = comqtt_options_set_bool(options, "capabilities.receive-maximum", true, &error);
    expect_error(status, error, "capabilities.receive-maximum", __LINE__);
    error = NULL;
    status = comqtt_options_set(options, "inline-client", S("perhaps"), &error);
    expect_error(status, error, "inline-client", __LINE__);
    error = NULL;
    status = comqtt_options_set(options, "clock", S("sundial"), &error);
    expect_error(status, error, "clock", __LINE__);
    comqtt_options_free(options);
}

typedef struct listing {
    int count;
    bool qos;
    comqtt_options* options;
} listing;

static bool see_option(void* user, const comqtt_option_info* info) {
    listing* list = user;
    ++list->count;
    CHECK(info->struct_size == sizeof *info);
    CHECK(strlen(info->text) > 0);
    if (info->type != COMQTT_OPTION_STR || strlen(info->default_text) > 0)
        if (!CHECK_OK(comqtt_options_set(list->options, info->key, S(info->default_text), NULL)))
            printf("    %s = %s\n", info->key, info->default_text);
    if (strcmp(info->key, "capabilities.maximum-qos") == 0) {
        list->qos = true;
        CHECK_INT(info->minimum, 0);
        CHECK_INT(info->maximum, 2);
        CHECK(strcmp(info->default_text, "2") == 0);
    }
    return true;
}
static bool see_one(void* user, const comqtt_option_info* info) {
    (void)info;
    ++*(int*)user;
    return false;
}

static void the_list_has_every_option_with_a_legal_default(void) {
    listing list = {0, false, NULL};
    int one = 0;
    CHECK_OK(comqtt_options_new(&list.options));
    CHECK_OK(comqtt_options_each(see_option, &list));
    CHECK(list.count > 40);
    CHECK(list.qos);
    comqtt_options_free(list.options);
    CHECK_OK(comqtt_options_each(see_one, &one));
    CHECK_INT(one, 1);
    CHECK_STATUS(comqtt_options_each(NULL, NULL), COMQTT_ERR_INVALID_ARGUMENT);
}

static bool see_path(void* user, const comqtt_option_info* info) {
    if (strcmp(info->key, "storage-path") != 0) return true;
    CHECK_INT(info->type, COMQTT_OPTION_STR);
    CHECK(strcmp(info->default_text, "comqtt.db") == 0);
    CHECK_INT(info->minimum, 1); /* bytes */
    CHECK_INT(info->maximum, 4096);
    *(bool*)user = true;
    return false;
}

static void a_free_text_is_kept_as_it_is(void) {
    comqtt_options* options = NULL;
    comqtt_options* copy = NULL;
    char* long_text = calloc(1, 5000);
    char text[32];
    size_t len = 0;
    bool listed = false;
    int64_t number = 0;
    CHECK_OK(comqtt_options_new(&options));
    CHECK_OK(comqtt_options_each(see_path, &listed));
    CHECK(listed);
    CHECK_OK(comqtt_options_get(options, "storage-path", text, sizeof text, &len));
    CHECK(len == 9 && memcmp(text, "comqtt.db", len) == 0);
    CHECK_OK(comqtt_options_set_str(options, "storage-path", S("a dir/\xc3\xa4=1.db"), NULL));
    CHECK_OK(comqtt_options_clone(options, &copy));
    CHECK_OK(comqtt_options_set(options, "options.storage-path", S("7"), NULL));
    CHECK_OK(comqtt_options_get(copy, "storage-path", text, sizeof text, &len));
    CHECK(len == 13 && memcmp(text, "a dir/\xc3\xa4=1.db", len) == 0);
    CHECK_STATUS(comqtt_options_set_int(options, "storage-path", 8, NULL), COMQTT_ERR_CONFIG);
    CHECK_STATUS(comqtt_options_set_bool(options, "storage-path", true, NULL), COMQTT_ERR_CONFIG);
    CHECK(!comqtt_options_get_int(options, "storage-path", &number));
    CHECK_STATUS(comqtt_options_set_str(options, "storage-path", S(""), NULL), COMQTT_ERR_CONFIG);
    CHECK_STATUS(comqtt_options_set_str(options, "storage-path", (comqtt_str){"a\0b", 3}, NULL),
                 COMQTT_ERR_CONFIG);
    memset(long_text, 'x', 4097);
    CHECK_STATUS(comqtt_options_set(options, "storage-path", S(long_text), NULL), COMQTT_ERR_CONFIG);
    long_text[4096] = 0;
    CHECK_OK(comqtt_options_set(options, "storage-path", S(long_text), NULL));
    CHECK_OK(comqtt_options_get(options, "storage-path", NULL, 0, &len));
    CHECK_INT(len, 4096);
    free(long_text);
    comqtt_options_free(copy);
    comqtt_options_free(options);
}

static void a_server_shows_its_options(void) {
    comqtt_options* options = NULL;
    comqtt_server* server = NULL;
    int64_t number = 0;
    CHECK_OK(comqtt_options_new(&options));
    CHECK_OK(comqtt_options_set_int(options, "capabilities.receive-maximum", 21, NULL));
    CHECK_OK(comqtt_server_new(options, &server, NULL));
    comqtt_options_free(options);
    CHECK(comqtt_options_get_int(comqtt_server_options(server), "capabilities.receive-maximum", &number));
    CHECK_INT(number, 21);
    comqtt_server_free(server);
}

int main(void) {
    RUN(values_go_in_and_come_out);
    RUN(errors_say_what_to_do);
    RUN(the_list_has_every_option_with_a_legal_default);
    RUN(a_free_text_is_kept_as_it_is);
    RUN(a_server_shows_its_options);
    return check_summary();
}

/* Options: string-keyed settings. The keys are those of the YAML file joined by dots ("capabilities.maximum-qos");
 * docs/configuration.md lists them, comqtt_options_each enumerates them. An options object belongs to one thread at
 * a time. */
#ifndef COMQTT_OPTIONS_H
#define COMQTT_OPTIONS_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Type of an option's value. */
typedef int32_t comqtt_option_type;
enum { COMQTT_OPTION_BOOL = 0, COMQTT_OPTION_INT = 1, COMQTT_OPTION_STR = 2 };

/** One row of the option table. Static texts. */
typedef struct comqtt_option_info {
    size_t struct_size;
    const char* key;
    comqtt_option_type type;
    const char* default_text; /**< as comqtt_options_set takes it */
    int64_t minimum;          /**< of an INT */
    int64_t maximum;
    const char* text; /**< one line: what it does, with the unit */
} comqtt_option_info;

/** Receives one option. Return false to end the list. */
typedef bool (*comqtt_option_fn)(void* user, const comqtt_option_info* info);

/** New options with every default. Errors: NO_MEMORY. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_new(comqtt_options** out_options);
/** Independent copy; both share the log callback. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_clone(const comqtt_options* options, comqtt_options** out_options);
/** Frees options; NULL is ignored. Servers made from them live on. Since 1.0. */
COMQTT_API void comqtt_options_free(comqtt_options* options);

/** Sets any option from text: "true", "20", "wait". Errors: CONFIG for an unknown key (the text names the nearest
 * known one) or an illegal value (the text names the range). Since 1.0. */
COMQTT_API comqtt_status comqtt_options_set(comqtt_options* options, const char* key, comqtt_str value,
                                            comqtt_error** out_error);
/** Sets an option of type BOOL. Errors as comqtt_options_set, CONFIG for another type. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_set_bool(comqtt_options* options, const char* key, bool value,
                                                 comqtt_error** out_error);
/** Sets an option of type INT. Errors as comqtt_options_set, CONFIG for another type. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_set_int(comqtt_options* options, const char* key, int64_t value,
                                                comqtt_error** out_error);
/** Sets an option of type STR. Errors as comqtt_options_set, CONFIG for another type. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_set_str(comqtt_options* options, const char* key, comqtt_str value,
                                                comqtt_error** out_error);

/** Reads any option as text into `buffer`, not terminated; `*out_len` (may be NULL) gets its length. A NULL buffer
 * asks for the length only. Errors: NOT_FOUND for an unknown key; BUFFER_TOO_SMALL, with the length stored. Since
 * 1.0. */
COMQTT_API comqtt_status comqtt_options_get(const comqtt_options* options, const char* key, char* buffer,
                                            size_t capacity, size_t* out_len);
/** Reads an option of type BOOL; false when there is no such key of that type. Since 1.0. */
COMQTT_API bool comqtt_options_get_bool(const comqtt_options* options, const char* key, bool* out_value);
/** Reads an option of type INT; false when there is no such key of that type. Since 1.0. */
COMQTT_API bool comqtt_options_get_int(const comqtt_options* options, const char* key, int64_t* out_value);

/** Calls `fn` for every option there is, in the order of the documentation. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_each(comqtt_option_fn fn, void* user);

/** Severity of a log line. */
typedef int32_t comqtt_log_level;
enum {
    COMQTT_LOG_DEBUG = 0,
    COMQTT_LOG_INFO = 1,
    COMQTT_LOG_WARN = 2,
    COMQTT_LOG_ERROR = 3,
    COMQTT_LOG_OFF = 4
};

/** One line of the log, for the length of the callback. */
typedef struct comqtt_log_record {
    size_t struct_size;
    comqtt_log_level level;
    comqtt_str component; /**< "net", "broker", "hooks", ... */
    comqtt_str message;   /**< one line without its end */
} comqtt_log_record;

/** Receives log lines, on any thread, several at a time. Must not call any function of this library that takes a
 * server or a client, and must not block. */
typedef void (*comqtt_log_fn)(void* user, const comqtt_log_record* record);

/** Sends the log of servers made from these options to `fn`, from `min_level` on. Without it the log goes nowhere.
 * A NULL `fn` takes the callback off. Set it before comqtt_server_new so that nothing is missed. `drop` runs when
 * the last options and the last server that use it are gone. Since 1.0. */
COMQTT_API comqtt_status comqtt_options_set_log(comqtt_options* options, comqtt_log_level min_level,
                                                comqtt_log_fn fn, void* user, comqtt_drop_fn drop);

#ifdef __cplusplus
}
#endif
#endif

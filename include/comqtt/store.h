/* Work on the file of a SQLite store while no server has it: look it over, repair it, move it. */
#ifndef COMQTT_STORE_H
#define COMQTT_STORE_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* All of these: any thread; they work on the calling thread and may take long on a large store. `path` is the
 * database, beside which SQLite and the library keep files of their own. `line`, which may be NULL, is called on the
 * calling thread with one line of a report at a time, without its end, borrowed until it returns; after it answered
 * false no more lines come and the work goes on. Texts of lines may change between versions.
 *
 * Errors of all: NOT_FOUND = no such file; STATE = a server or another call has the store; UNSUPPORTED = of another
 * version; STORAGE = no store, or damaged; IO = the disk. */

/** What a file holds that a store is made of. */
typedef int comqtt_import_format;
enum {
    COMQTT_IMPORT_DETECT = 0,
    COMQTT_IMPORT_JSON = 1,     /**< what comqtt_store_export wrote */
    COMQTT_IMPORT_MOSQUITTO = 2 /**< the persistence file of mosquitto, versions 3 to 6 */
};

/** Looks over a store and changes nothing: the database itself, each row, and how they fit together. `line` is given
 * each problem, then how much the store holds. Errors: STORAGE when there is any problem. Since 1.0. */
COMQTT_API comqtt_status comqtt_store_check(comqtt_str path, comqtt_str_fn line, void* user,
                                            comqtt_error** out_error);

/** Makes a sound store of what can be read of this one: rows that are damaged or belong to nothing are left out, `line`
 * is given each. The old one is kept as `<path>.bad-<time>`. On failure nothing has changed. Since 1.0. */
COMQTT_API comqtt_status comqtt_store_repair(comqtt_str path, comqtt_str_fn line, void* user,
                                             comqtt_error** out_error);

/** Writes all of a store as text, one JSON object a line, in a form that stays: docs/storage-tools.md has it. `write` is
 * given the lines, without their ends, on the calling thread; it must not be NULL. Errors: CANCELLED when `write`
 * answered false. Since 1.0. */
COMQTT_API comqtt_status comqtt_store_export(comqtt_str path, comqtt_str_fn write, void* user,
                                             comqtt_error** out_error);

/** Puts what `file` holds into a store, which is made when there is none. Sessions, retained messages and counters in
 * the file replace those of the same name. All of the file is imported, or on failure nothing; INVALID_ARGUMENT: the
 * file is not what it should be, with its line or offset. Since 1.0. */
COMQTT_API comqtt_status comqtt_store_import(comqtt_str path, comqtt_str file, comqtt_import_format format,
                                             comqtt_str_fn line, void* user, comqtt_error** out_error);

#ifdef __cplusplus
}
#endif
#endif

/* comqtt.h - the C interface of libcomqtt, an MQTT 3.1 / 3.1.1 / 5.0 broker in a library.
 *
 * This header is the contract: what is not written here is not promised. It compiles as C99, C11 and C++11 or
 * later. Include this file only; the parts in comqtt/ refuse to be included by themselves.
 *
 * 1.  Threads. Any function may be called from any thread unless its comment says otherwise. Objects that are not
 *     shared by nature (options, a packet that is still being built) belong to one thread at a time. Outside
 *     callbacks these wait for what a thread of the server is doing, a hook perhaps: comqtt_server_start, _run, _wait,
 *     _advance, _free, _remove_hook, _subscribe, _unsubscribe, _clear_retained, _each_retained and
 *     comqtt_client_each_subscription. No other call does. No lock of the library is held during a callback.
 * 2.  Callbacks run on the server's own threads (the stored_* events of a start: on the thread that starts it).
 *     Callbacks about one client never overlap and come in protocol order; callbacks about different clients may
 *     overlap. A callback must not block: it holds up every client of its thread. Answer PENDING instead.
 * 3.  Inside a callback every function may be called except comqtt_server_start, _run, _wait and _advance, which
 *     answer COMQTT_ERR_REENTRANT; they do so in a visitor, a log callback and a drop as well. Effects are queued
 *     behind the current event; no callback is entered recursively by such a call.
 * 4.  What a callback is given (events, selections, sinks, views, clients, packets, batches and requests) dies when it
 *     returns. Clients, packets, batches and requests live on after comqtt_client_retain / comqtt_packet_retain /
 *     comqtt_changes_retain / comqtt_load_retain.
 * 5.  Ownership. What a function returns is borrowed; what it stores through an `out_` parameter belongs to the
 *     caller. A borrowed view is valid as long as its owner is and until the next setter called on that owner.
 *     `out_` parameters are written on success only (out_error: on failure only); any of them may be NULL where
 *     its comment says so.
 * 6.  User data. `drop(user)` is called exactly once, after the last use of `user`, on any thread, also when the
 *     function that was given `user` fails. A NULL `drop` is not called. It may release handles; it must not call
 *     anything that takes a server or acts on a client.
 * 7.  Callbacks must not throw, panic or longjmp through the library.
 * 8.  Records that begin with `struct_size` may grow at their end. Set it to sizeof the record (comqtt_<record>_init
 *     does, and zeroes the rest); zero means "default" for every other member, now and later.
 * 9.  Errors. A function that can fail returns a comqtt_status: zero, or a negative code. `out_error`, where there
 *     is one, may be NULL; on failure it receives an object with the text, to be freed with comqtt_error_free. There
 *     is no "last error". A NULL handle, a handle of another kind, a freed handle that can be told as such, or a
 *     NULL required parameter gives COMQTT_ERR_INVALID_ARGUMENT, or the zero value from a getter.
 *     (Using a freed handle remains an error of the caller; it is found where memory permits.)
 * 10. Texts are comqtt_str, UTF-8, not terminated; option keys, names and texts that are constants are C strings.
 * 11. The library never writes to stdout or stderr, installs no signal handler, keeps no process-wide state and
 *     never exits or aborts for what the network sends or a caller does wrong. Several servers live in one process.
 *     Its threads block every signal.
 * 12. After fork() the child of a process with a started server may only exec or _exit.
 *
 * Versions: functions, constants and record members are added, never changed or removed, for the life of SONAME 1
 * (libcomqtt.so.1). "Since" in a comment names the first version that has the function.
 */
#ifndef COMQTT_H
#define COMQTT_H

#define COMQTT_H_INSIDE
#include "comqtt/base.h"
#include "comqtt/client.h"
#include "comqtt/hooks.h"
#include "comqtt/observe.h"
#include "comqtt/options.h"
#include "comqtt/packet.h"
#include "comqtt/server.h"
#include "comqtt/storage.h"
#include "comqtt/store.h"
#undef COMQTT_H_INSIDE

#endif

/* The header by itself and twice, as C: every part is there. */
#include <comqtt.h>

#include <comqtt.h>

const void* comqtt_header_parts(size_t part);
const void* comqtt_header_parts(size_t part) {
    static comqtt_metrics metrics;           /* observe.h */
    static comqtt_option_info option;        /* options.h */
    static comqtt_listener_config listener;  /* server.h */
    static comqtt_client_fn each_client;     /* client.h */
    static comqtt_subscription subscription; /* packet.h */
    static comqtt_hooks hooks;               /* hooks.h */
    static comqtt_stored_client stored;      /* storage.h */
    static comqtt_import_format format;      /* store.h */
    static comqtt_str text = {"base.h", 6};  /* base.h */
    const void* parts[] = {&metrics, &option, &listener, &each_client, &subscription,
                           &hooks,   &stored, &format,   &text};
    hooks = comqtt_hooks_init();
    return part < sizeof parts / sizeof parts[0] ? parts[part] : NULL;
}

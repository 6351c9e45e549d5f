/* A function for each slot of the hook table: FN_<kind>(slot) defines one that reports to came() and lets all pass. */
#ifndef COMQTT_TESTS_SLOT_SHAPES_H
#define COMQTT_TESTS_SLOT_SHAPES_H

#define UNUSED(x) (void)(x)
#define FN_PLAIN(slot)                           \
    static void slot(void* u, comqtt_event* e) { \
        UNUSED(e);                               \
        came(u, k_##slot, NULL);                 \
    }
#define FN_AUTHENTICATE(slot)                                                                        \
    static comqtt_verdict slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p) { \
        UNUSED(e);                                                                                   \
        UNUSED(p);                                                                                   \
        came(u, k_##slot, c);                                                                        \
        return COMQTT_ALLOW;                                                                         \
    }
#define FN_ACL(slot)                                                                                        \
    static comqtt_verdict slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_str t, comqtt_access a) { \
        UNUSED(e);                                                                                          \
        UNUSED(t);                                                                                          \
        UNUSED(a);                                                                                          \
        came(u, k_##slot, c);                                                                               \
        return COMQTT_ALLOW;                                                                                \
    }
#define FN_TICK(slot)                                                     \
    static void slot(void* u, comqtt_event* e, const comqtt_metrics* m) { \
        UNUSED(e);                                                        \
        UNUSED(m);                                                        \
        came(u, k_##slot, NULL);                                          \
    }
#define FN_ACTION(slot)                                                                       \
    static comqtt_action slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* p) { \
        UNUSED(e);                                                                            \
        UNUSED(p);                                                                            \
        came(u, k_##slot, c);                                                                 \
        return COMQTT_PROCEED;                                                                \
    }
#define FN_AUTH(slot)                                                                         \
    static comqtt_action slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* p) { \
        UNUSED(e);                                                                            \
        came(u, k_##slot, c);                                                                 \
        comqtt_packet_set_reason(p, COMQTT_REASON_SUCCESS);                                   \
        return COMQTT_PROCEED;                                                                \
    }
#define FN_PUBLISH(slot)                                                                      \
    static comqtt_action slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* p) { \
        story* it = u;                                                                        \
        came(it, k_##slot, c);                                                                \
        if (!str_is(comqtt_packet_topic(p), "wait") || it->token) return COMQTT_PROCEED;      \
        it->token = comqtt_event_defer(e);                                                    \
        if (!it->token) return COMQTT_PROCEED;                                                \
        comqtt_deferral_on_cancel(it->token, cancelled, it, NULL);                            \
        return COMQTT_ACTION_PENDING;                                                         \
    }
#define FN_EDIT(slot)                                                                \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, comqtt_packet* p) { \
        UNUSED(e);                                                                   \
        UNUSED(p);                                                                   \
        came(u, k_##slot, c);                                                        \
    }
#define FN_NOTIFY(slot)                                                                    \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p) { \
        UNUSED(e);                                                                         \
        UNUSED(p);                                                                         \
        came(u, k_##slot, c);                                                              \
    }
#define FN_DISCONNECT(slot)                                                                    \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_disconnect* d) { \
        UNUSED(e);                                                                             \
        UNUSED(d);                                                                             \
        came(u, k_##slot, c);                                                                  \
    }
#define FN_SENT(slot)                                                                                      \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p, comqtt_bytes b) { \
        UNUSED(e);                                                                                         \
        UNUSED(p);                                                                                         \
        UNUSED(b);                                                                                         \
        came(u, k_##slot, c);                                                                              \
    }
#define FN_PROCESSED(slot)                                                                                  \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p, comqtt_reason r) { \
        UNUSED(e);                                                                                          \
        UNUSED(p);                                                                                          \
        UNUSED(r);                                                                                          \
        came(u, k_##slot, c);                                                                               \
    }
#define FN_COUNTED(slot)                                                                                 \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p, comqtt_bytes b, \
                     const int32_t* counts, size_t count) {                                              \
        UNUSED(e);                                                                                       \
        UNUSED(p);                                                                                       \
        UNUSED(b);                                                                                       \
        UNUSED(counts);                                                                                  \
        UNUSED(count);                                                                                   \
        came(u, k_##slot, c);                                                                            \
    }
#define FN_SELECT(slot)                                                                       \
    static void slot(void* u, comqtt_event* e, comqtt_selection* s, const comqtt_packet* p) { \
        UNUSED(e);                                                                            \
        UNUSED(s);                                                                            \
        UNUSED(p);                                                                            \
        came(u, k_##slot, NULL);                                                              \
    }
#define FN_SHARED(slot)                                                                             \
    static void slot(void* u, comqtt_event* e, const comqtt_packet* p, const comqtt_selection* s) { \
        UNUSED(e);                                                                                  \
        UNUSED(s);                                                                                  \
        UNUSED(p);                                                                                  \
        came(u, k_##slot, NULL);                                                                    \
    }
#define FN_RETAIN(slot)                                                                               \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p, int32_t n) { \
        UNUSED(e);                                                                                    \
        UNUSED(p);                                                                                    \
        UNUSED(n);                                                                                    \
        came(u, k_##slot, c);                                                                         \
    }
#define FN_QOS(slot)                                                                                \
    static void slot(void* u, comqtt_event* e, comqtt_client* c, const comqtt_packet* p, int64_t t, \
                     int32_t n) {                                                                   \
        UNUSED(e);                                                                                  \
        UNUSED(p);                                                                                  \
        UNUSED(t);                                                                                  \
        UNUSED(n);                                                                                  \
        came(u, k_##slot, c);                                                                       \
    }
#define FN_CLIENT(slot)                                            \
    static void slot(void* u, comqtt_event* e, comqtt_client* c) { \
        UNUSED(e);                                                 \
        came(u, k_##slot, c);                                      \
    }
#define FN_TOPIC(slot)                                         \
    static void slot(void* u, comqtt_event* e, comqtt_str t) { \
        UNUSED(e);                                             \
        UNUSED(t);                                             \
        came(u, k_##slot, NULL);                               \
    }
#define FN_STORED(slot)                                                   \
    static comqtt_status slot(void* u, comqtt_event* e, comqtt_sink* s) { \
        UNUSED(e);                                                        \
        UNUSED(s);                                                        \
        came(u, k_##slot, NULL);                                          \
        return COMQTT_ERR_NOT_FOUND;                                      \
    }
#define FN_SYS_INFO(slot)                                                    \
    static comqtt_status slot(void* u, comqtt_event* e, comqtt_metrics* m) { \
        UNUSED(e);                                                           \
        UNUSED(m);                                                           \
        came(u, k_##slot, NULL);                                             \
        return COMQTT_ERR_NOT_FOUND;                                         \
    }
#define FN_STORED_OF(slot)                                                                \
    static comqtt_status slot(void* u, comqtt_event* e, comqtt_str key, comqtt_sink* s) { \
        UNUSED(e);                                                                        \
        UNUSED(key);                                                                      \
        UNUSED(s);                                                                        \
        came(u, k_##slot, NULL);                                                          \
        return COMQTT_ERR_NOT_FOUND;                                                      \
    }
#define FN_CHANGES(slot)                                                     \
    static comqtt_status slot(void* u, comqtt_event* e, comqtt_changes* c) { \
        UNUSED(e);                                                           \
        UNUSED(c);                                                           \
        came(u, k_##slot, NULL);                                             \
        return COMQTT_OK;                                                    \
    }
#define FN_LOAD(slot)                                                     \
    static comqtt_status slot(void* u, comqtt_event* e, comqtt_load* l) { \
        UNUSED(e);                                                        \
        UNUSED(l);                                                        \
        came(u, k_##slot, NULL);                                          \
        return COMQTT_ERR_NOT_FOUND;                                      \
    }

#endif

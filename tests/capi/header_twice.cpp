// The header by itself and twice, as C++: every part is there, and a table can be filled with lambdas.
#include <comqtt.h>

comqtt_hooks comqtt_header_table();
comqtt_hooks comqtt_header_table() {
    comqtt_hooks table = comqtt_hooks_init();
    table.on_publish = [](void*, comqtt_event*, comqtt_client*, comqtt_packet* packet) -> comqtt_action {
        return comqtt_packet_set_qos(packet, 0) == COMQTT_OK ? COMQTT_PROCEED : COMQTT_FAIL;
    };
    table.stored_sys_info = [](void*, comqtt_event*, comqtt_metrics* metrics) -> comqtt_status {
        *metrics = comqtt_metrics_init();
        return COMQTT_ERR_NOT_FOUND;
    };
    return table;
}

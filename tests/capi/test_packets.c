/* Packets: every field and property there and back, by accessor and by wire. */
#include "check.h"
#include "peer.h"

static comqtt_packet* new_packet(comqtt_packet_kind kind) {
    comqtt_packet* packet = NULL;
    CHECK_OK(comqtt_packet_new(kind, COMQTT_MQTT_5, &packet));
    return packet;
}

/* The packet as it comes out of encode and decode; the argument is released. */
static comqtt_packet* over_the_wire(comqtt_packet* packet, comqtt_sender sender) {
    uint8_t bytes[4096];
    size_t len = 0;
    size_t used = 0;
    comqtt_packet* back = NULL;
    comqtt_error* error = NULL;
    CHECK_OK(comqtt_packet_encode(packet, bytes, sizeof bytes, &len));
    if (comqtt_packet_decode(comqtt_bytes_of(bytes, len), comqtt_packet_version(packet), sender, &back, &used,
                             &error) != COMQTT_OK) {
        CHECK(!"the packet does not decode");
        printf("    %s\n", comqtt_error_message(error).ptr);
        comqtt_error_free(error);
    }
    CHECK_INT(used, len);
    comqtt_packet_release(packet);
    return back;
}

static void a_publish_keeps_its_fields(void) {
    comqtt_packet* packet = new_packet(COMQTT_PUBLISH);
    CHECK_OK(comqtt_packet_set_topic(packet, S("a/b")));
    CHECK_OK(comqtt_packet_set_payload(packet, comqtt_bytes_of("\0\1\2", 3)));
    CHECK_OK(comqtt_packet_set_qos(packet, 2));
    CHECK_OK(comqtt_packet_set_dup(packet, true));
    CHECK_OK(comqtt_packet_set_retain_flag(packet, true));
    CHECK_OK(comqtt_packet_set_id(packet, 513));
    CHECK_OK(comqtt_packet_add_subscription_id(packet, 1));
    CHECK_OK(comqtt_packet_add_subscription_id(packet, 268435455));
    packet = over_the_wire(packet, COMQTT_FROM_SERVER);
    CHECK_INT(comqtt_packet_type(packet), COMQTT_PUBLISH);
    CHECK_STR(comqtt_packet_topic(packet), "a/b");
    CHECK_INT(comqtt_packet_payload(packet).len, 3);
    CHECK_INT(comqtt_packet_payload(packet).ptr[2], 2);
    CHECK_INT(comqtt_packet_qos(packet), 2);
    CHECK(comqtt_packet_dup(packet));
    CHECK(comqtt_packet_retain_flag(packet));
    CHECK_INT(comqtt_packet_id(packet), 513);
    CHECK_INT(comqtt_packet_subscription_id_count(packet), 2);
    CHECK_INT(comqtt_packet_subscription_id(packet, 1), 268435455);
    CHECK_INT(comqtt_packet_subscription_id(packet, 2), 0);
    comqtt_packet_release(packet);
}

static void a_connect_keeps_its_fields_in_every_version(void) {
    const comqtt_protocol versions[] = {COMQTT_MQTT_3_1, COMQTT_MQTT_3_1_1, COMQTT_MQTT_5};
    for (size_t i = 0; i < 3; ++i) {
        comqtt_packet* packet = make_connect(versions[i], "id");
        comqtt_connect in = comqtt_connect_init();
        comqtt_connect out = comqtt_connect_init();
        in.client_id = S("client");
        in.username = S("user");
        in.password = B("secret");
        in.keep_alive = 30;
        in.has_will = true;
        in.will_topic = S("w");
        in.will_payload = B("p");
        in.will_qos = 1;
        in.will_retain = true;
        CHECK_OK(comqtt_packet_set_connect(packet, &in));
        if (versions[i] == COMQTT_MQTT_5) {
            CHECK_OK(
                comqtt_packet_set_prop_int(packet, COMQTT_SECTION_WILL, COMQTT_PROP_WILL_DELAY_INTERVAL, 9));
            CHECK_OK(comqtt_packet_add_user_prop(packet, COMQTT_SECTION_WILL, S("k"), S("v")));
        }
        packet = over_the_wire(packet, COMQTT_FROM_CLIENT);
        CHECK_INT(comqtt_packet_version(packet), versions[i]);
        CHECK_OK(comqtt_packet_connect(packet, &out));
        CHECK_STR(out.protocol_name, versions[i] == COMQTT_MQTT_3_1 ? "MQIsdp" : "MQTT");
        CHECK_STR(out.client_id, "client");
        CHECK_STR(out.username, "user");
        CHECK(bytes_are(out.password, "secret"));
        CHECK_INT(out.keep_alive, 30);
        CHECK(!out.clean_start);
        CHECK(out.has_will && out.will_retain);
        CHECK_INT(out.will_qos, 1);
        CHECK_STR(out.will_topic, "w");
        CHECK(bytes_are(out.will_payload, "p"));
        CHECK_INT(comqtt_packet_prop_count(packet, COMQTT_SECTION_WILL),
                  versions[i] == COMQTT_MQTT_5 ? 2 : 0);
        in.has_will = false;
        in.username.ptr = NULL;
        in.password.ptr = NULL;
        CHECK_OK(comqtt_packet_set_connect(packet, &in));
        CHECK_OK(comqtt_packet_connect(packet, &out));
        CHECK(!out.has_will && out.username.ptr == NULL && out.password.ptr == NULL);
        CHECK_STATUS(
            comqtt_packet_set_prop_int(packet, COMQTT_SECTION_WILL, COMQTT_PROP_WILL_DELAY_INTERVAL, 9),
            COMQTT_ERR_STATE);
        comqtt_packet_release(packet);
    }
}

static void filters_can_be_added_changed_and_removed(void) {
    comqtt_packet* packet = make_subscribe(COMQTT_MQTT_5, "one", 1, 5);
    comqtt_subscription entry = comqtt_subscription_init();
    entry.filter = S("$share/g/two/#");
    entry.qos = 2;
    entry.retain_as_published = true;
    entry.retain_handling = 2;
    CHECK_OK(comqtt_packet_add_filter(packet, &entry));
    CHECK_OK(comqtt_packet_add_filter(packet, &entry));
    entry.filter = S("three");
    entry.no_local = true;
    CHECK_OK(comqtt_packet_set_filter(packet, 2, &entry));
    CHECK_OK(comqtt_packet_remove_filter(packet, 0));
    CHECK_STATUS(comqtt_packet_remove_filter(packet, 2), COMQTT_ERR_NOT_FOUND);
    packet = over_the_wire(packet, COMQTT_FROM_CLIENT);
    CHECK_INT(comqtt_packet_filter_count(packet), 2);
    CHECK_OK(comqtt_packet_filter(packet, 0, &entry));
    CHECK_STR(entry.filter, "$share/g/two/#");
    CHECK_INT(entry.qos, 2);
    CHECK(!entry.no_local && entry.retain_as_published);
    CHECK_OK(comqtt_packet_filter(packet, 1, &entry));
    CHECK_STR(entry.filter, "three");
    CHECK(entry.no_local);
    CHECK_INT(entry.retain_handling, 2);
    CHECK_STATUS(comqtt_packet_filter(packet, 2, &entry), COMQTT_ERR_NOT_FOUND);
    comqtt_packet_release(packet);
}

static void answers_keep_their_reasons(void) {
    const uint8_t codes[] = {0, 1, 0x87};
    const comqtt_packet_kind acks[] = {COMQTT_PUBACK, COMQTT_PUBREC, COMQTT_PUBREL, COMQTT_PUBCOMP};
    comqtt_packet* packet = new_packet(COMQTT_SUBACK);
    comqtt_packet_set_id(packet, 3);
    CHECK_OK(comqtt_packet_set_reason_codes(packet, comqtt_bytes_of(codes, 3)));
    packet = over_the_wire(packet, COMQTT_FROM_SERVER);
    CHECK_INT(comqtt_packet_reason_codes(packet).len, 3);
    CHECK_INT(comqtt_packet_reason_codes(packet).ptr[2], 0x87);
    comqtt_packet_release(packet);
    for (size_t i = 0; i < 4; ++i) {
        comqtt_packet* ack = make_ack(COMQTT_MQTT_5, acks[i], 9);
        CHECK_OK(comqtt_packet_set_reason(ack, i < 2 ? 0x97 : 0x92));
        ack = over_the_wire(ack, COMQTT_FROM_SERVER);
        CHECK_INT(comqtt_packet_type(ack), acks[i]);
        CHECK_INT(comqtt_packet_id(ack), 9);
        CHECK_INT(comqtt_packet_reason(ack), i < 2 ? 0x97 : 0x92);
        comqtt_packet_release(ack);
    }
    packet = new_packet(COMQTT_CONNACK);
    CHECK_OK(comqtt_packet_set_session_present(packet, true));
    packet = over_the_wire(packet, COMQTT_FROM_SERVER);
    CHECK(comqtt_packet_session_present(packet));
    comqtt_packet_release(packet);
}

/* A packet in which the property may stand, and who sends it. */
static comqtt_packet* home_of(comqtt_prop id, comqtt_section* section, comqtt_sender* sender) {
    comqtt_packet* packet;
    *section = COMQTT_SECTION_PACKET;
    *sender = COMQTT_FROM_SERVER;
    switch (id) {
        case COMQTT_PROP_PAYLOAD_FORMAT_INDICATOR:
        case COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL:
        case COMQTT_PROP_CONTENT_TYPE:
        case COMQTT_PROP_RESPONSE_TOPIC:
        case COMQTT_PROP_CORRELATION_DATA:
        case COMQTT_PROP_TOPIC_ALIAS: return make_publish(COMQTT_MQTT_5, "t", "p", 0, 0);
        case COMQTT_PROP_SUBSCRIPTION_IDENTIFIER:
            *sender = COMQTT_FROM_CLIENT;
            return make_subscribe(COMQTT_MQTT_5, "t", 0, 1);
        case COMQTT_PROP_REQUEST_PROBLEM_INFORMATION:
        case COMQTT_PROP_REQUEST_RESPONSE_INFORMATION:
            *sender = COMQTT_FROM_CLIENT;
            return make_connect(COMQTT_MQTT_5, "c");
        case COMQTT_PROP_WILL_DELAY_INTERVAL: {
            comqtt_connect fields = comqtt_connect_init();
            packet = make_connect(COMQTT_MQTT_5, "c");
            fields.has_will = true;
            fields.will_topic = S("w");
            comqtt_packet_set_connect(packet, &fields);
            *sender = COMQTT_FROM_CLIENT;
            *section = COMQTT_SECTION_WILL;
            return packet;
        }
        default: return new_packet(COMQTT_CONNACK);
    }
}

static void number_round_trip(comqtt_prop id, uint32_t value) {
    comqtt_section section;
    comqtt_sender sender;
    uint32_t back = 0;
    comqtt_packet* packet = home_of(id, &section, &sender);
    CHECK_OK(comqtt_packet_set_prop_int(packet, section, id, value + 1 > value && value > 0 ? value - 1 : 0));
    CHECK_OK(comqtt_packet_set_prop_int(packet, section, id, value));
    packet = over_the_wire(packet, sender);
    CHECK(comqtt_packet_has_prop(packet, section, id));
    CHECK(comqtt_packet_prop_int(packet, section, id, &back));
    CHECK_INT(back, value);
    CHECK_INT(comqtt_packet_prop_count(packet, section), 1);
    CHECK_INT(comqtt_packet_prop_id(packet, section, 0), id);
    CHECK_OK(comqtt_packet_remove_prop(packet, section, id));
    CHECK(!comqtt_packet_has_prop(packet, section, id));
    comqtt_packet_release(packet);
}

static void text_round_trip(comqtt_prop id) {
    comqtt_section section;
    comqtt_sender sender;
    comqtt_str back;
    comqtt_packet* packet = home_of(id, &section, &sender);
    if (id == COMQTT_PROP_AUTHENTICATION_DATA)
        CHECK_OK(comqtt_packet_set_prop_str(packet, section, COMQTT_PROP_AUTHENTICATION_METHOD, S("m")));
    CHECK_OK(comqtt_packet_set_prop_str(packet, section, id, S("first")));
    CHECK_OK(comqtt_packet_set_prop_str(packet, section, id, S("value")));
    packet = over_the_wire(packet, sender);
    CHECK(comqtt_packet_prop_str(packet, section, id, &back));
    CHECK_STR(back, "value");
    comqtt_packet_release(packet);
}

static void every_property_goes_there_and_back(void) {
    int known = 0;
    for (int id = 0; id < 256; ++id) {
        comqtt_prop prop = (comqtt_prop)id;
        comqtt_prop_type type = comqtt_prop_type_of(prop);
        CHECK((comqtt_prop_name(prop) != NULL) == (type != COMQTT_PROP_TYPE_NONE));
        if (type == COMQTT_PROP_TYPE_NONE) continue;
        ++known;
        if (type == COMQTT_PROP_TYPE_BYTE) number_round_trip(prop, 1);
        if (type == COMQTT_PROP_TYPE_TWO_BYTE) number_round_trip(prop, 65535);
        if (type == COMQTT_PROP_TYPE_FOUR_BYTE) number_round_trip(prop, 4294967295u);
        if (type == COMQTT_PROP_TYPE_VARINT) number_round_trip(prop, 268435455);
        if (type == COMQTT_PROP_TYPE_UTF8 || type == COMQTT_PROP_TYPE_BINARY) text_round_trip(prop);
    }
    CHECK_INT(known, 27);
}

static void user_properties_repeat_in_order(void) {
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "", 0, 0);
    comqtt_pair pair;
    CHECK_OK(comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, S("k"), S("1")));
    CHECK_OK(comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, S(""), S("")));
    CHECK_OK(comqtt_packet_add_user_prop(packet, COMQTT_SECTION_PACKET, S("k"), S("2")));
    packet = over_the_wire(packet, COMQTT_FROM_CLIENT);
    CHECK_INT(comqtt_packet_user_prop_count(packet, COMQTT_SECTION_PACKET), 3);
    CHECK(comqtt_packet_user_prop(packet, COMQTT_SECTION_PACKET, 1, &pair));
    CHECK_STR(pair.key, "");
    CHECK_STR(pair.value, "");
    CHECK(comqtt_packet_user_prop(packet, COMQTT_SECTION_PACKET, 2, &pair));
    CHECK_STR(pair.key, "k");
    CHECK_STR(pair.value, "2");
    CHECK(!comqtt_packet_user_prop(packet, COMQTT_SECTION_PACKET, 3, &pair));
    CHECK_OK(comqtt_packet_remove_prop(packet, COMQTT_SECTION_PACKET, COMQTT_PROP_USER_PROPERTY));
    CHECK_INT(comqtt_packet_user_prop_count(packet, COMQTT_SECTION_PACKET), 0);
    comqtt_packet_release(packet);
}

static void setters_refuse_what_a_field_cannot_hold(void) {
    static char big[65537];
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "", 0, 0);
    memset(big, 'x', sizeof big);
    CHECK_STATUS(comqtt_packet_set_qos(packet, 3), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_version(packet, 6), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_topic(packet, (comqtt_str){big, 65536}), COMQTT_ERR_TOO_LARGE);
    CHECK_STATUS(comqtt_packet_set_prop_int(packet, 0, COMQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 256),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_prop_int(packet, 0, COMQTT_PROP_CONTENT_TYPE, 1),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_prop_str(packet, 0, COMQTT_PROP_TOPIC_ALIAS, S("1")),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_prop_str(packet, 0, 0x7F, S("1")), COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(comqtt_packet_set_prop_str(packet, 7, COMQTT_PROP_CONTENT_TYPE, S("1")),
                 COMQTT_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(
        comqtt_packet_set_prop_bytes(packet, 0, COMQTT_PROP_CORRELATION_DATA, comqtt_bytes_of(big, 65536)),
        COMQTT_ERR_TOO_LARGE);
    CHECK_STATUS(comqtt_packet_add_subscription_id(packet, 0), COMQTT_ERR_INVALID_ARGUMENT);
    comqtt_packet_release(packet);
}

static void validate_names_the_rule_that_is_broken(void) {
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "a/+", "", 0, 0);
    comqtt_error* error = NULL;
    CHECK_STATUS(comqtt_packet_validate(packet, COMQTT_FROM_CLIENT, &error), COMQTT_ERR_PROTOCOL);
    CHECK_INT(comqtt_error_reason(error), COMQTT_REASON_TOPIC_NAME_INVALID);
    CHECK(strstr(comqtt_error_message(error).ptr, "[MQTT-") != NULL);
    comqtt_error_free(error);
    CHECK_OK(comqtt_packet_set_topic(packet, S("a")));
    CHECK_OK(comqtt_packet_validate(packet, COMQTT_FROM_CLIENT, NULL));
    CHECK_OK(comqtt_packet_set_qos(packet, 1));
    CHECK_STATUS(comqtt_packet_validate(packet, COMQTT_FROM_CLIENT, NULL), COMQTT_ERR_PROTOCOL);
    comqtt_packet_release(packet);
}

static void decode_tells_incomplete_from_malformed(void) {
    const uint8_t ping[] = {0xC0, 0x00, 0xFF};
    const uint8_t flags[] = {0xC1, 0x00};
    const uint8_t length[] = {0x30, 0x80, 0x80, 0x80, 0x80, 0x01};
    comqtt_packet* packet = NULL;
    comqtt_error* error = NULL;
    size_t used = 0;
    CHECK_STATUS(comqtt_packet_decode(comqtt_bytes_of(ping, 0), COMQTT_MQTT_5, COMQTT_FROM_CLIENT, &packet,
                                      NULL, NULL),
                 COMQTT_ERR_NOT_FOUND);
    CHECK_STATUS(comqtt_packet_decode(comqtt_bytes_of(ping, 1), COMQTT_MQTT_5, COMQTT_FROM_CLIENT, &packet,
                                      NULL, NULL),
                 COMQTT_ERR_NOT_FOUND);
    CHECK_OK(comqtt_packet_decode(comqtt_bytes_of(ping, 3), COMQTT_MQTT_5, COMQTT_FROM_CLIENT, &packet, &used,
                                  NULL));
    CHECK_INT(used, 2);
    CHECK_INT(comqtt_packet_type(packet), COMQTT_PINGREQ);
    comqtt_packet_release(packet);
    CHECK_STATUS(comqtt_packet_decode(comqtt_bytes_of(flags, 2), COMQTT_MQTT_5, COMQTT_FROM_CLIENT, &packet,
                                      NULL, &error),
                 COMQTT_ERR_PROTOCOL);
    CHECK_INT(comqtt_error_reason(error), COMQTT_REASON_MALFORMED_PACKET);
    comqtt_error_free(error);
    CHECK_STATUS(comqtt_packet_decode(comqtt_bytes_of(length, 6), COMQTT_MQTT_5, COMQTT_FROM_CLIENT, &packet,
                                      NULL, NULL),
                 COMQTT_ERR_PROTOCOL);
}

static void encode_asks_and_tells_the_size(void) {
    comqtt_packet* packet = make_publish(COMQTT_MQTT_3_1_1, "t", "payload", 0, 0);
    uint8_t bytes[32];
    size_t len = 0;
    CHECK_OK(comqtt_packet_encode(packet, NULL, 0, &len));
    CHECK_INT(len, 12);
    len = 0;
    CHECK_STATUS(comqtt_packet_encode(packet, bytes, 11, &len), COMQTT_ERR_BUFFER_TOO_SMALL);
    CHECK_INT(len, 12);
    CHECK_OK(comqtt_packet_encode(packet, bytes, 12, NULL));
    CHECK_INT(bytes[0], 0x30);
    comqtt_packet_release(packet);
    packet = NULL;
    CHECK_OK(comqtt_packet_new(COMQTT_AUTH, COMQTT_MQTT_3_1_1, &packet));
    CHECK_STATUS(comqtt_packet_encode(packet, NULL, 0, &len), COMQTT_ERR_PROTOCOL);
    comqtt_packet_release(packet);
}

static void a_clone_is_independent(void) {
    comqtt_packet* packet = make_publish(COMQTT_MQTT_5, "t", "one", 0, 0);
    comqtt_packet* copy = NULL;
    CHECK_OK(comqtt_packet_clone(packet, &copy));
    CHECK_OK(comqtt_packet_set_payload(copy, B("two")));
    CHECK(bytes_are(comqtt_packet_payload(packet), "one"));
    CHECK(comqtt_packet_retain(packet) == packet);
    comqtt_packet_release(packet);
    CHECK(bytes_are(comqtt_packet_payload(packet), "one"));
    comqtt_packet_release(packet);
    CHECK(bytes_are(comqtt_packet_payload(copy), "two"));
    comqtt_packet_release(copy);
}

int main(void) {
    RUN(a_publish_keeps_its_fields);
    RUN(a_connect_keeps_its_fields_in_every_version);
    RUN(filters_can_be_added_changed_and_removed);
    RUN(answers_keep_their_reasons);
    RUN(every_property_goes_there_and_back);
    RUN(user_properties_repeat_in_order);
    RUN(setters_refuse_what_a_field_cannot_hold);
    RUN(validate_names_the_rule_that_is_broken);
    RUN(decode_tells_incomplete_from_malformed);
    RUN(encode_asks_and_tells_the_size);
    RUN(a_clone_is_independent);
    return check_summary();
}

#include "stored.hpp"

#include <memory>

#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

std::string copy(comqtt_str text) { return text.ptr ? std::string(text.ptr, text.len) : std::string(); }
comqtt_str view_or_absent(const std::string& text) { return text.empty() ? comqtt_str{} : view_of(text); }

py::object share(const comqtt_packet* packet) {
    return packet ? py::cast(Packet::share(packet)) : py::object(py::none());
}
const comqtt_packet* packet_in(const py::object& value) {
    return value.is_none() ? nullptr : value.cast<const Packet&>().get();
}

/// A class whose constructor takes any of its attributes as keywords.
template <class Record>
py::class_<Record> record(py::module_& module, const char* name) {
    py::class_<Record> made(module, name);
    made.def(py::init([](const py::kwargs& fields) {
        auto self = std::make_unique<Record>();
        const py::object view = py::cast(self.get(), py::return_value_policy::reference);
        for (const auto& [key, value] : fields) py::setattr(view, key, value);
        return self;
    }));
    return made;
}

}  // namespace

StoredClient StoredClient::copy_of(const comqtt_stored_client& from) {
    StoredClient made;
    made.id = copy(from.id);
    made.username = copy(from.username);
    made.remote = copy(from.remote);
    made.listener = copy(from.listener);
    made.version = from.version;
    made.clean_start = from.clean_start;
    made.session_expiry_s = from.session_expiry_s;
    made.disconnected_ms = from.disconnected_unix_ms;
    made.will = share(from.will);
    made.will_due_ms = from.will_due_unix_ms;
    made.will_delay_s = from.will_delay_s;
    made.queued_messages = from.queued_messages;
    made.queued_bytes = from.queued_bytes;
    made.inflight_messages = from.inflight_messages;
    made.last_position = from.last_position;
    made.next_expiry_ms = from.next_expiry_unix_ms;
    return made;
}

comqtt_stored_client StoredClient::view() const {
    comqtt_stored_client made = comqtt_stored_client_init();
    made.id = view_of(id);
    made.username = view_of(username);
    made.remote = view_of(remote);
    made.listener = view_of(listener);
    made.version = version;
    made.clean_start = clean_start;
    made.session_expiry_s = session_expiry_s;
    made.disconnected_unix_ms = disconnected_ms;
    made.will = packet_in(will);
    made.will_due_unix_ms = will_due_ms;
    made.will_delay_s = will_delay_s;
    made.queued_messages = queued_messages;
    made.queued_bytes = queued_bytes;
    made.inflight_messages = inflight_messages;
    made.last_position = last_position;
    made.next_expiry_unix_ms = next_expiry_ms;
    return made;
}

StoredSubscription StoredSubscription::copy_of(const comqtt_stored_subscription& from) {
    return {copy(from.client_id),     copy(from.filter),    from.qos,       from.no_local,
            from.retain_as_published, from.retain_handling, from.identifier};
}

comqtt_stored_subscription StoredSubscription::view() const {
    comqtt_stored_subscription made = comqtt_stored_subscription_init();
    made.client_id = view_of(client_id);
    made.filter = view_of(filter);
    made.qos = qos;
    made.no_local = no_local;
    made.retain_as_published = retain_as_published;
    made.retain_handling = retain_handling;
    made.identifier = identifier;
    return made;
}

StoredMessage StoredMessage::copy_of(const comqtt_stored_message& from) {
    StoredMessage made;
    made.client_id = copy(from.client_id);
    made.origin = copy(from.origin);
    made.share = copy(from.share);
    made.packet = comqtt_python::share(from.packet);
    made.created_ms = from.created_unix_ms;
    made.sent_ms = from.sent_unix_ms;
    made.state = from.state;
    made.position = from.position;
    return made;
}

comqtt_stored_message StoredMessage::view() const {
    comqtt_stored_message made = comqtt_stored_message_init();
    made.client_id = view_or_absent(client_id);
    made.origin = view_of(origin);
    made.share = view_or_absent(share);
    made.packet = packet_in(packet);
    made.created_unix_ms = created_ms;
    made.sent_unix_ms = sent_ms;
    made.state = state;
    made.position = position;
    return made;
}

void bind_stored(py::module_& module) {
    record<StoredClient>(module, "StoredClient")
        .def_readwrite("id", &StoredClient::id)
        .def_readwrite("username", &StoredClient::username)
        .def_readwrite("remote", &StoredClient::remote)
        .def_readwrite("listener", &StoredClient::listener)
        .def_readwrite("version", &StoredClient::version)
        .def_readwrite("clean_start", &StoredClient::clean_start)
        .def_readwrite("session_expiry_s", &StoredClient::session_expiry_s)
        .def_readwrite("disconnected_ms", &StoredClient::disconnected_ms)
        .def_readwrite("will", &StoredClient::will)
        .def_readwrite("will_due_ms", &StoredClient::will_due_ms)
        .def_readwrite("will_delay_s", &StoredClient::will_delay_s)
        .def_readwrite("queued_messages", &StoredClient::queued_messages)
        .def_readwrite("queued_bytes", &StoredClient::queued_bytes)
        .def_readwrite("inflight_messages", &StoredClient::inflight_messages)
        .def_readwrite("last_position", &StoredClient::last_position)
        .def_readwrite("next_expiry_ms", &StoredClient::next_expiry_ms);
    record<StoredSubscription>(module, "StoredSubscription")
        .def_readwrite("client_id", &StoredSubscription::client_id)
        .def_readwrite("filter", &StoredSubscription::filter)
        .def_readwrite("qos", &StoredSubscription::qos)
        .def_readwrite("no_local", &StoredSubscription::no_local)
        .def_readwrite("retain_as_published", &StoredSubscription::retain_as_published)
        .def_readwrite("retain_handling", &StoredSubscription::retain_handling)
        .def_readwrite("identifier", &StoredSubscription::identifier);
    record<StoredMessage>(module, "StoredMessage")
        .def_readwrite("client_id", &StoredMessage::client_id)
        .def_readwrite("origin", &StoredMessage::origin)
        .def_readwrite("share", &StoredMessage::share)
        .def_readwrite("packet", &StoredMessage::packet)
        .def_readwrite("created_ms", &StoredMessage::created_ms)
        .def_readwrite("sent_ms", &StoredMessage::sent_ms)
        .def_readwrite("state", &StoredMessage::state)
        .def_readwrite("position", &StoredMessage::position)
        .def_property(
            "packet_id",
            [](const StoredMessage& self) {
                const comqtt_packet* packet = packet_in(self.packet);
                return packet ? comqtt_packet_id(packet) : 0;
            },
            [](StoredMessage& self, uint16_t packet_id) {
                py::object copy = self.packet.attr("clone")();
                copy.attr("packet_id") = packet_id;
                self.packet = std::move(copy);
            });
}

}  // namespace comqtt_python

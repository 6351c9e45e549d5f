#include "deferral.hpp"

#include <memory>
#include <utility>

#include "client.hpp"
#include "error.hpp"
#include "packet.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

void call_cancelled(void* user) {
    const py::gil_scoped_acquire gil;
    try {
        (*static_cast<py::function*>(user))();
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("comqtt.Deferral.on_cancel");
    }
}

}  // namespace

Deferral::~Deferral() {
    if (!handle_) return;
    give_packet_back();
    without_gil([this] { comqtt_deferral_release(handle_); });
}

comqtt_deferral* Deferral::open() const {
    if (!handle_) throw Failure(COMQTT_ERR_STATE, "the deferral was completed before");
    return handle_;
}

comqtt_deferral* Deferral::take() {
    open();
    return std::exchange(handle_, nullptr);
}

void Deferral::give_packet_back() {
    if (!packet_) return;
    packet_.cast<Packet&>().leave(packet_.ref_count() > 1);
    packet_ = py::object();
}

bool Deferral::complete(const py::object& answer, comqtt_reason reason, const std::string& text,
                        int64_t delay_ms) {
    const int32_t value = answer_of(answer, kind_);
    if (is_pending(value, kind_)) throw py::value_error("a deferral cannot be completed with PENDING");
    comqtt_deferral* token = take();
    give_packet_back();
    const comqtt_str why = text.empty() ? comqtt_str{} : view_of(text);
    const comqtt_status status =
        without_gil([&] { return comqtt_deferral_complete_after(token, delay_ms, value, reason, why); });
    if (status == COMQTT_ERR_CANCELLED || status == COMQTT_ERR_TIMEOUT || status == COMQTT_ERR_CLOSED)
        return false;
    check(status);
    return true;
}

bool Deferral::cancelled() const { return handle_ && comqtt_deferral_is_cancelled(handle_); }

py::object Deferral::client() const {
    const comqtt_client* client = comqtt_deferral_client(open());
    return client ? py::cast(Client::share(client)) : py::none();
}

py::object Deferral::packet() {
    comqtt_packet* packet = comqtt_deferral_packet(open());
    if (!packet) return py::none();
    if (!packet_)
        packet_ = py::cast(comqtt_packet_is_frozen(packet) ? Packet::share(packet) : Packet::borrow(packet));
    return packet_;
}

void Deferral::on_cancel(py::function callback) {
    auto* user = new py::function(std::move(callback));
    call([&](auto) {
        return comqtt_deferral_on_cancel(open(), call_cancelled, user, drop_with_gil<py::function>);
    });
}

void bind_deferrals(py::module_& module) {
    py::class_<Deferral>(module, "Deferral")
        .def("complete", &Deferral::complete, py::arg("answer"), py::arg("reason") = 0, py::arg("text") = "",
             py::kw_only(), py::arg("delay_ms") = 0)
        .def("on_cancel", &Deferral::on_cancel, py::arg("callback"))
        .def_property_readonly("cancelled", &Deferral::cancelled)
        .def_property_readonly("client", &Deferral::client)
        .def_property_readonly("packet", &Deferral::packet);
}

}  // namespace comqtt_python

#include "hook.hpp"

#include "call_scope.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

constexpr std::array<const char*, kSlotCount> kNames = {
#define COMQTT_SLOT(name, kind) #name,
#include "slots.def"
#undef COMQTT_SLOT
};

void report(comqtt_event* event, const std::string& message) { comqtt_event_fail(event, view_of(message)); }

/// What every slot does: into Python and back, with the safe answer when that fails.
template <Slot kSlot, Kind kKind, class... Args>
int32_t enter(void* user, comqtt_event* event, Args... args) noexcept {
    if (!Py_IsInitialized()) {
        comqtt_event_fail(event, comqtt_str_of("the Python interpreter has ended"));
        return no_answer(kKind);
    }
    const py::gil_scoped_acquire gil;
    const Hook& hook = *static_cast<Hook*>(user);
    try {
        CallScope scope(hook, event, kKind);
        (scope.add(args), ...);
        return scope.run(hook.functions[kSlot]);
    } catch (py::error_already_set& error) {
        report(event, describe(error));
    } catch (const std::exception& error) {
        report(event, error.what());
    }
    return no_answer(kKind);
}

template <Slot kSlot, Kind kKind, class Result, class... Args>
Result slot(void* user, comqtt_event* event, Args... args) {
    const int32_t answer = enter<kSlot, kKind, Args...>(user, event, args...);
    if constexpr (!std::is_void_v<Result>) return answer;
}

template <Slot kSlot, Kind kKind, class Result, class... Args>
void fill(const Hook& hook, Result (*&place)(void*, comqtt_event*, Args...)) {
    if (hook.functions[kSlot]) place = slot<kSlot, kKind, Result, Args...>;
}

void stop(void* user) {
    if (!Py_IsInitialized()) return;
    const py::gil_scoped_acquire gil;
    try {
        static_cast<Hook*>(user)->stop();
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("comqtt hook: stop");
    }
}

size_t slot_named(const std::string& name) {
    for (size_t index = 0; index < kSlotCount; ++index)
        if (name == kNames[index]) return index;
    throw py::value_error("there is no hook event " + name);
}

}  // namespace

comqtt_hooks table_of(const Hook& hook) {
    comqtt_hooks table = comqtt_hooks_init();
    table.id = hook.id.c_str();
    if (hook.stop) table.stop = stop;
#define COMQTT_SLOT(name, kind) fill<k_##name, Kind::kind>(hook, table.name);
#include "slots.def"
#undef COMQTT_SLOT
    return table;
}

std::unique_ptr<Hook> hook_from(const py::dict& functions, std::string id) {
    auto hook = std::make_unique<Hook>();
    hook->id = std::move(id);
    for (const auto& [key, function] : functions) {
        const auto name = key.cast<std::string>();
        if (!PyCallable_Check(function.ptr())) throw py::type_error(name + " is not callable");
        py::object& place = name == "stop" ? hook->stop : hook->functions[slot_named(name)];
        place = py::reinterpret_borrow<py::object>(function);
    }
    return hook;
}

void bind_hooks(py::module_& module) {
    py::list names;
    for (const char* name : kNames) names.append(name);
    module.attr("HOOK_EVENTS") = py::tuple(names);
}

}  // namespace comqtt_python

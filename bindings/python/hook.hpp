#pragma once
// Hook: Python functions in the slots of a hook table. Lives from add_hook to the table's drop.

#include <comqtt.h>

#include <array>
#include <memory>
#include <string>

#include "gil.hpp"

namespace comqtt_python {

class Server;

enum Slot : size_t {
#define COMQTT_SLOT(name, kind) k_##name,
#include "slots.def"
#undef COMQTT_SLOT
    kSlotCount
};

struct Hook {
    std::string id;
    std::weak_ptr<Server> server;
    std::array<py::object, kSlotCount> functions;
    py::object stop;  ///< null when there is none
};

/// A table with the slots filled that `hook` has a function for.
comqtt_hooks table_of(const Hook& hook);
/// From {"on_publish": function, ..., "stop": function}; ValueError for an unknown name.
std::unique_ptr<Hook> hook_from(const py::dict& functions, std::string id);

void bind_hooks(py::module_& module);

}  // namespace comqtt_python

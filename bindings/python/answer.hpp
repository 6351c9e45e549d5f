#pragma once
// Answers of hooks. Python has one set of names (comqtt.Answer) with distinct numbers; comqtt.h has two, by event.

#include <comqtt.h>

#include "gil.hpp"

namespace comqtt_python {

/// What an event does with the callback's result. The last three answer with a status: load and fetch with records,
/// store without; fetch and store may wait.
enum class Kind { notify, question, action, load, fetch, store };

enum Answer : int32_t {  // the numbers of comqtt.Answer
    kNext = 0,
    kAllow = 1,
    kDeny = 2,
    kPending = 3,
    kProceed = 16,
    kReject = 17,
    kIgnore = 18,
    kFail = 19
};

/// The verdict, action or status for comqtt.h. None is NEXT, PROCEED or OK. Throws ValueError or TypeError for what is no answer
/// to such an event.
int32_t answer_of(const py::object& result, Kind kind);

inline bool is_pending(int32_t answer, Kind kind) {
    return kind == Kind::question ? answer == COMQTT_VERDICT_PENDING
                                  : kind == Kind::action && answer == COMQTT_ACTION_PENDING;
}

/// When there is nobody to ask: no opinion, but never "stored".
constexpr int32_t no_answer(Kind kind) { return kind < Kind::load ? 0 : int32_t{COMQTT_ERR_CLOSED}; }

void bind_answers(py::module_& module);

}  // namespace comqtt_python

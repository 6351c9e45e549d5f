#include "answer.hpp"

#include <string>

namespace comqtt_python {
namespace {

/// True and None are OK; False is NOT_FOUND, or from a store STORAGE.
int32_t status_of(const py::object& result, Kind kind) {
    if (result.is_none()) return COMQTT_OK;
    const int32_t no = kind == Kind::store ? COMQTT_ERR_STORAGE : COMQTT_ERR_NOT_FOUND;
    if (py::isinstance<py::bool_>(result)) return result.cast<bool>() ? int32_t{COMQTT_OK} : no;
    const std::string text = py::str(result);
    if (!py::isinstance<py::int_>(result))
        throw py::type_error("the answer is " + text + ", which is not a comqtt.Status");
    const auto status = result.cast<int32_t>();
    if (status <= COMQTT_OK) return status;
    if (kind != Kind::load && (status == kPending || status == COMQTT_PENDING)) return COMQTT_PENDING;
    throw py::value_error("the answer to this event is None" +
                          std::string(kind == Kind::load ? "" : ", PENDING") + " or a comqtt.Status, not " +
                          text);
}

}  // namespace

int32_t answer_of(const py::object& result, Kind kind) {
    if (kind >= Kind::load) return status_of(result, kind);
    if (kind == Kind::notify || result.is_none()) return 0;
    const std::string text = py::str(result);
    if (!py::isinstance<py::int_>(result) || py::isinstance<py::bool_>(result))
        throw py::type_error("the answer is " + text + ", which is not a comqtt.Answer");
    const auto answer = result.cast<int32_t>();
    if (kind == Kind::question) {
        if (answer >= kNext && answer <= kPending) return answer;
        throw py::value_error("the answer to a question is ALLOW, DENY, NEXT or PENDING, not " + text);
    }
    if (answer == kPending) return COMQTT_ACTION_PENDING;
    if (answer >= kProceed && answer <= kFail) return answer - kProceed;
    throw py::value_error("the answer to this event is PROCEED, REJECT, IGNORE, FAIL or PENDING, not " +
                          text);
}

void bind_answers(py::module_& module) {
    static_assert(int{COMQTT_PROCEED} == 0 && int{COMQTT_FAIL} == kFail - kProceed &&
                  int{COMQTT_DENY} == kDeny);
    const py::dict answers;
    answers["NEXT"] = static_cast<int>(kNext);
    answers["ALLOW"] = static_cast<int>(kAllow);
    answers["DENY"] = static_cast<int>(kDeny);
    answers["PENDING"] = static_cast<int>(kPending);
    answers["PROCEED"] = static_cast<int>(kProceed);
    answers["REJECT"] = static_cast<int>(kReject);
    answers["IGNORE"] = static_cast<int>(kIgnore);
    answers["FAIL"] = static_cast<int>(kFail);
    module.attr("ANSWERS") = answers;
}

}  // namespace comqtt_python

#include "log_ring.hpp"

#include <new>

#include "error.hpp"
#include "text.hpp"

namespace comqtt_python {
namespace {

std::string_view text_of(comqtt_str text) { return {text.ptr ? text.ptr : "", text.len}; }

void on_line(void* user, const comqtt_log_record* record) {
    static_cast<std::shared_ptr<LogRing>*>(user)->get()->push(record->level, text_of(record->component),
                                                              text_of(record->message));
}

void drop_ring(void* user) { delete static_cast<std::shared_ptr<LogRing>*>(user); }

py::list to_list(const std::vector<LogLine>& lines) {
    py::list made;
    for (const LogLine& line : lines)
        made.append(
            py::make_tuple(line.level, to_str(view_of(line.component)), to_str(view_of(line.message))));
    return made;
}

}  // namespace

void LogRing::push(comqtt_log_level level, std::string_view component, std::string_view message) noexcept {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    try {
        if (lines_.size() >= kCapacity) {
            ++lost_;
            return;
        }
        lines_.push_back({level, std::string(component), std::string(message)});
    } catch (const std::bad_alloc&) {
        ++lost_;
    }
    filled_.notify_one();
}

std::vector<LogLine> LogRing::take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !lines_.empty(); });
    std::vector<LogLine> taken(std::make_move_iterator(lines_.begin()),
                               std::make_move_iterator(lines_.end()));
    lines_.clear();
    if (lost_) taken.push_back({COMQTT_LOG_WARN, "python", std::to_string(lost_) + " log lines were lost"});
    lost_ = 0;
    return taken;
}

void LogRing::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
}

void log_to(comqtt_options* options, const std::shared_ptr<LogRing>& ring, comqtt_log_level level) {
    check(comqtt_options_set_log(options, level, on_line, new std::shared_ptr<LogRing>(ring), drop_ring));
}

void bind_log(py::module_& module) {
    py::class_<LogRing, std::shared_ptr<LogRing>>(module, "LogRing")
        .def(py::init<>())
        .def("take", [](LogRing& self) { return to_list(without_gil([&] { return self.take(); })); })
        .def("close", &LogRing::close);
}

}  // namespace comqtt_python

// Tools for the file of a store.

#include "capi/guard.hpp"
#include "capi/views.hpp"
#include "storage/tools/tools.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

/// A path that the system takes as it is.
Result<std::string> path_of(comqtt_str view, const char* name) {
    const std::string_view path = text(view);
    if (path.empty()) return invalid(std::string(name) + " is absent or empty");
    if (path.find('\0') != std::string_view::npos) return invalid(std::string(name) + " has a zero byte");
    return std::string(path);
}

storage::tools::ReportLine report_to(comqtt_str_fn line, void* user) {
    bool wanted = line != nullptr;
    return [line, user, wanted](std::string_view text) mutable {
        if (wanted) wanted = line(user, to_str(text));
    };
}

}  // namespace

comqtt_status comqtt_store_check(comqtt_str path, comqtt_str_fn line, void* user, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        const auto name = path_of(path, "path");
        if (!name) return name.error();
        return storage::tools::check_store(*name, report_to(line, user));
    });
}

comqtt_status comqtt_store_repair(comqtt_str path, comqtt_str_fn line, void* user, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        const auto name = path_of(path, "path");
        if (!name) return name.error();
        return storage::tools::repair_store(*name, report_to(line, user));
    });
}

comqtt_status comqtt_store_export(comqtt_str path, comqtt_str_fn write, void* user,
                                  comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        const auto name = path_of(path, "path");
        if (!name) return name.error();
        if (!write) return invalid("write is NULL");
        return storage::tools::export_store(*name,
                                            [&](std::string_view line) { return write(user, to_str(line)); });
    });
}

comqtt_status comqtt_store_import(comqtt_str path, comqtt_str file, comqtt_import_format format,
                                  comqtt_str_fn line, void* user, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        const auto name = path_of(path, "path");
        if (!name) return name.error();
        const auto source = path_of(file, "file");
        if (!source) return source.error();
        if (format < COMQTT_IMPORT_DETECT || format > COMQTT_IMPORT_MOSQUITTO)
            return invalid("there is no format " + std::to_string(format));
        return storage::tools::import_store(*name, *source, static_cast<storage::tools::ImportFormat>(format),
                                            report_to(line, user));
    });
}

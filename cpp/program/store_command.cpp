#include "store_command.hpp"

#include <comqtt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "text.hpp"

namespace comqtt::program {

namespace {

using Action = StoreCommand::Action;

// In the order of comqtt_import_format.
const std::vector<std::string> kFormats = {"auto", "json", "mosquitto"};

StoreCommand& ensure(std::optional<StoreCommand>& command) {
    if (!command) command.emplace();
    return *command;
}

bool print_line(void* file, comqtt_str text) {
    auto* const out = static_cast<std::FILE*>(file);
    return std::fwrite(text.ptr, 1, text.len, out) == text.len && std::fputc('\n', out) != EOF;
}

int outcome(comqtt_status status, comqtt_error* error) {
    if (status == COMQTT_OK) return EXIT_SUCCESS;
    std::string why = comqtt_status_text(status);
    if (error) {
        const comqtt_str message = comqtt_error_message(error);
        why.assign(message.ptr, message.len);
        comqtt_error_free(error);
    }
    std::fflush(stdout);
    std::fprintf(stderr, "comqtt: %s\n", why.c_str());
    return EXIT_FAILURE;
}

int check(const StoreCommand& command) {
    comqtt_error* error = nullptr;
    const comqtt_status status = comqtt_store_check(view(command.path), print_line, stdout, &error);
    if (status == COMQTT_OK) std::puts("sound");
    return outcome(status, error);
}

int repair(const StoreCommand& command) {
    comqtt_error* error = nullptr;
    const comqtt_status status = comqtt_store_repair(view(command.path), print_line, stdout, &error);
    return outcome(status, error);
}

int import(const StoreCommand& command) {
    comqtt_error* error = nullptr;
    int format = 0;
    while (kFormats[static_cast<size_t>(format)] != command.format) ++format;
    const comqtt_status status =
        comqtt_store_import(view(command.path), view(command.file), format, print_line, stdout, &error);
    return outcome(status, error);
}

int cannot_write(const std::string& name) {
    std::fprintf(stderr, "comqtt: %s: %s\n", name.c_str(), std::strerror(errno));
    return EXIT_FAILURE;
}

/// Written beside the file and renamed at the end: a file of that name is a whole export.
int export_(const StoreCommand& command) {
    const bool to_stdout = command.file.empty() || command.file == "-";
    const std::string name = to_stdout ? "standard output" : command.file;
    const std::string partial = command.file + ".part";
    std::FILE* const out = to_stdout ? stdout : std::fopen(partial.c_str(), "wb");
    if (!out) return cannot_write(partial);
    comqtt_error* error = nullptr;
    const comqtt_status status = comqtt_store_export(view(command.path), print_line, out, &error);
    errno = status == COMQTT_ERR_CANCELLED ? errno : 0;
    bool written = std::fflush(out) == 0 && !std::ferror(out);
    const int why = errno;
    if (!to_stdout) written = std::fclose(out) == 0 && written;
    if (status == COMQTT_OK && written && !to_stdout)
        written = std::rename(partial.c_str(), command.file.c_str()) == 0;
    else if (why)
        errno = why;
    if (status == COMQTT_OK && written) return EXIT_SUCCESS;
    const int code = status == COMQTT_OK || status == COMQTT_ERR_CANCELLED ? cannot_write(name) : 0;
    if (!to_stdout) std::remove(partial.c_str());
    if (!code) return outcome(status, error);
    comqtt_error_free(error);
    return code;
}

}  // namespace

void add_store_command(CLI::App& app, std::optional<StoreCommand>& command) {
    struct Words {
        Action action;
        const char* name;
        const char* help;
    };
    const Words all[] = {
        {Action::check, "check", "Look a store over; changes nothing. Exit code 1 when it is damaged"},
        {Action::repair, "repair", "Keep what can be read; the old store is kept as PATH.bad-TIME"},
        {Action::export_, "export", "Write a store as lines of JSON"},
        {Action::import, "import", "Put an exported store, or a mosquitto.db, into a store"},
    };
    CLI::App* store =
        app.add_subcommand("store", "Check, repair, export or import a store, with no broker running");
    store->require_subcommand(1);
    for (const Words& words : all) {
        CLI::App* each = store->add_subcommand(words.name, words.help);
        const Action action = words.action;
        each->callback([&command, action] { ensure(command).action = action; });
        const auto text = [&command](std::string StoreCommand::*member) {
            return [&command, member](const std::string& value) { ensure(command).*member = value; };
        };
        CLI::Option* path = each->add_option_function<std::string>("PATH", text(&StoreCommand::path),
                                                                   "The store [comqtt.db]");
        path->type_name("");
        if (action == Action::export_)
            each->add_option_function<std::string>("FILE", text(&StoreCommand::file),
                                                   "Where to, - = standard output [-]")
                ->type_name("");
        if (action == Action::import) {
            path->required();
            each->add_option_function<std::string>("FILE", text(&StoreCommand::file), "Where from")
                ->type_name("")
                ->required();
            each->add_option_function<std::string>("--format", text(&StoreCommand::format),
                                                   "auto, json or mosquitto [auto]")
                ->type_name("FORMAT")
                ->check(CLI::IsMember(kFormats).description(""));
        }
    }
}

std::string missing_store_command(const CLI::App& app) {
    const CLI::App* store = app.get_subcommand("store");
    if (!store->parsed() || !store->get_subcommands().empty()) return {};
    const auto words = store->remaining();
    return "store" + (words.empty() ? std::string(": say what to do") : ": '" + words[0] + "' is not known") +
           "; expected check, repair, export, import";
}

int run_store_command(const StoreCommand& command) {
    if (command.path.empty()) {
        std::fputs("comqtt: store: PATH is empty; give the store's file\n", stderr);
        return EXIT_FAILURE;
    }
    switch (command.action) {
        case Action::check: return check(command);
        case Action::repair: return repair(command);
        case Action::export_: return export_(command);
        case Action::import: return import(command);
    }
    return EXIT_FAILURE;
}

}  // namespace comqtt::program

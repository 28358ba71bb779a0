#include "log_record.h"

/* The ids are for good: who looks for them has them in his own files. */
static const struct {
    const char *name;
    const char *id;
} events[LOG_EVENTS] = {
    [LOG_EVENT_LISTENING] = {"listening", "7ddfa7c30e754e598bb7b2004099006b"},
    [LOG_EVENT_RELOADED] = {"reloaded", "01744492891141299613fe908cd60c93"},
    [LOG_EVENT_RELOAD_FAILED] = {"reload-failed", "030255356ffd47e9b1ba2f590611c353"},
    [LOG_EVENT_STOPPING] = {"stopping", "c1761265fe6843249778af8b9f2eba53"},
    [LOG_EVENT_DRAIN_TIMEOUT] = {"drain-timeout", "192d97af57c341baab421089348cd918"},
    [LOG_EVENT_STOPPED] = {"stopped", "75c1bf265f67414cb52b6dcfbbc43227"},
    [LOG_EVENT_REFUSED] = {"refused", "81f2bb79b55d4764a222a12e1fff37f5"},
    [LOG_EVENT_ACCEPT_PAUSED] = {"accept-paused", "25a09f0564094c31860bf1202c11097d"},
    [LOG_EVENT_CLOSED] = {"closed", "1415c6aa9865446c9d6165fb712465af"},
};

const char *log_event_name(enum log_event event)
{
    return events[event].name;
}

const char *log_event_id(enum log_event event)
{
    return events[event].id;
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
        [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
    };
    return names[level];
}

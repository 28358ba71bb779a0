/* The one place where requests of the administrator are let through: see control.h. */
#include "control.h"

static void (*const commands[CONTROL_COMMANDS])(struct call *call) = {
    [CONTROL_CHECK] = control_check,
    [CONTROL_CONFIG] = control_config,
    [CONTROL_CONNECTIONS] = control_connections,
    [CONTROL_DRAIN] = control_drain,
    [CONTROL_HELP] = control_help,
    [CONTROL_KILL] = control_kill,
    [CONTROL_LISTENERS] = control_listeners,
    [CONTROL_LOGLEVEL] = control_loglevel,
    [CONTROL_PAUSE] = control_pause,
    [CONTROL_PING] = control_ping,
    [CONTROL_PURGE] = control_purge,
    [CONTROL_QUEUES] = control_queues,
    [CONTROL_RELOAD] = control_reload,
    [CONTROL_RESUME] = control_resume,
    [CONTROL_STATUS] = control_status,
    [CONTROL_STOP] = control_stop,
};

void control_execute(struct session *session, const struct resp_words *words)
{
    char why[CONTROL_WHY_SIZE];
    struct control_request request;
    struct control *client = session_state(session);
    struct call call = {
        .session = session,
        .client = client,
        .server = factory_server(session_factory(session)),
        .reply = &client->reply,
        .request = &request,
    };
    if (control_greet(&call, words))
        return;
    if (!control_parse(&request, words->items, words->count, why)) {
        control_error(&call, "ERR", "%s", why);
        return;
    }
    if (request.command->changes && !control_may_change(&call))
        return;
    server_hold(call.server);
    commands[request.id](&call);
    server_release(call.server);
}

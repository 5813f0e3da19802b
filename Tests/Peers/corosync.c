/* Measures closed process groups (libcpg) of a running corosync, and prints figures as
 * conclave-bench does. One such process runs at each node; the one that measures waits until three are
 * there.
 *
 *   corosync-client [-b BYTES] [-s SECONDS] [-n SENDERS] [-k VICTIM] [-p PID,...] [-t TUNED] WORK
 *
 * WORK: latency, rate, kill (of the member VICTIM) or gap (the node's whose corosync VICTIM is), which
 * measure; idle and send, which are there until they are killed.
 */
#include "figures.h"
#include <corosync/cpg.h>
#include <poll.h>
#include <signal.h>

enum { members_wanted = 3, patience_ms = 30000 };

static cpg_handle_t group;
static int descriptor;
static uint32_t own_node;
static int member_count, gone_count;
static int64_t gone_at;
static uint64_t told, told_own;
static char *payload;
static size_t byte_count = 64;
static double seconds = 5;

static void on_message(cpg_handle_t handle, const struct cpg_name *name, uint32_t node,
                       uint32_t pid, void *message, size_t length) {
    (void)handle, (void)name, (void)pid, (void)message, (void)length;
    told++;
    told_own += node == own_node;
}

static void on_change(cpg_handle_t handle, const struct cpg_name *name,
                      const struct cpg_address *members, size_t count,
                      const struct cpg_address *left, size_t left_count,
                      const struct cpg_address *joined, size_t joined_count) {
    (void)handle, (void)name, (void)members, (void)left, (void)joined, (void)joined_count;
    member_count = (int)count;
    if (left_count) gone_at = now();
    gone_count += (int)left_count;
}

/* Takes what has come, and waits for it that long at most. */
static void receive(int milliseconds) {
    struct pollfd polled = {descriptor, POLLIN, 0};
    if (poll(&polled, 1, milliseconds) > 0 && cpg_dispatch(group, CS_DISPATCH_ALL) != CS_OK)
        fail("corosync is gone");
}

static cs_error_t try_send(void) {
    struct iovec part = {payload, byte_count};
    cs_error_t result = cpg_mcast_joined(group, CPG_TYPE_AGREED, &part, 1);
    if (result != CS_OK && result != CS_ERR_TRY_AGAIN) fail("cannot send: %d", result);
    return result;
}

static void join(void) {
    static cpg_model_v1_data_t callbacks = {
        .cpg_deliver_fn = on_message, .cpg_confchg_fn = on_change};
    cpg_model_data_t *model = (cpg_model_data_t *)&callbacks;
    static struct cpg_name name = {.length = 5, .value = "bench"};
    int64_t end = now() + (int64_t)patience_ms * 1000000;
    while (cpg_model_initialize(&group, CPG_MODEL_V1, model, NULL) != CS_OK) {
        if (now() > end) fail("corosync does not answer");
        pause_for(50);
    }
    while (cpg_join(group, &name) != CS_OK) {
        if (now() > end) fail("the group cannot be joined");
        pause_for(50);
    }
    cpg_local_get(group, &own_node);
    cpg_fd_get(group, &descriptor);
    payload = calloc(1, byte_count + 1);
    while (member_count < members_wanted) {
        receive(100);
        if (now() > end) fail("only %d members came", member_count);
    }
}

/* One message until it is told to its sender; how long that took. */
static int64_t round_trip(void) {
    uint64_t before = told_own;
    int64_t start = now();
    while (try_send() != CS_OK) receive(1);
    while (told_own == before) receive(1000);
    return now() - start;
}

static void latency(void) {
    struct times times = {0};
    for (int i = 0; i < 200; i++) round_trip();
    double cpu = server_cpu();
    for (int64_t end = now() + (int64_t)(seconds * 1e9); now() < end;)
        add_time(&times, round_trip());
    cpu = server_cpu() - cpu;
    tell_times("mcast.latency", "us", &times,
               "\"bytes\":%zu,\"members\":%d,\"server_cpu_per10k\":%.2f", byte_count, member_count,
               cpu / (double)times.count * 1e4);
}

static void send_for(double length) {
    for (int64_t end = now() + (int64_t)(length * 1e9); now() < end;) {
        cs_error_t result = CS_OK;
        for (int i = 0; i < 64 && result == CS_OK; i++) result = try_send();
        receive(result == CS_OK ? 0 : 1);
    }
}

static void rate(int senders) {
    send_for(0.5);
    told = told_own = 0;
    double cpu = server_cpu();
    int64_t start = now();
    send_for(seconds);
    double length = (double)(now() - start) / 1e9, count = (double)told;
    cpu = server_cpu() - cpu;
    tell_value("mcast.rate", "msg/s", count / length,
               "\"bytes\":%zu,\"members\":%d,\"senders\":%d,\"mb_s\":%.2f,\"own_share\":%.2f,"
               "\"server_cpu_per10k\":%.2f",
               byte_count, member_count, senders, count * (double)byte_count / length / 1e6,
               (double)told_own / count, cpu / count * 1e4);
}

static void kill_member(int victim) {
    struct times times = {0};
    int64_t start = now();
    kill(victim, SIGKILL);
    while (!gone_count && now() - start < (int64_t)patience_ms * 1000000) receive(1000);
    if (!gone_count) fail("nobody said that the member is gone");
    add_time(&times, gone_at - start);
    tell_times("mcast.kill9", "ms", &times, "");
}

static void gap(int victim) {
    int64_t begin = now(), last = begin, longest = 0, before = 0;
    int is_killed = 0;
    while ((double)(now() - begin) < seconds * 1e9) {
        if (!is_killed && now() - begin > 2000000000) is_killed = !kill(victim, SIGKILL);
        round_trip();
        int64_t *most = is_killed ? &longest : &before, pause = now() - last;
        if (pause > *most) *most = pause;
        last += pause;
    }
    tell_value("gap.server_kill", "ms", (double)longest / 1e6, "\"longest_before_ms\":%.2f",
               (double)before / 1e6);
}

int main(int argc, char **argv) {
    int option, senders = 1, victim = 0;
    figures_system = "corosync";
    while ((option = getopt(argc, argv, "b:s:n:k:p:t:")) != -1) switch (option) {
        case 'b': byte_count = (size_t)atol(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'n': senders = atoi(optarg); break;
        case 'k': victim = atoi(optarg); break;
        case 'p': read_pids(optarg); break;
        case 't': figures_tuned = optarg; break;
        default: return 64;
    }
    const char *work = optind < argc ? argv[optind] : "";
    join();
    if (!strcmp(work, "latency")) latency();
    else if (!strcmp(work, "rate")) rate(senders);
    else if (!strcmp(work, "kill")) kill_member(victim);
    else if (!strcmp(work, "gap")) gap(victim);
    else if (!strcmp(work, "idle"))
        for (;;) receive(1000);
    else if (!strcmp(work, "send"))
        for (;;) send_for(1);
    else fail("no such work: %s", work);
    return 0;
}

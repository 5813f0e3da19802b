/* Measures locks on one redis server, and prints figures as conclave-bench does: one JSON object a
 * line. A lock is a key that is set if there is none, with a lifetime; a script deletes it if it is
 * one's own. Nothing is copied, and a holder has no token: it is a reference for speed alone.
 *
 *   redis-client -a PORT [-p PID] [-s SECONDS] [-w WORKERS] [-n SYSTEM] WORK
 *
 * WORK: pairs; and version. Each worker has a connection and a lock of its own.
 */
#include "figures.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

static int port;
static double seconds = 5;
static int worker_count = 1;

/* ---- The protocol: commands and answers that fit into one line */

struct server {
    int descriptor;
    size_t length;
    char received[16384];
};

static void dial(struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->length = 0;
    server->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server->descriptor, (struct sockaddr *)&address, sizeof address))
        fail("no server answers at port %d", port);
    setsockopt(server->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void receive(struct server *server) {
    size_t room = sizeof server->received - 1 - server->length;
    ssize_t part = room ? read(server->descriptor, server->received + server->length, room) : 0;
    if (part <= 0) fail("the connection ended, or an answer is too long");
    server->length += (size_t)part;
    server->received[server->length] = 0;
}

/* Takes the first line of what came in, without its end. */
static void take_line(struct server *server, char *line, size_t room) {
    char *end;
    server->received[server->length] = 0;
    while (!(end = strstr(server->received, "\r\n"))) receive(server);
    size_t length = (size_t)(end - server->received);
    snprintf(line, room, "%.*s", (int)length, server->received);
    server->length -= length + 2;
    memmove(server->received, end + 2, server->length);
}

/* Sends a command of several words. */
static void tell(struct server *server, int count, const char *const *words) {
    char command[1024];
    size_t length = (size_t)snprintf(command, sizeof command, "*%d\r\n", count);
    for (int i = 0; i < count; i++) {
        length += (size_t)snprintf(command + length, sizeof command - length, "$%zu\r\n%s\r\n",
                                   strlen(words[i]), words[i]);
        if (length >= sizeof command) fail("a command is too long");
    }
    if (write(server->descriptor, command, length) != (ssize_t)length) fail("nothing can be sent");
}

/* The answer to a command, which is one line, or a length and a text. */
static void ask(struct server *server, int count, const char *const *words, char *line, size_t room) {
    tell(server, count, words);
    take_line(server, line, room);
    if (line[0] == '-') fail("%s: %s", words[0], line + 1);
}

/* ---- The lock */

static const char *const release_script =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end";
static char script_name[64];

/* The server keeps the script under a name of its own. */
static void load_script(void) {
    static struct server server;
    char line[64];
    dial(&server);
    ask(&server, 3, (const char *const[]){"SCRIPT", "LOAD", release_script}, line, sizeof line);
    take_line(&server, script_name, sizeof script_name);
    close(server.descriptor);
}

static void take(struct server *server, const char *name, const char *token) {
    char line[64];
    ask(server, 6, (const char *const[]){"SET", name, token, "NX", "PX", "30000"}, line, sizeof line);
    if (strcmp(line, "+OK")) fail("%s is held by somebody else", name);
}

static void let_go(struct server *server, const char *name, const char *token) {
    char line[64];
    ask(server, 5, (const char *const[]){"EVALSHA", script_name, "1", name, token}, line, sizeof line);
    if (strcmp(line, ":1")) fail("%s was not held any more", name);
}

/* ---- Works */

struct worker {
    pthread_t thread;
    int number;
    struct server server;
    struct pair_times times;
};

static _Atomic enum { warming_up, measuring, over } phase;

static void *pair_worker(void *context) {
    struct worker *worker = context;
    char name[32], token[32];
    snprintf(name, sizeof name, "pairs:%d", worker->number);
    for (long turn = 0; phase != over; turn++) {
        int counts = phase == measuring;
        snprintf(token, sizeof token, "%d-%ld", worker->number, turn);
        int64_t start = now();
        take(&worker->server, name, token);
        int64_t acquired = now();
        let_go(&worker->server, name, token);
        int64_t released = now();
        if (counts && phase == measuring) add_pair(&worker->times, start, acquired, released);
    }
    return NULL;
}

static void pairs(void) {
    struct worker *workers = calloc((size_t)worker_count, sizeof *workers);
    struct pair_times times = {0};
    char how[64];
    if (!workers) fail("no memory is left");
    load_script();
    for (int i = 0; i < worker_count; i++) {
        workers[i].number = i;
        dial(&workers[i].server);
        if (pthread_create(&workers[i].thread, NULL, pair_worker, &workers[i]))
            fail("no thread is left");
    }
    pause_for(1500);
    double cpu = server_cpu();
    int64_t start = now();
    phase = measuring;
    pause_for((int)(seconds * 1000));
    phase = over;
    double length = (double)(now() - start) / 1e9;
    cpu = server_cpu() - cpu;
    for (int i = 0; i < worker_count; i++) {
        pthread_join(workers[i].thread, NULL);
        add_pairs(&times, &workers[i].times);
    }
    snprintf(how, sizeof how, "\"workers\":%d,\"conns\":%d", worker_count, worker_count);
    tell_pairs(worker_count, &times, length, cpu, how);
}

static void tell_version(void) {
    static struct server server;
    char line[256];
    dial(&server);
    ask(&server, 2, (const char *const[]){"INFO", "server"}, line, sizeof line);
    while (strncmp(line, "redis_version:", 14)) take_line(&server, line, sizeof line);
    puts(line + 14);
    close(server.descriptor);
}

int main(int argc, char **argv) {
    int option;
    figures_system = "redis";
    while ((option = getopt(argc, argv, "a:p:s:w:n:")) != -1) switch (option) {
        case 'a': port = atoi(optarg); break;
        case 'p': read_pids(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'w': worker_count = atoi(optarg); break;
        case 'n': figures_system = optarg; break;
        default: return 64;
    }
    if (!port) fail("no server is named");
    if (worker_count < 1) fail("there must be a worker");
    signal(SIGPIPE, SIG_IGN);
    const char *work = optind < argc ? argv[optind] : "";
    if (!strcmp(work, "pairs")) pairs();
    else if (!strcmp(work, "version")) tell_version();
    else fail("no such work: %s", work);
    return 0;
}

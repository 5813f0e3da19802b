/* Measures a running ZooKeeper ensemble by the documented recipes, and prints figures as
 * conclave-bench does: one JSON object a line. A lock is an ephemeral child with a number in sequence:
 * whoever has the lowest holds it, the others watch the one before them.
 *
 *   zookeeper-client -a PORT,... [-p PID,...] [-s SECONDS] [-w WORKERS] [-c CONNECTIONS]
 *                    [-r ROUNDS] [-m SESSION_MS] [-t TUNED] WORK
 *
 * WORK: pairs, handoff, barrier, elect, gap, watch; leader, which prints where in the list the
 * leading server stands, and version. The clients of pairs, handoff and barrier are connected to that
 * one, as is best for them.
 */
#define THREADED
#include "figures.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <zookeeper/zookeeper.h>

static int ports[8], port_count;
static char port_text[128];
static double seconds = 5;
static int worker_count = 1, connection_count = 1, round_count = 5, session_ms = 30000;
static const char *slot = "";

static void must(int result, const char *what) {
    if (result) fail("%s: %s", what, zerror(result));
}

static void await(sem_t *word) {
    while (sem_wait(word)) {}
}

/* ---- The ensemble */

/* What a server says of itself; empty if it does not answer. */
static void ask_server(int port, char *answer, size_t room) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {2, 0};
    size_t length = 0;
    ssize_t part = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!connect(descriptor, (struct sockaddr *)&address, sizeof address)
        && write(descriptor, "srvr", 4) == 4)
        while (length < room - 1 && part > 0) {
            part = read(descriptor, answer + length, room - 1 - length);
            if (part > 0) length += (size_t)part;
        }
    answer[length] = 0;
    close(descriptor);
}

static int leader(void) {
    char answer[4096];
    for (int attempt = 0; attempt < 300; attempt++, pause_for(100))
        for (int i = 0; i < port_count; i++) {
            ask_server(ports[i], answer, sizeof answer);
            if (strstr(answer, "Mode: leader")) return i;
        }
    fail("no server leads");
    return 0;
}

struct connection {
    zhandle_t *handle;
    sem_t is_up;
};

static void on_session(zhandle_t *handle, int type, int state, const char *path, void *context) {
    (void)handle, (void)path;
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        sem_post(&((struct connection *)context)->is_up);
}

static struct connection *dial_all(const char *addresses) {
    struct connection *connection = calloc(1, sizeof *connection);
    struct timespec end;
    sem_init(&connection->is_up, 0, 0);
    connection->handle = zookeeper_init(addresses, on_session, session_ms, NULL, connection, 0);
    if (!connection->handle) fail("cannot connect");
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 30;
    while (sem_timedwait(&connection->is_up, &end))
        if (errno != EINTR) fail("no server answers at %s", addresses);
    return connection;
}

static struct connection *dial(int server) {
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", ports[server % port_count]);
    return dial_all(address);
}

static struct connection **dial_leader(int count) {
    struct connection **all = calloc((size_t)count, sizeof *all);
    int server = leader();
    for (int i = 0; i < count; i++) all[i] = dial(server);
    return all;
}

/* A node that stays. */
static void make(zhandle_t *handle, const char *path) {
    int result = zoo_create(handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    if (result != ZNODEEXISTS) must(result, path);
}

static void on_change(zhandle_t *handle, int type, int state, const char *path, void *context) {
    (void)handle, (void)state, (void)path;
    if (type != ZOO_SESSION_EVENT) sem_post(context);
}

/* ---- The lock */

struct lock {
    const char *folder;
    char own[256];
    sem_t changed;
};

static void begin_lock(struct lock *lock, const char *folder) {
    lock->folder = folder;
    sem_init(&lock->changed, 0, 0);
}

/* The ten digits at the end of a child's name. */
static long sequence(const char *name) {
    size_t length = strlen(name);
    return length < 10 ? -1 : atol(name + length - 10);
}

/* The child before one's own; nothing if there is none. */
static int find_previous(zhandle_t *handle, const struct lock *lock, char *path, size_t room) {
    struct String_vector children;
    long own = sequence(lock->own), highest = -1;
    int result = zoo_get_children(handle, lock->folder, 0, &children);
    if (result) return result;
    path[0] = 0;
    for (int i = 0; i < children.count; i++) {
        long number = sequence(children.data[i]);
        if (number <= highest || number >= own) continue;
        highest = number;
        snprintf(path, room, "%s/%s", lock->folder, children.data[i]);
    }
    deallocate_String_vector(&children);
    return ZOK;
}

static int take(zhandle_t *handle, struct lock *lock) {
    char path[512], value[8];
    snprintf(path, sizeof path, "%s/lock-", lock->folder);
    int result = zoo_create(handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE,
                            ZOO_EPHEMERAL | ZOO_SEQUENCE, lock->own, sizeof lock->own);
    while (!result) {
        result = find_previous(handle, lock, path, sizeof path);
        if (result || !path[0]) return result;
        int length = sizeof value;
        result = zoo_wget(handle, path, on_change, &lock->changed, value, &length, NULL);
        if (result == ZNONODE) result = ZOK;
        else if (!result) await(&lock->changed);
    }
    return result;
}

static int let_go(zhandle_t *handle, struct lock *lock) {
    return zoo_delete(handle, lock->own, -1);
}

/* ---- Workers */

enum { warming, measuring, over };
static atomic_int phase;

struct worker {
    int number;
    zhandle_t *handle;
    pthread_t thread;
    struct pair_times times;
};

/* One for each worker, over the connections to the leader. */
static struct worker *begin_workers(void *(*work)(void *), const char *folder) {
    struct connection **connections = dial_leader(connection_count);
    struct worker *workers = calloc((size_t)worker_count, sizeof *workers);
    pthread_attr_t small;
    make(connections[0]->handle, folder);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    for (int i = 0; i < worker_count; i++) {
        workers[i].number = i;
        workers[i].handle = connections[i % connection_count]->handle;
        if (pthread_create(&workers[i].thread, &small, work, &workers[i]))
            fail("no thread is left");
    }
    return workers;
}

struct usage {
    double length, cpu;
};

/* Lets them warm up, then measures as long as is asked for, and waits for their end. */
static struct usage measure(struct worker *workers) {
    pause_for(1500);
    struct usage usage = {.cpu = server_cpu()};
    int64_t start = now();
    phase = measuring;
    pause_for((int)(seconds * 1000));
    phase = over;
    usage.length = (double)(now() - start) / 1e9;
    usage.cpu = server_cpu() - usage.cpu;
    for (int i = 0; i < worker_count; i++) pthread_join(workers[i].thread, NULL);
    return usage;
}

#define HOW "\"workers\":%d,\"conns\":%d,\"target\":\"leader\"", worker_count, connection_count

static void *pair_worker(void *context) {
    struct worker *worker = context;
    struct lock lock;
    char folder[64];
    snprintf(folder, sizeof folder, "/pairs/%d", worker->number);
    make(worker->handle, folder);
    begin_lock(&lock, folder);
    while (phase != over) {
        int counts = phase == measuring;
        int64_t start = now();
        must(take(worker->handle, &lock), "lock");
        int64_t acquired = now();
        must(let_go(worker->handle, &lock), "release");
        int64_t released = now();
        if (counts && phase == measuring) add_pair(&worker->times, start, acquired, released);
    }
    return NULL;
}

static void pairs(void) {
    struct worker *workers = begin_workers(pair_worker, "/pairs");
    struct pair_times times = {0};
    struct usage usage = measure(workers);
    char how[96];
    for (int i = 0; i < worker_count; i++) add_pairs(&times, &workers[i].times);
    snprintf(how, sizeof how, HOW);
    tell_pairs(worker_count, &times, usage.length, usage.cpu, how);
}

/* Whoever holds the lock touches these. */
static struct times handed_over;
static int64_t released_at;
static int last_worker = -1;
static atomic_int holders, violations;

static void *handoff_worker(void *context) {
    struct worker *worker = context;
    struct lock lock;
    begin_lock(&lock, "/handoff");
    while (phase != over) {
        must(take(worker->handle, &lock), "lock");
        int64_t got = now();
        if (atomic_fetch_add(&holders, 1)) violations++;
        if (last_worker != worker->number && phase == measuring)
            add_time(&handed_over, got - released_at);
        last_worker = worker->number;
        atomic_fetch_sub(&holders, 1);
        released_at = now();
        must(let_go(worker->handle, &lock), "release");
    }
    return NULL;
}

static void handoff(void) {
    struct usage usage = measure(begin_workers(handoff_worker, "/handoff"));
    double count = (double)handed_over.count;
    tell_times("lock.handoff", "us", &handed_over,
               "\"violations\":%d,\"workers\":%d,\"conns\":%d,\"target\":\"leader\"",
               (int)violations, worker_count, connection_count);
    tell_value("lock.handoff.rate", "handoffs/s", count / usage.length, HOW);
}

/* ---- The barrier: whoever sees that all are there makes the node `ready`, which all watch */

static char barrier_folder[128];
static pthread_barrier_t turn_begins, last_may_come, all_through;

static int child_count(zhandle_t *handle) {
    struct String_vector children;
    must(zoo_get_children(handle, barrier_folder, 0, &children), "children");
    int count = 0;
    for (int i = 0; i < children.count; i++) count += children.data[i][0] == 'p';
    deallocate_String_vector(&children);
    return count;
}

static void enter(struct worker *worker, sem_t *ready) {
    char path[192], own[192];
    snprintf(path, sizeof path, "%s/ready", barrier_folder);
    int result = zoo_wexists(worker->handle, path, on_change, ready, NULL);
    if (result != ZNONODE) must(result, "ready");
    snprintf(own, sizeof own, "%s/p%d", barrier_folder, worker->number);
    result = zoo_create(worker->handle, own, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    must(result, "enter");
    if (child_count(worker->handle) >= worker_count) make(worker->handle, path);
    await(ready);
}

static void *party(void *context) {
    struct worker *worker = context;
    sem_t ready;
    sem_init(&ready, 0, 0);
    for (int turn = 0; turn < round_count; turn++) {
        pthread_barrier_wait(&turn_begins);
        if (worker->number == 0) pthread_barrier_wait(&last_may_come);
        enter(worker, &ready);
        pthread_barrier_wait(&all_through);
    }
    return NULL;
}

static void barrier(void) {
    struct times times = {0};
    zhandle_t *handle = dial_leader(1)[0]->handle;
    pthread_barrier_init(&turn_begins, NULL, (unsigned)worker_count + 1);
    pthread_barrier_init(&all_through, NULL, (unsigned)worker_count + 1);
    pthread_barrier_init(&last_may_come, NULL, 2);
    struct worker *workers = begin_workers(party, "/barrier");
    for (int turn = 0; turn < round_count; turn++) {
        snprintf(barrier_folder, sizeof barrier_folder, "/barrier/%d-%d", getpid(), turn);
        make(handle, barrier_folder);
        pthread_barrier_wait(&turn_begins);
        while (child_count(handle) < worker_count - 1) pause_for(5);
        pause_for(150);
        int64_t start = now();
        pthread_barrier_wait(&last_may_come);
        pthread_barrier_wait(&all_through);
        add_time(&times, now() - start);
    }
    for (int i = 0; i < worker_count; i++) pthread_join(workers[i].thread, NULL);
    tell_times("barrier.last", "us", &times, "\"parties\":%d,\"conns\":%d,\"target\":\"leader\"",
               worker_count, connection_count);
}

/* ---- Elections */

/* Says "r" when it stands for leader, "e" when it leads, and waits to be killed. */
static void candidate(void) {
    struct connection *connection = dial(leader());
    struct lock lock;
    char folder[128];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(folder, sizeof folder, "/%s", slot);
    make(connection->handle, folder);
    if (write(STDOUT_FILENO, "r", 1) != 1) return;
    begin_lock(&lock, folder);
    must(take(connection->handle, &lock), "candidate");
    if (write(STDOUT_FILENO, "e", 1) == 1)
        for (;;) pause();
}

struct standby {
    pid_t pid;
    int words;
};

static char next_word(int descriptor) {
    struct pollfd polled = {descriptor, POLLIN, 0};
    char word = 0;
    if (poll(&polled, 1, 60000) != 1 || read(descriptor, &word, 1) != 1)
        fail("a candidate says nothing");
    return word;
}

static struct standby stand(const char *name) {
    int ends[2];
    char session[16];
    if (pipe2(ends, O_CLOEXEC)) fail("no descriptor is left");
    snprintf(session, sizeof session, "%d", session_ms);
    struct standby standby = {.words = ends[0], .pid = fork()};
    if (!standby.pid) {
        dup2(ends[1], STDOUT_FILENO);
        execl("/proc/self/exe", "zookeeper-client", "-a", port_text, "-m", session, "-e", name,
              "candidate", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    next_word(standby.words);
    return standby;
}

static void end(struct standby *standby) {
    kill(standby->pid, SIGKILL);
    waitpid(standby->pid, NULL, 0);
    close(standby->words);
}

static void elect(void) {
    struct times times = {0};
    char name[64];
    snprintf(name, sizeof name, "elect-%d", getpid());
    struct standby line[3] = {stand(name)};
    next_word(line[0].words);
    line[1] = stand(name);
    line[2] = stand(name);
    for (int turn = 0; turn < round_count; turn++) {
        struct pollfd polled[2] = {{line[1].words, POLLIN, 0}, {line[2].words, POLLIN, 0}};
        pause_for(300 + 37 * turn % 500);
        int64_t start = now();
        kill(line[0].pid, SIGKILL);
        if (poll(polled, 2, 60000) < 1) fail("nobody was elected in a minute");
        add_time(&times, now() - start);
        int next = polled[0].revents ? 1 : 2;
        next_word(line[next].words);
        end(&line[0]);
        line[0] = line[next];
        line[1] = line[3 - next];
        line[2] = stand(name);
    }
    for (int i = 0; i < 3; i++) end(&line[i]);
    tell_times("elect.kill9", "ms", &times, "\"session_asked_ms\":%d,\"target\":\"leader\"",
               session_ms);
}

/* ---- A server is killed */

static void gap(void) {
    enum { folder_count = 100 };
    char addresses[256] = "", folder[32];
    int victim = leader(), number = 0, errors = 0, is_killed = 0;
    for (int i = 0; i < port_count; i++) {
        size_t length = strlen(addresses);
        snprintf(addresses + length, sizeof addresses - length, "%s127.0.0.1:%d", i ? "," : "",
                 ports[(victim + i) % port_count]);
    }
    zoo_deterministic_conn_order(1); /* The leader first. */
    zhandle_t *handle = dial_all(addresses)->handle;
    for (int i = 0; i < folder_count; i++) {
        snprintf(folder, sizeof folder, "/gap-%d", i);
        make(handle, folder);
    }
    int64_t begin = now(), last = begin, longest = 0, before = 0;
    while ((double)(now() - begin) < seconds * 1e9) {
        struct lock lock;
        if (!is_killed && now() - begin > 2000000000)
            is_killed = !kill(figures_pids[victim], SIGKILL);
        snprintf(folder, sizeof folder, "/gap-%d", number % folder_count);
        begin_lock(&lock, folder);
        int result = take(handle, &lock);
        if (!result) result = let_go(handle, &lock);
        if (result == ZSESSIONEXPIRED || result == ZINVALIDSTATE) fail("the session is lost");
        if (result) {
            errors++;
            number++; /* Whether it has left a child behind is not known. */
            pause_for(2);
            continue;
        }
        int64_t *most = is_killed ? &longest : &before, pause = now() - last;
        if (pause > *most) *most = pause;
        last += pause;
    }
    tell_value("gap.server_kill", "ms", (double)longest / 1e6,
               "\"longest_before_ms\":%.2f,\"errors\":%d,\"target\":\"leader\"",
               (double)before / 1e6, errors);
    _exit(0);
}

/* ---- A watcher is told */

static atomic_llong told_at;

static void on_put(zhandle_t *handle, int type, int state, const char *path, void *context) {
    (void)handle, (void)state, (void)path;
    if (type == ZOO_SESSION_EVENT) return;
    told_at = now();
    sem_post(context);
}

static void watch(void) {
    static const char *places[] = {"same", "other"};
    int first = leader();
    for (int place = 0; place < 2; place++) {
        zhandle_t *writer = dial(first)->handle, *reader = dial(first + place)->handle;
        struct times told = {0}, acknowledged = {0};
        char path[32], value[16];
        sem_t changed;
        sem_init(&changed, 0, 0);
        snprintf(path, sizeof path, "/watch-%s", places[place]);
        make(writer, path);
        for (int64_t end = now() + (int64_t)(seconds / 2 * 1e9); now() < end;) {
            int length = sizeof value;
            int result = zoo_wget(reader, path, on_put, &changed, value, &length, NULL);
            if (result == ZNONODE) { /* This server is a little behind. */
                pause_for(10);
                continue;
            }
            must(result, "watch");
            int64_t start = now();
            must(zoo_set(writer, path, "value", 5, -1), "set");
            add_time(&acknowledged, now() - start);
            await(&changed);
            add_time(&told, told_at - start);
        }
        tell_times("watch.notify", "us", &told, "\"writer\":\"leader\",\"watcher\":\"%s\"",
                   places[place]);
        tell_times("watch.put_ack", "us", &acknowledged,
                   "\"writer\":\"leader\",\"watcher\":\"%s\"", places[place]);
    }
}

static void tell_leader(void) { printf("%d\n", leader()); }

static void tell_version(void) {
    char answer[4096], version[64] = "unknown";
    ask_server(ports[0], answer, sizeof answer);
    sscanf(answer, "Zookeeper version: %63[^-,\n]", version);
    puts(version);
}

static void read_ports(char *text) {
    snprintf(port_text, sizeof port_text, "%s", text);
    for (char *word = strtok(text, ","); word && port_count < 8; word = strtok(NULL, ","))
        ports[port_count++] = atoi(word);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } works[] = {
        {"pairs", pairs},         {"handoff", handoff}, {"barrier", barrier},
        {"elect", elect},         {"gap", gap},         {"watch", watch},
        {"candidate", candidate}, {"leader", tell_leader}, {"version", tell_version}};
    int option;
    figures_system = "zookeeper";
    while ((option = getopt(argc, argv, "a:p:s:w:c:r:m:e:t:")) != -1) switch (option) {
        case 'a': read_ports(optarg); break;
        case 'p': read_pids(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'w': worker_count = atoi(optarg); break;
        case 'c': connection_count = atoi(optarg); break;
        case 'r': round_count = atoi(optarg); break;
        case 'm': session_ms = atoi(optarg); break;
        case 'e': slot = optarg; break;
        case 't': figures_tuned = optarg; break;
        default: return 64;
    }
    if (!port_count) fail("no server is named");
    signal(SIGPIPE, SIG_IGN);
    zoo_set_debug_level(0);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (optind < argc && !strcmp(argv[optind], works[i].name)) {
            works[i].run();
            return 0;
        }
    fail("no such work: %s", optind < argc ? argv[optind] : "");
}

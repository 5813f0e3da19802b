/* What the clients in C share: a clock, times, figures as JSON lines, and what other processes have
 * used. */
#ifndef CONCLAVE_PEERS_FIGURES_H
#define CONCLAVE_PEERS_FIGURES_H

#define _GNU_SOURCE
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *figures_system;
/* What the servers' timers are set to, if not the default. */
static const char *figures_tuned = "";
static int figures_pids[8], figures_pid_count;

static void fail(const char *format, ...) {
    va_list words;
    va_start(words, format);
    fprintf(stderr, "%s-client: ", figures_system);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
    exit(1);
}

/* Nanoseconds. */
static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline void pause_for(int milliseconds) { usleep((useconds_t)milliseconds * 1000); }

static inline void read_pids(char *text) {
    for (char *word = strtok(text, ","); word && figures_pid_count < 8; word = strtok(NULL, ","))
        figures_pids[figures_pid_count++] = atoi(word);
}

/* CPU seconds of all servers so far. */
static inline double server_cpu(void) {
    double sum = 0;
    for (int i = 0; i < figures_pid_count; i++) {
        char path[64], line[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", figures_pids[i]);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        unsigned long user = 0, system = 0;
        char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        fclose(file);
        const char *format = "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
        if (end && sscanf(end + 2, format, &user, &system) == 2)
            sum += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    return sum;
}

struct times {
    int64_t *all;
    size_t count, room;
};

static inline void add_time(struct times *times, int64_t nanoseconds) {
    if (times->count == times->room) {
        times->room = times->room ? times->room * 2 : 1024;
        times->all = realloc(times->all, times->room * sizeof *times->all);
        if (!times->all) fail("no memory is left");
    }
    times->all[times->count++] = nanoseconds;
}

static inline void add_times(struct times *times, const struct times *other) {
    for (size_t i = 0; i < other->count; i++) add_time(times, other->all[i]);
}

static int compare_times(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void end_line(const char *how, va_list words) {
    if (*how) putchar(',');
    vprintf(how, words);
    if (*figures_tuned) printf(",\"tuned\":\"%s\"", figures_tuned);
    puts("}");
    fflush(stdout);
}

/* `how` is a format of more members, without braces. */
static inline void tell_value(const char *measure, const char *unit, double value,
                              const char *how, ...) {
    printf("{\"system\":\"%s\",\"measure\":\"%s\",\"unit\":\"%s\",\"value\":%.2f", figures_system,
           measure, unit, value);
    va_list words;
    va_start(words, how);
    end_line(how, words);
    va_end(words);
}

/* In microseconds (us) or milliseconds (ms). */
static inline void tell_times(const char *measure, const char *unit, struct times *times,
                              const char *how, ...) {
    static const struct {
        const char *name;
        double share;
    } figures[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"min", 0}, {"max", 1}};
    double nanoseconds = strcmp(unit, "us") ? 1e6 : 1e3;
    if (times->count) qsort(times->all, times->count, sizeof *times->all, compare_times);
    printf("{\"system\":\"%s\",\"measure\":\"%s\",\"unit\":\"%s\",\"n\":%zu", figures_system,
           measure, unit, times->count);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        double time = 0;
        size_t last = times->count ? times->count - 1 : 0;
        if (times->count) time = (double)times->all[(size_t)(figures[i].share * (double)last + 0.5)];
        printf(",\"%s\":%.2f", figures[i].name, time / nanoseconds);
    }
    va_list words;
    va_start(words, how);
    end_line(how, words);
    va_end(words);
}

/* Of a lock and its release, each by itself and together. */
struct pair_times {
    struct times acquire, release, pair;
};

static inline void add_pair(struct pair_times *times, int64_t start, int64_t acquired,
                            int64_t released) {
    add_time(&times->acquire, acquired - start);
    add_time(&times->release, released - acquired);
    add_time(&times->pair, released - start);
}

static inline void add_pairs(struct pair_times *times, const struct pair_times *other) {
    add_times(&times->acquire, &other->acquire);
    add_times(&times->release, &other->release);
    add_times(&times->pair, &other->pair);
}

/* `length` is in seconds, as is `cpu`, what all servers have used; `how` has no format. */
static inline void tell_pairs(int worker_count, struct pair_times *times, double length, double cpu,
                              const char *how) {
    const char *name = worker_count == 1 ? "lock.solo" : "lock.parallel";
    char measure[64];
    snprintf(measure, sizeof measure, "%s.acquire", name);
    tell_times(measure, "us", &times->acquire, "%s", how);
    snprintf(measure, sizeof measure, "%s.release", name);
    tell_times(measure, "us", &times->release, "%s", how);
    snprintf(measure, sizeof measure, "%s.pair", name);
    tell_times(measure, "us", &times->pair, "%s", how);
    snprintf(measure, sizeof measure, "%s.rate", name);
    double count = (double)times->pair.count;
    tell_value(measure, "pairs/s", count / length, "%s", how);
    tell_value("cpu.per10k", "s", cpu / count * 1e4, "%s", how);
}

#endif

# One redis server: a reference for speed alone, since what it loses is lost. Sourced by Tests/peers.
#
# `redis` syncs before it answers, `redis_memory` never. They are measured only when named: without copies and
# tokens it is not the same work.

redis_packages="gcc libc6-dev redis-server"
redis_memory_packages=$redis_packages

redis_install() { :; }
redis_memory_install() { :; }

redis_missing() {
    command -v gcc >/dev/null || echo "gcc"
    command -v redis-server >/dev/null || echo "redis-server"
}
redis_memory_missing() { redis_missing; }

redis_build() {
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -o "$build/redis-client" Tests/Peers/redis.c
}
redis_memory_build() { redis_build; }

redis_measure() { # redis_measure SYSTEM OPTION…: a new server with those options
    local system=$1 pid
    shift
    launch "$directory/$system.log" redis-server --port 23150 --bind 127.0.0.1 --save '' \
        --dir "$directory" "$@"
    pid=$launched
    await_port 23150
    describe "$system" "$("$build/redis-client" -a 23150 version)"
    if wanted solo; then
        resident "$system" "$pid"
        redis_client "$system" "$pid" pairs
    fi
    if wanted parallel; then
        redis_client "$system" "$pid" -w 64 pairs
        redis_client "$system" "$pid" -w 256 pairs
    fi
}

redis_client() { # redis_client SYSTEM PID ARGUMENT…
    local system=$1 pid=$2
    shift 2
    measure "$build/redis-client" -n "$system" -a 23150 -p "$pid" -s "$seconds" "$@"
}

redis_round() { redis_measure redis --appendonly yes --appendfsync always; }
redis_memory_round() { redis_measure redis_memory; }

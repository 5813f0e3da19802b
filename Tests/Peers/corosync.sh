# corosync: its closed process groups, measured by a client in C, with each node in a network
# namespace of its own. Sourced by Tests/peers.

corosync_packages="gcc libc6-dev corosync libcpg-dev iproute2 util-linux"
corosync_program=/usr/sbin/corosync

corosync_install() { :; }

corosync_missing() {
    command -v gcc >/dev/null || echo "gcc"
    command -v ip >/dev/null || echo "ip (iproute2)"
    [ -x "$corosync_program" ] || echo "$corosync_program (corosync)"
    [ -e /usr/include/corosync/cpg.h ] || echo "libcpg-dev"
    [ "$(id -u)" -eq 0 ] || echo "root, for network namespaces"
}

corosync_build() {
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$build/corosync-client" Tests/Peers/corosync.c -lcpg
}

# Three namespaces on a bridge in a fourth; nothing else is on it.
corosync_network() {
    local node
    prefix=conclave$$
    undo+=("ip netns del $prefix-0")
    ip netns add "$prefix-0"
    ip -n "$prefix-0" link add bridge type bridge
    ip -n "$prefix-0" link set bridge up
    for node in 1 2 3; do
        undo+=("ip netns del $prefix-$node")
        ip netns add "$prefix-$node"
        ip -n "$prefix-0" link add "port$node" type veth peer name eth0 netns "$prefix-$node"
        ip -n "$prefix-0" link set "port$node" master bridge up
        ip -n "$prefix-$node" addr add "192.0.2.$node/24" dev eth0
        ip -n "$prefix-$node" link set eth0 up
        ip -n "$prefix-$node" link set lo up
    done
}

corosync_begin() { # corosync_begin [LINE OF TOTEM…]: three new nodes
    local node
    corosync_network
    {
        printf '%s\n' "totem {" "version: 2" "cluster_name: bench" "crypto_cipher: none" \
            "crypto_hash: none" "$@" "}" "logging {" "to_stderr: yes" "to_syslog: no" "}" \
            "quorum {" "provider: corosync_votequorum" "}" "nodelist {"
        for node in 1 2 3; do
            printf '%s\n' "node {" "name: node$node" "nodeid: $node" "ring0_addr: 192.0.2.$node" "}"
        done
        echo "}"
    } >"$directory/corosync.conf"
    corosync_pids=()
    for node in 1 2 3; do
        mkdir -p "$directory/n$node/run" "$directory/n$node/lib"
        launch "$directory/corosync$node.log" ip netns exec "$prefix-$node" unshare --mount sh -c '
            mount --bind "$1/run" /run && mount --bind "$1/lib" /var/lib/corosync &&
            exec "$2" -f -c "$3"' sh "$directory/n$node" "$corosync_program" \
            "$directory/corosync.conf"
        corosync_pids[node]=$launched
    done
}

# At nodes 2 and 3 a member each does OTHERS, with the options of the one at node 1, which measures.
corosync_client() { # corosync_client OTHERS OPTION… WORK
    local others=$1 node victim=()
    shift
    corosync_members=()
    for node in 2 3; do
        launch "$directory/member$node.log" ip netns exec "$prefix-$node" \
            "$build/corosync-client" "${@:1:$#-1}" "$others"
        corosync_members+=("$launched")
    done
    [ "${*: -1}" != kill ] || victim=(-k "${corosync_members[1]}")
    [ "${*: -1}" != gap ] || victim=(-k "${corosync_pids[3]}")
    measure ip netns exec "$prefix-1" "$build/corosync-client" -s "$seconds" \
        -p "$(by_commas "${corosync_pids[@]}")" "${victim[@]}" "$@"
    kill -KILL "${corosync_members[@]}" 2>/dev/null || true
    for node in "${corosync_members[@]}"; do await_end "$node"; done
    sleep 0.5
}

corosync_round() {
    local bytes turn
    wanted mcast || wanted gap || return 0
    corosync_begin
    describe corosync "$("$corosync_program" -v | sed -n "s/.*version '\([^']*\)'.*/\1/p")"
    if wanted mcast; then
        sleep 2
        resident corosync "${corosync_pids[@]}"
        for bytes in 64 1024; do
            corosync_client idle -b "$bytes" latency
            corosync_client idle -b "$bytes" -n 1 rate
            corosync_client send -b "$bytes" -n 3 rate
        done
        for turn in 1 2 3; do corosync_client idle kill; done
    fi
    if wanted gap; then
        corosync_client idle -s 14 gap
        stop_all
        corosync_begin "token: 200" "token_coefficient: 0"
        corosync_client idle -s 6 -t "token 200 ms" gap
    fi
}

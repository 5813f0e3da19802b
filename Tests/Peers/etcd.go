// Measures running etcd servers by the Go client's own recipes, and prints figures as conclave-bench
// does: one JSON object a line.
//
//	etcd-client -servers HOST:PORT,… -pids PID,… [-seconds S] [-workers N] [-conns N]
//	            [-rounds N] [-tuned HOW] WORK
//
// WORK: pairs, handoff, barrier, elect, gap, watch, or leader, which prints where in the list the
// leading server stands. The clients of pairs, handoff and barrier are connected to that one, as is
// best for them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/concurrency"
	recipe "go.etcd.io/etcd/contrib/recipes"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

var (
	servers = flag.String("servers", "", "addresses, by commas")
	pids    = flag.String("pids", "", "process ids of the servers, in the same order")
	seconds = flag.Float64("seconds", 5, "length of what is timed")
	workers = flag.Int("workers", 1, "tasks at once")
	conns   = flag.Int("conns", 1, "connections")
	rounds  = flag.Int("rounds", 5, "of barrier and elect")
	slot    = flag.String("slot", "", "of a candidate")
	tuned   = flag.String("tuned", "", "what the servers' timers are set to, if not the default")
)

var background = context.Background()

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd-client:", err)
		os.Exit(1)
	}
}

// ---- Figures

type fields map[string]interface{}

func (f fields) with(more fields) fields {
	for name, value := range more {
		f[name] = value
	}
	return f
}

func tell(measure, unit string, f fields) {
	f.with(fields{"system": "etcd", "measure": measure, "unit": unit})
	if *tuned != "" {
		f["tuned"] = *tuned
	}
	line, err := json.Marshal(f)
	check(err)
	fmt.Println(string(line))
}

// Lengths of time in the unit that is given in nanoseconds.
func distribution(measure, unit string, nanoseconds float64, times []time.Duration, f fields) {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	at := func(share float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return round(float64(times[int(share*float64(len(times)-1)+0.5)]) / nanoseconds)
	}
	tell(measure, unit, f.with(fields{"n": len(times), "p50": at(0.5), "p99": at(0.99),
		"p999": at(0.999), "min": at(0), "max": at(1)}))
}

func round(value float64) float64 { return float64(int64(value*100+0.5)) / 100 }

// CPU seconds of all servers so far.
func serverCPU() float64 {
	sum := 0.0
	for _, pid := range strings.Split(*pids, ",") {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue
		}
		words := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		user, _ := strconv.ParseFloat(words[11], 64)
		system, _ := strconv.ParseFloat(words[12], 64)
		sum += (user + system) / 100
	}
	return sum
}

// ---- Clients

func addresses() []string { return strings.Split(*servers, ",") }

func dial(addresses ...string) *clientv3.Client {
	silent := zap.NewProductionConfig()
	silent.Level = zap.NewAtomicLevelAt(zapcore.FatalLevel)
	client, err := clientv3.New(clientv3.Config{
		Endpoints: addresses, DialTimeout: 5 * time.Second, LogConfig: &silent})
	check(err)
	return client
}

func leader() int {
	for try := 0; try < 100; try++ {
		for index, address := range addresses() {
			client := dial(address)
			limited, cancel := context.WithTimeout(background, time.Second)
			status, err := client.Status(limited, address)
			cancel()
			client.Close()
			if err == nil && status.Leader != 0 && status.Leader == status.Header.MemberId {
				return index
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	check(fmt.Errorf("no server leads"))
	return 0
}

func leading() string { return addresses()[leader()] }

func session(client *clientv3.Client, ttl int) *concurrency.Session {
	session, err := concurrency.NewSession(client, concurrency.WithTTL(ttl))
	check(err)
	return session
}

// One session for each worker, over the connections.
func sessions() []*concurrency.Session {
	address := leading()
	clients := make([]*clientv3.Client, *conns)
	for index := range clients {
		clients[index] = dial(address)
	}
	all := make([]*concurrency.Session, *workers)
	for index := range all {
		all[index] = session(clients[index%*conns], 60)
	}
	return all
}

func how() fields { return fields{"workers": *workers, "conns": *conns, "target": "leader"} }

// ---- Locks

const (
	warming int32 = iota
	measuring
	over
)

func pairs() {
	measure := "lock.parallel"
	if *workers == 1 {
		measure = "lock.solo"
	}
	// The recipe's lock belongs to its session's connection: one session a connection, as a program
	// would have it.
	address := leading()
	shared := make([]*concurrency.Session, *conns)
	for index := range shared {
		shared[index] = session(dial(address), 60)
	}
	type part struct{ acquire, release, pair []time.Duration }
	parts := make([]part, *workers)
	var phase int32
	var group sync.WaitGroup
	for worker := range parts {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			own, name := &parts[worker], fmt.Sprintf("/pairs/%d", worker)
			for atomic.LoadInt32(&phase) != over {
				counts := atomic.LoadInt32(&phase) == measuring
				lock := concurrency.NewMutex(shared[worker%*conns], name)
				start := time.Now()
				check(lock.Lock(background))
				acquired := time.Now()
				check(lock.Unlock(background))
				released := time.Now()
				if counts && atomic.LoadInt32(&phase) == measuring {
					own.acquire = append(own.acquire, acquired.Sub(start))
					own.release = append(own.release, released.Sub(acquired))
					own.pair = append(own.pair, released.Sub(start))
				}
			}
		}(worker)
	}
	time.Sleep(1500 * time.Millisecond)
	cpu, start := serverCPU(), time.Now()
	atomic.StoreInt32(&phase, measuring)
	time.Sleep(time.Duration(*seconds * 1e9))
	atomic.StoreInt32(&phase, over)
	length, spent := time.Since(start).Seconds(), serverCPU()-cpu
	group.Wait()
	var all part
	for _, part := range parts {
		all.acquire = append(all.acquire, part.acquire...)
		all.release = append(all.release, part.release...)
		all.pair = append(all.pair, part.pair...)
	}
	count := float64(len(all.pair))
	distribution(measure+".acquire", "us", 1e3, all.acquire, how())
	distribution(measure+".release", "us", 1e3, all.release, how())
	distribution(measure+".pair", "us", 1e3, all.pair, how())
	tell(measure+".rate", "pairs/s", how().with(fields{"value": round(count / length)}))
	tell("cpu.per10k", "s", how().with(fields{"value": round(spent / count * 1e4)}))
}

func handoff() {
	var released int64 // When the last holder began to release, since `start`.
	var phase, holders, violations int32
	var times []time.Duration // Only whoever holds the lock touches this and `last`.
	last := -1
	start := time.Now()
	var group sync.WaitGroup
	for worker, own := range sessions() {
		group.Add(1)
		go func(worker int, own *concurrency.Session) {
			defer group.Done()
			for atomic.LoadInt32(&phase) != over {
				lock := concurrency.NewMutex(own, "/handoff")
				check(lock.Lock(background))
				got := int64(time.Since(start))
				if atomic.AddInt32(&holders, 1) != 1 {
					atomic.AddInt32(&violations, 1)
				}
				if last != worker && atomic.LoadInt32(&phase) == measuring {
					times = append(times, time.Duration(got-atomic.LoadInt64(&released)))
				}
				last = worker
				atomic.AddInt32(&holders, -1)
				atomic.StoreInt64(&released, int64(time.Since(start)))
				check(lock.Unlock(background))
			}
		}(worker, own)
	}
	time.Sleep(1500 * time.Millisecond)
	begin := time.Now()
	atomic.StoreInt32(&phase, measuring)
	time.Sleep(time.Duration(*seconds * 1e9))
	atomic.StoreInt32(&phase, over)
	length := time.Since(begin).Seconds()
	group.Wait()
	rate := float64(len(times)) / length
	distribution("lock.handoff", "us", 1e3, times, how().with(fields{"violations": violations}))
	tell("lock.handoff.rate", "handoffs/s", how().with(fields{"value": round(rate)}))
}

// ---- Barrier

func barrier() {
	all := sessions()
	var times []time.Duration
	for turn := 0; turn < *rounds; turn++ {
		name := fmt.Sprintf("/barrier/%d/%d", os.Getpid(), turn)
		parties := make([]*recipe.DoubleBarrier, len(all))
		for index, session := range all {
			parties[index] = recipe.NewDoubleBarrier(session, name, len(all))
		}
		var group sync.WaitGroup
		group.Add(len(all))
		enter := func(party *recipe.DoubleBarrier) {
			defer group.Done()
			check(party.Enter())
		}
		for _, party := range parties[1:] {
			go enter(party)
		}
		for waiting := int64(0); waiting < int64(len(all)-1); time.Sleep(5 * time.Millisecond) {
			found, err := all[0].Client().Get(
				background, name+"/waiters", clientv3.WithPrefix(), clientv3.WithCountOnly())
			check(err)
			waiting = found.Count
		}
		// The server may take 100 ms to serve a watch that began a moment ago.
		time.Sleep(150 * time.Millisecond)
		start := time.Now()
		enter(parties[0])
		group.Wait()
		times = append(times, time.Since(start))
		_, err := all[0].Client().Delete(background, name, clientv3.WithPrefix())
		check(err)
	}
	distribution("barrier.last", "us", 1e3, times,
		fields{"parties": *workers, "conns": *conns, "target": "leader"})
}

// ---- Elections

// Says "ready", stands for leader, says "elected", and waits to be killed.
func candidate() {
	election := concurrency.NewElection(session(dial(leading()), 1), *slot)
	fmt.Println("ready")
	check(election.Campaign(background, strconv.Itoa(os.Getpid())))
	fmt.Println("elected")
	select {}
}

type standby struct {
	command *exec.Cmd
	elected chan time.Time
}

func stand(slot string) standby {
	command := exec.Command(os.Args[0], "-servers", *servers, "-slot", slot, "candidate")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	ready, elected := make(chan bool, 1), make(chan time.Time, 1)
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if lines.Text() == "ready" {
				ready <- true
			} else {
				elected <- time.Now()
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		check(fmt.Errorf("a candidate does not come up"))
	}
	return standby{command, elected}
}

func elect() {
	name := fmt.Sprintf("/elect/%d", os.Getpid())
	line := []standby{stand(name)}
	<-line[0].elected
	line = append(line, stand(name), stand(name))
	var times []time.Duration
	for turn := 0; turn < *rounds; turn++ {
		time.Sleep(time.Duration(300+37*turn%500) * time.Millisecond)
		start := time.Now()
		check(line[0].command.Process.Kill())
		next, at := 1, time.Time{}
		select {
		case at = <-line[1].elected:
		case at = <-line[2].elected:
			next = 2
		case <-time.After(60 * time.Second):
			check(fmt.Errorf("nobody was elected in a minute"))
		}
		times = append(times, at.Sub(start))
		line[0].command.Wait()
		line = []standby{line[next], line[3-next], stand(name)}
	}
	for _, candidate := range line {
		candidate.command.Process.Kill()
		candidate.command.Wait()
	}
	distribution("elect.kill9", "ms", 1e6, times,
		fields{"target": "leader", "ttl_asked_s": 1})
}

// ---- A server is killed

func gap() {
	index := leader()
	victim, err := strconv.Atoi(strings.Split(*pids, ",")[index])
	check(err)
	own := session(dial(addresses()...), 60)
	begin, last := time.Now(), time.Now()
	var before, after time.Duration
	killed, errors := false, 0
	for number := 0; time.Since(begin).Seconds() < *seconds; number++ {
		if !killed && time.Since(begin) > 2*time.Second {
			check(syscall.Kill(victim, syscall.SIGKILL))
			killed = true
		}
		limited, cancel := context.WithTimeout(background, 100*time.Millisecond)
		lock := concurrency.NewMutex(own, fmt.Sprintf("/gap/%d", number))
		err := lock.Lock(limited)
		if err == nil {
			err = lock.Unlock(limited)
		}
		cancel()
		if err != nil {
			errors++
			time.Sleep(2 * time.Millisecond)
			continue
		}
		pause := time.Since(last)
		last = time.Now()
		if killed && pause > after {
			after = pause
		} else if !killed && pause > before {
			before = pause
		}
	}
	tell("gap.server_kill", "ms", fields{"value": round(after.Seconds() * 1e3),
		"longest_before_ms": round(before.Seconds() * 1e3), "errors": errors, "victim": index})
	os.Exit(0) // The session may wait for the dead server.
}

// ---- A watcher is told

func watch() {
	index := leader()
	for turn, watcher := range []string{"same", "other"} {
		writer := dial(addresses()[index])
		reader := dial(addresses()[(index+turn)%len(addresses())])
		key := "/watch/" + watcher
		events := reader.Watch(background, key)
		_, err := writer.Put(background, key, "first")
		check(err)
		<-events
		var told, acknowledged []time.Duration
		for end := time.Now().Add(time.Duration(*seconds / 2 * 1e9)); time.Now().Before(end); {
			answered := make(chan time.Time, 1)
			start := time.Now()
			go func() {
				_, err := writer.Put(background, key, "value")
				check(err)
				answered <- time.Now()
			}()
			<-events
			told = append(told, time.Since(start))
			acknowledged = append(acknowledged, (<-answered).Sub(start))
		}
		where := func() fields { return fields{"writer": "leader", "watcher": watcher} }
		distribution("watch.notify", "us", 1e3, told, where())
		distribution("watch.put_ack", "us", 1e3, acknowledged, where())
		writer.Close()
		reader.Close()
	}
}

func main() {
	log.SetOutput(io.Discard)
	flag.Parse()
	work := map[string]func(){
		"pairs": pairs, "handoff": handoff, "barrier": barrier, "elect": elect,
		"candidate": candidate, "gap": gap, "watch": watch,
		"leader": func() { fmt.Println(leader()) },
	}[flag.Arg(0)]
	if work == nil {
		fmt.Fprintln(os.Stderr, "etcd-client: no such work:", flag.Arg(0))
		os.Exit(64)
	}
	work()
}

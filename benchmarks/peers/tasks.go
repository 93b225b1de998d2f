// Goroutines and channels: `tasks NAME COUNT [FILE]`, one line of JSON on standard output, as stopwatch.py says it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	batch     = 1000
	pending   = 100_000 // timers, all later than the benchmark ends
	later     = time.Hour
	soon      = 500 * time.Millisecond
	blockSize = 4096
	readers   = 100
	random    = 1 // POSIX_FADV_RANDOM
	dontNeed  = 4 // POSIX_FADV_DONTNEED
)

// What an operation measured of itself; nil: all of it counts.
var span map[string]float64

func seconds() (cpu, wall float64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9, float64(time.Now().UnixNano()) / 1e9
}

func measured(work func()) map[string]float64 {
	runtime.GC()
	cpu, wall := seconds()
	work()
	cpuAfter, wallAfter := seconds()
	return map[string]float64{"cpu": cpuAfter - cpu, "wall": wallAfter - wall}
}

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal(err)
	}
	fields := strings.Fields(string(text))
	pages, _ := strconv.Atoi(fields[1])
	shared, _ := strconv.Atoi(fields[2])
	return float64((pages - shared) * os.Getpagesize())
}

func check(right bool) {
	if !right {
		log.Fatal("wrong result")
	}
}

func yields(count int) {
	var both sync.WaitGroup
	both.Add(2)
	for t := 0; t < 2; t++ {
		go func() {
			for i := 0; i < count/2; i++ {
				runtime.Gosched()
			}
			both.Done()
		}()
	}
	both.Wait()
}

func crowd(count int) {
	const tasks = 10000
	gates := make([]chan bool, tasks)
	var all sync.WaitGroup
	all.Add(tasks)
	for t := range gates {
		gates[t] = make(chan bool, 1)
		go func(gate chan bool) {
			<-gate
			for i := 0; i < count/tasks; i++ {
				runtime.Gosched()
			}
			all.Done()
		}(gates[t])
	}
	span = measured(func() {
		for _, t := range rand.New(rand.NewSource(tasks)).Perm(tasks) {
			gates[t] <- true
		}
		all.Wait()
	})
}

func channel(count int) {
	wire := make(chan int)
	go func() {
		for i := 0; i < count; i++ {
			wire <- i
		}
	}()
	for i := 0; i < count; i++ {
		check(<-wire == i)
	}
}

func spawn(count int) {
	for i := 0; i < count/batch; i++ {
		var all sync.WaitGroup
		all.Add(batch)
		for j := 0; j < batch; j++ {
			go all.Done()
		}
		all.Wait()
	}
}

func chain(count int) {
	first := make(chan int)
	left := first
	for i := 0; i < count; i++ {
		right := make(chan int)
		go func(left, right chan int) { right <- 1 + <-left }(left, right)
		left = right
	}
	first <- 0
	check(<-left == count)
}

func blocked(count int) {
	gate := make(chan int)
	var all sync.WaitGroup
	all.Add(count)
	before := resident()
	span = measured(func() {
		for i := 0; i < count; i++ {
			go func() { <-gate; all.Done() }()
		}
		for i := 0; i < 100; i++ {
			runtime.Gosched()
		}
	})
	span["memory"] = resident() - before
	close(gate)
	all.Wait()
}

func timers(count int) {
	for i := 0; i < pending; i++ {
		time.AfterFunc(later+time.Duration(i)*time.Millisecond, func() {})
	}
	span = measured(func() {
		for i := 0; i < count; i++ {
			time.AfterFunc(later, func() {}).Stop()
		}
	})
}

func sleeps(count int) {
	var all sync.WaitGroup
	all.Add(count)
	for i := 1; i <= count; i++ {
		go func(nap time.Duration) { time.Sleep(nap); all.Done() }(soon * time.Duration(i) / time.Duration(count))
	}
	all.Wait()
}

func lock(count int) {
	var one sync.Mutex
	for i := 0; i < count; i++ {
		one.Lock()
		one.Unlock()
	}
}

func reads(count int, cold bool) {
	file, err := os.Open(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	about, _ := file.Stat()
	blocks := int(about.Size()) / blockSize
	// Every step-th block, modulo their number: none twice as long as there are enough, and far from the last one.
	const step = 48_271
	if cold {
		for _, advice := range []uintptr{random, dontNeed} {
			syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, advice, 0, 0)
		}
	}
	span = measured(func() {
		var all sync.WaitGroup
		all.Add(readers)
		for r := 0; r < readers; r++ {
			go func(r int) {
				data := make([]byte, blockSize)
				for i := r; i < count; i += readers {
					block := i * step % blocks
					if _, err := file.ReadAt(data, int64(block)*blockSize); err != nil {
						log.Fatal(err)
					}
					check(data[blockSize-1] == byte(block))
				}
				all.Done()
			}(r)
		}
		all.Wait()
	})
}

func main() {
	operations := map[string]func(int){
		"switch": yields, "crowd": crowd, "channel": channel, "spawn": spawn, "chain": chain, "blocked": blocked,
		"timers": timers, "sleeps": sleeps, "lock": lock,
		"pread":      func(count int) { reads(count, false) },
		"cold-pread": func(count int) { reads(count, true) },
	}
	name := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	operation := operations[name]
	if err != nil || operation == nil {
		log.Fatal("usage: tasks NAME COUNT [FILE]")
	}
	if name != "blocked" { // its memory must come from the system
		operation(count/10 + 1)
	}
	span = nil
	whole := measured(func() { operation(count) })
	if span == nil {
		span = whole
	}
	text, _ := json.Marshal(span)
	fmt.Println(string(text))
}

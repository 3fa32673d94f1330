// SPDX-License-Identifier: MIT
// Go, on one processor as the others are. Run as the other drivers are: MEASURE.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const switches, forks, messages, live = 5000000, 1000000, 3000000, 100000

// The process's own memory, and its page tables.
func keptBytes() (own, tables float64) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var key string
		var kib float64
		fmt.Sscanf(lines.Text(), "%s %f", &key, &kib)
		switch key {
		case "RssAnon:", "RssShmem:":
			own += kib * 1024
		case "VmPTE:":
			tables += kib * 1024
		}
	}
	return
}

func yields() {
	for i := 0; i < switches/2; i++ {
		runtime.Gosched()
	}
}

func sleeps(ms func(i int) int) {
	var all sync.WaitGroup
	all.Add(live)
	for i := 0; i < live; i++ {
		go func(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond); all.Done() }(ms(i))
	}
	all.Wait()
}

func cpuNs() float64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Nano() + used.Stime.Nano())
}

func main() {
	runtime.GOMAXPROCS(1)
	done := make(chan int)
	own, tables := keptBytes()
	began := time.Now()
	each := func(n float64) float64 { return float64(time.Since(began).Nanoseconds()) / n }
	switch os.Args[1] {
	case "switch":
		go func() { yields(); done <- 1 }()
		yields()
		<-done
		fmt.Printf("switch %.1f ns\n", each(switches))
	case "fork_await":
		for i := 0; i < forks; i++ {
			go func() { done <- 1 }()
			<-done
		}
		fmt.Printf("fork_await %.1f ns\n", each(forks))
	case "message":
		go func() {
			for i := 0; i < messages; i++ {
				done <- i
			}
		}()
		for i := 0; i < messages; i++ {
			<-done
		}
		fmt.Printf("message %.1f ns\n", each(messages))
	case "live":
		for i := 0; i < live; i++ {
			go func() { <-done }()
		}
		runtime.Gosched()
		fmt.Printf("live_make %.1f ns\n", each(live))
		ownNow, tablesNow := keptBytes()
		fmt.Printf("live %.1f bytes\n", (ownNow-own)/live)
		fmt.Printf("live_tables %.1f bytes\n", (tablesNow-tables)/live)
	case "sleep":
		one := func(int) int { return 1 }
		sleeps(one)
		fmt.Printf("sleep_cold %.1f ms\n", each(1e6))
		began = time.Now()
		sleeps(one)
		fmt.Printf("sleep_warm %.1f ms\n", each(1e6))
	case "timers":
		cpu := cpuNs()
		sleeps(func(i int) int { return 1 + i*7919%1000 })
		fmt.Printf("timers %.1f ns\n", (cpuNs()-cpu)/live)
	}
}

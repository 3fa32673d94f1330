// SPDX-License-Identifier: MIT
// Go, on one processor as the others are. Run as the other drivers are: MEASURE.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const switches, forks, messages, live = 5000000, 1000000, 3000000, 100000

func memoryBytes() float64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	sum := 0.0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib float64
		for _, key := range []string{"RssAnon:", "VmPTE:"} {
			if strings.HasPrefix(lines.Text(), key) {
				fmt.Sscanf(strings.TrimPrefix(lines.Text(), key), "%f", &kib)
				sum += kib * 1024
			}
		}
	}
	return sum
}

func yields() {
	for i := 0; i < switches/2; i++ {
		runtime.Gosched()
	}
}

func sleeps() {
	var all sync.WaitGroup
	all.Add(live)
	for i := 0; i < live; i++ {
		go func() { time.Sleep(time.Millisecond); all.Done() }()
	}
	all.Wait()
}

func main() {
	runtime.GOMAXPROCS(1)
	done := make(chan int)
	before, began := memoryBytes(), time.Now()
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
		fmt.Printf("live %.1f bytes\n", (memoryBytes()-before)/live)
	case "sleep":
		sleeps()
		fmt.Printf("sleep_cold %.1f ms\n", each(1e6))
		began = time.Now()
		sleeps()
		fmt.Printf("sleep_warm %.1f ms\n", each(1e6))
	}
}

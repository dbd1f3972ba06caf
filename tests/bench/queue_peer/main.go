// The peer of tests/bench/queue.c: client-go's work queue with the same keys and the same order of calls, on one goroutine,
// the best of as many tries.
package main

import (
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
)

const (
	keys   = 1000
	rounds = 50
	tries  = 100
)

func measure(run func()) float64 {
	best := time.Duration(1<<63 - 1)
	for range tries {
		start := time.Now()
		for range rounds {
			run()
		}
		best = min(best, time.Since(start))
	}
	return float64(best.Nanoseconds()) / (keys * rounds)
}

func main() {
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("default/widget-%05d", i)
	}
	q := workqueue.NewTyped[string]()
	turn := func() {
		key, _ := q.Get()
		q.Done(key)
	}
	fmt.Printf("peer_add_get_done_ns %.1f ns\n", measure(func() {
		for _, key := range names {
			q.Add(key)
			turn()
		}
	}))
	fmt.Printf("peer_batch_add_get_done_ns %.1f ns\n", measure(func() {
		for _, key := range names {
			q.Add(key)
		}
		for range names {
			turn()
		}
	}))
}

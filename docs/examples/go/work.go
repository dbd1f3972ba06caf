package main

import (
	"context"
	"sort"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"tally.example.com/checkpoint"
)

const (
	controllerName = "tally" // as in docs/examples/c: a successor knows its keys by it
	backoffFirst   = 5 * time.Millisecond
	backoffMost    = 1000 * time.Second
	restoredMost   = time.Hour // the predecessor's clock is another machine's
)

// work is client-go's queue, and what it does not tell: which keys are in flight, wait, and have failed how often.
type work struct {
	queue workqueue.TypedDelayingInterface[string]

	mu       sync.Mutex
	keys     map[string]*state
	seq      int
	stopping bool
	inflight sync.WaitGroup
	unread   []checkpoint.Part
}

type state struct {
	checkpoint.Key
	idle, again bool // nothing to do but to remember failures; in flight, and to be done again
	seq         int
}

func newWork() *work {
	return &work{queue: workqueue.NewTypedDelayingQueue[string](), keys: map[string]*state{}}
}

func (w *work) state(key string) *state {
	s := w.keys[key]
	if s == nil {
		w.seq++
		s = &state{Key: checkpoint.Key{Controller: controllerName, Key: key}, idle: true, seq: w.seq}
		w.keys[key] = s
	}
	return s
}

// add: something of the key has changed. What is for later is done now.
func (w *work) add(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state(key)
	if !s.idle && s.Kind == checkpoint.InFlight {
		s.again = true
	} else if s.idle || s.Kind != checkpoint.Interrupted {
		s.Kind, s.idle, s.Reason = checkpoint.Queued, false, ""
	}
	w.queue.Add(key)
}

// restore takes a key over from the predecessor.
func (w *work) restore(k checkpoint.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state(k.Key)
	s.Key, s.idle = k, k.Kind == checkpoint.Failures
	switch k.Kind {
	case checkpoint.Interrupted, checkpoint.InFlight:
		s.Kind = checkpoint.Interrupted
		w.queue.Add(k.Key)
	case checkpoint.Queued:
		w.queue.Add(k.Key)
	case checkpoint.Delayed:
		w.queue.AddAfter(k.Key, min(time.Until(k.At), restoredMost))
	}
}

// known: the key need not be added by the first list.
func (w *work) known(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys[key] != nil
}

// next is a key to work on; false: no more.
func (w *work) next() (string, bool) {
	for {
		key, shutdown := w.queue.Get()
		if shutdown {
			return "", false
		}
		w.mu.Lock()
		if s := w.state(key); !w.stopping {
			s.Kind, s.idle, s.again = checkpoint.InFlight, false, false
			w.inflight.Add(1)
			w.mu.Unlock()
			return key, true
		}
		w.mu.Unlock() // it stays in the checkpoint as what it is
		w.queue.Done(key)
	}
}

type outcome struct {
	after       time.Time // again then
	err         error     // failed: with backoff
	terminal    bool      // failed, and will until the object changes
	interrupted bool
}

func (w *work) done(key string, o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state(key)
	s.Kind, s.Reason = checkpoint.Queued, ""
	switch {
	case o.interrupted:
		s.Kind = checkpoint.Interrupted
	case o.terminal:
		s.Kind, s.At, s.Reason = checkpoint.Dead, time.Now(), o.err.Error()
		s.Failures++
	case o.err != nil:
		wait := min(backoffFirst<<min(s.Failures, 20), backoffMost)
		s.Failures++
		s.Kind, s.At = checkpoint.Delayed, time.Now().Add(wait)
		w.queue.AddAfter(key, wait)
	case !o.after.IsZero():
		s.Kind, s.At, s.Failures = checkpoint.Delayed, o.after, 0
		w.queue.AddAfter(key, time.Until(o.after))
	default:
		s.Failures = 0
		if !s.again {
			delete(w.keys, key)
		}
	}
	if s.again && !o.interrupted {
		s.Kind = checkpoint.Queued // the queue has it again by itself
	}
	w.queue.Done(key)
	w.inflight.Done()
}

// checkpoint is the work in hand.
func (w *work) checkpoint() *checkpoint.Checkpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*state, 0, len(w.keys))
	for _, s := range w.keys {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	c := &checkpoint.Checkpoint{Unread: w.unread}
	for _, s := range all {
		c.Keys = append(c.Keys, s.Key)
	}
	return c
}

// stop: nothing new is begun. Waits for what is in flight, until ctx ends.
func (w *work) stop(ctx context.Context) {
	w.mu.Lock()
	w.stopping = true
	w.mu.Unlock()
	w.queue.ShutDown()
	idle := make(chan struct{})
	go func() { w.inflight.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

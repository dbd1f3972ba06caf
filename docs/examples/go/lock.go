package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	coordination "k8s.io/api/coordination/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"tally.example.com/checkpoint"
)

// lock is client-go's lock on a Lease, whose writes have the checkpoint with them: what the predecessor left until it is restored, then
// one's own, with each renewal and with the release.
type lock struct {
	leases         typed.LeaseInterface
	name, identity string

	mu    sync.Mutex
	lease *coordination.Lease           // as last read or written
	work  func() *checkpoint.Checkpoint // what is in hand; nil until the predecessor's is restored
}

func (l *lock) Identity() string   { return l.identity }
func (l *lock) Describe() string   { return l.name }
func (l *lock) RecordEvent(string) {}

func (l *lock) read(lease *coordination.Lease, err error) error {
	if err == nil {
		l.lease = lease
	}
	return err
}

func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.read(l.leases.Get(ctx, l.name, meta.GetOptions{})); err != nil {
		return nil, nil, err
	}
	raw, err := l.lease.Spec.Marshal()
	return resourcelock.LeaseSpecToLeaderElectionRecord(&l.lease.Spec), raw, err
}

func (l *lock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease := &coordination.Lease{ObjectMeta: meta.ObjectMeta{Name: l.name}, Spec: resourcelock.LeaderElectionRecordToLeaseSpec(&r)}
	return l.read(l.leases.Create(ctx, lease, meta.CreateOptions{FieldManager: manager}))
}

// Update keeps what others wrote, and the resourceVersion of what it is decided on.
func (l *lock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil {
		return errors.New("the lease was not read yet")
	}
	lease, before := l.lease.DeepCopy(), resourcelock.LeaseSpecToLeaderElectionRecord(&l.lease.Spec)
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&r)
	if r.HolderIdentity == l.identity && before.HolderIdentity != l.identity {
		value, _ := checkpoint.Carry(lease.Annotations[checkpoint.Annotation], int64(before.LeaderTransitions), int64(r.LeaderTransitions))
		note(lease, value)
	} else if l.work != nil {
		note(lease, l.text(int64(r.LeaderTransitions)))
	}
	return l.read(l.leases.Update(ctx, lease, meta.UpdateOptions{FieldManager: manager}))
}

func note(lease *coordination.Lease, value string) {
	if value == "" {
		return
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[checkpoint.Annotation] = value
}

func (l *lock) text(term int64) string {
	c := l.work()
	c.Term, c.Made, c.By, c.At = term, term, l.identity, time.Now()
	return c.Text()
}

// taken is what the predecessor left, as it stands there under our term.
func (l *lock) taken() (*checkpoint.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return checkpoint.Read(l.lease.Annotations[checkpoint.Annotation], int64(*l.lease.Spec.LeaseTransitions))
}

// restored: from now on the checkpoint is our own.
func (l *lock) restored(work func() *checkpoint.Checkpoint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work = work
}

// checkpointNow writes one without waiting for the renewal: a pod that is evicted has two seconds. Whether it stands there.
func (l *lock) checkpointNow(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil || l.work == nil || l.lease.Spec.HolderIdentity == nil || *l.lease.Spec.HolderIdentity != l.identity {
		return false
	}
	lease := l.lease.DeepCopy()
	now := meta.NowMicro()
	lease.Spec.RenewTime = &now
	note(lease, l.text(int64(*lease.Spec.LeaseTransitions)))
	err := l.read(l.leases.Update(ctx, lease, meta.UpdateOptions{FieldManager: manager}))
	if err != nil {
		slog.Warn("the checkpoint could not be written", "error", err)
	}
	return err == nil
}

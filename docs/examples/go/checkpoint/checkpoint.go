// Package checkpoint reads and writes the work that a leader leaves for the next one, on its Lease: docs/reference/checkpoint.md, version 1.
package checkpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	Annotation = "handover.dev/checkpoint"
	DataKey    = "checkpoint" // of a ConfigMap's data

	version     = "handover/1"
	inlineMax   = 64 << 10
	headMax     = 4096
	partsMax    = 16
	unreadMax   = 16
	keysMax     = 1000000
	keyMax      = 1024
	reasonMax   = 512
	controllers = 256
	digits      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	kinds       = "ifqdxr" // as they are written: what matters most comes first
)

// Kind of a key; in the order of a restore.
type Kind int

const (
	Interrupted Kind = iota // cancelled in the middle
	InFlight                // was being worked on
	Queued
	Delayed
	Failures // nothing to do, but failures are remembered
	Dead     // dead letter
)

func (k Kind) String() string {
	return [...]string{"interrupted", "inflight", "queued", "delayed", "failures", "dead"}[k]
}
func (k Kind) letter() byte { return "ifqdrx"[k] }

// Key is one entry.
type Key struct {
	Kind            Kind
	Controller, Key string
	Priority        int
	Failures        uint32
	At              time.Time // Delayed: when; Dead: since when. To the millisecond
	Reason          string    // Dead: why
}

// Part is a ConfigMap LEASE-checkpoint-MADE-NUMBER with the digest of its text.
type Part struct {
	Made, Number int64
	SHA256       string
}

func (p Part) Name(lease string) string {
	return fmt.Sprintf("%s-checkpoint-%d-%d", lease, p.Made, p.Number)
}

// Checkpoint is what stands on a Lease.
type Checkpoint struct {
	Term, Made int64
	By         string
	At         time.Time
	Keys       []Key // of the body; those of Parts come by Give
	Count      int64 // in all parts, as the head says
	Dropped    int64
	Skipped    int // entries of a kind or with a mark that is not known
	Parts      []Part
	Unread     []Part // of earlier checkpoints, which the writer could not read
}

// What is found instead of a checkpoint. None of it is a reason not to lead.
var (
	ErrEmpty   = errors.New("empty")
	ErrForeign = errors.New("foreign") // another program's or another version's
	ErrStale   = errors.New("stale")   // of another term than the one that was taken over
	ErrDamaged = errors.New("damaged")
)

func damaged(what string, value any) error { return fmt.Errorf("%w: %s %q", ErrDamaged, what, value) }

// ---- the head ----

func number(text string, max int64) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > max || text[0] == '+' {
		return 0, damaged("number", text)
	}
	return n, nil
}

func digest(text string) (string, error) {
	if b, err := hex.DecodeString(text); err != nil || len(b) != sha256.Size {
		return "", damaged("digest", text)
	}
	return text, nil
}

func unread(text string) (parts []Part, err error) {
	for _, one := range strings.Split(text, ",") {
		f := strings.Split(one, ".")
		if len(f) != 3 || len(parts) == unreadMax {
			return nil, damaged("unread", one)
		}
		made, err1 := number(f[0], 1<<62)
		n, err2 := number(f[1], partsMax)
		sha, err3 := digest(f[2])
		if err := errors.Join(err1, err2, err3); err != nil || n == 0 {
			return nil, damaged("unread", one)
		}
		parts = append(parts, Part{made, n, sha})
	}
	return parts, nil
}

// readHead has the digests of the parts, or of the body where there are none.
func readHead(value string) (c *Checkpoint, digests []string, body string, err error) {
	first, rest, _ := strings.Cut(value, " ")
	if value == "" {
		return nil, nil, "", ErrEmpty
	}
	if first != version {
		return nil, nil, "", fmt.Errorf("%w: begins with %.40q, known is %q", ErrForeign, first, version)
	}
	head, body, inline := strings.Cut(rest, " | ")
	if len(head) > headMax {
		return nil, nil, "", damaged("length of the head", len(head))
	}
	c = &Checkpoint{}
	var parts, at int64
	seen := map[string]bool{}
	fields := map[string]func(string) error{
		"term":    func(v string) (err error) { c.Term, err = number(v, 1<<62); return },
		"made":    func(v string) (err error) { c.Made, err = number(v, 1<<62); return },
		"at":      func(v string) (err error) { at, err = number(v, 1<<43); return },
		"keys":    func(v string) (err error) { c.Count, err = number(v, 1<<62); return },
		"dropped": func(v string) (err error) { c.Dropped, err = number(v, 1<<62); return },
		"parts":   func(v string) (err error) { parts, err = number(v, partsMax); return },
		"by":      func(v string) (err error) { c.By, err = unescape(v, 511); return },
		"unread":  func(v string) (err error) { c.Unread, err = unread(v); return },
		"sha256": func(v string) error {
			for _, one := range strings.Split(v, ",") {
				if _, err := digest(one); err != nil {
					return err
				}
				digests = append(digests, one)
			}
			return nil
		},
	}
	for _, field := range strings.Split(head, " ") {
		name, v, ok := strings.Cut(field, "=")
		read := fields[name]
		if !ok || seen[name] && read != nil {
			return nil, nil, "", damaged("field", field)
		}
		if read == nil {
			continue // of a later writer
		}
		seen[name] = true
		if err := read(v); err != nil {
			return nil, nil, "", err
		}
	}
	seen["unread"] = true
	want := max(int(parts), 1)
	if len(seen) != len(fields) || len(digests) != want || inline != (parts == 0) {
		return nil, nil, "", damaged("head", head)
	}
	for i := range parts {
		c.Parts = append(c.Parts, Part{c.Made, i + 1, digests[i]})
	}
	c.At = time.UnixMilli(at)
	return c, digests, body, nil
}

// Carry is the same checkpoint under the term of a new leader, which is what the write that makes it the leader leaves. Otherwise the annotation
// stays as it is.
func Carry(value string, from, to int64) (string, bool) {
	c, _, _, err := readHead(value)
	if err != nil || c.Term != from {
		return value, false
	}
	head, body, inline := strings.Cut(value, " | ")
	head = strings.Replace(head+" ", fmt.Sprintf(" term=%d ", from), fmt.Sprintf(" term=%d ", to), 1)
	head = strings.TrimSuffix(head, " ")
	if !inline {
		return head, true
	}
	return head + " | " + body, true
}

// ---- reading ----

// Read has the keys of the annotation's value in the order of a restore. term: leaseTransitions that it has to be of.
func Read(value string, term int64) (*Checkpoint, error) {
	c, digests, body, err := readHead(value)
	if err != nil {
		return nil, err
	}
	if c.Term != term {
		return nil, fmt.Errorf("%w: of term %d, but term %d was taken over", ErrStale, c.Term, term)
	}
	if len(c.Parts) > 0 {
		return c, nil
	}
	if err := c.take(body, digests[0]); err != nil {
		return nil, err
	}
	if int64(len(c.Keys)+c.Skipped) != c.Count {
		return nil, damaged("number of keys", c.Count)
	}
	return c, nil
}

// Give adds the keys of a ConfigMap, which is one of Parts or Unread, or none of them.
func (c *Checkpoint) Give(p Part, text string) error { return c.take(text, p.SHA256) }

func (c *Checkpoint) take(body, want string) error {
	sum := sha256.Sum256([]byte(body))
	if hex.EncodeToString(sum[:]) != want {
		return damaged("digest", want)
	}
	keys, skipped, err := readBody(body, c.At.UnixMilli())
	if err != nil {
		return err
	}
	if len(c.Keys)+len(keys) > keysMax {
		return damaged("number of keys", len(keys))
	}
	c.Keys, c.Skipped = append(c.Keys, keys...), c.Skipped+skipped
	sort.SliceStable(c.Keys, func(i, j int) bool { return c.Keys[i].Kind < c.Keys[j].Kind })
	return nil
}

type decoder struct {
	at         int64
	key        string // the one before
	entry      Key    // what holds for the next: controller, kind, priority
	known      bool   // its kind
	keys       []Key
	skipped    int
	controller map[string]bool
}

func readBody(body string, at int64) ([]Key, int, error) {
	d := decoder{at: at, controller: map[string]bool{}}
	for len(body) > 0 {
		var word string
		word, body, _ = strings.Cut(body, " ")
		if err := d.word(word); err != nil {
			return nil, 0, err
		}
	}
	return d.keys, d.skipped, nil
}

func (d *decoder) word(w string) error {
	switch {
	case strings.HasPrefix(w, "#"):
		name, err := unescape(w[1:], keyMax)
		d.controller[name] = true
		if err != nil || name == "" || len(d.controller) > controllers {
			return damaged("controller", w)
		}
		d.entry, d.known, d.key = Key{Controller: name}, false, ""
		return nil
	case strings.HasPrefix(w, "!"):
		k := -1
		if len(w) == 2 {
			k = strings.IndexByte("ifqdrx", w[1])
		}
		if len(w) < 2 || d.entry.Controller == "" {
			return damaged("kind", w)
		}
		d.known, d.entry.Kind, d.entry.Priority = k >= 0, Kind(max(k, 0)), 0
		return nil
	case strings.HasPrefix(w, "^"):
		n, err := strconv.ParseInt(w[1:], 10, 32)
		if err != nil {
			return damaged("priority", w)
		}
		d.entry.Priority = int(n)
		return nil
	}
	return d.read(w)
}

// read takes an entry: shared bytes, the rest of the key, marks.
func (d *decoder) read(w string) error {
	shared, text := 0, w
	for more := true; more; {
		n := -1
		if len(text) > 0 {
			n = strings.IndexByte(digits, text[0])
		}
		if n < 0 {
			return damaged("entry", w)
		}
		shared, text, more = shared+n, text[1:], n == 61
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r != '%' && !safe(byte(r)) })
	if end < 0 {
		end = len(text)
	}
	rest, err := unescape(text[:end], keyMax)
	if err != nil || d.entry.Controller == "" || shared > len(d.key) {
		return damaged("entry", w)
	}
	e := d.entry
	e.Key = d.key[:shared] + rest
	d.key = e.Key
	if e.Key == "" || len(e.Key) > keyMax {
		return damaged("key", w)
	}
	if !d.known {
		d.skipped++
		return nil
	}
	left, err := d.marks(&e, text[end:])
	switch {
	case err != nil:
		return err
	case left != "": // a mark of a later writer
		d.skipped++
	default:
		d.keys = append(d.keys, e)
	}
	return nil
}

func (d *decoder) marks(e *Key, text string) (left string, err error) {
	take := func(mark, of string) (string, bool) {
		if !strings.HasPrefix(text, mark) {
			return "", false
		}
		text = text[1:]
		n := len(text) - len(strings.TrimLeft(text, of))
		v := text[:n]
		text = text[n:]
		return v, true
	}
	if v, ok := take("+", "0123456789"); ok {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return "", damaged("failures", v)
		}
		e.Failures = uint32(n)
	}
	v, timed := take("@", "-0123456789")
	if timed {
		n, err := strconv.ParseInt(v, 10, 53)
		if err != nil || d.at+n < 0 {
			return "", damaged("time", v)
		}
		d.at += n
		e.At = time.UnixMilli(d.at)
	}
	if !timed && (e.Kind == Delayed || e.Kind == Dead) {
		return "", damaged("entry without its time", e.Key)
	}
	if v, ok := take("~", "%-._/:"+digits); ok {
		if e.Reason, err = unescape(v, reasonMax); err != nil {
			return "", err
		}
	}
	return text, nil
}

// ---- writing ----

func safe(c byte) bool { return strings.IndexByte(digits+"-._/:", c) >= 0 }

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if safe(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func unescape(s string, longest int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '%' && safe(s[i]):
			b.WriteByte(s[i])
		case s[i] == '%' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || strings.ToUpper(s[i+1:i+3]) != s[i+1:i+3] {
				return "", damaged("escape", s)
			}
			b.WriteByte(byte(n))
			i += 2
		default:
			return "", damaged("escape", s)
		}
	}
	if b.Len() > longest {
		return "", damaged("length", b.Len())
	}
	return b.String(), nil
}

type encoder struct {
	last *Key
	at   int64
	prio int
}

func (n *encoder) entry(k *Key) string {
	var b strings.Builder
	same := n.last != nil && n.last.Controller == k.Controller
	if !same {
		fmt.Fprintf(&b, "#%s ", escape(k.Controller))
	}
	if !same || n.last.Kind != k.Kind {
		fmt.Fprintf(&b, "!%c ", k.Kind.letter())
		n.prio = 0
	}
	if n.prio != k.Priority {
		fmt.Fprintf(&b, "^%d ", k.Priority)
		n.prio = k.Priority
	}
	shared := 0
	for same && shared < len(k.Key) && shared < len(n.last.Key) && k.Key[shared] == n.last.Key[shared] {
		shared++
	}
	b.WriteString(strings.Repeat("z", shared/61))
	b.WriteByte(digits[shared%61])
	b.WriteString(escape(k.Key[shared:]))
	if k.Failures > 0 {
		fmt.Fprintf(&b, "+%d", k.Failures)
	}
	if k.Kind == Delayed || k.Kind == Dead {
		at := max(k.At.UnixMilli(), 0)
		fmt.Fprintf(&b, "@%d", at-n.at)
		n.at = at
	}
	if k.Reason != "" {
		b.WriteString("~" + escape(k.Reason))
	}
	b.WriteByte(' ')
	n.last = k
	return b.String()
}

// Text is the annotation's value: the small form, from which is left out what has no room, the least important first. Of c: Term, Made, By, At,
// Keys, Dropped and Unread.
func (c *Checkpoint) Text() string {
	keys := make([]Key, 0, len(c.Keys))
	dropped := c.Dropped
	for _, k := range c.Keys {
		k.Reason = k.Reason[:min(len(k.Reason), reasonMax)]
		if k.Key == "" || len(k.Key) > keyMax || k.Controller == "" || len(k.Controller) > keyMax {
			dropped++
			continue
		}
		keys = append(keys, k)
	}
	sort.SliceStable(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		return cmp.Or(strings.IndexByte(kinds, a.Kind.letter())-strings.IndexByte(kinds, b.Kind.letter()),
			strings.Compare(a.Controller, b.Controller), b.Priority-a.Priority) < 0
	})
	at := max(c.At.UnixMilli(), 0)
	head := func(n int, body string) string {
		sum := sha256.Sum256([]byte(body))
		text := fmt.Sprintf("%s term=%d made=%d by=%s at=%d keys=%d dropped=%d parts=0 sha256=%x", version, c.Term, c.Made, escape(c.By),
			at, n, dropped+int64(len(keys)-n), sum)
		for i, p := range c.Unread[:min(len(c.Unread), unreadMax)] {
			text += fmt.Sprintf("%s%d.%d.%s", [...]string{" unread=", ","}[min(i, 1)], p.Made, p.Number, p.SHA256)
		}
		return text + " | "
	}
	room := inlineMax - len(head(0, "")) - 40 // the numbers of the final head may be longer
	n := encoder{at: at}
	var body strings.Builder
	written := 0
	for i := range keys {
		entry := n.entry(&keys[i])
		if body.Len()+len(entry) > room {
			break
		}
		body.WriteString(entry)
		written++
	}
	return head(written, body.String()) + body.String()
}

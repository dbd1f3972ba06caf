package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// VECTORS is docs/examples/vectors.txt, where the tests do not run in the tree.
func vectors(t *testing.T) []string {
	path := os.Getenv("VECTORS")
	if path == "" {
		path = "../../vectors.txt"
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

func describe(k Key) string {
	at := "-"
	if k.Kind == Delayed || k.Kind == Dead {
		at = fmt.Sprint(k.At.UnixMilli())
	}
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%s\t%s", k.Kind, escape(k.Controller), escape(k.Key), k.Priority, k.Failures, at, escape(k.Reason))
}

func TestVectors(t *testing.T) {
	lines := vectors(t)
	count := 0
	for i, line := range lines {
		name, ok := strings.CutPrefix(line, "= ")
		if !ok {
			continue
		}
		count++
		value, result := lines[i+1], strings.Fields(strings.TrimPrefix(lines[i+2], "> "))
		c, err := Read(value, 7)
		found := "ok"
		for _, e := range []error{ErrEmpty, ErrForeign, ErrStale, ErrDamaged} {
			if errors.Is(err, e) {
				found = e.Error()
			}
		}
		if found != result[0] {
			t.Errorf("%s: %s, not %s: %v", name, found, result[0], err)
		}
		if err != nil {
			continue
		}
		for j, k := range c.Keys {
			if lines[i+3+j] != describe(k) {
				t.Errorf("%s: found %q, not %q", name, describe(k), lines[i+3+j])
			}
		}
		if lines[i+3+len(c.Keys)] != "" {
			t.Errorf("%s: %q is not found", name, lines[i+3+len(c.Keys)])
		}
		if len(result) > 1 && result[1] == "same" && c.Text() != value {
			t.Errorf("%s: written\n%s, not\n%s", name, c.Text(), value)
		}
		if len(result) > 1 && result[1] != "same" && result[1] != fmt.Sprintf("skipped=%d", c.Skipped) {
			t.Errorf("%s: %d skipped, not %s", name, c.Skipped, result[1])
		}
	}
	if count < 15 {
		t.Fatalf("only %d vectors", count)
	}
}

func TestCarry(t *testing.T) {
	c := Checkpoint{Term: 7, Made: 3, By: "a term=7 b"}
	c.Keys = []Key{{Kind: Queued, Controller: "tally", Key: "default/a"}}
	carried, ok := Carry(c.Text(), 7, 8)
	again, err := Read(carried, 8)
	if !ok || err != nil || again.Made != 3 || again.By != c.By || len(again.Keys) != 1 {
		t.Fatalf("%v %v %s", ok, err, carried)
	}
	if same, ok := Carry(carried, 7, 9); ok || same != carried {
		t.Fatal("a stale one is carried")
	}
	if same, ok := Carry("handover/2 term=7", 7, 8); ok || same != "handover/2 term=7" {
		t.Fatal("another version is changed")
	}
}

func TestRoom(t *testing.T) {
	c := Checkpoint{Term: 1, Made: 1, By: "a"}
	for i := range 20000 {
		c.Keys = append(c.Keys, Key{Kind: Kind(i % 2 * 2), Controller: "tally", Key: fmt.Sprintf("default/%x", i*2654435761%4294967291)})
	}
	text := c.Text()
	again, err := Read(text, 1)
	if err != nil || len(text) > inlineMax || len(text) < inlineMax-100 || again.Keys[0].Kind != Interrupted || again.Count+again.Dropped != 20000 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
}

// What this operator does is said by /operator.conf in its image, so that an image update changes it, then by the environment
// (OPERATOR_ERROR_RATE ...), then by arguments (--error-rate=...); as in ../plain, with the same names. One `key=value` a line:
package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

var conf = map[string]string{
	"image":          "",       // written into the status of what it has reconciled
	"rate":           "2",      // so often a second each widget is reconciled, beside its changes; 0: at its changes alone
	"error-rate":     "0",      // share of the reconciles that fail, 0..1
	"errors-after":   "0",      // seconds from the start until they begin to fail
	"errors-until":   "0",      // seconds from the start until they fail no more; 0: always
	"errors-in-row":  "1",      // they come so many at a time
	"controllers":    "1",      // of these: `widget`, `widget-2`, ..., each reconciles every widget
	"bad-controller": "0",      // the number of the one that error-rate means; 0: all of them
	"backend":        "",       // the name of a widget without which nothing works: while its spec says `down`, every reconcile fails
	"reconcile-time": "0",      // seconds that a reconcile takes, or until it is cancelled
	"latency-after":  "0",      // seconds from the start until it takes them
	"writes":         "1",      // of a widget's status per reconcile
	"children":       "0",      // 1: each widget has a Deployment child-NAME, applied server-side, and a finalizer
	"template":       "",       // what stands in the pods' template of the children
	"template-shard": "",       // ... of those widgets whose label `shard` has this value; of the others nothing; "": of all
	"recreate-shard": "",       // of those of this one the child has `template` in its selector: it is deleted and made anew
	"drop-shard":     "",       // ... no child any more: it is deleted
	"observed":       "0",      // 1: the widget's status says what was read of it, and nothing else
	"sign":           "0",      // 1: managedFields say which pod has written
	"hot-loop":       "0",      // reconciles a second, of each controller, for which there is nothing to do
	"leak":           "0",      // bytes per reconcile
	"idle-after":     "0",      // seconds until it asks for no further reconcile of what it has done, whatever `rate` says; 0: never
	"stuck-after":    "0",      // seconds until a reconcile never ends, nor is cancelled; 0: never
	"panic-after":    "0",      // seconds until reconciles panic; 0: never
	"panic-rate":     "1",      // share of the reconciles that then do
	"crash-after":    "0",      // seconds until the process exits with 1; 0: never
	"start-after":    "0",      // seconds that it does nothing at all, not even listen
	"ready-after":    "0",      // seconds until /readyz says yes
	"ignore-sigterm": "0",      // 1: it goes on until it is killed
	"release":        "0",      // 1: it gives its lease back when it ends (LeaderElectionReleaseOnCancel)
	"lease-name":     "widget", // also --leader-election-id
	"metrics":        "https",  // http: on :8080, for everyone
}
var started = time.Now()

func configure() {
	text, _ := os.ReadFile("/operator.conf")
	for line := range strings.Lines(string(text)) {
		put(strings.TrimSpace(line))
	}
	for key := range conf {
		if v, ok := os.LookupEnv("OPERATOR_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))); ok {
			conf[key] = v
		}
	}
	for _, arg := range os.Args[1:] {
		put(strings.Replace(strings.TrimPrefix(arg, "--"), "leader-election-id", "lease-name", 1))
	}
}

// A name that is not known would make a story prove something else.
func put(line string) {
	key, value, _ := strings.Cut(line, "=")
	if _, known := conf[key]; !known && line != "" {
		os.Stderr.WriteString("operator.conf: \"" + line + "\": there is no such setting\n")
		os.Exit(2)
	}
	if line != "" {
		conf[key] = value
	}
}

func number(key string) float64 {
	n, err := strconv.ParseFloat(conf[key], 64)
	if err != nil {
		os.Stderr.WriteString("operator.conf: " + key + "=" + conf[key] + ": expected a number\n")
		os.Exit(2)
	}
	return n
}
func set(key string) bool             { return number(key) != 0 }
func after(key string) bool           { return time.Since(started) >= seconds(number(key)) }
func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
